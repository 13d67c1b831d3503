"""Calls of one integration that meet in one process: slots, places, and who has to come back."""

from __future__ import annotations

import threading

import pytest

from shared.services.admission import Admission
from tests.builders import COMPANY_ID
from tests.fakes import json_answer
from tests.scenes import BC, CODE, TOKEN_URL, UNCONDITIONAL, failure, refusal, serving
from tests.support import make_settings

DONE = json_answer({"value": "done"})


def new_scene(*, threads="64", **endpoint):
    """Return a gateway with so many threads, one endpoint, and a service that answers."""
    scene = serving(**endpoint)
    scene.settings = make_settings(PYTHON_THREADPOOL_THREAD_COUNT=threads)
    scene.services = scene.another_instance()
    scene.invoke()
    return scene


def meanwhile(scene, act):
    """Call, and while the service works on it, do something; return what came of both."""
    outcome = []
    scene.http.before("send", lambda: outcome.append(act()))
    return scene.invoke(), outcome[0]


@pytest.fixture
def no_patience(monkeypatch):
    """Let nobody wait for a turn."""
    monkeypatch.setattr(threading.Event, "wait", lambda event, _seconds: event.is_set())


@pytest.mark.usefixtures("no_patience")
def test_calls_beyond_max_in_flight_wait_for_a_turn():
    """And are told to come back once their time is over; nothing is sent."""
    scene = new_scene()
    scene.services.integrations.patch(CODE, {"max_in_flight": 1}, UNCONDITIONAL)
    before = len(scene.http.sent_to(BC))

    reply, error = meanwhile(scene, lambda: failure(scene.invoke))

    assert reply.status == 200
    assert (error.kind.code, error.kind.source) == ("integration_busy", "gateway")
    assert len(scene.http.sent_to(BC)) == before + 1


@pytest.mark.usefixtures("no_patience")
def test_max_in_flight_can_be_changed_at_any_time():
    """The next call counts by the new number."""
    scene = new_scene()
    scene.services.integrations.patch(CODE, {"max_in_flight": 1}, UNCONDITIONAL)

    def raise_and_call():
        scene.services.integrations.patch(CODE, {"max_in_flight": 2}, UNCONDITIONAL)
        return scene.invoke()

    assert meanwhile(scene, raise_and_call)[1].status == 200


def test_half_of_the_threads_is_left_to_others():
    """Whatever the calls inside wait for: one more of the same integration is told at once."""
    scene = new_scene(threads="2")
    scene.integrate(code="OTHER")
    scene.offer("OTHER")
    scene.sign_in("OTHER")

    reply, (error, other) = meanwhile(
        scene, lambda: (failure(scene.invoke), scene.invoke(integration="OTHER"))
    )

    assert (reply.status, other.status) == (200, 200)
    assert (error.kind.status, error.kind.code) == (429, "integration_busy")
    assert error.retry_after_seconds


def test_call_that_waits_for_a_token_holds_a_place_and_no_slot(monkeypatch):
    """The place bounds the threads; the slot is for those who are at the service."""
    scene = new_scene(threads="2")
    taken = []
    real = Admission.slot
    monkeypatch.setattr(
        Admission,
        "slot",
        lambda *args, **kwargs: taken.append(args) or real(*args, **kwargs),
    )
    scene.clock.advance(minutes=60)
    seen = []
    scene.http.script(
        TOKEN_URL,
        lambda _: (
            seen.append((len(taken), failure(scene.invoke).kind.code))
            or refusal("temporarily_unavailable", status=503)
        ),
    )

    assert failure(scene.invoke).kind.code == "identity_unavailable"
    assert seen == [(0, "integration_busy")]


@pytest.mark.parametrize("code", ["gone", "odd"])
def test_refused_call_takes_no_place(code):
    """What does not exist is told as that, also where everything is busy."""
    scene = new_scene(threads="2")

    _, error = meanwhile(scene, lambda: failure(lambda: scene.invoke(code)))

    assert error.kind.code == "endpoint_not_found"


@pytest.mark.usefixtures("no_patience")
def test_lookup_of_a_company_takes_a_slot_too():
    """It is a call like any other to a service that counts its callers."""
    scene = new_scene()
    scene.offer(code="ITEMS", kind="api", method="GET", api_url="items")
    scene.services.integrations.patch(CODE, {"max_in_flight": 1}, UNCONDITIONAL)

    _, error = meanwhile(scene, lambda: failure(lambda: scene.invoke("ITEMS")))

    assert error.kind.code == "integration_busy"


@pytest.mark.usefixtures("no_patience")
def test_busy_integration_keeps_nothing_once_it_is_idle():
    """Slots and places are counted by the calls that there are."""
    scene = new_scene(company=COMPANY_ID)
    scene.services.integrations.patch(CODE, {"max_in_flight": 1}, UNCONDITIONAL)

    for _ in range(3):
        assert meanwhile(scene, lambda: failure(scene.invoke))[0].status == 200

    assert scene.invoke().status == 200
