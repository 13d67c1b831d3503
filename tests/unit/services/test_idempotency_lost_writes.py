"""Idempotency keys whose write was executed, or may have been, and whose confirmation was lost."""

from __future__ import annotations

import pytest

from shared.domain.errors import StorageUnavailable
from shared.ports import Conflict
from tests.scenes import CODE, failure
from tests.unit.services.keyed_calls import KEY, lose_answer, posting, rows


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
