"""The verdict on an outage of the provider: each kind of wrong answer fails a check."""

from __future__ import annotations

import pytest

from dev.soak.load import Call
from dev.soak.provider_outages import Times, judge, told_to_wait
from dev.soak.report import Report

TIMES = Times(valid_until=10, expired=12, back=20)


def make_call(began, status=200, code="", retry_after=None):
    """Return a call that took a second."""
    return Call("http://gateway/", began, 1, status, code, retry_after)


def told_to_come_back(began, retry_after="5"):
    """Return a call that was answered as the contract wants it past expiry."""
    return make_call(began, 503, "identity_unavailable", retry_after)


def verdict(*calls):
    """Return the checks that failed."""
    report = Report()
    judge(report, "meanwhile", calls, TIMES)
    return [line.partition(":")[0] for line in report.failed]


def test_success_before_and_coming_back_after_expiry_are_right():
    """Between the two, where a token may expire on its way, either is."""
    calls = [make_call(9), make_call(11), told_to_come_back(11), told_to_come_back(13)]

    assert verdict(*calls, make_call(21)) == []


@pytest.mark.parametrize(
    "call",
    [
        told_to_come_back(9.9),
        make_call(11, 424, "sign_in_required"),
        make_call(13),
        make_call(13, 0, "ConnectionError"),
        make_call(13, 503, "identity_unavailable"),
        told_to_come_back(13, retry_after="0"),
        make_call(13, 503, "vault_unavailable", "5"),
    ],
    ids=[
        "refused while valid",
        "sign-in demanded",
        "served past expiry",
        "no answer",
        "not told when",
        "told to come back at once",
        "wrong part blamed",
    ],
)
def test_wrong_answer_fails_a_check(call):
    """A check that cannot fail would prove nothing."""
    assert len(verdict(make_call(9), told_to_come_back(14), call)) == 1


def test_no_calls_prove_nothing():
    """Silence is no success."""
    assert len(verdict()) == 2


def test_callers_wait_as_long_as_the_last_of_them_was_told():
    """Only those who called before the moment count, from when they were answered."""
    calls = [told_to_come_back(13, "8"), told_to_come_back(18, "4"), told_to_come_back(21, "60")]

    assert told_to_wait(calls, until=20) == 3
    assert told_to_wait([make_call(13)], until=20) == 0
