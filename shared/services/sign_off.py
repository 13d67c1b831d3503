"""The end of a sign-in: on every instance, for whatever renewal is under way, and in the vault."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import msgspec

from shared.domain.audit import KEY_HOLDER
from shared.domain.errors import GatewayError, Unavailable, VaultUnavailable
from shared.domain.events import log_event
from shared.domain.tokens import TokenState

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration
    from shared.services.activity import ActivityLog
    from shared.services.audit import Audit
    from shared.services.identity import IdentityProvider
    from shared.services.token_keeping import TokenKeeper
    from shared.services.token_states import TokenStates
    from shared.services.tokens import TokenService


class SignOff:
    """Forgets tokens, and has the provider revoke them."""

    def __init__(
        self,
        *,
        states: TokenStates,
        keeper: TokenKeeper,
        identity: IdentityProvider,
        tokens: TokenService,
        activity: ActivityLog,
        audit: Audit,
    ) -> None:
        """Forget what `keeper` and `tokens` hold; `states` tells the other instances."""
        self._states = states
        self._keeper = keeper
        self._identity = identity
        self._tokens = tokens
        self._activity = activity
        self._audit = audit

    def deauthorize(self, record: StoredIntegration, *, by: str = KEY_HOLDER) -> bool:
        """Forget the tokens and refuse calls until somebody authorizes; tell whether revoked.

        Raises StorageUnavailable or VaultUnavailable; to repeat it is safe.
        """
        ended = self._end(record.code, "deauthorized", binding=record.binding)
        self._activity.token_event(record.code, "signed_off")
        self._audit.note("deauthorized", record.code, by=by)
        tokens = self._keeper.kept_for(record)
        self._keeper.forget(record.code, generation=ended)
        if tokens is None or tokens.generation > ended or tokens.refresh_token is None:
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
            self._keeper.forget(code, generation=self._end(code, "none"))
        except Unavailable as error:
            event, reason = "tokens_not_dropped", error.detail
            log_event(event, level=logging.WARNING, integration=code, reason=reason)

    def erase(self, code: str) -> None:
        """Forget the tokens and all that is known about them: the integration is deleted."""
        self._end(code, "none")
        self._keeper.forget_all(code)  # a sign-in that has just come to its end is nobody's either
        self._states.erase(code)

    def _end(self, code: str, status: Literal["none", "deauthorized"], *, binding: str = "") -> int:
        """Void the tokens on every instance, and whatever renewal is under way.

        Return the generation up to which they are void: a later one is of a new sign-in.
        """
        kept = 0
        with suppress(VaultUnavailable):  # the end counts all the same; forgetting meets it again
            tokens = self._keeper.kept(code)
            kept = tokens.generation if tokens else 0

        def end(state: TokenState) -> TokenState:
            if status == "none" and state == TokenState() and not kept:
                return state  # nobody has ever signed in, and no row need say so
            # The state may be behind the vault, by as many renewals as it could not be told of.
            ended = max(state.generation, kept) + 1
            return msgspec.structs.replace(
                state.emptied(binding), status=status, generation=ended, ended_generation=ended
            )

        state = self._states.change(code, end)
        self._tokens.forget(code)
        return state.generation
