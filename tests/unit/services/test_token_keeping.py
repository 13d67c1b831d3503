"""Tokens between vault, state and memory: what was obtained is found again, or told as lost."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from shared.domain.errors import StorageUnavailable
from shared.ports import Conflict
from tests.fakes import FakeTokenStateStore, json_answer
from tests.scenes import CODE, UNCONDITIONAL, Scene, failure, refusal

CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
ANOTHER_CLIENT = {
    "client_id": "22222222-2222-4222-8222-222222222222",
    "client_secret": "another secret",
}


class UnsureStore(FakeTokenStateStore):
    """A store that is in trouble at the writes that release a lease, and at no others."""

    failures = 0
    touch = None

    def put(self, integration, state, *, etag):
        """Store the state, unless it releases a lease and that is to fail."""
        row = self.rows.get(integration)
        is_release = row and row.state.lease_owner and not state.lease_owner
        if is_release and self.failures:
            self.failures -= 1
            raise StorageUnavailable("The fake is down.")
        stored = super().put(integration, state, etag=etag)
        if is_release and self.touch:
            touch, self.touch = self.touch, None
            touch()
            raise Conflict(integration)  # what a repeated write meets whose answer was lost
        return stored


@pytest.fixture
def unsure():
    """Return a gateway with such a store, and an integration that waits for a person."""
    scene = Scene(states=UnsureStore())
    scene.integrate()
    return scene


@pytest.fixture
def app():
    """Return one whose integration signs in by itself."""
    scene = Scene(states=UnsureStore())
    scene.integrate(grant_type="client_credentials")
    return scene


def tell_level(scene):
    """Write to the row as the watch over levels does."""
    row = scene.states.rows[CODE]
    state = msgspec.structs.replace(row.state, level="warning", level_told_by="another")
    scene.states.put(CODE, state, etag=row.etag)


def obtain(scene, how):
    """Let tokens be obtained that way."""
    if how == "sign-in":
        scene.sign_in()
    else:
        scene.token()


@pytest.mark.parametrize("how", ["sign-in", "renewal"])
def test_tokens_count_though_the_answer_was_lost_and_the_row_was_touched(unsure, how):
    """The write is there, and so is another instance's: both stand, and nobody signs in again."""
    unsure.sign_in()
    unsure.clock.advance(minutes=60)
    unsure.states.touch = lambda: tell_level(unsure)

    obtain(unsure, how)

    assert unsure.token() == unsure.token(unsure.another_instance()) == "access-2"
    assert unsure.kept_tokens()["access_token"] == "access-2"
    state = unsure.state()
    assert (state.status, state.generation, state.level) == ("authorized", 2, "warning")
    assert unsure.provider.calls == 2


@pytest.mark.parametrize("how", ["sign-in", "renewal"])
def test_tokens_that_were_ended_before_their_answer_came_are_void(unsure, how):
    """That the write had happened does not help where somebody has ended the sign-in since."""
    unsure.sign_in()
    unsure.clock.advance(minutes=60)
    administrator = unsure.another_instance()
    unsure.states.touch = lambda: administrator.sign_off.deauthorize(unsure.record())

    error = failure(lambda: obtain(unsure, how))

    assert error.kind.code == "sign_in_required"
    assert unsure.kept_tokens() is None
    assert unsure.state().status == "deauthorized"


def test_sign_in_sits_out_a_short_outage_of_the_last_write(unsure):
    """A person is not sent through it all again for the sake of three seconds."""
    unsure.states.failures = 3

    unsure.sign_in()

    assert unsure.token() == "access-1"
    assert unsure.state().status == "authorized"


def test_sign_in_whose_last_write_fails_is_told_as_failed(unsure):
    """No instance would find the tokens, and the next sign-in does not wait for this one's end."""
    unsure.states.failures = 4
    error = failure(unsure.sign_in)
    refused = failure(unsure.token)
    started_on = unsure.clock.now()

    unsure.sign_in()

    assert isinstance(error, StorageUnavailable)
    assert refused.kind.code == "sign_in_required"
    assert (unsure.token(), unsure.clock.now()) == ("access-2", started_on)


@pytest.mark.parametrize("is_renewal", [False, True], ids=["first-token", "renewal"])
def test_app_s_tokens_serve_from_memory_while_the_state_is_behind(app, is_renewal):
    """Longer than a state is cached, with the vault down too; and the provider is asked once."""
    if is_renewal:
        app.token()
        app.clock.advance(minutes=60)
    app.states.failures = 1
    token = app.token()
    calls = app.provider.calls
    app.secrets.fail()

    served = set()
    for _ in range(40):
        app.clock.advance(seconds=60)
        served.add(app.token())

    assert served == {token}
    assert app.provider.calls == calls


def test_refused_app_s_token_serves_from_memory_while_the_state_is_behind(app):
    """The row still tells of the refusal that the corrected definition has overcome."""
    app.provider.instead = refusal("invalid_client", 7000215, status=401)
    failure(app.token)
    app.provider.instead = None
    app.clock.advance(seconds=1)
    app.services.integrations.patch(CODE, {"client_secret": "right"}, UNCONDITIONAL)
    app.states.failures = 1
    token = app.token()
    app.secrets.fail()

    app.clock.advance(seconds=31)

    assert (app.state().status, app.token()) == ("misconfigured", token)


def test_life_of_tokens_counts_from_the_question(signed_in):
    """How long the answer was under way is nothing that they live longer."""
    signed_in.clock.advance(minutes=60)
    asked_on = signed_in.clock.now()
    signed_in.provider.afterwards = lambda: signed_in.clock.advance(seconds=30)

    tokens = signed_in.tokens()

    assert tokens.expires_on == asked_on + timedelta(hours=1)
    assert tokens.refresh_expires_on == asked_on + timedelta(days=90)
    assert signed_in.state().expires_on == tokens.expires_on


@pytest.fixture
def challenged(signed_in):
    """Return a gateway that serves, and whose next sign-in has to prove more."""
    body = {"error": "interaction_required", "error_codes": [50076], "claims": CLAIMS}
    signed_in.provider.instead = json_answer(body, status=400)
    failure(signed_in.sign_in)
    signed_in.provider.instead = None
    return signed_in


def test_ordinary_renewal_answers_no_challenge(challenged):
    """The tokens are new, and prove no more than the old ones."""
    challenged.clock.advance(minutes=60)

    assert challenged.token() == "access-2"
    assert challenged.state().claims_challenge == CLAIMS


def test_refused_renewal_forgets_no_challenge(challenged):
    """A refusal without claims of its own leaves those that are open."""
    challenged.clock.advance(minutes=60)
    challenged.provider.instead = refusal("invalid_grant", 700082)

    failure(challenged.token)

    assert challenged.state().claims_challenge == CLAIMS


def test_sign_in_answers_the_challenge_though_the_old_one_still_served(challenged):
    """The one after it asks for nothing more."""
    challenged.sign_in()

    assert challenged.state().status == "authorized"
    assert challenged.state().claims_challenge is None


def once_ended(scene, act):
    """Let this happen once, while the old tokens are looked for that have just been ended."""

    def look():
        if scene.state().ended_generation:
            act()
        else:
            scene.secrets.before("get", look)

    scene.secrets.before("get", look)


def test_sign_in_during_a_deauthorization_keeps_its_tokens(signed_in):
    """Only what was there before is forgotten."""
    other = signed_in.another_instance()
    once_ended(signed_in, lambda: signed_in.sign_in(services=other))

    signed_in.services.sign_off.deauthorize(signed_in.record())
    signed_in.clock.advance(minutes=60)

    assert signed_in.kept_tokens()["access_token"] == "access-2"
    assert signed_in.token() == "access-3"


def test_sign_in_during_a_change_of_identity_keeps_its_tokens(signed_in):
    """Whoever signs in to the new definition at once is not signed off with the old one."""
    other = signed_in.another_instance()
    once_ended(signed_in, lambda: signed_in.sign_in(services=other))

    signed_in.services.integrations.patch(CODE, ANOTHER_CLIENT, UNCONDITIONAL)
    signed_in.clock.advance(minutes=60)

    assert signed_in.kept_tokens()["binding"] == signed_in.record().binding
    assert signed_in.token() == "access-3"
