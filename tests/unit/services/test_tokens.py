"""The token that a call gets: from memory while it is valid, renewed before it is not."""

from __future__ import annotations

import pytest

from tests.scenes import CODE, TOKEN_URL, UNCONDITIONAL, Scene, failure, refusal

# A token lives for an hour here, and its refresh begins 15 minutes (900 seconds) ahead of its end.
STALE = 3600 - 900
LAST = 3600 - 1
EXPIRED = 3600


@pytest.mark.parametrize("age", [0, 1, STALE - 1])
def test_fresh_token_is_used_without_any_call(signed_in, age):
    """The warm path asks neither the provider, nor the vault, nor the storage."""
    signed_in.clock.advance(seconds=age)
    signed_in.token()
    calls = signed_in.stored_calls()

    assert signed_in.token() == "access-1"
    assert (signed_in.provider.calls, signed_in.stored_calls()) == (1, calls)


def test_stale_token_is_renewed_in_the_background(signed_in):
    """The caller does not wait; the next one gets the new token."""
    signed_in.background.is_held = True
    signed_in.clock.advance(seconds=STALE)

    first = signed_in.token()
    calls = signed_in.provider.calls
    signed_in.background.release()

    assert (first, calls) == ("access-1", 1)
    assert (signed_in.token(), signed_in.provider.calls) == ("access-2", 2)


def test_many_calls_with_a_stale_token_renew_it_once(signed_in):
    """However many callers meet a stale token at once, the provider is asked once."""
    signed_in.clock.advance(seconds=STALE)
    signed_in.background.is_held = True
    for _ in range(20):
        signed_in.token()
    waiting = len(signed_in.background.waiting)

    signed_in.background.release()

    assert (waiting, signed_in.provider.calls) == (1, 2)


def test_expired_token_is_renewed_before_the_call(signed_in):
    """It serves to its last second: one that expires on its way is refused unread, and renewed."""
    signed_in.background.is_held = True
    signed_in.clock.advance(seconds=LAST)
    last = signed_in.token()

    signed_in.clock.advance(seconds=EXPIRED - LAST)

    assert (last, signed_in.token()) == ("access-1", "access-2")


@pytest.mark.parametrize(("life", "due"), [(600, 300), (60, 30), (1800, 900), (7200, 6300)])
def test_refresh_begins_at_half_of_the_life_at_the_earliest(scene, life, due):
    """REFRESH_AHEAD_SECONDS never makes a short-lived token be renewed all the time."""
    scene.provider.life = life
    scene.integrate()
    scene.sign_in()

    scene.clock.advance(seconds=due - 1)
    scene.token()
    before = scene.provider.calls
    scene.clock.advance(seconds=1)
    scene.token()

    assert (before, scene.provider.calls) == (1, 2)


@pytest.fixture
def long_lived() -> Scene:
    """Return a gateway with somebody signed in, for hours."""
    scene = Scene()
    scene.provider.life = 8 * 3600
    scene.integrate()
    scene.sign_in()
    return scene


@pytest.mark.parametrize(
    "answer",
    [refusal("invalid_grant", 700082), refusal("invalid_client", 7000222, status=401)],
    ids=["sign-in-ended", "secret-expired"],
)
def test_refused_early_refresh_lets_the_token_serve_to_its_end(signed_in, answer):
    """The token is as valid as before; only when it ends, somebody has to act."""
    other = signed_in.another_instance()
    signed_in.http.on(TOKEN_URL, answer)
    signed_in.clock.advance(seconds=STALE)

    for _ in range((LAST - STALE) // 40):
        assert signed_in.token() == signed_in.token(other) == "access-1"
        signed_in.clock.advance(seconds=40)
    calls = len(signed_in.http.sent_to(TOKEN_URL))
    signed_in.clock.advance(seconds=60)

    assert failure(signed_in.token).kind.status == 424
    assert failure(lambda: signed_in.token(other)).kind.status == 424
    assert len(signed_in.http.sent_to(TOKEN_URL)) == calls == 2


def test_two_instances_renew_once(signed_in):
    """What one instance obtained, the other takes from the vault, in the background."""
    other = signed_in.another_instance()
    signed_in.token(other)
    signed_in.clock.advance(seconds=STALE)
    signed_in.token()

    signed_in.clock.advance(seconds=30)

    assert signed_in.token(other) == "access-1"  # still valid, so that the call does not wait
    assert signed_in.token() == signed_in.token(other) == "access-2"
    assert signed_in.provider.calls == 2


def test_two_instances_with_an_expired_token_renew_once(signed_in):
    """The second one finds the first one's result, also if it has not heard of it yet."""
    other = signed_in.another_instance()
    signed_in.token(other)
    signed_in.background.is_held = True
    signed_in.clock.advance(seconds=EXPIRED)

    assert signed_in.token() == signed_in.token(other) == "access-2"
    assert signed_in.provider.calls == 2


def test_new_sign_in_after_the_old_one_ended_recovers_at_once(signed_in):
    """The same holds where the provider had ended the sign-in."""
    other = signed_in.another_instance()
    signed_in.provider.instead = refusal("invalid_grant", 50173)
    signed_in.clock.advance(seconds=3600)
    failure(signed_in.token)
    failure(lambda: signed_in.token(other))
    signed_in.provider.instead = None

    signed_in.sign_in()

    assert signed_in.token() == signed_in.token(other) == "access-2"


def test_app_needs_no_sign_in(scene):
    """With client credentials, the first call obtains the token by itself."""
    scene.integrate(grant_type="client_credentials")

    assert scene.token() == "access-1"
    (form,) = scene.provider.forms
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == "https://api.businesscentral.dynamics.com/.default"


def test_app_renews_its_token_the_same_way(scene):
    """There is no refresh token: the app asks anew, ahead of expiry."""
    scene.integrate(grant_type="client_credentials")
    scene.token()

    scene.clock.advance(seconds=STALE)
    scene.token()

    assert scene.token() == "access-2"
    assert scene.kept_tokens()["refresh_token"] is None


def test_connect_asks_the_provider_even_after_a_refusal(scene):
    """Who has repaired something at the provider need not change the definition."""
    scene.integrate(grant_type="client_credentials")
    scene.provider.instead = refusal("invalid_client", 7000215, status=401)
    failure(scene.token)
    scene.provider.instead = None

    scene.services.tokens.connect(scene.record())

    assert scene.token() == "access-1"


def test_state_of_another_binding_is_void(signed_in):
    """Tokens that belong to the former definition are not used by the present one."""
    changes = {"tenant_id": "other.example.com", "client_secret": "new"}
    signed_in.states.fail("put")  # so that nothing is dropped
    signed_in.services.integrations.patch(CODE, changes, UNCONDITIONAL)
    signed_in.states.recover()

    assert signed_in.state().status == "authorized"
    assert failure(signed_in.token).kind.code == "sign_in_required"
    assert failure(lambda: signed_in.token(signed_in.another_instance())).kind.status == 424


def test_use_is_noted_once_an_hour(long_lived):
    """The timer learns which tokens are in use, at the cost of one write an hour."""
    long_lived.clock.advance(minutes=59)
    long_lived.token()
    noted = long_lived.state().last_used_on
    long_lived.clock.advance(minutes=1)
    writes = long_lived.states.calls["put"]

    for _ in range(5):
        long_lived.token()
        long_lived.clock.advance(seconds=1)

    assert noted < long_lived.state().last_used_on
    assert long_lived.states.calls["put"] == writes + 1


def test_noting_a_use_does_not_make_a_deauthorization_count_later(long_lived):
    """What is known about a sign-in gets no younger by being used."""
    other = long_lived.another_instance()
    long_lived.clock.advance(seconds=3600 - 10)
    long_lived.token(other)
    long_lived.services.sign_off.deauthorize(long_lived.record())
    long_lived.clock.advance(seconds=20)
    long_lived.token(other)  # an hour after the last note

    long_lived.clock.advance(seconds=10)

    assert failure(lambda: long_lived.token(other)).kind.code == "sign_in_required"


def test_noting_a_use_revives_no_deleted_integration(long_lived):
    """A call that was under way during the deletion leaves no row behind."""
    long_lived.clock.advance(minutes=60)
    long_lived.background.is_held = True
    long_lived.token()
    long_lived.services.integrations.delete(CODE, UNCONDITIONAL)

    long_lived.background.release()

    assert not long_lived.states.rows


def test_integrations_are_apart(scene):
    """What happens to one sign-in does not touch another."""
    for code in ("ONE", "TWO_B"):
        scene.integrate(code=code)
        scene.sign_in(code)

    scene.services.sign_off.deauthorize(scene.record("ONE"))

    assert failure(lambda: scene.token(code="ONE")).kind.code == "sign_in_required"
    assert scene.token(code="TWO_B") == "access-2"


def test_tokens_in_memory_are_told(signed_in):
    """Health asks whether calls could be served; an expired token would not do."""
    fresh = Scene()

    assert not fresh.services.tokens.holds_tokens
    assert signed_in.services.tokens.holds_tokens
    signed_in.clock.advance(seconds=3600)
    assert not signed_in.services.tokens.holds_tokens
