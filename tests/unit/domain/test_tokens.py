"""Tokens and their state, as older versions of the gateway left them."""

from __future__ import annotations

import msgspec

from shared.domain.secret import Secret
from shared.domain.token_health import findings
from shared.domain.tokens import TokenSet, TokenState
from tests.contract.records import integration_record
from tests.fakes.machine import START


def test_state_of_an_older_version_is_read():
    """A deployment loses no sign-in, and raises no alarm over what older rows do not say."""
    kept = b'{"status":"authorized","binding":"b","expires_on":"2026-03-02T09:00:00Z"}'

    state = msgspec.json.decode(kept, type=TokenState)

    assert (state.status, state.level, state.grant_expires_on) == ("authorized", "ok", None)
    assert findings(integration_record(), state, START) == []


def test_tokens_of_an_older_version_are_read():
    """They lie in the vault without the end of the refresh token."""
    kept = Secret(
        '{"access_token":"a","refresh_token":"r","generation":3,"binding":"b",'
        '"obtained_on":"2026-03-02T08:00:00Z","expires_on":"2026-03-02T09:00:00Z"}'
    )

    tokens = TokenSet.from_secret(kept)

    assert tokens is not None
    assert (tokens.generation, tokens.refresh_expires_on) == (3, None)


def test_emptied_state_keeps_the_count_and_the_level():
    """An older token set must not pass for a newer one, nor a told level be told again."""
    state = TokenState(
        status="needs_sign_in", generation=7, level="action_needed", level_told_by="somebody"
    )

    left = state.emptied("b")

    told = {"level": "action_needed", "level_told_by": "somebody"}
    assert left == TokenState(generation=7, binding="b", **told)
