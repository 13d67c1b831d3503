"""What an attempt to obtain tokens leaves in the state, and when the next one may be made."""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.domain.errors import (
    IDENTITY_MISCONFIGURED,
    SIGN_IN_REQUIRED,
    IdentityRefused,
    IdentityUnavailable,
)
from shared.domain.events import log_event
from shared.domain.tokens import Cause, TokenSet, TokenState
from shared.services.token_states import released

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration
    from shared.ports import Clock
    from shared.services.token_states import TokenStates

_FIRST_WAIT_SECONDS = 5
_LONGEST_WAIT_SECONDS = 300


def sign_in_required(state: TokenState | None = None) -> IdentityRefused:
    """Return the error for an integration that nobody is signed in to."""
    if state is not None and state.status == "needs_sign_in" and state.cause is not None:
        return IdentityRefused(SIGN_IN_REQUIRED, state.cause.detail, hint=state.cause.hint)
    return IdentityRefused(SIGN_IN_REQUIRED, "Nobody is signed in to this integration.")


class TokenOutcomes:
    """Records outcomes and releases the lease in one write."""

    def __init__(self, states: TokenStates, clock: Clock) -> None:
        """Keep the outcomes in `states`."""
        self._states = states
        self._clock = clock

    def refuse(self, record: StoredIntegration, state: TokenState) -> None:
        """Raise where the provider must not be asked: somebody, or some time, has to come first."""
        integration = record.definition
        is_bound = state.binding == integration.binding
        if state.status == "deauthorized" or (state.status == "needs_sign_in" and is_bound):
            raise sign_in_required(state)
        if integration.grant_type == "authorization_code" and not is_bound:
            raise sign_in_required()
        cause = state.cause
        if state.status == "misconfigured" and state.revision == record.revision and cause:
            raise IdentityRefused(IDENTITY_MISCONFIGURED, cause.detail, hint=cause.hint)
        now = self._clock.now()
        if is_bound and state.retry_on is not None and state.retry_on > now:
            wait = int((state.retry_on - now).total_seconds()) + 1
            raise IdentityUnavailable(
                "The identity provider did not answer a moment ago.", retry_after_seconds=wait
            )

    def tokens(
        self,
        owner: str,
        record: StoredIntegration,
        tokens: TokenSet,
        *,
        signed_in_as: str | None = None,
        by_person: bool = False,
    ) -> TokenState:
        """Record new tokens; only a person's sign-in ends a deauthorization."""
        now = self._clock.now()

        def change(state: TokenState) -> TokenState:
            if state.status == "deauthorized" and not by_person:
                return released(state, owner)
            return authorized(released(state, owner), tokens, signed_in_as, now)

        return self._states.change(record.code, change)

    def refusal(self, owner: str, record: StoredIntegration, error: IdentityRefused) -> None:
        """Record that only a person can help."""
        is_sign_in = error.kind is SIGN_IN_REQUIRED
        now = self._clock.now()

        def change(state: TokenState) -> TokenState:
            if state.status == "deauthorized":
                return released(state, owner)
            return msgspec.structs.replace(
                released(state, owner),
                status="needs_sign_in" if is_sign_in else "misconfigured",
                binding=record.definition.binding,
                revision=record.revision,
                cause=Cause(code=error.kind.code, detail=error.detail, hint=error.hint),
                failures=state.failures + 1,
                last_failure_on=now,
                retry_on=None,
            )

        self._states.change(record.code, change)
        event = "sign_in_needed" if is_sign_in else "identity_misconfigured"
        log_event(event, level=logging.ERROR, integration=record.code, reason=error.detail)

    def failure(self, owner: str, record: StoredIntegration, error: IdentityUnavailable) -> None:
        """Record that time can help: the next attempt waits, longer each time, with jitter."""
        now = self._clock.now()

        def change(state: TokenState) -> TokenState:
            longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(state.failures, 10))
            jittered = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, no secret
            wait = max(jittered, error.retry_after_seconds or 0)
            return msgspec.structs.replace(
                released(state, owner),
                binding=record.definition.binding,
                failures=state.failures + 1,
                last_failure_on=now,
                retry_on=now + timedelta(seconds=wait),
            )

        self._states.change(record.code, change)
        log_event(
            "token_refresh_failed",
            level=logging.WARNING,
            integration=record.code,
            reason=error.detail,
        )

    def give_back(self, owner: str, record: StoredIntegration) -> None:
        """Release the lease and record nothing."""
        self._states.release(record.code, owner)


def authorized(
    state: TokenState, tokens: TokenSet, signed_in_as: str | None, now: datetime
) -> TokenState:
    """Return the state that tells every instance of the new tokens."""
    return msgspec.structs.replace(
        state,
        status="authorized",
        generation=tokens.generation,
        binding=tokens.binding,
        signed_in_as=signed_in_as or state.signed_in_as,
        obtained_on=tokens.obtained_on,
        expires_on=tokens.expires_on,
        last_used_on=state.last_used_on or now,
        cause=None,
        revision=None,
        failures=0,
        retry_on=None,
    )
