"""Obtain new tokens: once for all instances, and stored before they are used."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.error_kinds import INTEGRATION_NOT_FOUND
from shared.domain.errors import (
    GatewayError,
    IdentityRefused,
    IdentityUnavailable,
    StorageUnavailable,
    Unavailable,
    VaultUnavailable,
)
from shared.domain.events import log_event
from shared.domain.oauth import Grant, client_credentials_form, refresh_form
from shared.domain.secret_names import tokens_name
from shared.domain.tokens import Freshness, TokenSet, TokenState
from shared.services.token_outcomes import Obtained, authorized, sign_in_required
from shared.services.token_states import new_owner

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration
    from shared.ports import Clock, IntegrationStore, SecretStore
    from shared.services.identity import IdentityProvider
    from shared.services.token_outcomes import TokenOutcomes
    from shared.services.token_states import Lease, TokenStates

_SAVE_ATTEMPTS = 4


class TokenRefresher:
    """Renews the tokens of one integration at a time, under a lease on its state."""

    def __init__(
        self,
        *,
        integrations: IntegrationStore,
        states: TokenStates,
        outcomes: TokenOutcomes,
        secrets: SecretStore,
        identity: IdentityProvider,
        clock: Clock,
    ) -> None:
        """Keep tokens in `secrets` and what is known about them in `states`."""
        self._integrations = integrations
        self._states = states
        self._outcomes = outcomes
        self._secrets = secrets
        self._identity = identity
        self._clock = clock

    def stored_tokens(self, record: StoredIntegration) -> TokenSet | None:
        """Return the tokens in the vault, if they belong to the integration as it is now."""
        tokens = self._in_vault(record.code)
        return tokens if tokens and tokens.binding == record.binding else None

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
        owner = new_owner()
        patience = self._clock.now() + self._states.lease_patience
        while True:
            state = self._states.read(record.code)
            self._outcomes.refuse(record, state)
            if state.generation > beyond and (tokens := self._usable(record, beyond)):
                return tokens, state
            if lease := self._states.try_lease(record.code, owner):
                self._require_in_force(lease, record)
                return self._renew_under(
                    lease, record, beyond=beyond, is_forced=is_forced, claims=claims
                )
            self._states.wait_a_little(min(patience, until or patience))

    def store_grant(self, record: StoredIntegration, grant: Grant) -> tuple[TokenSet, TokenState]:
        """Store what a person's sign-in granted, over whatever was there before."""
        lease = self._states.wait_for_lease(record.code)
        try:
            generation = _next_generation(lease, self._in_vault(record.code))
            return self._store(lease, record, grant, generation, is_sign_in=True)
        except BaseException:
            self._give_back(lease)
            raise

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
            kept = self._in_vault(record.code)
            # The vault is the truth: a process may have died between it and the state.
            if kept is not None and self._is_usable(record, kept, beyond):
                return kept, self._record(lease, record, Obtained(tokens=kept))
            # The vault may have been slow, and the lease has to outlive the call.
            self._states.extend(lease)
            grant = self._grant(record, kept, claims)
            generation = _next_generation(lease, kept)
            return self._store(lease, record, grant, generation, is_forced=is_forced)
        except IdentityRefused as error:
            self._outcomes.refusal(lease, record, error, claims=claims)
            raise
        except IdentityUnavailable as error:
            raise self._outcomes.failure(lease, record, error) from error
        except BaseException:
            self._give_back(lease)
            raise

    def _grant(self, record: StoredIntegration, kept: TokenSet | None, claims: str | None) -> Grant:
        if record.definition.grant_type == "client_credentials":
            form = client_credentials_form(record.definition, claims=claims)
            return self._identity.grant(record, form)
        if kept is None or kept.binding != record.binding or kept.refresh_token is None:
            raise sign_in_required()
        form = refresh_form(record.definition, kept.refresh_token, claims=claims)
        grant = self._identity.grant(record, form)
        if grant.refresh_token is None:
            # RFC 6749 section 6: the old one stays in force.
            expires_on = grant.refresh_expires_on or kept.refresh_expires_on
            grant = replace(grant, refresh_token=kept.refresh_token, refresh_expires_on=expires_on)
        return grant

    def _store(
        self,
        lease: Lease,
        record: StoredIntegration,
        grant: Grant,
        generation: int,
        *,
        is_sign_in: bool = False,
        is_forced: bool = False,
    ) -> tuple[TokenSet, TokenState]:
        tokens = TokenSet(
            access_token=grant.access_token,
            refresh_token=grant.refresh_token,
            obtained_on=self._clock.now(),
            expires_on=grant.expires_on,
            generation=generation,
            binding=record.binding,
            refresh_expires_on=grant.refresh_expires_on,
        )
        self._require(lease)
        self._save(lease, tokens)
        log_event(
            "token_obtained",
            integration=record.code,
            generation=tokens.generation,
            expires_on=tokens.expires_on,
        )
        obtained = Obtained(tokens=tokens, grant=grant, is_sign_in=is_sign_in, is_forced=is_forced)
        return tokens, self._record(lease, record, obtained)

    def _require_in_force(self, lease: Lease, record: StoredIntegration) -> None:
        """Raise if this instance only remembers the integration: its tokens would be nobody's."""
        if lease.row.state.binding == record.binding:
            return
        try:
            stored = self._integrations.get(record.code)
        except StorageUnavailable:
            self._give_back(lease)
            raise
        if stored is not None and stored.binding == record.binding:
            return
        self._give_back(lease)
        if stored is None:
            self._states.erase(record.code)
            raise GatewayError(INTEGRATION_NOT_FOUND, f"{record.code} was deleted.")
        raise IdentityUnavailable("The integration was changed a moment ago.")

    def _require(self, lease: Lease) -> None:
        """Raise if what the provider granted is void: the vault may hold newer tokens by now."""
        try:
            self._states.extend(lease)
        except IdentityUnavailable as error:
            raise sign_in_required() from error
        except StorageUnavailable:
            return  # nobody knows; a rotated refresh token must reach the vault all the same

    def _save(self, lease: Lease, tokens: TokenSet) -> None:
        """Write to the vault, with patience: a rotated refresh token exists nowhere else."""
        for attempt in range(1, _SAVE_ATTEMPTS + 1):
            try:
                self._secrets.set(tokens_name(lease.integration), tokens.to_secret())
            except VaultUnavailable:
                if attempt == _SAVE_ATTEMPTS:
                    log_event("tokens_lost", level=logging.ERROR, integration=lease.integration)
                    raise
                with suppress(StorageUnavailable):
                    self._states.extend(lease)
                self._clock.sleep(0.5 * attempt)
            else:
                return

    def _record(self, lease: Lease, record: StoredIntegration, obtained: Obtained) -> TokenState:
        try:
            state = self._outcomes.tokens(lease, record, obtained)
        except StorageUnavailable as error:
            # The tokens are safe in the vault; the state follows with the next refresh.
            event, reason = "token_state_behind", error.detail
            log_event(event, level=logging.WARNING, integration=record.code, reason=reason)
            return authorized(TokenState(), record, obtained, now=self._clock.now())
        if state is None:
            self._discard(record.code, obtained.tokens)
            raise sign_in_required()
        return state

    def _discard(self, code: str, tokens: TokenSet) -> None:
        """Forget tokens that do not count any more, unless newer ones have replaced them."""
        kept = self._in_vault(code)
        if kept is not None and kept.access_token == tokens.access_token:
            self._secrets.forget(tokens_name(code))

    def _give_back(self, lease: Lease) -> None:
        with suppress(Unavailable):  # it ends by itself, and must not hide what happened
            self._states.release(lease)

    def _usable(self, record: StoredIntegration, beyond: int) -> TokenSet | None:
        tokens = self._in_vault(record.code)
        return tokens if tokens and self._is_usable(record, tokens, beyond) else None

    def _is_usable(self, record: StoredIntegration, tokens: TokenSet, beyond: int) -> bool:
        return (
            tokens.binding == record.binding
            and tokens.generation > beyond
            and tokens.freshness(self._clock.now(), timedelta(0)) is not Freshness.EXPIRED
        )

    def _in_vault(self, code: str) -> TokenSet | None:
        secret = self._secrets.get(tokens_name(code))
        return TokenSet.from_secret(secret) if secret is not None else None


def _next_generation(lease: Lease, kept: TokenSet | None) -> int:
    return max(lease.row.state.generation, kept.generation if kept else 0) + 1
