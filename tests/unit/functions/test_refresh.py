"""The timer function, as the host fires it."""

from __future__ import annotations

import pytest
from azure.functions.timer import TimerRequest

from shared.domain.errors import StorageUnavailable
from tests.unit.functions.test_every_answer import Gateway, functions


@pytest.fixture
def scene(monkeypatch):
    """Return a gateway with somebody signed in, whose token has just been used."""
    scene = Gateway(monkeypatch).scene
    scene.integrate()
    scene.sign_in()
    scene.token()
    return scene


def fire():
    """Fire the app's one timer."""
    (timer,) = [function for function in functions() if function.is_timer]
    timer.handler(TimerRequest(past_due=False))


def test_timer_renews_what_is_due(scene):
    """Nobody has to call for it, and every instance finds the new token."""
    scene.clock.advance(minutes=50)

    fire()

    assert scene.provider.calls == 2
    assert scene.token(scene.another_instance()) == "access-2"


def test_timer_leaves_what_is_fresh(scene):
    """A token with most of its life ahead is not renewed."""
    scene.clock.advance(minutes=5)

    fire()

    assert scene.provider.calls == 1


def test_timer_fails_where_it_could_not_look(scene):
    """The host logs the failure and fires again; it is not taken for a round without work."""
    scene.states.fail()

    with pytest.raises(StorageUnavailable):
        fire()
