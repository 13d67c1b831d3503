"""A process that ends in the middle of a refresh, and the next one."""

from __future__ import annotations

import pytest

from tests.scenes import failure
from tests.unit.services.surroundings import Crash

HOUR = 3600


CRASHES = {
    "taking-the-lease": lambda scene: scene.states.fail("put", error=Crash()),
    "reading-the-vault": lambda scene: scene.secrets.fail("get", error=Crash()),
    "asking-the-provider": lambda scene: scene.http.fail("send", error=Crash()),
    "recording-the-state": lambda scene: setattr(
        scene.provider, "afterwards", lambda: scene.states.fail("put", error=Crash())
    ),
}


def crash(scene, step):
    """Let a process end in the middle of a refresh, and another one start."""
    CRASHES[step](scene)
    with pytest.raises(Crash):
        scene.token()
    for port in (scene.states, scene.secrets, scene.http):
        port.recover()
    scene.provider.afterwards = lambda: None
    return scene.another_instance()


@pytest.mark.parametrize("step", CRASHES)
def test_next_call_after_a_crash_works(expired, step):
    """Wherever a process ended, the next one goes on, and the provider grants once."""
    successor = crash(expired, step)

    assert expired.token(successor) == "access-2"
    assert expired.provider.calls == 2
    assert expired.state().status == "authorized"
    expired.clock.advance(seconds=HOUR)
    assert expired.token(successor) == "access-3"


@pytest.fixture
def lost(expired):
    """Return a gateway whose process ended between the provider's answer and the vault."""

    def run(*, is_rotating):
        expired.provider.is_rotating = is_rotating
        expired.provider.afterwards = lambda: expired.secrets.fail("set", error=Crash())
        with pytest.raises(Crash):
            expired.token()
        expired.secrets.recover()
        expired.provider.afterwards = lambda: None
        return expired

    return run


def test_token_lost_by_a_crash_is_simply_asked_for_again(lost):
    """With a provider whose refresh tokens stay in force, nothing was lost."""
    scene = lost(is_rotating=False)

    assert scene.token(scene.another_instance()) == "access-3"


def test_rotated_token_lost_by_a_crash_is_told_and_ends_with_a_sign_in(lost):
    """The one moment in which a rotating provider's grant can be lost is not glossed over."""
    scene = lost(is_rotating=True)

    error = failure(lambda: scene.token(scene.another_instance()))
    scene.sign_in()

    assert error.kind.code == "sign_in_required"
    assert scene.token() == "access-3"
