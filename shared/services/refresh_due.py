"""The timer's work: renew the tokens that are in use, touch those that are idle, tidy up."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.errors import GatewayError
from shared.domain.events import log_event

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration, StoredTokenState
    from shared.domain.tokens import TokenState
    from shared.ports import Clock, IntegrationStore, SignInStore, TokenStateStore
    from shared.services.tokens import TokenService

# Entra's refresh tokens die after 90 days without use; weekly leaves room for many failures.
_TOUCHED_EVERY = timedelta(days=7)
_WORKERS = 8


@dataclass(frozen=True, slots=True)
class RefreshRound:
    """What one round did; an integration that proved not to be due is in neither number."""

    renewed: int
    failed: int


class DueRefresh:
    """Renews what is due."""

    def __init__(
        self,
        *,
        integrations: IntegrationStore,
        states: TokenStateStore,
        sign_ins: SignInStore,
        tokens: TokenService,
        refresh_ahead: timedelta,
        clock: Clock,
    ) -> None:
        """Look through `states`; a token is due `refresh_ahead` of its expiry."""
        self._integrations = integrations
        self._states = states
        self._sign_ins = sign_ins
        self._tokens = tokens
        self._refresh_ahead = refresh_ahead
        self._clock = clock

    def run(self) -> RefreshRound:
        """Renew every token that is due; one that fails does not keep the others waiting."""
        now = self._clock.now()
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="refresh") as workers:
            due = (stored for stored in self._states.all() if self._is_due(stored.state, now))
            reasons = list(workers.map(self._renew, due))
        # Told from this thread: the host drops what other threads log.
        for code, reason in filter(None, reasons):
            if reason:
                log_event(
                    "scheduled_refresh_failed",
                    level=logging.WARNING,
                    integration=code,
                    reason=reason,
                )
        outcomes = [reason for _, reason in filter(None, reasons)]
        done = RefreshRound(renewed=outcomes.count(""), failed=len(outcomes) - outcomes.count(""))
        log_event("refresh_round", renewed=done.renewed, failed=done.failed)
        self._sign_ins.delete_expired(now)
        return done

    def _is_due(self, state: TokenState, now: datetime) -> bool:
        due_on = state.refresh_due_on(self._refresh_ahead)
        if due_on is None or state.obtained_on is None:
            return False
        if state.status == "misconfigured":
            return True  # worth a try only if the definition was corrected, see below
        if state.status != "authorized" or (state.retry_on is not None and state.retry_on > now):
            return False
        return (state.is_in_use(now) and now >= due_on) or _is_idle(state, now)

    def _renew(self, stored: StoredTokenState) -> tuple[str, str] | None:
        """Renew one and return its code and why that failed ("": it did not); None if not due."""
        code, state = stored.integration, stored.state
        try:
            record = self._integrations.get(code)
            if record is None or not self._is_worth_it(record, state):
                return None
            self._tokens.renew(record, beyond=state.generation)
        except GatewayError as error:
            return code, error.detail
        except Exception as error:  # noqa: BLE001 - one poisoned integration must not end the round
            return code, f"Unexpected {type(error).__name__}."
        return code, ""

    def _is_worth_it(self, record: StoredIntegration, state: TokenState) -> bool:
        """Keep a person's grant alive always, an app's own token only while it is in use."""
        if state.binding != record.binding:
            return False
        if state.status == "misconfigured" and state.revision == record.revision:
            return False
        is_delegated = record.definition.grant_type == "authorization_code"
        return is_delegated or state.is_in_use(self._clock.now())


def _is_idle(state: TokenState, now: datetime) -> bool:
    return state.obtained_on is not None and now - state.obtained_on >= _TOUCHED_EVERY
