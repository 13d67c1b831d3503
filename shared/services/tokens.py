"""The token that a call needs: kept in memory while it is valid, renewed before it is not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.domain.errors import IdentityUnavailable, VaultUnavailable
from shared.domain.tokens import Freshness, TokenSet, TokenState
from shared.services.cache import ReadThroughCache
from shared.services.once_per_token import OncePerToken
from shared.services.single_flight import SingleFlight
from shared.services.token_states import OutOfTime
from shared.services.use_notes import UseNotes

if TYPE_CHECKING:
    from shared.domain.oauth import Grant
    from shared.domain.records import StoredIntegration
    from shared.ports import Background, Clock
    from shared.services.refresh import TokenRefresher
    from shared.services.token_keeping import TokenKeeper
    from shared.services.token_states import TokenStates

_RETRY_AFTER_SECONDS = 5
# A token that replaced a refused one is not replaced again for this long.
_FORCED_REFRESH_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Held:
    """The tokens that this process holds for one integration, and what was known with them."""

    tokens: TokenSet
    state: TokenState


class TokenService:
    """Hands out access tokens; the warm path reads neither storage nor vault."""

    def __init__(
        self,
        *,
        states: TokenStates,
        refresher: TokenRefresher,
        keeper: TokenKeeper,
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
        self._keeper = keeper
        self._refresh_ahead = refresh_ahead
        self._clock = clock
        self._known: ReadThroughCache[str, TokenState] = ReadThroughCache(
            self._serving_state,
            lifetime=state_lifetime,
            clock=clock,
            background=background,
            what="token state",
        )
        self._held: dict[str, _Held] = {}
        self._flights: SingleFlight[TokenSet] = SingleFlight(max_waiters=max_waiters, clock=clock)
        self._adoptions: SingleFlight[TokenSet | None] = SingleFlight(
            max_waiters=max_waiters, clock=clock
        )
        self._early_renewals = OncePerToken(renewals, clock)
        self._early_adoptions = OncePerToken(renewals, clock)
        self._uses = UseNotes(states, background, clock)

    @property
    def holds_tokens(self) -> bool:
        """Tell whether any token in memory is still valid."""
        now = self._clock.now()
        return any(held.tokens.expires_on > now for held in list(self._held.values()))

    def for_call(self, record: StoredIntegration, *, until: datetime | None = None) -> TokenSet:
        """Return tokens whose access token is valid now, waiting for others until `until`.

        Raises IdentityRefused, IdentityUnavailable, StorageUnavailable or VaultUnavailable, and
        none of them while a valid token is at hand.
        """
        tokens = self._valid(record, until)
        if held := self._held.get(record.code):
            self._uses.note(record.code, held.state)
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
        """Return tokens later than the generation `beyond`, for the timer. Raises as `for_call`.

        They stay in memory only where calls use them: the timer may renew thousands.
        """
        was_held = record.code in self._held
        tokens = self._renew(record, beyond=beyond, until=until)
        if not was_held:
            self.forget(record.code)
        return tokens

    def connect(self, record: StoredIntegration) -> TokenSet:
        """Ask for a token at once, also after a deauthorization: an administrator wants it so."""
        state = self._states.change(record.code, _without_verdict)
        return self._renew(record, beyond=state.generation)

    def accept(self, record: StoredIntegration, grant: Grant) -> None:
        """Keep what a person's sign-in granted. Raises as TokenKeeper.keep_sign_in."""
        self._hold(record, *self._keeper.keep_sign_in(record, grant))

    def forget(self, code: str) -> None:
        """Hold nothing of the integration any more."""
        self._held.pop(code, None)
        self._known.forget(code)
        for each in (self._early_renewals, self._early_adoptions, self._uses):
            each.forget(code)

    def _valid(self, record: StoredIntegration, until: datetime | None) -> TokenSet:
        state = self._known.get(record.code)
        if state is None:
            self._held.pop(record.code, None)
            return self._renew(record, beyond=0, until=until)
        tokens = self._current(record, state, until)
        if tokens is None:
            return self._renew(record, beyond=state.generation - 1, until=until)
        freshness = tokens.freshness(self._clock.now(), self._refresh_ahead)
        if freshness is Freshness.EXPIRED:
            return self._renew(record, beyond=tokens.generation, until=until)
        if freshness is Freshness.STALE:
            generation = tokens.generation
            self._early_renewals.start(
                record.code, generation, lambda: self._renew(record, beyond=generation)
            )
        return tokens

    def _serving_state(self, code: str) -> TokenState | None:
        state, held = self._states.read(code), self._held.get(code)
        if held and state.generation < held.tokens.generation:
            return held.state  # the write that should have told of these tokens met an outage
        return state if state.may_serve(self._clock.now()) else None

    def _current(
        self, record: StoredIntegration, state: TokenState, until: datetime | None
    ) -> TokenSet | None:
        """Return the newest tokens that are at hand, expired or not."""
        held = self._held_for(record)
        if state.binding != record.binding or (held and held.generation >= state.generation):
            return held
        was_ended = held is not None and held.generation <= state.ended_generation
        if held is not None and held.expires_on > self._clock.now() and not was_ended:
            self._early_adoptions.start(
                record.code, state.generation, lambda: self._adopt(record, state)
            )
            return held  # not the newest, and still valid
        return self._adopt(record, state, until)

    def _adopt(
        self, record: StoredIntegration, state: TokenState, until: datetime | None = None
    ) -> TokenSet | None:
        """Read what another instance has renewed, once for all threads; VaultUnavailable."""
        try:
            tokens = self._adoptions.run(
                record.code, lambda: self._keeper.kept_for(record), timeout=self._patience(until)
            )
        except TimeoutError as error:
            raise VaultUnavailable("Key Vault takes long to answer.") from error
        if tokens is None or tokens.binding != record.binding:
            return None
        if tokens.generation <= state.ended_generation:
            return None
        self._held[record.code] = _Held(tokens, state)
        return tokens

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
            if (held := self._held_for(record)) and self._counts(record, held, beyond):
                return held
            tokens, state = self._refresher.renew(
                record, beyond=beyond, is_forced=is_forced, claims=claims, until=until
            )
            self._hold(record, tokens, state)
            return tokens

        while True:
            try:
                tokens = self._flights.run(record.code, work, timeout=self._patience(until))
            except TimeoutError as error:
                raise IdentityUnavailable(
                    "The token is still being renewed.", retry_after_seconds=_RETRY_AFTER_SECONDS
                ) from error
            except OutOfTime:
                if self._patience(until) <= timedelta(0) or until is None:
                    raise
                continue  # the time of the thread that did the work was over, this one's is not
            if tokens.generation > beyond and tokens.binding == record.binding:
                return tokens
            # What the other thread obtained was older than what this one needs.

    def _counts(self, record: StoredIntegration, held: TokenSet, beyond: int) -> bool:
        """Tell whether another thread got these meanwhile, and they are in force."""
        if held.generation <= beyond or held.expires_on <= self._clock.now():
            return False
        known = self._known.get(record.code)
        return known is not None and held.generation > known.ended_generation

    def _patience(self, until: datetime | None) -> timedelta:
        return self._states.lease_patience if until is None else until - self._clock.now()

    def _held_for(self, record: StoredIntegration) -> TokenSet | None:
        held = self._held.get(record.code)
        return held.tokens if held and held.tokens.binding == record.binding else None

    def _hold(self, record: StoredIntegration, tokens: TokenSet, state: TokenState) -> None:
        self._held[record.code] = _Held(tokens, state)
        self._known.put(record.code, state)


def _without_verdict(state: TokenState) -> TokenState:
    """Return the state as if nothing had been refused; tokens that serve go on serving."""
    has_tokens = state.obtained_on is not None and state.status != "deauthorized"
    return msgspec.structs.replace(
        state,
        status="authorized" if has_tokens else "none",
        cause=None,
        revision=None,
        retry_on=None,
    )
