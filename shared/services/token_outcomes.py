"""What an attempt to obtain tokens leaves in the state, and when the next one may be made."""

from __future__ import annotations

import logging
import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.domain.error_kinds import IDENTITY_MISCONFIGURED, SIGN_IN_REQUIRED
from shared.domain.errors import IdentityRefused, IdentityUnavailable, StorageUnavailable
from shared.domain.events import log_event
from shared.domain.tokens import Cause, TokenSet, TokenState

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.domain.error_kinds import ErrorKind
    from shared.domain.oauth import Grant
    from shared.domain.records import StoredIntegration
    from shared.ports import Clock
    from shared.services.activity import ActivityLog
    from shared.services.token_states import Lease, TokenStates

_FIRST_WAIT_SECONDS = 5
_LONGEST_WAIT_SECONDS = 300
# A provider's Retry-After counts, but one strange answer must not shut callers out for a day.
_LONGEST_TOLD_WAIT_SECONDS = 3600
_ACT_FIRST = (
    "Then sign in on /api/panel/integrations/{integration}, or change the integration, to try "
    "again."
)


def sign_in_required(state: TokenState | None = None) -> IdentityRefused:
    """Return the error for an integration that nobody is signed in to."""
    if state is not None and state.status == "needs_sign_in" and state.cause is not None:
        return _refused(SIGN_IN_REQUIRED, state.cause)
    return IdentityRefused(SIGN_IN_REQUIRED, "Nobody is signed in to this integration.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """New tokens and how they came: those found in the vault after a crash come without a grant."""

    tokens: TokenSet
    grant: Grant | None = None
    is_sign_in: bool = False
    is_forced: bool = False


class TokenOutcomes:
    """Records outcomes, each in the write that releases the lease."""

    def __init__(self, states: TokenStates, clock: Clock, activity: ActivityLog) -> None:
        """Keep the outcomes in `states`, and tell of them in `activity`."""
        self._states = states
        self._activity = activity
        self._clock = clock

    def refuse(self, record: StoredIntegration, state: TokenState) -> None:
        """Raise where the provider must not be asked: somebody, or some time, has to come first."""
        needs_person = record.definition.is_delegated
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
            raise _refused(IDENTITY_MISCONFIGURED, cause)
        now = self._clock.now()
        if state.retry_on is not None and state.retry_on > now:
            wait = math.ceil((state.retry_on - now).total_seconds())
            raise IdentityUnavailable(
                "The identity provider did not answer a moment ago.", retry_after_seconds=wait
            )

    def tokens(
        self, lease: Lease, record: StoredIntegration, obtained: Obtained
    ) -> TokenState | None:
        """Record new tokens; None if they do not count any more."""
        now = self._clock.now()
        state = self._states.finish(
            lease, lambda state: authorized(state, record, obtained, now=now)
        )
        if state is not None and not obtained.is_sign_in:
            self._activity.token_event(record.code, "renewed")
        return state

    def refusal(
        self,
        lease: Lease,
        record: StoredIntegration,
        error: IdentityRefused,
        *,
        claims: str | None = None,
    ) -> None:
        """Record that only a person can help; `claims` are those that the request asked for."""
        is_sign_in = error.kind is SIGN_IN_REQUIRED
        hint = error.hint if is_sign_in else f"{error.hint} {_ACT_FIRST}"
        now = self._clock.now()
        recorded = self._record(
            lease,
            lambda state: msgspec.structs.replace(
                state.bound_to(record.binding),
                status="needs_sign_in" if is_sign_in else "misconfigured",
                revision=record.revision,
                cause=Cause(
                    code=error.kind.code,
                    detail=error.detail,
                    hint=hint,
                    admin_consent_url=error.admin_consent_url,
                ),
                claims_challenge=error.claims
                or claims
                or state.bound_to(record.binding).claims_challenge,
                failures=state.failures + 1,
                last_failure_on=now,
                retry_on=None,
            ),
        )
        if recorded is not None:
            event = "sign_in_needed" if is_sign_in else "identity_misconfigured"
            log_event(event, level=logging.ERROR, integration=record.code, reason=error.detail)
        self._tell(record, "renewal_refused", error)

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
                state.bound_to(record.binding),
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
        self._tell(record, "renewal_failed", error)
        if state is None or state.retry_on is None:
            return error
        wait = math.ceil((state.retry_on - now).total_seconds())
        return IdentityUnavailable(error.detail, retry_after_seconds=wait)

    def _tell(
        self, record: StoredIntegration, event: str, error: IdentityRefused | IdentityUnavailable
    ) -> None:
        self._activity.token_event(record.code, event, code=error.kind.code, reason=error.detail)

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
    state: TokenState, record: StoredIntegration, obtained: Obtained, *, now: datetime
) -> TokenState:
    """Return the state that tells every instance of the new tokens."""
    known, tokens, grant = state.bound_to(record.binding), obtained.tokens, obtained.grant
    is_answered = obtained.is_sign_in or known.status != "authorized"
    return msgspec.structs.replace(
        known,
        status="authorized",
        generation=tokens.generation,
        forced_generation=tokens.generation if obtained.is_forced else 0,
        signed_in_as=(grant and grant.signed_in_as) or known.signed_in_as,
        signed_in_on=now if obtained.is_sign_in else known.signed_in_on,
        obtained_on=tokens.obtained_on,
        expires_on=tokens.expires_on,
        is_renewable=tokens.refresh_token is not None or not record.definition.is_delegated,
        grant_expires_on=tokens.refresh_expires_on,
        grant_renewed_on=_grant_renewed_on(known, obtained),
        credential_expires_on=grant.credential_expires_on if grant else known.credential_expires_on,
        last_used_on=known.last_used_on or now,
        failed_sign_in=None if obtained.is_sign_in else known.failed_sign_in,
        failed_sign_in_on=None if obtained.is_sign_in else known.failed_sign_in_on,
        cause=None,
        claims_challenge=None if is_answered else known.claims_challenge,
        revision=None,
        failures=0,
        retry_on=None,
    )


def _refused(kind: ErrorKind, cause: Cause) -> IdentityRefused:
    url = cause.admin_consent_url
    return IdentityRefused(kind, cause.detail, hint=cause.hint, admin_consent_url=url)


def _grant_renewed_on(known: TokenState, obtained: Obtained) -> datetime | None:
    """Return since when the end of the grant has been where it is now."""
    tokens = obtained.tokens
    if tokens.refresh_expires_on is None:
        return None
    if known.grant_expires_on is None or known.obtained_on is None or obtained.is_sign_in:
        return tokens.obtained_on
    # An end that renewals put off moves with the time; a fixed one trembles by seconds.
    put_off = tokens.refresh_expires_on - known.grant_expires_on
    passed = tokens.obtained_on - known.obtained_on
    return tokens.obtained_on if put_off > passed / 2 else known.grant_renewed_on


def _wait_seconds(failures: int, told: int | None) -> float:
    longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(failures, 10))
    jittered = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, no secret
    return max(jittered, min(told or 0, _LONGEST_TOLD_WAIT_SECONDS))
