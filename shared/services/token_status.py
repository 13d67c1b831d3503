"""What an administrator needs to know of an integration's sign-in; never a secret."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from shared.domain.token_health import credential, days_until, findings, level_of
from shared.domain.tokens import Cause, TokenState
from shared.services.integrations import shown_integration

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration
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
        return self.of_record(self._integrations.find(code))

    def of_record(self, record: StoredIntegration) -> dict[str, Any]:
        """Return the status document of an integration that was just read."""
        stored = self._states.get(record.code)
        shown = shown_integration(record, stored.state if stored else None)
        is_bound = stored is not None and stored.state.binding == record.binding
        state = stored.state if stored is not None and is_bound else TokenState()
        was_corrected = state.status == "misconfigured" and state.revision != record.revision
        cause = None if was_corrected else state.cause
        now = self._clock.now()
        found = findings(record, state, now)
        return {
            "integration": record.code,
            "level": level_of(found),
            "findings": found,
            **{name: shown[name] for name in _SHOWN},
            "access_token": _access_token(state, now),
            "grant": _grant(record, state, now),
            "credential": _credential(record, state, now),
            "last_refresh_on": state.obtained_on,
            "next_refresh_on": self._next_refresh_on(state, now),
            "last_used_on": state.last_used_on,
            "consecutive_failures": state.failures,
            "last_failure_on": state.last_failure_on,
            "cause": cause and _named(cause, record),
            "failed_sign_in": state.failed_sign_in and _named(state.failed_sign_in, record),
            "failed_sign_in_on": state.failed_sign_in_on,
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
        "age_seconds": int((now - state.obtained_on).total_seconds()),
        "expires_in_seconds": max(0, int((state.expires_on - now).total_seconds())),
    }


def _named(cause: Cause, record: StoredIntegration) -> Cause:
    """Return the cause with the integration's code in its hint, to be copied."""
    return msgspec.structs.replace(cause, hint=cause.hint.replace("{integration}", record.code))


def _grant(record: StoredIntegration, state: TokenState, now: datetime) -> dict[str, Any] | None:
    """Show a person's sign-in; an app that signs in by itself has none."""
    if not record.definition.is_delegated or state.obtained_on is None:
        return None
    return {"signed_in_on": state.signed_in_on} | _expiry(state.grant_expires_on, now)


def _credential(record: StoredIntegration, state: TokenState, now: datetime) -> dict[str, Any]:
    held = credential(record, state)
    return {"kind": held.kind} | _expiry(held.expires_on, now)


def _expiry(expires_on: datetime | None, now: datetime) -> dict[str, Any]:
    days = None if expires_on is None else days_until(expires_on, now)
    return {"expires_on": expires_on, "expires_in_days": days}
