"""How the calls of a load are counted and told."""

from __future__ import annotations

from dev.soak.load import Call, Load, latencies, outcomes


def make_call(**changes):
    """Return a call that went well."""
    values = {"url": "http://gateway/", "began": 0.0, "seconds": 0.01, "status": 200}
    return Call(**values | changes)


def test_calls_since_a_moment_are_those_that_began_then():
    """A call that was under way belongs to the time before."""
    early, late = make_call(began=1, seconds=5), make_call(began=2)

    assert Load([early, late]).since(2) == [late]


def test_outcomes_are_counted_most_frequent_first():
    """One line tells all ways in which calls ended."""
    calls = [make_call(status=503, code="vault_unavailable"), make_call(), make_call()]

    assert outcomes(calls) == "2 x 200, 1 x 503 vault_unavailable"
    assert outcomes([]) == "none"


def test_latencies_are_the_middle_the_tail_and_the_end():
    """The slowest of a hundred calls is the end, the one before it the tail."""
    calls = [make_call(seconds=number / 1000) for number in range(1, 101)]

    assert latencies(calls) == "p50 51 ms, p99 100 ms, max 100 ms"
    assert latencies([]) == "no calls"
