"""What the gateway sends again by itself, when, and with which token."""

from __future__ import annotations

import json
import logging
from contextlib import suppress

import pytest

from shared.domain.errors import GatewayError
from shared.domain.retry_policy import LONGEST_JITTER_SECONDS
from shared.domain.transport import AnswerLost, AnswerTooLarge, NotSent, TimedOut
from shared.services import upstream
from tests.fakes import json_answer
from tests.fakes.machine import START
from tests.scenes import BC, TOKEN_URL, failure, refusal, serving

DONE = json_answer({"value": "done"})
REFUSED = json_answer({}, status=401)
GONE = NotSent("gone")
MOST_ATTEMPTS = len(LONGEST_JITTER_SECONDS) + 1


def status(number, **headers):
    """Return an answer with that status."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return json_answer({"error": {"code": "X"}}, status=number, headers=told)


def meeting(*replies, **endpoint):
    """Return a gateway whose service replies so, one after the other."""
    scene = serving(**endpoint)
    scene.http.on(BC, *replies)
    return scene


def seconds_gone(scene):
    """Return how much time has passed since the beginning."""
    return (scene.clock.now() - START).total_seconds()


@pytest.fixture
def longest_jitter(monkeypatch):
    """Let chance choose the longest waits."""
    monkeypatch.setattr(upstream.random, "random", lambda: 1.0)


@pytest.mark.parametrize("first", [GONE, status(429)], ids=["not-sent", "429"])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
def test_call_that_was_not_executed_goes_out_again(first, method):
    """Whatever its method: the service has done nothing yet."""
    scene = meeting(first, DONE, kind="custom", api_url="items", method=method)

    reply = scene.invoke(body=b'{"no": "1"}', headers={"If-Match": "*"})

    one, two = scene.http.sent_to(BC)
    assert reply.status == 200
    assert (one.method, one.url, one.headers, one.body) == (
        two.method, two.url, two.headers, two.body,
    )  # fmt: skip


@pytest.mark.parametrize(
    "first",
    [*(status(number) for number in (408, 500, 502, 503, 504)), AnswerLost("cut")],
    ids=["408", "500", "502", "503", "504", "cut"],
)
def test_only_reads_go_out_again_after_they_may_have_been_executed(first):
    """A change is told as unknown instead, and was sent once."""
    listing = meeting(first, DONE, read_only=True)
    reading = meeting(first, DONE, kind="custom", api_url="items", method="GET")
    changing = meeting(first, DONE)

    assert listing.invoke().status == reading.invoke().status == 200
    assert failure(changing.invoke).kind.code == "outcome_unknown"
    assert len(changing.http.sent_to(BC)) == 1


@pytest.mark.parametrize(
    "reply",
    [status(400), status(404), status(409), status(501), AnswerTooLarge(200),
     NotSent("x", is_forbidden=True)],
    ids=["400", "404", "409", "501", "large", "forbidden"],
)  # fmt: skip
def test_what_no_repetition_mends_is_sent_once(reply):
    """Also where the call is a read."""
    scene = meeting(reply, DONE, read_only=True)

    with suppress(GatewayError):  # what comes back is tested elsewhere
        scene.invoke()

    assert len(scene.http.sent_to(BC)) == 1


@pytest.mark.usefixtures("longest_jitter")
def test_patience_ends_with_the_last_attempt():
    """The waits grow, and in the end the answer goes back as Business Central gave it."""
    scene = meeting(status(429, retry_after="0"))

    reply = scene.invoke()

    assert (reply.status, json.loads(reply.body)) == (429, {"error": {"code": "X"}})
    assert reply.headers["Retry-After"] == "0"
    assert len(scene.http.sent_to(BC)) == MOST_ATTEMPTS
    assert seconds_gone(scene) == sum(LONGEST_JITTER_SECONDS)


def test_service_that_stays_away_is_told_so():
    """After as many attempts, 503."""
    scene = meeting(GONE)

    assert failure(scene.invoke).kind.code == "upstream_unreachable"
    assert len(scene.http.sent_to(BC)) == MOST_ATTEMPTS


def test_retry_after_is_kept_to():
    """Nothing is sent before the time that the service asked for."""
    scene = meeting(status(503, retry_after="15"), DONE, read_only=True)

    assert scene.invoke().status == 200
    assert 15 <= seconds_gone(scene) <= 16


@pytest.mark.parametrize("told", ["20", "3600"])
def test_wait_that_does_not_fit_is_not_begun(told):
    """The caller gets the answer at once, with the time that Business Central asks for."""
    scene = meeting(status(429, retry_after=told), DONE)

    reply = scene.invoke()

    assert (reply.status, reply.headers["Retry-After"]) == (429, told)
    assert seconds_gone(scene) == 0


def test_patience_is_for_all_waits_together():
    """A service that asks for a little time again and again is left to the caller."""
    scene = meeting(*[status(429, retry_after="7")] * 5, DONE)

    assert scene.invoke().status == 429
    assert 14 <= seconds_gone(scene) <= 20
    assert len(scene.http.sent_to(BC)) == 3


def test_change_is_not_sent_again_for_the_last_moment():
    """A tenth of its time must be left: cut short, what is known to be undone would be unknown."""
    scene = meeting(status(429, retry_after="17"), DONE, timeout_seconds=20)
    late = meeting(status(429, retry_after="18"), DONE, timeout_seconds=20)

    assert (scene.invoke().status, late.invoke().status) == (200, 429)


def test_attempts_share_the_time():
    """Each may use what is left: a slow answer is not cut short to be asked for again."""
    scene = meeting(status(503, retry_after="10"), DONE, read_only=True)
    scene.http.before("send", lambda: scene.clock.advance(seconds=20))

    scene.invoke()

    first, second = scene.http.timeouts[-2:]
    assert first == 100
    assert 69 <= second <= 70


def test_read_that_timed_out_is_not_begun_again():
    """Its time is over; a slow report would only be started twice."""
    scene = meeting(TimedOut("slow"), DONE, read_only=True)
    scene.http.before("send", lambda: scene.clock.advance(seconds=100))

    assert failure(scene.invoke).kind.code == "upstream_timeout"
    assert len(scene.http.sent_to(BC)) == 1


def test_every_attempt_has_the_token_of_its_moment():
    """One that expires during the wait is renewed before it could be refused."""
    scene = meeting(status(429, retry_after="15"), DONE)
    scene.clock.advance(minutes=59, seconds=50)
    scene.background.is_held = True  # or it would be renewed early, before the first attempt

    scene.invoke()

    tokens = [request.headers["authorization"] for request in scene.http.sent_to(BC)]
    assert tokens == ["Bearer access-1", "Bearer access-2"]


def test_refused_token_and_refused_call_are_each_met_as_they_should():
    """After a 401 a new token, after a 429 a wait; a change is executed once all the same."""
    scene = meeting(status(429), REFUSED, status(429), DONE)

    assert scene.invoke().status == 200
    assert len(scene.http.sent_to(BC)) == 4


def test_provider_that_fails_between_attempts_is_told():
    """Nothing was executed, and without a token nothing can be."""
    scene = meeting(status(429, retry_after="15"), DONE)
    scene.clock.advance(minutes=59, seconds=50)
    scene.background.is_held = True
    scene.http.on(TOKEN_URL, refusal("temporarily_unavailable", status=503))

    assert failure(scene.invoke).kind.code == "identity_unavailable"
    assert len(scene.http.sent_to(BC)) == 1


@pytest.mark.usefixtures("longest_jitter")
def test_every_repetition_is_logged(caplog):
    """Who wonders why a call was slow, or came twice, finds out."""
    caplog.set_level(logging.INFO)
    scene = meeting(GONE, status(429), DONE)

    scene.invoke(body=b"payload")

    first, second = [each.message for each in caplog.records if '"sent_again"' in each.message]
    assert '"attempt":1,"status":null,"reason":"gone","wait_milliseconds":1000' in first
    assert '"attempt":2,"status":429,"reason":null,"wait_milliseconds":2000' in second
    assert '"request_id":"request-1"' in first
    assert "payload" not in first + second


@pytest.mark.parametrize("number", [401, 429])
@pytest.mark.parametrize("read_only", [False, True], ids=["change", "read"])
def test_refusal_that_is_too_large_is_met_as_any_other(number, read_only):
    """Its status says that nothing was executed, however long the page that comes with it."""
    scene = meeting(AnswerTooLarge(number), DONE, read_only=read_only)

    assert scene.invoke().status == 200
    tokens = [request.headers["authorization"] for request in scene.http.sent_to(BC)]
    assert tokens == ["Bearer access-1", "Bearer access-2" if number == 401 else "Bearer access-1"]


@pytest.mark.parametrize(("number", "code"), [(503, "outcome_unknown"), (200, "answer_too_large")])
def test_answer_to_a_change_that_is_too_large_counts_by_its_status(number, code):
    """A proxy's endless page is no proof that the change was made."""
    scene = meeting(AnswerTooLarge(number))

    assert failure(scene.invoke).kind.code == code
    assert len(scene.http.sent_to(BC)) == 1
