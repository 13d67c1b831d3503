"""Obtain new tokens: once for all instances, under a lease."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.error_kinds import INTEGRATION_NOT_FOUND
from shared.domain.errors import (
    GatewayError,
    IdentityRefused,
    IdentityUnavailable,
)
from shared.domain.oauth import client_credentials_form, refresh_form
from shared.domain.tokens import Freshness, TokenSet, TokenState
from shared.services.token_outcomes import Obtained, sign_in_required
from shared.services.token_states import LeaseLost, new_mark

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration
    from shared.ports import Clock, IntegrationStore
    from shared.services.identity import IdentityProvider
    from shared.services.token_keeping import TokenKeeper
    from shared.services.token_outcomes import TokenOutcomes
    from shared.services.token_states import Lease, TokenStates


class TokenRefresher:
    """Renews the tokens of one integration at a time, under a lease on its state."""

    def __init__(
        self,
        *,
        integrations: IntegrationStore,
        states: TokenStates,
        outcomes: TokenOutcomes,
        keeper: TokenKeeper,
        identity: IdentityProvider,
        clock: Clock,
    ) -> None:
        """Ask `identity`, hand what it grants to `keeper`, and what it refuses to `outcomes`."""
        self._integrations = integrations
        self._states = states
        self._outcomes = outcomes
        self._keeper = keeper
        self._identity = identity
        self._clock = clock

    def renew(
        self,
        record: StoredIntegration,
        *,
        beyond: int,
        is_forced: bool = False,
        claims: str | None = None,
        until: datetime | None = None,
    ) -> tuple[TokenSet, TokenState]:
        """Return tokens of a later generation than `beyond`, asking the provider if need be.

        `claims` are those that the upstream wants in the token. Waits for another instance that
        does so until `until` at most. Raises IdentityRefused, IdentityUnavailable,
        StorageUnavailable or VaultUnavailable.
        """
        mark = new_mark()
        patience = self._clock.now() + self._states.lease_patience
        has_looked = False
        while True:
            state = self._states.read(record.code)
            self._outcomes.refuse(record, state)
            beyond = max(beyond, state.ended_generation)
            if state.generation > beyond and (tokens := self._usable(record, beyond)):
                return tokens, state
            if lease := self._states.try_lease(record.code, mark):
                self._judge_again(lease, record)
                with suppress(LeaseLost):  # what counts instead is seen in the next round
                    return self._renew_under(
                        lease, record, beyond=beyond, is_forced=is_forced, claims=claims
                    )
            elif not has_looked:
                # The holder may have died after it stored the tokens, before it told of them.
                has_looked = True
                if tokens := self._usable(record, beyond):
                    return tokens, state
            self._states.wait_a_little(min(patience, until or patience))

    def _renew_under(
        self,
        lease: Lease,
        record: StoredIntegration,
        *,
        beyond: int,
        is_forced: bool,
        claims: str | None,
    ) -> tuple[TokenSet, TokenState]:
        try:
            kept = self._keeper.kept(record.code)
            # The vault is the truth: a process may have died between it and the state.
            if kept is not None and self._is_usable(record, kept, beyond):
                return kept, self._keeper.record(lease, record, Obtained(tokens=kept))
            proven = self._identity.prove(record, self._form(record, kept, claims))
            # The vault may have been slow, and the lease has to outlive the call.
            self._states.extend(lease)
            grant = self._identity.grant(record, proven)
            if grant.refresh_token is None and kept is not None and record.definition.is_delegated:
                # RFC 6749 section 6: the old one stays in force.
                expires_on = grant.refresh_expires_on or kept.refresh_expires_on
                grant = replace(
                    grant, refresh_token=kept.refresh_token, refresh_expires_on=expires_on
                )
            return self._keeper.keep(lease, record, grant, former=kept, is_forced=is_forced)
        except IdentityRefused as error:
            self._outcomes.refusal(lease, record, error, claims=claims)
            raise
        except IdentityUnavailable as error:
            raise self._outcomes.failure(lease, record, error) from error
        except BaseException:
            self._states.give_back(lease)
            raise

    @staticmethod
    def _form(
        record: StoredIntegration, kept: TokenSet | None, claims: str | None
    ) -> dict[str, str]:
        if not record.definition.is_delegated:
            return client_credentials_form(record.definition, claims=claims)
        if kept is None or kept.binding != record.binding or kept.refresh_token is None:
            raise sign_in_required()
        return refresh_form(record.definition, kept.refresh_token, claims=claims)

    def _judge_again(self, lease: Lease, record: StoredIntegration) -> None:
        """Raise, and give the lease back, if the provider must not be asked after all.

        Whoever had the lease before may have been refused. And where this instance only remembers
        the integration, new tokens would be nobody's.
        """
        try:
            self._outcomes.refuse(record, lease.row.state)
            self._require_in_force(lease, record)
        except GatewayError:
            self._states.give_back(lease)
            raise

    def _require_in_force(self, lease: Lease, record: StoredIntegration) -> None:
        known = lease.row.state
        was_corrected = known.status == "misconfigured" and known.revision != record.revision
        if known.binding == record.binding and not was_corrected:
            return
        stored = self._integrations.get(record.code)
        if stored is None:
            self._states.erase(record.code)
            raise GatewayError(INTEGRATION_NOT_FOUND, f"{record.code} was deleted.")
        if stored.revision != record.revision:
            raise IdentityUnavailable("The integration was changed a moment ago.")

    def _usable(self, record: StoredIntegration, beyond: int) -> TokenSet | None:
        tokens = self._keeper.kept(record.code)
        return tokens if tokens and self._is_usable(record, tokens, beyond) else None

    def _is_usable(self, record: StoredIntegration, tokens: TokenSet, beyond: int) -> bool:
        return (
            tokens.binding == record.binding
            and tokens.generation > beyond
            and tokens.freshness(self._clock.now(), timedelta(0)) is not Freshness.EXPIRED
        )
