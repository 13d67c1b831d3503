"""The token that a call needs: kept in memory while it is valid, renewed before it is not."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.domain.errors import GatewayError, IdentityUnavailable, VaultUnavailable
from shared.domain.tokens import Freshness, TokenSet, TokenState
from shared.services.cache import ReadThroughCache
from shared.services.single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.domain.oauth import Grant
    from shared.domain.records import StoredIntegration
    from shared.ports import Background, Clock
    from shared.services.refresh import TokenRefresher
    from shared.services.token_states import TokenStates

_USE_IS_NOTED_EVERY = timedelta(hours=1)
_RETRY_AFTER_SECONDS = 5
# A token that replaced a refused one is not replaced again for this long.
_FORCED_REFRESH_EVERY = timedelta(minutes=5)


@dataclass(slots=True)
class _Held:
    """What this process holds for one integration."""

    tokens: TokenSet | None = None
    renewed_early: int = 0  # the generation whose early renewal was started
    next_early_renewal_on: datetime | None = None
    use_noted_on: datetime | None = None


class TokenService:
    """Hands out access tokens; the warm path reads neither storage nor vault."""

    def __init__(
        self,
        *,
        states: TokenStates,
        refresher: TokenRefresher,
        refresh_ahead: timedelta,
        state_lifetime: timedelta,
        max_waiters: int,
        clock: Clock,
        background: Background,
        renewals: Background,
    ) -> None:
        """Notice within `state_lifetime` what other instances did to the tokens.

        No more than `max_waiters` threads wait for long for the same renewal. `renewals` runs the
        early ones, apart from the short work of `background`.
        """
        self._states = states
        self._refresher = refresher
        self._refresh_ahead = refresh_ahead
        self._clock = clock
        self._background = background
        self._renewals = renewals
        self._known: ReadThroughCache[str, TokenState] = ReadThroughCache(
            self._serving_state,
            lifetime=state_lifetime,
            clock=clock,
            background=background,
            what="token state",
        )
        self._held: defaultdict[str, _Held] = defaultdict(_Held)
        self._flights: SingleFlight[TokenSet] = SingleFlight(max_waiters=max_waiters, clock=clock)
        self._adoptions: SingleFlight[TokenSet | None] = SingleFlight(
            max_waiters=max_waiters, clock=clock
        )

    @property
    def holds_tokens(self) -> bool:
        """Tell whether any token in memory is still valid."""
        now = self._clock.now()
        return any(
            held.tokens is not None and held.tokens.expires_on > now
            for held in list(self._held.values())
        )

    def for_call(self, record: StoredIntegration, *, until: datetime | None = None) -> TokenSet:
        """Return tokens whose access token is valid now, waiting for others until `until`.

        Raises IdentityRefused, IdentityUnavailable, StorageUnavailable or VaultUnavailable, and
        none of them while a valid token is at hand.
        """
        state = self._known.get(record.code)
        if state is None:
            self._held.pop(record.code, None)
            return self._renew(record, beyond=0, until=until)
        tokens = self._current(record, state)
        if tokens is None:
            return self._renew(record, beyond=state.generation - 1, until=until)
        freshness = tokens.freshness(self._clock.now(), self._refresh_ahead)
        if freshness is Freshness.EXPIRED:
            return self._renew(record, beyond=tokens.generation, until=until)
        if freshness is Freshness.STALE:
            self._renew_early(record, tokens)
        self._note_use(record.code, state)
        return tokens

    def after_refusal(
        self,
        record: StoredIntegration,
        refused: TokenSet,
        *,
        claims: str | None = None,
        until: datetime | None = None,
    ) -> TokenSet | None:
        """Return other tokens than those that the upstream refused; None if these were new.

        `claims` are those that the upstream wants in the token. Raises as `for_call`.
        """
        state = self._known.get(record.code)
        age = self._clock.now() - refused.obtained_on
        was_forced = state is not None and state.forced_generation == refused.generation
        if was_forced and age < _FORCED_REFRESH_EVERY:
            return None
        return self._renew(
            record, beyond=refused.generation, is_forced=True, claims=claims, until=until
        )

    def renew(
        self, record: StoredIntegration, *, beyond: int, until: datetime | None = None
    ) -> TokenSet:
        """Return tokens later than the generation `beyond`, for the timer. Raises as `for_call`."""
        return self._renew(record, beyond=beyond, until=until)

    def connect(self, record: StoredIntegration) -> TokenSet:
        """Ask for a token at once, also after a deauthorization: an administrator wants it so."""
        state = self._states.change(record.code, _without_verdict)
        return self._renew(record, beyond=state.generation)

    def accept(self, record: StoredIntegration, grant: Grant) -> None:
        """Keep what a person's sign-in granted. Raises StorageUnavailable, VaultUnavailable."""
        self._hold(record, *self._refresher.store_grant(record, grant))

    def forget(self, code: str) -> None:
        """Hold nothing of the integration any more."""
        self._held.pop(code, None)
        self._known.forget(code)

    def _serving_state(self, code: str) -> TokenState | None:
        state = self._states.read(code)
        return state if state.may_serve(self._clock.now()) else None

    def _current(self, record: StoredIntegration, state: TokenState) -> TokenSet | None:
        """Return the newest tokens that are at hand, expired or not."""
        held = self._held[record.code].tokens
        if held is not None and held.binding != record.binding:
            held = None
        if state.binding != record.binding or (held and held.generation >= state.generation):
            return held
        if held is not None and held.expires_on > self._clock.now():
            self._adopt_in_background(record, state.generation)
            return held  # not the newest, and still valid
        return self._adopt(record)

    def _adopt(self, record: StoredIntegration) -> TokenSet | None:
        """Read what is in the vault, once for all threads that need it; VaultUnavailable."""
        patience = self._states.lease_patience
        try:
            tokens = self._adoptions.run(
                record.code, lambda: self._refresher.stored_tokens(record), timeout=patience
            )
        except TimeoutError as error:
            raise VaultUnavailable("Key Vault takes long to answer.") from error
        if tokens is not None and tokens.binding == record.binding:
            self._held[record.code].tokens = tokens
            return tokens
        return None

    def _adopt_in_background(self, record: StoredIntegration, generation: int) -> None:
        """Read what another instance has renewed, once."""

        def adopt() -> None:
            try:
                self._adopt(record)
            except VaultUnavailable:
                self._held[record.code].renewed_early = 0

        self._early(record.code, generation, adopt)

    def _renew(
        self,
        record: StoredIntegration,
        *,
        beyond: int,
        is_forced: bool = False,
        claims: str | None = None,
        until: datetime | None = None,
    ) -> TokenSet:
        """Renew once for all threads of this process that ask at the same time."""

        def work() -> TokenSet:
            held = self._held[record.code].tokens
            if held is not None and held.generation > beyond and self._is_usable(record, held):
                return held
            tokens, state = self._refresher.renew(
                record, beyond=beyond, is_forced=is_forced, claims=claims, until=until
            )
            self._hold(record, tokens, state)
            return tokens

        patience = self._states.lease_patience
        wait = patience if until is None else until - self._clock.now()
        try:
            tokens = self._flights.run(record.code, work, timeout=wait)
        except TimeoutError as error:
            raise IdentityUnavailable(
                "The token is still being renewed.", retry_after_seconds=_RETRY_AFTER_SECONDS
            ) from error
        if tokens.generation > beyond and tokens.binding == record.binding:
            return tokens
        return work()  # what another thread obtained was older than what this one needs

    def _is_usable(self, record: StoredIntegration, tokens: TokenSet) -> bool:
        return (
            self._known.get(record.code) is not None
            and tokens.binding == record.binding
            and tokens.freshness(self._clock.now(), timedelta(0)) is not Freshness.EXPIRED
        )

    def _renew_early(self, record: StoredIntegration, tokens: TokenSet) -> None:
        held, now = self._held[record.code], self._clock.now()
        if held.next_early_renewal_on is not None and held.next_early_renewal_on > now:
            return

        def renew() -> None:
            try:
                self._renew(record, beyond=tokens.generation)
            except GatewayError as error:
                # The caller has a valid token, and the refresher has recorded the failure.
                wait = timedelta(seconds=error.retry_after_seconds or _RETRY_AFTER_SECONDS)
                held.next_early_renewal_on = self._clock.now() + wait
                held.renewed_early = 0

        self._early(record.code, tokens.generation, renew)

    def _early(self, code: str, generation: int, work: Callable[[], None]) -> None:
        """Run work that one token set calls for once, however many calls see that it does."""
        held = self._held[code]
        if held.renewed_early != generation:
            held.renewed_early = generation
            self._renewals.submit(work)

    def _hold(self, record: StoredIntegration, tokens: TokenSet, state: TokenState) -> None:
        self._held[record.code].tokens = tokens
        self._known.put(record.code, state)

    def _note_use(self, code: str, state: TokenState) -> None:
        """Let the timer know what is in use, at most hourly."""
        held, now = self._held[code], self._clock.now()
        noted_on = held.use_noted_on or state.last_used_on
        if noted_on is not None and now - noted_on < _USE_IS_NOTED_EVERY:
            return
        held.use_noted_on = now

        def note(stored: TokenState) -> TokenState:
            is_there = stored.status == "authorized"  # not deleted meanwhile
            return msgspec.structs.replace(stored, last_used_on=now) if is_there else stored

        def work() -> None:
            self._states.change(code, note)

        self._background.submit(work)


def _without_verdict(state: TokenState) -> TokenState:
    if state.status in {"none", "authorized"}:
        return msgspec.structs.replace(state, retry_on=None)
    return msgspec.structs.replace(state, status="none", cause=None, revision=None, retry_on=None)
