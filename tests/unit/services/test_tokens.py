"""The token that a call gets: from memory while it is valid, renewed before it is not."""

from __future__ import annotations

import pytest

from shared.domain.secret_names import tokens_name
from shared.domain.transport import AnswerLost, NotSent, TimedOut
from tests.fakes import json_answer
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


OUTAGES = {
    "provider-silent": lambda scene: scene.http.on(TOKEN_URL, TimedOut("slow")),
    "provider-gone": lambda scene: scene.http.on(TOKEN_URL, NotSent("no connection")),
    "provider-cut": lambda scene: scene.http.on(TOKEN_URL, AnswerLost("cut")),
    "provider-503": lambda scene: scene.http.on(TOKEN_URL, json_answer({}, status=503)),
    "provider-429": lambda scene: scene.http.on(TOKEN_URL, json_answer({}, status=429)),
    "vault": lambda scene: scene.secrets.fail(),
    "states": lambda scene: scene.states.fail(),
    "everything": lambda scene: (scene.secrets.fail(), scene.states.fail()),
}
EXPECTED = {
    "vault": "vault_unavailable",
    "states": "storage_unavailable",
    "everything": "storage_unavailable",
}


def end_outage(scene):
    """Bring everything back."""
    scene.http.script(TOKEN_URL, scene.provider)
    scene.secrets.recover()
    scene.states.recover()


@pytest.mark.parametrize("outage", OUTAGES)
def test_outage_never_fails_a_call_while_the_token_is_valid(signed_in, outage):
    """A failed refresh ahead of expiry is nobody's problem yet."""
    OUTAGES[outage](signed_in)

    for _ in range(LAST // 60):
        signed_in.clock.advance(seconds=60)
        assert signed_in.token() == "access-1"


@pytest.mark.parametrize("outage", OUTAGES)
def test_outage_past_the_expiry_is_told_and_heals_by_itself(signed_in, outage):
    """503 with Retry-After; when that time is over and the outage too, calls go on."""
    OUTAGES[outage](signed_in)
    signed_in.clock.advance(seconds=STALE)
    signed_in.token()
    signed_in.clock.advance(seconds=3600)

    error = failure(signed_in.token)
    end_outage(signed_in)
    signed_in.clock.advance(seconds=error.retry_after_seconds)

    assert error.kind.status == 503
    assert error.kind.code == EXPECTED.get(outage, "identity_unavailable")
    assert error.kind.retryable
    assert signed_in.token() == "access-2"


@pytest.mark.parametrize("outage", ["vault", "states"])
def test_outage_at_a_cold_start_is_told(signed_in, outage):
    """An instance that holds nothing yet cannot guess a token."""
    OUTAGES[outage](signed_in)

    error = failure(lambda: signed_in.token(signed_in.another_instance()))

    assert (error.kind.code, error.kind.status) == (EXPECTED[outage], 503)
    assert error.retry_after_seconds


@pytest.mark.parametrize("outage", OUTAGES)
def test_failed_early_refresh_is_tried_again_after_a_pause(signed_in, outage):
    """Not every call waits for what is down, and the first one after its end renews."""
    OUTAGES[outage](signed_in)
    signed_in.clock.advance(seconds=STALE)
    for _ in range(50):
        signed_in.token()
    attempts = signed_in.background.calls["submit"]
    end_outage(signed_in)

    signed_in.clock.advance(seconds=60)
    signed_in.token()

    assert attempts <= 2  # the other one may be a cache's
    assert signed_in.token() == "access-2"


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


def test_vault_outage_leaves_the_other_instance_its_older_valid_token(signed_in):
    """Newer tokens lie in the vault, but the one at hand is still good."""
    other = signed_in.another_instance()
    signed_in.token(other)
    signed_in.clock.advance(seconds=STALE)
    signed_in.token()
    signed_in.secrets.fail()

    signed_in.clock.advance(seconds=30)

    assert signed_in.token(other) == "access-1"


def test_deauthorized_integration_refuses_calls_at_once(signed_in):
    """The tokens are gone from memory and vault, and the provider is not asked."""
    signed_in.services.sign_off.deauthorize(signed_in.record())

    error = failure(signed_in.token)

    assert (error.kind.code, error.kind.status) == ("sign_in_required", 424)
    assert not error.kind.retryable
    assert tokens_name(CODE) not in signed_in.secrets.versions
    assert not signed_in.services.tokens.holds_tokens
    assert signed_in.provider.calls == 1


@pytest.mark.parametrize("steps", [[30], [14, 16], [29, 1], [16, 14]])
def test_deauthorization_counts_elsewhere_within_the_lifetime(signed_in, steps):
    """A token in another instance's memory is used for DEFINITION_CACHE_SECONDS at the most."""
    other = signed_in.another_instance()
    signed_in.token(other)
    signed_in.services.sign_off.deauthorize(signed_in.record())
    signed_in.background.is_held = True

    for seconds in steps[:-1]:
        signed_in.clock.advance(seconds=seconds)
        assert signed_in.token(other) == "access-1"
    signed_in.clock.advance(seconds=steps[-1])

    assert failure(lambda: signed_in.token(other)).kind.code == "sign_in_required"


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


def test_new_sign_in_recovers_at_once_on_every_instance(signed_in):
    """Nobody waits for a cache to expire after somebody has signed in again."""
    other = signed_in.another_instance()
    signed_in.token(other)
    signed_in.services.sign_off.deauthorize(signed_in.record())
    signed_in.clock.advance(seconds=30)
    failure(signed_in.token)
    failure(lambda: signed_in.token(other))

    signed_in.sign_in()

    assert signed_in.token() == signed_in.token(other) == "access-2"


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


@pytest.mark.parametrize(
    ("changes", "answer", "expected"),
    [
        ({}, None, False),
        ({"revocation_url": "https://idp.example.com/revoke"}, json_answer({}), True),
        ({"revocation_url": "https://idp.example.com/revoke"}, json_answer({}, status=503), False),
        ({"revocation_url": "https://idp.example.com/revoke"}, NotSent("gone"), False),
    ],
    ids=["no-such-url", "revoked", "refused", "unreachable"],
)
def test_deauthorize_tells_whether_the_provider_revoked(scene, changes, answer, expected):
    """The gateway forgets the tokens in any case; only the provider can end them."""
    scene.http.on("https://idp.example.com", answer)
    scene.integrate(**changes)
    scene.sign_in()

    assert scene.services.sign_off.deauthorize(scene.record()) is expected
    assert scene.kept_tokens() is None
    assert failure(scene.token).kind.code == "sign_in_required"


def test_revocation_names_the_refresh_token_and_proves_the_client(scene):
    """RFC 7009 section 2.1."""
    scene.http.on("https://idp.example.com", json_answer({}))
    scene.integrate(revocation_url="https://idp.example.com/revoke")
    scene.sign_in()

    scene.services.sign_off.deauthorize(scene.record())

    (sent,) = scene.http.sent_to("https://idp.example.com")
    assert b"token=refresh-1&token_type_hint=refresh_token&client_id=" in sent.body
    assert b"client_secret=the+client+secret" in sent.body


def test_deauthorize_without_a_sign_in_is_no_error(scene):
    """There is nothing to forget, and calls are refused as before."""
    scene.integrate()

    assert scene.services.sign_off.deauthorize(scene.record()) is False
    assert failure(scene.token).kind.code == "sign_in_required"


def test_deauthorize_with_the_vault_down_can_be_repeated(signed_in):
    """It is told, and once the vault answers, the tokens are forgotten."""
    signed_in.secrets.fail()
    error = failure(lambda: signed_in.services.sign_off.deauthorize(signed_in.record()))
    signed_in.secrets.recover()

    signed_in.services.sign_off.deauthorize(signed_in.record())

    assert error.kind.code == "vault_unavailable"
    assert signed_in.kept_tokens() is None


def test_deauthorize_whose_deletion_fails_still_refuses_calls(signed_in):
    """The state counts from its first step; the tokens left behind are not taken up again."""
    signed_in.secrets.fail("forget")
    failure(lambda: signed_in.services.sign_off.deauthorize(signed_in.record()))
    signed_in.secrets.recover()

    assert failure(signed_in.token).kind.code == "sign_in_required"
    assert failure(lambda: signed_in.token(signed_in.another_instance())).kind.status == 424


def test_refused_token_is_renewed_once_for_all_callers(signed_in):
    """Every call that met the refusal gets the one new token."""
    tokens, record = signed_in.services.tokens, signed_in.record()
    refused = signed_in.tokens()

    renewed = [tokens.after_refusal(record, refused) for _ in range(3)]

    assert {each.access_token.reveal() for each in renewed} == {"access-2"}
    assert signed_in.provider.calls == 2


def test_refused_new_token_is_not_renewed_again(signed_in):
    """A service that refuses a fresh token will refuse the next one too; it is tried later."""
    tokens, record = signed_in.services.tokens, signed_in.record()
    renewed = tokens.after_refusal(record, signed_in.tokens())

    at_once = tokens.after_refusal(record, renewed)
    signed_in.clock.advance(minutes=5)
    later = tokens.after_refusal(record, renewed)

    assert at_once is None
    assert later.access_token.reveal() == "access-3"


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


def test_deauthorized_app_stays_so_until_an_administrator_connects_it(scene):
    """Calls do not bring it back by themselves, though they could."""
    scene.integrate(grant_type="client_credentials")
    scene.token()
    scene.services.sign_off.deauthorize(scene.record())
    other = scene.another_instance()

    error = failure(lambda: scene.token(other))
    scene.services.authorization.begin(CODE)

    assert error.kind.code == "sign_in_required"
    assert scene.token(other) == "access-2"


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
