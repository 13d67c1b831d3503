"""Rate, concurrency and queue."""

from __future__ import annotations

import pytest

COMPANIES = "api/v2.0/companies"


@pytest.fixture
def during(bc):
    """Return a function that runs another one while a call is being processed."""

    def run(step):
        answers = []
        bc.during_delay = lambda _seconds: answers.append(step())
        bc.call("Delay", {"delayMilliseconds": 1})
        return answers[0]

    return run


def test_window_limits_the_rate(bc):
    """One request too many is refused until the window has moved on."""
    bc.control("POST", "settings", {"requests_per_window": 2})
    assert [bc.get(COMPANIES).status_code for _ in range(2)] == [200, 200]

    refused = bc.get(COMPANIES)

    assert refused.status_code == 429
    assert refused.json["error"]["code"] == "Application_TooManyRequests"
    assert refused.json["error"]["message"].startswith(
        "Too many requests reached. Actual (3). Maximum (2)."
    )
    assert "Retry-After" not in refused.headers
    bc.pass_time(300)
    assert bc.get(COMPANIES).status_code == 200


def test_retry_after_is_sent_on_demand(bc):
    """A test may have the header that the documentation does not promise."""
    bc.control("POST", "settings", {"requests_per_window": 0, "retry_after_seconds": 7})

    assert bc.get(COMPANIES).headers["Retry-After"] == "7"


def test_full_queue_refuses(bc, during):
    """With one running and none queued, a second call at the same time is too many."""
    bc.control("POST", "settings", {"running": 1, "queued": 0})

    refused = during(lambda: bc.get(COMPANIES))

    assert refused.status_code == 429
    assert "Actual (2). Maximum (1)." in refused.json["error"]["message"]
    assert bc.get(COMPANIES).status_code == 200


def test_waiting_too_long_is_unavailable(bc, during):
    """A call whose turn does not come is 503 with Retry-After."""
    bc.control("POST", "settings", {"running": 1, "queued": 1, "queue_seconds": 0})

    refused = during(lambda: bc.get(COMPANIES))

    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "10"


def test_limits_are_per_user(bc, during):
    """Another user is not held up."""
    bc.control("POST", "settings", {"running": 1, "queued": 0})

    answer = during(lambda: bc.get(COMPANIES, token=bc.token(oid="somebody-else")))

    assert answer.status_code == 200


def test_place_is_freed_after_an_error(bc):
    """A failed call does not stay in the count."""
    bc.control("POST", "settings", {"running": 1, "queued": 0})
    bc.call("RaiseError", {"message": "x"})

    assert bc.get(COMPANIES).status_code == 200
