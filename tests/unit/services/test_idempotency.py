"""Idempotency keys: executed once, replayed, freed, and never a silent second time."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from shared.domain.errors import GatewayError, StorageUnavailable
from shared.domain.transport import AnswerLost, AnswerTooLarge, NotSent, OutboundAnswer, TimedOut
from shared.ports import Conflict
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING, UNCONDITIONAL, Scene, failure, serving
from tests.support import make_settings

KEY = {"idempotency-key": "order-4711"}
HALF_MEBIBYTE = 512 * 1024


class Effects:
    """A service that counts what it executes, and then replies so."""

    def __init__(self, *replies):
        self.count = 0
        self._replies = list(replies)

    def __call__(self, _):
        """Execute, and reply; the last reply is for all that follow."""
        self.count += 1
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return reply() if callable(reply) else reply


def posting(*replies, **endpoint):
    """Return a gateway in front of a service that counts, and the count."""
    scene = serving(**endpoint)
    effects = Effects(*(replies or (json_answer({"no": "S-1"}, headers={"etag": 'W/"1"'}),)))
    scene.http.script(BC, effects)
    return scene, effects


def rows(scene):
    """Return what is stored under keys."""
    return list(scene.idempotency.rows.values())


def test_answer_is_replayed_on_every_instance():
    """Status, headers and body as the first caller got them; nothing is sent again."""
    scene, effects = posting(json_answer({"no": "S-1"}, status=201, headers={"etag": 'W/"1"'}))

    first = scene.invoke(headers=KEY)
    again = [scene.invoke(headers=KEY, services=each) for each in (None, scene.another_instance())]

    assert effects.count == 1
    assert "Idempotency-Replayed" not in first.headers
    for reply in again:
        assert reply == replace(first, headers=first.headers | {"Idempotency-Replayed": "true"})


def test_replay_ends_after_two_days():
    """To the second; then the key is free for a new call."""
    scene, effects = posting()
    scene.invoke(headers=KEY)
    scene.clock.advance(days=2, seconds=-1)
    scene.sign_in()

    scene.invoke(headers=KEY)
    assert effects.count == 1
    scene.clock.advance(seconds=1)
    reply = scene.invoke(headers=KEY)

    assert effects.count == 2
    assert "Idempotency-Replayed" not in reply.headers


def test_other_keys_and_other_endpoints_are_other_calls():
    """The scope of a key is its endpoint."""
    scene, effects = posting()
    scene.offer(code="OTHER")

    scene.invoke(headers=KEY)
    scene.invoke(headers={"idempotency-key": "order-4712"})
    scene.invoke("OTHER", headers=KEY)

    assert effects.count == 3


def test_call_without_a_key_touches_no_store():
    """The warm path."""
    scene, _ = posting()
    scene.invoke()
    before = scene.stored_calls()

    scene.invoke()

    assert scene.stored_calls() == before


def test_call_with_a_key_writes_twice():
    """The reservation, and the outcome."""
    scene, _ = posting()
    scene.invoke(headers={"idempotency-key": "warm"})
    before = scene.stored_calls()

    scene.invoke(headers=KEY)

    assert scene.stored_calls() - before == 2
    assert scene.idempotency.calls["get"] == 0


@pytest.mark.parametrize(
    "other",
    [
        {"body": b'{"no": 2}'},
        {"query": "x=1"},
        {"query": "gw_company=OTHER"},
        {"headers": KEY | {"if-match": "*"}},
    ],
    ids=["body", "query", "company", "if-match"],
)
def test_key_with_another_call_is_refused(other):
    """422, and nothing is sent."""
    scene, effects = posting()
    scene.services.integrations.patch(CODE, {"allowed_companies": ["*"]}, UNCONDITIONAL)
    sent = {"headers": KEY, "body": b'{"no": 1}'}
    scene.invoke(**sent)

    error = failure(lambda: scene.invoke(**sent | other))

    assert (error.kind.status, error.kind.code) == (422, "idempotency_key_reused")
    assert effects.count == 1


def test_key_with_another_method_is_refused():
    """An administrator has changed what the endpoint does meanwhile."""
    scene, effects = posting(kind="custom", method="POST")
    scene.invoke(headers=KEY)
    scene.services.endpoints.patch(CODE, LISTING, {"method": "PUT"}, UNCONDITIONAL)

    assert failure(lambda: scene.invoke(headers=KEY)).kind.code == "idempotency_key_reused"
    assert effects.count == 1


@pytest.mark.parametrize("status", [304, 400, 401, 403, 404, 409, 412, 422, 429])
def test_answer_that_says_not_done_frees_the_key(status):
    """So that a repaired call can be sent under it."""
    scene, effects = posting(json_answer({}, status=status))
    with suppress(GatewayError):
        scene.invoke(headers=KEY, body=b"wrong")
    assert rows(scene) == []

    scene.http.script(BC, effects := Effects(json_answer({})))
    assert scene.invoke(headers=KEY, body=b"right").status == 200
    assert effects.count == 1


def test_call_that_was_not_sent_frees_the_key():
    """Nobody could be reached; the same call is welcome again."""
    scene, _ = posting(NotSent("gone"))
    assert failure(lambda: scene.invoke(headers=KEY)).kind.code == "upstream_unreachable"

    assert rows(scene) == []


@pytest.mark.parametrize(
    "reply",
    [TimedOut("slow"), AnswerLost("cut"), json_answer({"error": {"code": "X"}}, status=503)],
    ids=["timeout", "cut", "503"],
)
def test_unknown_outcome_is_repeated_and_not_executed_again(reply):
    """With BC's answer, where there was one, until somebody settles it."""
    scene, effects = posting(reply)

    first = failure(lambda: scene.invoke(headers=KEY))
    again = failure(lambda: scene.invoke(headers=KEY, services=scene.another_instance()))

    assert (first.kind.status, first.kind.code) == (409, "outcome_unknown")
    assert again.kind is first.kind
    assert (again.detail, again.hint) == (first.detail, first.hint)
    assert msgspec.json.encode(again.upstream) == msgspec.json.encode(first.upstream)
    assert again.headers == first.headers | {"Idempotency-Replayed": "true"}
    assert effects.count == 1


def test_change_with_too_large_an_answer_counts_as_done():
    """It was executed: the replay says the same."""
    scene, effects = posting(json_answer("x" * 5000))

    errors = [failure(lambda: scene.invoke(headers=KEY)) for _ in range(2)]

    assert [error.kind.code for error in errors] == ["answer_too_large"] * 2
    assert "do not send it again" in errors[1].detail
    assert errors[1].headers == {"Idempotency-Replayed": "true"}
    assert effects.count == 1


@pytest.mark.parametrize("status", [307, 400, 404, 501])
def test_refusal_with_too_large_an_answer_frees_the_key(status):
    """Nothing was executed, and nobody is told that it was."""
    scene, effects = posting(AnswerTooLarge(status), json_answer({}))

    error = failure(lambda: scene.invoke(headers=KEY))
    reply = scene.invoke(headers=KEY)

    assert error.kind.code == "answer_too_large"
    assert f"refused with status {status}" in error.detail
    assert (reply.status, effects.count) == (200, 2)


@pytest.mark.parametrize("status", [301, 302, 303])
@pytest.mark.parametrize("told", ["upstream_redirect", "answer_too_large"])
def test_redirect_after_a_change_keeps_the_key(status, told):
    """It is the usual answer to a POST that was processed, which is never executed again."""
    is_large = told == "answer_too_large"
    reply = AnswerTooLarge(status) if is_large else json_answer({}, status=status)
    scene, effects = posting(reply, json_answer({}))

    errors = [failure(lambda: scene.invoke(headers=KEY)) for _ in range(2)]

    assert {error.kind.code for error in errors} == {told}
    assert [error.headers.get("Idempotency-Replayed") for error in errors] == [None, "true"]
    assert [row.record.state for row in rows(scene)] == ["unknown"]
    assert effects.count == 1


@pytest.mark.parametrize("status", [307, 308])
def test_redirect_of_a_change_that_was_not_executed_frees_the_key(status):
    """The service wants the same request elsewhere."""
    scene, _ = posting(json_answer({}, status=status))

    assert failure(lambda: scene.invoke(headers=KEY)).kind.code == "upstream_redirect"
    assert rows(scene) == []


def test_read_with_too_large_an_answer_frees_the_key():
    """Nothing was changed: it may be asked for less, under the same key."""
    scene, _ = posting(json_answer("x" * 5000), read_only=True)

    assert failure(lambda: scene.invoke(headers=KEY)).kind.code == "answer_too_large"
    assert rows(scene) == []


@pytest.mark.parametrize(("size", "is_kept"), [(HALF_MEBIBYTE, True), (HALF_MEBIBYTE + 1, False)])
def test_body_over_the_limit_is_not_kept(size, is_kept):
    """The replay has the status and says so; nothing is sent again."""
    scene = Scene(settings=make_settings(MAX_ANSWER_BYTES="3000000"))
    scene.integrate()
    scene.offer()
    scene.sign_in()
    content = {"content-type": "text/plain", "location": "https://bc/1"}
    scene.http.script(BC, effects := Effects(OutboundAnswer(201, content, b"x" * size)))

    first, again = (scene.invoke(headers=KEY) for _ in range(2))

    assert (first.status, len(first.body)) == (201, size)
    assert again.status == 201
    assert again.headers["Location"] == "https://bc/1"
    assert (again.body == first.body) is is_kept
    assert ("X-Gateway-Warning" in again.headers) is not is_kept
    assert ("Content-Type" in again.headers) is is_kept
    assert effects.count == 1


def test_nothing_that_is_stored_can_be_read():
    """Neither key nor answer nor what was sent."""
    scene, _ = posting(json_answer({"secret": "canary-answer"}))
    scene.invoke(headers=KEY, body=b"canary-body", query="q=canary-query")

    (row,) = rows(scene)
    stored = repr(row)

    assert row.sealed
    assert not [word for word in ("canary", "order-4711") if word in stored]


def test_derived_key_counts_where_the_endpoint_asks_for_it():
    """The retries of one action of one run are one call."""
    flow = {"x-ms-workflow-run-id": "run-1", "x-ms-action-tracking-id": "action-1"}
    scene, effects = posting(derive_idempotency_key=True)
    scene.offer(code="PLAIN")

    scene.invoke(headers=flow)
    scene.invoke(headers=flow)
    scene.invoke(headers=flow | {"x-ms-action-tracking-id": "action-2"})
    assert effects.count == 2

    scene.invoke("PLAIN", headers=flow)
    scene.invoke("PLAIN", headers=flow)
    assert effects.count == 4


@pytest.mark.parametrize("derives", [True, False])
def test_missing_key_is_told_where_one_was_to_be_derived(derives):
    """A maker sees in the run that the protection which an administrator relies on is not there."""
    scene, _ = posting(derive_idempotency_key=derives)

    reply = scene.invoke(headers={"x-ms-workflow-run-id": "run-1"})

    assert ("X-Gateway-Warning" in reply.headers) is derives


@pytest.mark.parametrize("derives", [True, False])
def test_missing_key_is_told_above_all_where_the_outcome_is_unknown(derives):
    """There, whoever sends the call again relies on the key."""
    scene, _ = posting(AnswerLost("connection lost"), derive_idempotency_key=derives)

    error = failure(scene.invoke)

    assert error.kind.code == "outcome_unknown"
    assert ("X-Gateway-Warning" in error.headers) is derives


def test_malformed_key_is_refused_before_anything_is_sent():
    """400: its sender relies on it."""
    scene, effects = posting()

    error = failure(lambda: scene.invoke(headers={"idempotency-key": ""}))

    assert error.kind.code == "invalid_idempotency_key"
    assert effects.count == 0


@pytest.mark.parametrize(
    ("port", "method", "code"),
    [("idempotency", "insert", "storage_unavailable"), ("secrets", "get", "vault_unavailable")],
)
def test_outage_before_the_reservation_sends_nothing(port, method, code):
    """What could not be remembered is not done."""
    scene, effects = posting()
    scene.invoke()
    getattr(scene, port).fail(method)

    error = failure(lambda: scene.invoke(headers=KEY))

    assert (error.kind.status, error.kind.code) == (503, code)
    assert effects.count == 1
    getattr(scene, port).recover()
    assert scene.invoke(headers=KEY).status == 200


def test_outcome_that_cannot_be_stored_is_answered_with_a_warning(caplog):
    """BC's answer is the caller's; the key ends as unknown, and is never executed again."""
    scene, effects = posting()
    scene.idempotency.fail("replace")

    reply = scene.invoke(headers=KEY)
    scene.idempotency.recover()
    scene.clock.advance(seconds=160)
    error = failure(lambda: scene.invoke(headers=KEY))

    assert (reply.status, json.loads(reply.body)) == (200, {"no": "S-1"})
    assert "could not be stored" in reply.headers["X-Gateway-Warning"]
    assert '"event":"outcome_not_kept"' in caplog.text
    assert error.kind.code == "outcome_unknown"
    assert effects.count == 1


@pytest.mark.parametrize("life", ["new", "expired"])
def test_reservation_whose_answer_was_lost_is_withdrawn(life):
    """Nothing was sent: the key must not seem to be in use, and later to be unknown."""
    scene, effects = posting()
    if life == "expired":
        scene.invoke(headers=KEY)
        scene.clock.advance(days=2)
        scene.sign_in()
    before = effects.count
    method = "insert" if life == "new" else "replace"
    lose_answer(scene.idempotency, method, StorageUnavailable("Lost."))

    assert failure(lambda: scene.invoke(headers=KEY)).kind.code == "storage_unavailable"
    assert rows(scene) == []
    assert scene.invoke(headers=KEY).status == 200
    assert effects.count - before == 1


def test_reservation_of_another_call_is_not_withdrawn():
    """Somebody was faster, and the store fails right then."""
    scene, effects = posting()
    other = scene.another_instance()
    scene.idempotency.before("insert", lambda: _invoke_and_fail(scene, other))

    assert failure(lambda: scene.invoke(headers=KEY)).kind.code == "storage_unavailable"
    scene.idempotency.recover()

    assert scene.invoke(headers=KEY).headers["Idempotency-Replayed"] == "true"
    assert effects.count == 1


def _invoke_and_fail(scene, services):
    scene.invoke(headers=KEY, services=services)
    scene.idempotency.fail("insert")


def test_key_that_could_not_be_freed_at_once_is_freed():
    """One more attempt, before anybody is warned."""
    scene, effects = posting(json_answer({}, status=400), json_answer({}))
    scene.idempotency.fail("delete")
    scene.idempotency.before("get", scene.idempotency.recover)

    refused, reply = (scene.invoke(headers=KEY) for _ in range(2))

    assert (refused.status, "X-Gateway-Warning" in refused.headers) == (400, False)
    assert (reply.status, effects.count) == (200, 2)


def test_second_attempt_to_free_a_key_leaves_what_was_settled():
    """Somebody settled it between the two."""
    scene, _ = posting(lambda: scene.clock.advance(seconds=200) or json_answer({}, status=400))
    scene.idempotency.fail("delete")
    scene.idempotency.before("get", lambda: _settle_and_recover(scene))

    assert scene.invoke(headers=KEY).status == 400
    assert scene.services.kept_calls.show(CODE, LISTING, KEY)["state"] == "done"


def _settle_and_recover(scene):
    scene.services.kept_calls.settle(CODE, LISTING, KEY, "done")
    scene.idempotency.recover()


def test_key_that_cannot_be_freed_is_answered_with_a_warning(caplog):
    """BC's answer is the caller's."""
    scene, _ = posting(json_answer({}, status=400))
    scene.idempotency.fail("delete")

    reply = scene.invoke(headers=KEY)

    assert reply.status == 400
    assert "nothing was changed" in reply.headers["X-Gateway-Warning"]
    assert '"event":"key_not_freed"' in caplog.text


def test_unknown_outcome_that_cannot_be_stored_is_told_with_a_warning():
    """The error is the caller's, whatever became of the store."""
    scene, _ = posting(TimedOut("slow"))
    scene.idempotency.fail("replace")

    error = failure(lambda: scene.invoke(headers=KEY))

    assert error.kind.code == "outcome_unknown"
    assert "X-Gateway-Warning" in error.headers


def test_unexpected_error_leaves_the_reservation():
    """The request may have been sent: nobody may send it again by himself."""
    scene, effects = posting(_break)

    with pytest.raises(RuntimeError):
        scene.invoke(headers=KEY)
    assert failure(lambda: scene.invoke(headers=KEY)).kind.code == "idempotency_in_progress"
    scene.clock.advance(seconds=160)

    error = failure(lambda: scene.invoke(headers=KEY))
    assert error.kind.code == "outcome_unknown"
    assert error.headers == {"Idempotency-Replayed": "true"}
    assert effects.count == 1


def _break():
    raise RuntimeError("something broke")


def test_twin_of_a_running_call_is_not_executed():
    """On another instance, while the first call is at the service; it looks now and then."""
    scene = serving()
    other = scene.another_instance()
    waited = []

    def answer_after_a_twin_has_waited(_):
        assert failure(lambda: scene.invoke(headers=KEY, services=other)).kind.code == (
            "idempotency_in_progress"
        )
        waited.append(scene.idempotency.calls["get"])
        return json_answer({"no": "S-1"})

    scene.http.script(BC, answer_after_a_twin_has_waited)
    reply = scene.invoke(headers=KEY)

    assert reply.status == 200
    # 100 seconds of patience, two looks a second.
    assert 200 <= waited[0] <= 210
    assert scene.invoke(headers=KEY, services=other).headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(("outcome", "executed"), [(200, 1), (400, 2)], ids=["done", "freed"])
def test_twin_takes_what_the_first_call_leaves(outcome, executed):
    """The answer of a call that was done; the key of one that was not."""
    scene, effects = posting(json_answer({}, status=outcome), json_answer({}))
    other = scene.another_instance()
    scene.idempotency.before("insert", lambda: scene.invoke(headers=KEY))

    reply = scene.invoke(headers=KEY, services=other)

    assert (reply.status, effects.count) == (200, executed)
    assert ("Idempotency-Replayed" in reply.headers) is (executed == 1)


def test_waiting_twin_gets_the_first_ones_answer():
    """As soon as it looks again after the first call has ended."""
    scene = serving()
    other = scene.another_instance()
    is_sent, may_answer = threading.Event(), threading.Event()

    def answer_when_allowed(_):
        is_sent.set()
        assert may_answer.wait(10)
        return json_answer({"no": "S-1"})

    scene.http.script(BC, answer_when_allowed)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(scene.invoke, headers=KEY)
        assert is_sent.wait(10)
        scene.clock.before("sleep", lambda: may_answer.set() or first.result(10))
        twin = scene.invoke(headers=KEY, services=other)

    assert twin.body == first.result().body
    assert twin.headers["Idempotency-Replayed"] == "true"
    assert len(scene.http.sent_to(BC)) == 1


def test_twin_that_ran_out_of_time_is_told_to_come_back():
    """503 with Retry-After, so that a resend gets the first one's answer."""
    scene, effects = posting(_break)
    with pytest.raises(RuntimeError):
        scene.invoke(headers=KEY)
    began = scene.clock.now()

    error = failure(lambda: scene.invoke(headers=KEY))

    assert (error.kind.status, error.kind.code) == (503, "idempotency_in_progress")
    assert error.retry_after_seconds
    assert scene.clock.now() - began == timedelta(seconds=100)
    assert effects.count == 1


@pytest.mark.parametrize("life", ["new", "expired"])
def test_reservation_whose_confirmation_was_lost_is_ones_own(life):
    """The client of the tables repeats a write, and then finds what it has written itself."""
    scene, effects = posting()
    if life == "expired":
        scene.invoke(headers=KEY)
        scene.clock.advance(days=2)
        scene.sign_in()
    lose_answer(scene.idempotency, "insert" if life == "new" else "replace", Conflict(CODE))
    before = effects.count

    reply = scene.invoke(headers=KEY)

    assert reply.status == 200
    assert "Idempotency-Replayed" not in reply.headers
    assert effects.count - before == 1


def test_outcome_whose_confirmation_was_lost_is_stored():
    """No warning: what the store holds is what was to be stored."""
    scene, effects = posting()
    lose_answer(scene.idempotency, "replace", Conflict(CODE))

    reply, again = (scene.invoke(headers=KEY) for _ in range(2))

    assert "X-Gateway-Warning" not in reply.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert effects.count == 1


def lose_answer(store, method, error):
    """Let the next write be executed, and then end in the error: its repetition met itself."""
    write = getattr(store, method)

    def written_and_lost(call):
        setattr(store, method, write)
        write(call)
        raise error

    setattr(store, method, written_and_lost)


def test_outcome_of_a_settled_key_is_not_overwritten():
    """A call that ends long after its time, and after somebody has settled its key."""
    scene, _ = posting(lambda: _settle_late(scene))

    reply = scene.invoke(headers=KEY)

    assert reply.status == 200
    assert "X-Gateway-Warning" in reply.headers
    assert scene.services.kept_calls.show(CODE, LISTING, KEY)["state"] == "done"


def _settle_late(scene):
    scene.clock.advance(seconds=200)
    scene.services.kept_calls.settle(CODE, LISTING, KEY, "done")
    return json_answer({})


def test_answer_whose_key_is_lost_is_done_without_it(caplog):
    """Somebody purged the sealing key: what is known without it is still true."""
    scene, effects = posting()
    scene.invoke(headers=KEY)
    scene.secrets.forget("gateway-seal-key")

    reply = scene.invoke(headers=KEY, services=scene.another_instance())

    assert (reply.status, reply.body) == (204, b"")
    assert "not known" in reply.headers["X-Gateway-Warning"]
    assert '"event":"kept_answer_lost"' in caplog.text
    assert effects.count == 1


def test_answer_of_an_instance_whose_clock_is_ahead_is_replayed():
    """The record alone says how long it counts."""
    scene, effects = posting()
    scene.clock.advance(minutes=5)
    first = scene.invoke(headers=KEY)
    scene.clock.advance(minutes=-5)

    assert scene.invoke(headers=KEY).body == first.body
    assert effects.count == 1


def test_replay_is_logged_with_the_first_request(caplog):
    """So that the log leads to the call that was executed."""
    caplog.set_level(logging.INFO)
    scene, _ = posting()

    scene.invoke(headers=KEY)
    scene.invoke(headers=KEY)

    (line,) = [each.message for each in caplog.records if '"replayed"' in each.message]
    assert '"first_request_id":"request-1"' in line
    assert "order-4711" not in caplog.text


def test_deleted_integration_takes_its_keys_along():
    """One that is made anew under the same code begins with none."""
    scene, _ = posting()
    scene.integrate(code="OTHER")
    scene.offer("OTHER")
    scene.sign_in("OTHER")
    scene.invoke(headers=KEY)
    scene.invoke(headers=KEY, integration="OTHER")

    scene.services.integrations.delete(CODE, UNCONDITIONAL)

    assert [row.integration for row in rows(scene)] == ["OTHER"]


def test_timer_removes_what_is_over():
    """And nothing else."""
    scene, _ = posting()
    scene.invoke(headers=KEY)
    scene.clock.advance(days=1)
    scene.sign_in()
    scene.invoke(headers={"idempotency-key": "younger"})
    scene.clock.advance(days=1)

    scene.services.due_refresh.run()

    assert len(rows(scene)) == 1


def test_key_for_the_seal_that_nobody_finishes_making_is_not_waited_for_long():
    """Whoever made it died: nothing is sent, and the caller is told to come back."""
    scene, effects = posting(json_answer({}))
    scene.services.tokens._states.try_lease("gateway-seal-key", "somebody who died")
    began_on = scene.clock.now()

    error = failure(lambda: scene.invoke(headers=KEY))

    assert (error.kind.code, effects.count) == ("vault_unavailable", 0)
    assert (scene.clock.now() - began_on).total_seconds() < 6
