"""What is sent again by itself, and after how long: the whole table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.retry_policy import LONGEST_JITTER_SECONDS, may_resend, wait_before_resend
from shared.domain.transport import (
    AnswerLost,
    AnswerTooLarge,
    NotSent,
    OutboundAnswer,
    TimedOut,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ALWAYS = (True, True)
READS = (False, True)
NEVER = (False, False)
STATUSES = {
    **dict.fromkeys(range(200, 600), NEVER),
    **dict.fromkeys((408, *range(500, 600)), READS),
    429: ALWAYS,
    501: NEVER,
}
FAILURES = {
    "not sent": (NotSent("gone"), ALWAYS),
    "forbidden": (NotSent("gone", is_forbidden=True), NEVER),
    "lost": (AnswerLost("cut"), READS),
    "late": (TimedOut("slow"), READS),
    "too large": (AnswerTooLarge(200), NEVER),
}


def answer(status=429, **headers):
    """Return an answer."""
    return OutboundAnswer(status, headers, b"")


def wait(outcome, *, attempt=1, changes_data=False, chance=0.0):
    """Return the seconds to wait; None where nothing is sent again."""
    found = wait_before_resend(
        outcome, attempt=attempt, changes_data=changes_data, chance=chance, now=NOW
    )
    return None if found is None else found.total_seconds()


def decision(outcome):
    """Return whether a change is sent again, and whether a read is."""
    return tuple(may_resend(outcome, changes_data=changes_data) for changes_data in (True, False))


def test_every_status_has_its_place_in_the_table():
    """A change goes out again only where it was certainly not executed."""
    assert {status: decision(answer(status)) for status in STATUSES} == STATUSES


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_has_its_place_in_the_table(name):
    """The same without an answer."""
    outcome, expected = FAILURES[name]

    assert decision(outcome) == expected


@pytest.mark.parametrize("attempt", range(1, len(LONGEST_JITTER_SECONDS) + 1))
def test_wait_grows_and_is_drawn_from_its_whole_range(attempt):
    """Full jitter: anything from nothing to twice the last longest wait."""
    longest = 2 ** (attempt - 1)

    waits = [wait(NotSent("gone"), attempt=attempt, chance=chance) for chance in (0, 0.5, 1)]

    assert waits == [0, longest / 2, longest]


def test_last_attempt_is_followed_by_none():
    """However little it was that went wrong."""
    assert wait(NotSent("gone"), attempt=len(LONGEST_JITTER_SECONDS) + 1) is None


def test_what_may_not_be_sent_again_has_no_wait():
    """The table decides before the numbers do."""
    assert wait(answer(503), changes_data=True) is None


@pytest.mark.parametrize("status", [408, 429, 500, 503])
@pytest.mark.parametrize(
    "told",
    ["7", "Mon, 02 Mar 2026 08:00:07 GMT", "Monday, 02-Mar-26 08:00:07 GMT"],
    ids=["seconds", "date", "old-date"],
)
def test_retry_after_is_the_least_wait(told, status):
    """In every form of RFC 9110; the jitter comes on top, so that not all return at once."""
    headers = {"retry-after": told}

    assert wait(answer(status, **headers), attempt=3) == 7
    assert wait(answer(status, **headers), attempt=3, chance=0.5) == 9


@pytest.mark.parametrize("told", ["", "soon", "-1", "1.5", "Mon, 02 Mar 2026 07:00:00 GMT"])
def test_senseless_retry_after_counts_for_nothing(told):
    """The wait is then the gateway's own."""
    assert wait(answer(429, **{"retry-after": told}), chance=1) == LONGEST_JITTER_SECONDS[0]


def test_long_retry_after_is_told_as_it_is():
    """Whether it fits into the time of the call is for the sender to see."""
    assert wait(answer(503, **{"retry-after": "3600"})) == timedelta(hours=1).total_seconds()
