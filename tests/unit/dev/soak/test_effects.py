"""The verdict on calls with a key: each kind of wrong end fails a check."""

from __future__ import annotations

import pytest

from dev.soak.effects import IN_PROGRESS, UNKNOWN, Ended, judge
from dev.soak.report import Report
from dev.soak.resending import LOST, Answer

DONE = Answer(201, body=b"1")
NOT_KEPT = Answer(201, body=b"1", has_warning=True)
REPLAYED = Answer(201, body=b"1", is_replayed=True)
OTHER = Answer(201, body=b"2")
NOBODY_KNOWS = Answer(409, UNKNOWN)
WAITS = Answer(503, IN_PROGRESS)
REFUSED = Answer(422, "idempotency_key_reused")
GONE = Answer(LOST)

GOOD = [
    Ended([DONE], 1),
    Ended([GONE, DONE, REPLAYED], 1),
    Ended([GONE, WAITS, NOBODY_KNOWS, NOBODY_KNOWS], 0),
    Ended([NOBODY_KNOWS], 1),
    Ended([NOT_KEPT, NOBODY_KNOWS], 1),
]


def verdict(*ended, kills=1, has_waited=True):
    """Return the checks that failed."""
    report = Report()
    judge(report, ended, kills=kills, has_waited=has_waited)
    return [line.partition(":")[0] for line in report.failed]


def test_true_ends_are_right():
    """Executed once, or told that nobody knows."""
    assert verdict(*GOOD) == []


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (Ended([DONE], 2), "no key is executed twice"),
        (Ended([NOBODY_KNOWS], 2), "no key is executed twice"),
        (Ended([DONE], 0), "every key is executed once"),
        (Ended([NOT_KEPT, NOBODY_KNOWS], 0), "every key is executed once"),
        (Ended([REFUSED], 0), "every key is executed once"),
        (Ended([GONE], 1), "every key is executed once"),
        (Ended([DONE, OTHER], 1), "all callers of a key are told the same"),
        (Ended([NOT_KEPT, OTHER], 1), "all callers of a key are told the same"),
        (Ended([DONE, NOBODY_KNOWS], 1), "all callers of a key are told the same"),
        (Ended([GONE, WAITS], 1), "who waits for a call that died"),
    ],
    ids=[
        "twice",
        "twice and unknown",
        "claimed",
        "claimed and not kept",
        "refused",
        "not told",
        "two answers",
        "two answers and a warning",
        "known and unknown",
        "still waiting",
    ],
)
def test_wrong_end_fails_a_check(wrong, check):
    """A check that cannot fail would prove nothing."""
    assert any(failed.startswith(check) for failed in verdict(*GOOD, wrong))


def test_orphan_is_right_before_its_time_is_over():
    """Its callers are told to wait, whether it was executed or not."""
    orphans = [Ended([GONE, WAITS], effects) for effects in (0, 1)]

    assert verdict(*GOOD, *orphans, has_waited=False) == []


def test_calls_that_met_nothing_prove_nothing():
    """Silence is no success."""
    assert len(verdict(kills=0)) == 2
