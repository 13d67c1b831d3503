"""What an administrator needs to know of an integration's sign-in; never a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import timedelta

    from shared.ports import Clock, TokenStateStore
    from shared.services.integrations import IntegrationAdministration


class TokenStatus:
    """Tells the health of tokens."""

    def __init__(
        self,
        *,
        integrations: IntegrationAdministration,
        states: TokenStateStore,
        refresh_ahead: timedelta,
        clock: Clock,
    ) -> None:
        """Read from the stores, not from memory: the answer is the same on every instance."""
        self._integrations = integrations
        self._states = states
        self._refresh_ahead = refresh_ahead
        self._clock = clock

    def of(self, code: str) -> dict[str, Any]:
        """Return the status document; GatewayError `integration_not_found`."""
        shown = self._integrations.get(code).document
        stored = self._states.get(shown["code"])
        state = stored.state if stored else None
        document: dict[str, Any] = {
            name: shown[name]
            for name in ("code", "status", "is_valid_auth", "signed_in_as", "has_client_secret")
        }
        document["integration"] = document.pop("code")
        document["access_token"] = None
        document["next_refresh_on"] = None
        if state and state.status == "authorized" and state.expires_on and state.obtained_on:
            now = self._clock.now()
            life = state.expires_on - state.obtained_on
            document["access_token"] = {
                "obtained_on": state.obtained_on,
                "expires_on": state.expires_on,
                "expires_in_seconds": max(0, int((state.expires_on - now).total_seconds())),
            }
            due_on = state.expires_on - min(self._refresh_ahead, life / 2)
            document["next_refresh_on"] = state.retry_on or due_on
        document["last_used_on"] = state.last_used_on if state else None
        document["consecutive_failures"] = state.failures if state else 0
        document["last_failure_on"] = state.last_failure_on if state else None
        cause = state.cause if state else None
        document["cause"] = (
            {"code": cause.code, "detail": cause.detail, "hint": cause.hint} if cause else None
        )
        return document
