"""What an attempt to obtain tokens leaves in the state, and when the next one may be made."""

from __future__ import annotations

import logging
import math
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.domain.error_kinds import IDENTITY_MISCONFIGURED, SIGN_IN_REQUIRED
from shared.domain.errors import IdentityRefused, IdentityUnavailable, StorageUnavailable
from shared.domain.events import log_event
from shared.domain.tokens import Cause, TokenSet, TokenState

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.domain.records import StoredIntegration
    from shared.ports import Clock
    from shared.services.token_states import Lease, TokenStates

_FIRST_WAIT_SECONDS = 5
_LONGEST_WAIT_SECONDS = 300
_ACT_FIRST = "Then open /api/authorize/{integration}, or change the integration, to try again."


def sign_in_required(state: TokenState | None = None) -> IdentityRefused:
    """Return the error for an integration that nobody is signed in to."""
    if state is not None and state.status == "needs_sign_in" and state.cause is not None:
        return IdentityRefused(SIGN_IN_REQUIRED, state.cause.detail, hint=state.cause.hint)
    return IdentityRefused(SIGN_IN_REQUIRED, "Nobody is signed in to this integration.")


class TokenOutcomes:
    """Records outcomes, each in the write that releases the lease."""

    def __init__(self, states: TokenStates, clock: Clock) -> None:
        """Keep the outcomes in `states`."""
        self._states = states
        self._clock = clock

    def refuse(self, record: StoredIntegration, state: TokenState) -> None:
        """Raise where the provider must not be asked: somebody, or some time, has to come first."""
        needs_person = record.definition.grant_type == "authorization_code"
        if state.binding != record.binding:
            if needs_person:
                raise sign_in_required()
            return
        if state.status in {"deauthorized", "needs_sign_in"}:
            raise sign_in_required(state)
        if state.status == "none" and needs_person:
            raise sign_in_required()
        cause = state.cause
        if state.status == "misconfigured" and state.revision == record.revision and cause:
            raise IdentityRefused(IDENTITY_MISCONFIGURED, cause.detail, hint=cause.hint)
        now = self._clock.now()
        if state.retry_on is not None and state.retry_on > now:
            wait = math.ceil((state.retry_on - now).total_seconds())
            raise IdentityUnavailable(
                "The identity provider did not answer a moment ago.", retry_after_seconds=wait
            )

    def tokens(
        self,
        lease: Lease,
        tokens: TokenSet,
        *,
        signed_in_as: str | None = None,
        is_forced: bool = False,
    ) -> TokenState | None:
        """Record new tokens; None if they do not count any more."""
        now = self._clock.now()
        return self._states.finish(
            lease,
            lambda state: authorized(
                _bound(state, tokens.binding),
                tokens,
                signed_in_as=signed_in_as,
                is_forced=is_forced,
                now=now,
            ),
        )

    def refusal(self, lease: Lease, record: StoredIntegration, error: IdentityRefused) -> None:
        """Record that only a person can help."""
        is_sign_in = error.kind is SIGN_IN_REQUIRED
        hint = error.hint if is_sign_in else f"{error.hint} {_ACT_FIRST}"
        now = self._clock.now()
        recorded = self._record(
            lease,
            lambda state: msgspec.structs.replace(
                _bound(state, record.binding),
                status="needs_sign_in" if is_sign_in else "misconfigured",
                revision=record.revision,
                cause=Cause(code=error.kind.code, detail=error.detail, hint=hint),
                failures=state.failures + 1,
                last_failure_on=now,
                retry_on=None,
            ),
        )
        if recorded is not None:
            event = "sign_in_needed" if is_sign_in else "identity_misconfigured"
            log_event(event, level=logging.ERROR, integration=record.code, reason=error.detail)

    def failure(
        self, lease: Lease, record: StoredIntegration, error: IdentityUnavailable
    ) -> IdentityUnavailable:
        """Record that time can help, and return the error that says how much of it.

        The next attempt waits longer each time, with jitter, or as long as the provider asks.
        """
        now = self._clock.now()
        told = error.told_retry_after_seconds

        def change(state: TokenState) -> TokenState:
            wait = timedelta(seconds=_wait_seconds(state.failures, told))
            return msgspec.structs.replace(
                _bound(state, record.binding),
                failures=state.failures + 1,
                last_failure_on=now,
                retry_on=now + wait,
            )

        state = self._record(lease, change)
        log_event(
            "token_refresh_failed",
            level=logging.WARNING,
            integration=record.code,
            reason=error.detail,
        )
        if state is None or state.retry_on is None:
            return error
        wait = math.ceil((state.retry_on - now).total_seconds())
        return IdentityUnavailable(error.detail, retry_after_seconds=wait)

    def _record(
        self, lease: Lease, change: Callable[[TokenState], TokenState]
    ) -> TokenState | None:
        try:
            return self._states.finish(lease, change)
        except StorageUnavailable as error:
            # What the provider said goes to the caller all the same; the lease ends by itself.
            event, code = "token_state_behind", lease.integration
            log_event(event, level=logging.WARNING, integration=code, reason=error.detail)
            return None


def authorized(
    state: TokenState,
    tokens: TokenSet,
    *,
    signed_in_as: str | None,
    is_forced: bool,
    now: datetime,
) -> TokenState:
    """Return the state that tells every instance of the new tokens."""
    return msgspec.structs.replace(
        state,
        status="authorized",
        generation=tokens.generation,
        forced_generation=tokens.generation if is_forced else 0,
        signed_in_as=signed_in_as or state.signed_in_as,
        obtained_on=tokens.obtained_on,
        expires_on=tokens.expires_on,
        last_used_on=state.last_used_on or now,
        cause=None,
        revision=None,
        failures=0,
        retry_on=None,
    )


def _bound(state: TokenState, binding: str) -> TokenState:
    """Return the state to go on from: nothing that was known of another binding counts."""
    if state.binding == binding:
        return state
    return TokenState(generation=state.generation, binding=binding)


def _wait_seconds(failures: int, told: int | None) -> float:
    longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(failures, 10))
    jittered = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, no secret
    return max(jittered, min(told or 0, _LONGEST_WAIT_SECONDS))
