"""The token that a call needs: kept in memory while it is valid, renewed before it is not."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.domain.errors import GatewayError, Unavailable, VaultUnavailable
from shared.domain.events import log_event
from shared.domain.secret_names import tokens_name
from shared.domain.tokens import Freshness, TokenSet, TokenState
from shared.services.cache import ReadThroughCache

if TYPE_CHECKING:
    from shared.domain.oauth import Grant
    from shared.domain.records import StoredIntegration
    from shared.ports import Background, Clock, SecretStore, TokenStateStore
    from shared.services.identity import IdentityProvider
    from shared.services.refresh import TokenRefresher
    from shared.services.token_states import TokenStates

_USE_IS_NOTED_EVERY = timedelta(hours=1)
_PAUSE_AFTER_FAILURE = timedelta(seconds=5)
# A token that replaced a refused one is not replaced again for this long.
_FORCED_REFRESH_EVERY = timedelta(minutes=5)


class TokenService:
    """Hands out access tokens; the warm path reads neither storage nor vault."""

    def __init__(
        self,
        *,
        states: TokenStates,
        state_store: TokenStateStore,
        secrets: SecretStore,
        refresher: TokenRefresher,
        identity: IdentityProvider,
        refresh_ahead: timedelta,
        state_lifetime: timedelta,
        clock: Clock,
        background: Background,
    ) -> None:
        """Notice within `state_lifetime` what other instances did to the tokens."""
        self._states = states
        self._state_store = state_store
        self._secrets = secrets
        self._refresher = refresher
        self._identity = identity
        self._refresh_ahead = refresh_ahead
        self._clock = clock
        self._background = background
        self._known: ReadThroughCache[str, TokenState] = ReadThroughCache(
            self._authorized_state, lifetime=state_lifetime, clock=clock, background=background
        )
        self._held: dict[str, TokenSet] = {}
        self._forced: dict[str, int] = {}
        self._quiet_until: dict[str, datetime] = {}
        self._renewed_early: dict[str, int] = {}
        self._use_noted_on: dict[str, datetime] = {}
        self._renewing: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @property
    def holds_tokens(self) -> bool:
        """Tell whether any token in memory is still valid."""
        now = self._clock.now()
        return any(tokens.expires_on > now for tokens in list(self._held.values()))

    def for_call(self, record: StoredIntegration) -> TokenSet:
        """Return tokens whose access token is valid now.

        Raises IdentityRefused, IdentityUnavailable, StorageUnavailable or VaultUnavailable, and
        none of them while a valid token is at hand.
        """
        state = self._known.get(record.code)
        tokens = self._current(record, state) if state is not None else None
        if tokens is None or state is None:
            return self._renew(record, beyond=0 if state is None else state.generation - 1)
        freshness = tokens.freshness(self._clock.now(), self._refresh_ahead)
        if freshness is Freshness.EXPIRED:
            return self._renew(record, beyond=tokens.generation)
        if freshness is Freshness.STALE:
            self._renew_in_background(record, tokens)
        self._note_use(record.code, state)
        return tokens

    def after_refusal(self, record: StoredIntegration, refused: TokenSet) -> TokenSet | None:
        """Return other tokens than those that the upstream refused; None if these were new.

        Raises as `for_call`.
        """
        age = self._clock.now() - refused.obtained_on
        if self._forced.get(record.code) == refused.generation and age < _FORCED_REFRESH_EVERY:
            return None
        tokens = self._renew(record, beyond=refused.generation)
        self._forced[record.code] = tokens.generation
        return tokens

    def renew(self, record: StoredIntegration, *, beyond: int) -> TokenSet:
        """Return tokens later than the generation `beyond`, for the timer. Raises as `for_call`."""
        return self._renew(record, beyond=beyond)

    def connect(self, record: StoredIntegration) -> TokenSet:
        """Ask for a token at once, also after a deauthorization: an administrator wants it so."""
        self._states.change(record.code, _without_verdict)
        return self._renew(record, beyond=self._states.read(record.code).generation)

    def accept(self, record: StoredIntegration, grant: Grant) -> None:
        """Keep what a person's sign-in granted. Raises StorageUnavailable, VaultUnavailable."""
        self._hold(record, *self._refresher.store_grant(record, grant))

    def deauthorize(self, record: StoredIntegration) -> bool:
        """Forget the tokens and refuse calls until somebody authorizes; tell whether revoked."""
        tokens = self._refresher.stored_tokens(record)
        self._drop_everywhere(record.code, "deauthorized")
        if tokens is None or tokens.refresh_token is None:
            return False
        try:
            return self._identity.revoke(record, tokens.refresh_token)
        except GatewayError as error:
            event, reason = "revocation_failed", error.detail
            log_event(event, level=logging.WARNING, integration=record.code, reason=reason)
            return False

    def drop(self, code: str) -> None:
        """Forget tokens that a changed definition voids; an outage leaves them void all the same.

        They are bound to the former definition, which no call uses any more.
        """
        try:
            self._drop_everywhere(code, "none")
        except Unavailable as error:
            log_event("tokens_not_dropped", level=logging.WARNING, integration=code,
                      reason=error.detail)  # fmt: skip

    def erase(self, code: str) -> None:
        """Forget the tokens and all that is known about them: the integration is deleted."""
        self._drop_everywhere(code, "none")
        self._state_store.delete(code)

    def _authorized_state(self, code: str) -> TokenState | None:
        state = self._states.read(code)
        return state if state.status == "authorized" else None

    def _current(self, record: StoredIntegration, state: TokenState) -> TokenSet | None:
        """Return the newest tokens that are at hand, expired or not."""
        binding = record.definition.binding
        held = self._held.get(record.code)
        if held is not None and held.binding != binding:
            held = None
        if state.binding != binding or (held and held.generation >= state.generation):
            return held
        try:
            tokens = self._refresher.stored_tokens(record)
        except VaultUnavailable:
            if held is not None and held.expires_on > self._clock.now():
                return held  # not the newest, and still valid
            raise
        if tokens is not None:
            self._held[record.code] = tokens
        return tokens

    def _renew(self, record: StoredIntegration, *, beyond: int) -> TokenSet:
        """Renew once for all threads of this process that ask at the same time."""
        with self._renewing[record.code]:
            held = self._held.get(record.code)
            if held is not None and held.generation > beyond and self._is_usable(record, held):
                return held
            tokens, state = self._refresher.renew(record, beyond=beyond)
            self._hold(record, tokens, state)
            return tokens

    def _is_usable(self, record: StoredIntegration, tokens: TokenSet) -> bool:
        state = self._known.get(record.code)
        return (
            state is not None
            and tokens.binding == record.definition.binding
            and tokens.freshness(self._clock.now(), timedelta(0)) is not Freshness.EXPIRED
        )

    def _renew_in_background(self, record: StoredIntegration, tokens: TokenSet) -> None:
        code, now = record.code, self._clock.now()
        if (
            self._renewed_early.get(code) == tokens.generation
            or self._quiet_until.get(code, now) > now
        ):
            return
        self._renewed_early[code] = tokens.generation  # once, however many calls see it stale

        def work() -> None:
            try:
                self._renew(record, beyond=tokens.generation)
            except GatewayError as error:
                # The caller has a valid token; the refresher has recorded the failure.
                self._renewed_early.pop(code, None)
                self._quiet_until[code] = self._clock.now() + _PAUSE_AFTER_FAILURE
                log_event("early_refresh_failed", level=logging.WARNING, integration=record.code,
                          reason=error.detail)  # fmt: skip

        self._background.submit(work)

    def _hold(self, record: StoredIntegration, tokens: TokenSet, state: TokenState) -> None:
        self._held[record.code] = tokens
        self._known.put(record.code, state)

    def _drop_everywhere(self, code: str, status: str) -> None:
        self._states.change(code, lambda state: _ended(state, status))
        self._held.pop(code, None)
        self._known.forget(code)
        self._secrets.forget(tokens_name(code))

    def _note_use(self, code: str, state: TokenState) -> None:
        now = self._clock.now()
        noted_on = self._use_noted_on.get(code) or state.last_used_on
        if noted_on is not None and now - noted_on < _USE_IS_NOTED_EVERY:
            return
        self._use_noted_on[code] = now

        def work() -> None:
            self._states.change(
                code, lambda stored: msgspec.structs.replace(stored, last_used_on=now)
            )

        self._background.submit(work)


def _ended(state: TokenState, status: str) -> TokenState:
    return TokenState(
        status="deauthorized" if status == "deauthorized" else "none",
        generation=state.generation + 1,
        binding=state.binding,
        lease_owner=state.lease_owner,
        lease_until=state.lease_until,
    )


def _without_verdict(state: TokenState) -> TokenState:
    if state.status in {"none", "authorized"}:
        return msgspec.structs.replace(state, retry_on=None)
    return msgspec.structs.replace(state, status="none", cause=None, revision=None, retry_on=None)
