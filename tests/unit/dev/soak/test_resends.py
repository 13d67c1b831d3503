"""The verdict on calls that met random faults: each kind of wrong end fails a check."""

from __future__ import annotations

import pytest

from dev.soak.report import Report
from dev.soak.resends import CHANGE, READ, Ended, judge

GOOD = [
    Ended(CHANGE, 404, "", 1),
    Ended(CHANGE, 409, "outcome_unknown", 0),
    Ended(CHANGE, 409, "outcome_unknown", 1),
    Ended(CHANGE, 429, "", 0),
    Ended(READ, 404, "", 3),
]


def verdict(*ended):
    """Return how many checks failed."""
    report = Report()
    judge(report, ended)
    return len(report.failed)


def test_true_ends_are_right():
    """A read may be executed as often as need be."""
    assert verdict(*GOOD) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        Ended(CHANGE, 404, "", 2),
        Ended(CHANGE, 404, "", 0),
        Ended(CHANGE, 503, "upstream_unreachable", 1),
        Ended(CHANGE, 503, "", 1),
        Ended(READ, 503, "", 0),
    ],
    ids=["twice", "never", "denied", "resent by the client", "read failed"],
)
def test_wrong_end_fails_a_check(wrong):
    """A check that cannot fail would prove nothing."""
    assert verdict(*GOOD, wrong) == 1


def test_no_calls_prove_nothing():
    """Silence is no success."""
    assert verdict() == 2
