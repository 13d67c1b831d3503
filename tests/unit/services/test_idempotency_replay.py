"""Idempotency keys: the answer of a call that was executed comes back, and for how long."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from shared.domain.transport import OutboundAnswer
from tests.fakes import json_answer
from tests.scenes import BC, Scene
from tests.support import make_settings
from tests.unit.services.keyed_calls import KEY, Effects, posting

HALF_MEBIBYTE = 512 * 1024


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
