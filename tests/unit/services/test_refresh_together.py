"""Several instances and administrators at work on one sign-in at the same time."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from shared.domain.secret import Secret
from shared.domain.secret_names import tokens_name
from shared.domain.tokens import Cause, TokenSet
from shared.services.token_outcomes import Obtained, authorized
from tests.fakes import json_answer
from tests.scenes import CODE, UNCONDITIONAL, failure

LEASE = timedelta(seconds=90)


class OtherInstance:
    """Another instance in the middle of a refresh: it holds the lease."""

    def __init__(self, scene):
        self.scene = scene
        self.binding = scene.state().binding
        self.take_lease()

    def change(self, **changes):
        """Change the state."""
        row = self.scene.states.rows[CODE]
        state = msgspec.structs.replace(row.state, **changes)
        self.scene.states.put(CODE, state, etag=row.etag)

    def take_lease(self):
        """Hold the lease from now on for its full time."""
        self.change(lease_owner="other", lease_until=self.scene.clock.now() + LEASE)

    def win(self):
        """Obtain new tokens, store them, and release the lease."""
        now = self.scene.clock.now()
        tokens = TokenSet(
            access_token=Secret("the winner's"),
            refresh_token=Secret("refresh-2"),
            obtained_on=now,
            expires_on=now + timedelta(hours=1),
            generation=2,
            binding=self.binding,
        )
        self.scene.secrets.set(tokens_name(CODE), tokens.to_secret())
        obtained = Obtained(tokens=tokens)
        state = authorized(self.scene.state(), self.scene.record(), obtained, now=now)
        self.change(**msgspec.structs.asdict(state) | {"lease_owner": None})

    def fail(self):
        """Meet an outage of the provider, and release the lease."""
        retry_on = self.scene.clock.now() + timedelta(seconds=30)
        self.change(lease_owner=None, failures=1, retry_on=retry_on)

    def be_refused(self):
        """Meet the end of the sign-in, and release the lease."""
        cause = Cause(code="sign_in_required", detail="It has expired.", hint="Sign in.")
        self.change(lease_owner=None, status="needs_sign_in", cause=cause)

    def hold_on(self):
        """Take the lease anew, for ever and ever."""
        self.take_lease()
        self.scene.clock.before("sleep", self.hold_on)


@pytest.fixture
def scene(signed_in):
    """Return a gateway whose access token has just expired."""
    signed_in.clock.advance(minutes=60)
    return signed_in


@pytest.fixture
def other(scene):
    """Return the instance that is about to renew it."""
    return OtherInstance(scene)


def test_winner_s_result_is_taken_over(scene, other):
    """Who has to wait for the lease does not ask the provider a second time."""
    scene.clock.before("sleep", other.win)

    assert scene.token() == "the winner's"
    assert scene.provider.calls == 1


def test_winner_s_result_is_taken_over_though_the_lease_is_held_anew(scene, other):
    """Nobody waits for a lease that is not needed any more."""

    def win_and_go_on():
        other.win()
        other.take_lease()

    scene.clock.before("sleep", win_and_go_on)
    started_on = scene.clock.now()

    assert scene.token() == "the winner's"
    assert scene.clock.now() - started_on < timedelta(seconds=1)


def test_winner_s_outage_is_taken_over(scene, other):
    """A provider that did not answer just now is not asked by everybody in turn."""
    scene.clock.before("sleep", other.fail)

    error = failure(scene.token)

    assert error.kind.code == "identity_unavailable"
    assert 25 < error.retry_after_seconds <= 31
    assert scene.provider.calls == 1


def test_winner_s_refusal_is_taken_over(scene, other):
    """With the cause that the winner was told."""
    scene.clock.before("sleep", other.be_refused)

    error = failure(scene.token)

    assert (error.kind.code, error.detail) == ("sign_in_required", "It has expired.")
    assert scene.provider.calls == 1


def test_lease_of_a_dead_instance_ends_by_itself(scene, other):
    """Nobody releases it, and the next one waits no longer than a token call may take."""
    started_on = scene.clock.now()

    assert scene.token() == "access-2"
    assert timedelta(seconds=60) < scene.clock.now() - started_on <= LEASE + timedelta(seconds=1)
    assert other.scene.state().lease_owner is None


def test_lease_that_never_ends_is_told(scene, other):
    """A call does not wait for ever."""
    other.hold_on()

    error = failure(scene.token)

    assert (error.kind.code, error.kind.status) == ("identity_unavailable", 503)
    assert error.retry_after_seconds
    assert scene.provider.calls == 1


def test_sign_in_waits_for_a_refresh_under_way_and_counts_over_it(scene, other):
    """The newer grant wins, whoever was first."""
    scene.clock.before("sleep", other.win)

    scene.sign_in()

    assert scene.token() == "access-2"
    assert scene.kept_tokens()["generation"] == 3


def test_lease_is_released_after_a_refresh(scene):
    """The next one does not have to wait."""
    scene.token()

    assert scene.state().lease_owner is None


def test_deauthorization_during_a_refresh_wins(scene):
    """The tokens that came are kept nowhere, and handed to nobody."""
    administrator = scene.another_instance()
    scene.provider.afterwards = lambda: administrator.sign_off.deauthorize(scene.record())

    error = failure(scene.token)

    assert error.kind.code == "sign_in_required"
    assert scene.kept_tokens() is None
    assert scene.state().status == "deauthorized"
    assert scene.state().lease_owner is None
    assert failure(scene.token).kind.code == "sign_in_required"


@pytest.mark.parametrize("status", [400, 503], ids=["refused", "down"])
def test_deauthorization_during_a_failing_refresh_stands(scene, status):
    """A refusal or an outage that comes later does not change what the administrator did."""
    administrator = scene.another_instance()
    scene.provider.instead = json_answer({"error": "invalid_grant"}, status=status)
    scene.provider.afterwards = lambda: administrator.sign_off.deauthorize(scene.record())

    failure(scene.token)

    assert scene.state().status == "deauthorized"
    assert failure(scene.token).kind.code == "sign_in_required"


def test_sign_in_during_a_deauthorized_refresh_counts(scene):
    """Only what was under way before the deauthorization is thrown away."""
    administrator = scene.another_instance()
    scene.provider.afterwards = lambda: administrator.sign_off.deauthorize(scene.record())
    failure(scene.token)
    scene.provider.afterwards = lambda: None

    scene.sign_in()

    assert scene.token() == scene.token(administrator) == "access-3"


@pytest.mark.parametrize(
    "answer",
    [None, json_answer({"error": "invalid_grant"}, status=400), json_answer({}, status=503)],
    ids=["granted", "refused", "down"],
)
def test_deletion_during_a_refresh_leaves_nothing_behind(scene, answer):
    """Neither tokens nor a row of an integration that does not exist any more."""
    administrator = scene.another_instance()
    scene.provider.instead = answer
    scene.provider.afterwards = lambda: administrator.integrations.delete(CODE, UNCONDITIONAL)

    failure(scene.token)

    assert not scene.states.rows
    assert not scene.secrets.versions


def test_identity_change_during_a_refresh_voids_what_it_brings(scene):
    """The tokens belong to the former definition, and the new one starts without a sign-in."""
    administrator = scene.another_instance()
    changes = {"base_url": "https://bc.example.com", "client_secret": "new"}

    def move():
        administrator.integrations.patch(CODE, changes, UNCONDITIONAL)

    scene.provider.afterwards = move
    assert failure(scene.token).kind.code == "sign_in_required"
    scene.provider.afterwards = lambda: None

    assert failure(scene.invoke).kind.code == "sign_in_required"
    assert scene.services.integrations.get(CODE).document["status"] == "not_authorized"
    assert not scene.http.sent_to("https://bc.example.com")


def test_sign_in_during_a_refresh_is_not_undone_by_it(scene):
    """What the provider grants too late neither replaces nor deletes the newer sign-in's tokens.

    The caller gets those.
    """
    administrator = scene.another_instance()

    def begin_anew():
        scene.provider.afterwards = lambda: None
        administrator.sign_off.deauthorize(scene.record())
        scene.sign_in(services=administrator)

    scene.provider.afterwards = begin_anew

    assert scene.token() == scene.token(administrator) == scene.kept_tokens()["access_token"]
    assert scene.state().status == "authorized"
