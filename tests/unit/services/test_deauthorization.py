"""The end of a sign-in, on every instance, and what the next one begins with."""

from __future__ import annotations

import pytest

from shared.domain.secret_names import tokens_name
from shared.domain.transport import NotSent
from tests.fakes import json_answer
from tests.scenes import CODE, failure


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


def test_next_sign_in_revives_no_ended_token_on_another_instance(signed_in):
    """What it still holds belongs to whoever was signed in before."""
    other = signed_in.another_instance()
    signed_in.token(other)
    signed_in.services.sign_off.deauthorize(signed_in.record())
    signed_in.sign_in()
    signed_in.clock.advance(seconds=30)
    signed_in.secrets.fail()
    error = failure(lambda: signed_in.token(other))
    signed_in.secrets.recover()

    assert error.kind.code == "vault_unavailable"
    assert signed_in.token(other) == "access-2"


def test_app_that_is_connected_again_gets_a_new_token(scene):
    """Also where the vault failed, and the ended one still lies there."""
    scene.integrate(grant_type="client_credentials")
    scene.token()
    scene.secrets.fail()
    failure(lambda: scene.services.sign_off.deauthorize(scene.record()))
    failure(lambda: scene.services.authorization.begin(CODE))
    scene.secrets.recover()

    assert scene.token() == "access-2"


def test_sign_in_that_cannot_be_recorded_is_no_success(signed_in):
    """The state goes on refusing calls: who signed in has to know, and can do it again."""
    signed_in.services.sign_off.deauthorize(signed_in.record())
    signed_in.provider.afterwards = signed_in.states.fail
    error = failure(signed_in.sign_in)
    signed_in.provider.afterwards = lambda: None
    signed_in.states.recover()

    assert error.kind.code == "storage_unavailable"
    assert failure(signed_in.token).kind.code == "sign_in_required"
    signed_in.sign_in()
    assert signed_in.token() == "access-3"


def test_refusal_by_the_upstream_revives_no_ended_token(signed_in):
    """A call that began long ago is not given what the instance got in the meantime."""
    other = signed_in.another_instance()
    refused = signed_in.tokens(other)
    signed_in.clock.advance(minutes=60)
    signed_in.token(other)
    signed_in.services.sign_off.deauthorize(signed_in.record())
    signed_in.sign_in()
    signed_in.clock.advance(seconds=31)

    renewed = other.tokens.after_refusal(signed_in.record(), refused)

    assert renewed.access_token.reveal() == "access-3"
