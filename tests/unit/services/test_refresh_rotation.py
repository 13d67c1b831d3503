"""Refresh tokens that change with every use: each is kept, and sent next."""

from __future__ import annotations

import pytest

from shared.domain.secret import Secret
from tests.scenes import CODE, failure

HOUR = 3600
TOO_LONG = "x" * 26_000  # a Key Vault secret holds 25 KB


def sent_refresh_tokens(scene):
    """Return the refresh tokens in the order in which the provider saw them."""
    return [form["refresh_token"] for form in scene.provider.forms if "refresh_token" in form]


def test_ten_rotations_lose_nothing_though_the_app_restarts_in_between(signed_in):
    """Each time a new process sends the refresh token that the last one was given."""
    for number in range(2, 12):
        signed_in.clock.advance(seconds=HOUR)
        services = signed_in.another_instance()

        assert signed_in.token(services) == f"access-{number}"
        assert signed_in.kept_tokens()["refresh_token"] == f"refresh-{number}"
    assert sent_refresh_tokens(signed_in) == [f"refresh-{number}" for number in range(1, 11)]


def test_unknown_fields_of_an_answer_are_ignored(signed_in):
    """RFC 6749 section 5.1; Entra itself sends ext_expires_in and more."""
    signed_in.provider.changes = {
        "ext_expires_in": 7200,
        "expires_on": "1772442000",
        "not_before": None,
        "resource": {"nested": ["x"]},
        "generation": 99,
        "binding": "another",
    }
    signed_in.clock.advance(seconds=HOUR)

    tokens = signed_in.tokens()

    assert tokens.access_token == Secret("access-2")
    assert (tokens.expires_on - signed_in.clock.now()).total_seconds() == HOUR
    assert (tokens.generation, tokens.binding) == (2, signed_in.record().binding)


@pytest.mark.parametrize("field", ["access_token", "refresh_token"])
def test_tokens_too_long_for_the_vault_are_told_as_that(signed_in, field):
    """Time does not help: the provider is asked once, and the vault not at all."""
    signed_in.provider.changes = {field: TOO_LONG}
    signed_in.clock.advance(seconds=HOUR)
    writes = signed_in.secrets.calls["set"]

    errors = [failure(signed_in.token) for _ in range(3)]

    assert {error.kind.code for error in errors} == {"identity_misconfigured"}
    assert all("25 KB" in error.detail for error in errors)
    assert all("scope" in error.hint for error in errors)
    assert (signed_in.provider.calls, signed_in.secrets.calls["set"]) == (2, writes)
    state = signed_in.state()
    assert (state.status, state.lease_owner) == ("misconfigured", None)


def test_sign_in_with_tokens_too_long_for_the_vault_leaves_the_old_one_in_force(signed_in):
    """Whoever signs in learns why it cannot be kept."""
    signed_in.provider.changes = {"access_token": TOO_LONG}

    error = failure(signed_in.sign_in)

    assert (error.kind.code, "25 KB" in error.detail) == ("identity_misconfigured", True)
    assert signed_in.token() == "access-1"
    assert signed_in.states.rows[CODE].state.lease_owner is None
