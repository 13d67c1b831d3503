"""What an entry of the activity holds, which ones a filter finds, and the numbers of a slot."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest

from shared.domain.activity import ActivityFilter, TokenEntry, shown_name
from shared.domain.activity_tally import BOUNDS_MS, SLOT, Tally, slot_of
from tests.builders import call_entry
from tests.fakes.machine import START

CALL = call_entry(
    request_id="5F-request", flow_run="run-0815", endpoint="GET", status=404, code="x"
)
TOKEN = TokenEntry(moment=START, integration="CRONUS", event="renewal_failed", code="y")


@pytest.mark.parametrize(
    ("wanted", "finds_call", "finds_token"),
    [
        ({}, True, True),
        ({"kind": "call"}, True, False),
        ({"kind": "token"}, False, True),
        ({"endpoint": "GET"}, True, False),
        ({"endpoint": "GE"}, False, False),
        ({"status_class": 4}, True, False),
        ({"status_class": 2}, False, False),
        ({"code": "x"}, True, False),
        ({"code": "y"}, False, True),
        ({"text": "5f-REQ"}, True, False),
        ({"text": "0815"}, True, False),
        ({"text": "0816"}, False, False),
        ({"since": START, "until": START}, True, True),
        ({"since": START + timedelta(microseconds=1)}, False, False),
        ({"until": START - timedelta(microseconds=1)}, False, False),
        ({"kind": "call", "status_class": 4, "code": "x", "text": "run"}, True, False),
        ({"kind": "token", "endpoint": "GET"}, False, False),
    ],
)  # fmt: skip
def test_filter_finds_what_fits_in_every_respect(wanted, finds_call, finds_token):
    """A token event has no endpoint, no status and no ids to be found by."""
    found = ActivityFilter(**wanted)

    assert (found.matches(CALL), found.matches(TOKEN)) == (finds_call, finds_token)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("cronus", "CRONUS"),
        ("x" * 51, "X" * 50),
        ("a\nb", "?"),
        ("\ud800", "?"),
        ("\u202egnol", "?"),
        ("<b>", "<B>"),
    ],
    ids=["lower-case", "long", "line-break", "no-text", "direction", "markup"],
)
def test_name_that_was_typed_is_stored_harmlessly(given, shown):
    """Short, on one line, and nothing that a table or a page cannot hold."""
    assert shown_name(given) == shown


@pytest.mark.parametrize(
    ("status", "is_error"), [(200, False), (304, False), (400, True), (503, True)]
)
def test_error_is_what_the_caller_was_told(status, is_error):
    """4xx and 5xx alike."""
    assert call_entry(status=status).is_error is is_error


@pytest.mark.parametrize("seed", range(20))
def test_percentile_is_told_within_one_step(seed):
    """The real one is not above the bound that is told, and above the bound below it."""
    random = Random(seed)  # noqa: S311 - examples
    lasted = sorted(int(random.lognormvariate(5, 1.5)) for _ in range(random.randint(1, 500)))
    tally = Tally()
    for each in lasted:
        tally.add(each, is_error=False)

    real = lasted[-(-len(lasted) * 95 // 100) - 1]

    told = tally.p95_ms
    assert real <= told
    assert BOUNDS_MS.index(told) == 0 or BOUNDS_MS[BOUNDS_MS.index(told) - 1] < real


def test_bounds_grow_evenly_past_the_longest_call():
    """To more than 220 seconds; past ten milliseconds no step is larger than two fifths."""
    steps = [after / before for before, after in pairwise(BOUNDS_MS)]

    assert BOUNDS_MS[0] == 1
    assert BOUNDS_MS[-1] > 220_000
    assert max(step for step, bound in zip(steps, BOUNDS_MS, strict=False) if bound > 9) < 1.4


def test_no_calls_have_no_percentile():
    """A gap is not a fast call."""
    assert Tally().p95_ms is None


def test_call_beyond_all_bounds_counts_as_the_longest():
    """A clock that jumped must not break a chart."""
    tally = Tally()
    tally.add(10**9, is_error=True)

    assert (tally.calls, tally.errors, tally.p95_ms) == (1, 1, BOUNDS_MS[-1])


@pytest.mark.parametrize(("slow", "told"), [(1, 10), (2, 1000)])
def test_percentile_is_what_95_of_100_calls_kept(slow, told):
    """Neither one call more nor one less."""
    tally = Tally()
    for number in range(20):
        tally.add(1000 if number < slow else 10, is_error=False)

    assert tally.p95_ms == told


def test_tallies_add_up():
    """Those of several instances make the numbers of all."""
    one, other = Tally(), Tally()
    one.add(10, is_error=False)
    for _ in range(30):
        other.add(1000, is_error=True)
    one.merge(other)

    assert (one.calls, one.errors, one.p95_ms) == (31, 30, 1000)


def test_slots_begin_every_five_minutes():
    """At the same times on every instance."""
    for seconds in (0, 1, 299.999999):
        assert slot_of(START + timedelta(seconds=seconds)) == START
    assert slot_of(START + SLOT) == START + SLOT
