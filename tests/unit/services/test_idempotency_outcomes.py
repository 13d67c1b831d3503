"""Idempotency keys: which outcome frees a key, and which keeps it."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest

from shared.domain.errors import GatewayError
from shared.domain.transport import AnswerLost, AnswerTooLarge, NotSent, TimedOut
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING, failure
from tests.unit.services.keyed_calls import KEY, Effects, break_down, posting, rows


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


def test_unexpected_error_leaves_the_reservation():
    """The request may have been sent: nobody may send it again by himself."""
    scene, effects = posting(break_down)

    with pytest.raises(RuntimeError):
        scene.invoke(headers=KEY)
    assert failure(lambda: scene.invoke(headers=KEY)).kind.code == "idempotency_in_progress"
    scene.clock.advance(seconds=160)

    error = failure(lambda: scene.invoke(headers=KEY))
    assert error.kind.code == "outcome_unknown"
    assert error.headers == {"Idempotency-Replayed": "true"}
    assert effects.count == 1


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
