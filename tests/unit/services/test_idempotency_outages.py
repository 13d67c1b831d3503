"""Idempotency keys while storage or vault fail: nothing is sent blindly, nothing is sent twice."""

from __future__ import annotations

import json

import pytest

from shared.domain.transport import TimedOut
from tests.fakes import json_answer
from tests.scenes import CODE, LISTING, failure
from tests.unit.services.keyed_calls import KEY, posting


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


def test_key_for_the_seal_that_nobody_finishes_making_is_not_waited_for_long():
    """Whoever made it died: nothing is sent, and the caller is told to come back."""
    scene, effects = posting(json_answer({}))
    scene.services.tokens._states.try_lease("gateway-seal-key", "somebody who died")
    began_on = scene.clock.now()

    error = failure(lambda: scene.invoke(headers=KEY))

    assert (error.kind.code, effects.count) == ("vault_unavailable", 0)
    assert (scene.clock.now() - began_on).total_seconds() < 6
