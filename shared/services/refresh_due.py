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

_IN_USE = timedelta(days=1)
# Entra's refresh tokens die after 90 days without use; weekly leaves room for many failures.
_TOUCHED_EVERY = timedelta(days=7)
_WORKERS = 8


@dataclass(frozen=True, slots=True)
class RefreshRound:
    """What one round did."""

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
            outcomes = list(workers.map(self._renew, due))
        self._sign_ins.delete_expired(now)
        done = RefreshRound(renewed=sum(outcomes), failed=len(outcomes) - sum(outcomes))
        log_event("refresh_round", renewed=done.renewed, failed=done.failed)
        return done

    def _is_due(self, state: TokenState, now: datetime) -> bool:
        if state.status != "authorized" or state.expires_on is None or state.obtained_on is None:
            return False
        if state.retry_on is not None and state.retry_on > now:
            return False
        is_in_use = state.last_used_on is not None and now - state.last_used_on < _IN_USE
        life = state.expires_on - state.obtained_on
        expires_soon = now >= state.expires_on - min(self._refresh_ahead, life / 2)
        return (is_in_use and expires_soon) or now - state.obtained_on >= _TOUCHED_EVERY

    def _renew(self, stored: StoredTokenState) -> bool:
        try:
            record = self._integrations.get(stored.integration)
            if record is not None and _is_worth_it(record, stored.state, self._clock.now()):
                self._tokens.renew(record, beyond=stored.state.generation)
        except GatewayError as error:
            event, code = "scheduled_refresh_failed", stored.integration
            log_event(event, level=logging.WARNING, integration=code, reason=error.detail)
            return False
        else:
            return True


def _is_worth_it(record: StoredIntegration, state: TokenState, now: datetime) -> bool:
    """Keep a person's grant alive always, an app's own token only while it is in use."""
    if record.definition.grant_type == "authorization_code":
        return True
    return state.last_used_on is not None and now - state.last_used_on < _IN_USE
