"""Idempotency keys: calls that meet their own twin under way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.fakes import json_answer
from tests.scenes import BC, failure, serving
from tests.unit.services.keyed_calls import KEY, break_down, posting


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
    scene, effects = posting(break_down)
    with pytest.raises(RuntimeError):
        scene.invoke(headers=KEY)
    began = scene.clock.now()

    error = failure(lambda: scene.invoke(headers=KEY))

    assert (error.kind.status, error.kind.code) == (503, "idempotency_in_progress")
    assert error.retry_after_seconds
    assert scene.clock.now() - began == timedelta(seconds=100)
    assert effects.count == 1
