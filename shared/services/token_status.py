"""What an administrator needs to know of an integration's sign-in; never a secret."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.domain.tokens import TokenState

if TYPE_CHECKING:
    from shared.ports import Clock, TokenStateStore
    from shared.services.integrations import IntegrationAdministration

_SHOWN = ("status", "is_valid_auth", "signed_in_as", "has_client_secret")


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
        record = self._integrations.find(code)
        shown = self._integrations.get(code).document
        stored = self._states.get(record.code)
        is_bound = stored is not None and stored.state.binding == record.binding
        state = stored.state if stored is not None and is_bound else TokenState()
        cause = state.cause if state.revision == record.revision else None
        now = self._clock.now()
        return {
            "integration": record.code,
            **{name: shown[name] for name in _SHOWN},
            "access_token": _access_token(state, now),
            "next_refresh_on": self._next_refresh_on(state, now),
            "last_used_on": state.last_used_on,
            "consecutive_failures": state.failures,
            "last_failure_on": state.last_failure_on,
            "cause": cause,
        }

    def _next_refresh_on(self, state: TokenState, now: datetime) -> datetime | None:
        due_on = state.refresh_due_on(self._refresh_ahead)
        if state.status != "authorized" or due_on is None:
            return None
        return max(due_on, state.retry_on or due_on, now)


def _access_token(state: TokenState, now: datetime) -> dict[str, Any] | None:
    if state.obtained_on is None or state.expires_on is None:
        return None
    return {
        "obtained_on": state.obtained_on,
        "expires_on": state.expires_on,
        "expires_in_seconds": max(0, int((state.expires_on - now).total_seconds())),
    }
