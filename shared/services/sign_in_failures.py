"""Why the latest sign-in did not work out: whoever waits for it may sit at another screen."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from shared.domain.errors import GatewayError, IdentityRefused, StorageUnavailable
from shared.domain.events import log_event
from shared.domain.tokens import Cause

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration
    from shared.domain.tokens import TokenState
    from shared.ports import Clock
    from shared.services.token_states import TokenStates


class SignInFailures:
    """Keeps the reason in the token states, where the status finds it until a sign-in succeeds."""

    def __init__(self, states: TokenStates, clock: Clock) -> None:
        """Keep it in `states`."""
        self._states = states
        self._clock = clock

    def keep(self, record: StoredIntegration, error: GatewayError) -> None:
        """Keep the reason; an outage must not hide it from the person who is just told."""
        cause = Cause(
            code=error.kind.code,
            detail=error.detail,
            hint=error.hint,
            admin_consent_url=(
                error.admin_consent_url if isinstance(error, IdentityRefused) else None
            ),
        )

        def change(state: TokenState) -> TokenState:
            return msgspec.structs.replace(
                state.bound_to(record.binding),
                failed_sign_in=cause,
                failed_sign_in_on=self._clock.now(),
            )

        try:
            self._states.change(record.code, change)
        except StorageUnavailable as outage:
            event, reason = "token_state_behind", outage.detail
            log_event(event, level=logging.WARNING, integration=record.code, reason=reason)
