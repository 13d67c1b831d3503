"""Tokens that an end of the sign-in has to void, though the state never told of them."""

from __future__ import annotations

import pytest

from shared.domain.errors import StorageUnavailable
from tests.fakes import FakeTokenStateStore, json_answer
from tests.scenes import CODE, UNCONDITIONAL, Scene, failure

REVOKE = "https://idp.example.com/revoke"


class ForgetfulStore(FakeTokenStateStore):
    """A store that hands out leases and, where told so, fails to record what came of them."""

    is_failing = False

    def put(self, integration, state, *, etag):
        """Store the state, unless it records new tokens and that is to fail."""
        if self.is_failing and state.status == "authorized" and state.lease_owner is None:
            raise StorageUnavailable("The fake is down.")
        return super().put(integration, state, etag=etag)


@pytest.fixture
def scene():
    """Return a gateway with such a store, and a person signed in."""
    scene = Scene(states=ForgetfulStore())
    scene.http.on(REVOKE, json_answer({}))
    scene.integrate(revocation_url=REVOKE)
    scene.sign_in()
    return scene


def once_ended(scene, act):
    """Let this happen once, while the old tokens are looked for that have just been ended."""

    def look():
        if scene.state().ended_generation:
            act()
        else:
            scene.secrets.before("get", look)

    scene.secrets.before("get", look)


def test_deauthorization_ends_all_that_the_state_is_behind_of(scene):
    """However often it could not be told: in the vault, at the provider, and in every memory."""
    administrator = scene.another_instance()
    scene.states.is_failing = True
    for _ in range(3):
        scene.clock.advance(minutes=60)
        scene.token()
    scene.states.is_failing = False

    is_revoked = administrator.sign_off.deauthorize(scene.record())
    scene.clock.advance(seconds=30)

    assert (is_revoked, scene.kept_tokens()) == (True, None)
    assert failure(scene.token).kind.code == "sign_in_required"


def test_deauthorization_ends_what_failed_sign_ins_have_left(scene):
    """Nobody was told that those succeeded, and nobody finds their tokens afterwards."""
    scene.states.is_failing = True
    for _ in range(2):
        failure(scene.sign_in)
    scene.states.is_failing = False

    scene.services.sign_off.deauthorize(scene.record())

    assert scene.kept_tokens() is None


def test_repeated_deauthorization_ends_what_the_first_could_not_see(scene):
    """The vault was down, and the administrator told so."""
    administrator = scene.another_instance()
    scene.states.is_failing = True
    for _ in range(3):
        scene.clock.advance(minutes=60)
        scene.token()
    scene.states.is_failing = False
    scene.secrets.fail()
    failure(lambda: administrator.sign_off.deauthorize(scene.record()))
    scene.secrets.recover()

    administrator.sign_off.deauthorize(scene.record())
    scene.clock.advance(seconds=30)

    assert scene.kept_tokens() is None
    assert failure(scene.token).kind.code == "sign_in_required"


def test_sign_in_during_a_deauthorization_is_not_revoked(scene):
    """Its refresh token is none of those that were to be ended."""
    once_ended(scene, scene.sign_in)

    assert scene.services.sign_off.deauthorize(scene.record()) is False
    assert not scene.http.sent_to(REVOKE)


@pytest.mark.parametrize("method", ["get", "forget"])
def test_sign_in_during_a_deletion_leaves_no_token_behind(scene, method):
    """The integration is gone, and nobody would ever delete them."""
    scene.secrets.before(method, scene.sign_in)

    scene.services.integrations.delete(CODE, UNCONDITIONAL)

    assert scene.kept_tokens() is None
