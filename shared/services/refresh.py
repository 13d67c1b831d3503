"""Obtain new tokens: once for all callers and instances, and stored before they are used."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.errors import (
    IdentityRefused,
    IdentityUnavailable,
    StorageUnavailable,
    VaultUnavailable,
)
from shared.domain.events import log_event
from shared.domain.oauth import Grant, client_credentials_form, refresh_form
from shared.domain.secret_names import tokens_name
from shared.domain.tokens import Freshness, TokenSet, TokenState
from shared.services.token_outcomes import authorized, sign_in_required

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration
    from shared.ports import Clock, SecretStore
    from shared.services.identity import IdentityProvider
    from shared.services.token_outcomes import TokenOutcomes
    from shared.services.token_states import TokenStates

_SAVE_ATTEMPTS = 4


class TokenRefresher:
    """Renews the tokens of one integration at a time, under a lease on its state."""

    def __init__(
        self,
        *,
        states: TokenStates,
        outcomes: TokenOutcomes,
        secrets: SecretStore,
        identity: IdentityProvider,
        clock: Clock,
    ) -> None:
        """Keep tokens in `secrets` and what is known about them in `states`."""
        self._states = states
        self._outcomes = outcomes
        self._secrets = secrets
        self._identity = identity
        self._clock = clock

    def stored_tokens(self, record: StoredIntegration) -> TokenSet | None:
        """Return the tokens in the vault, if they belong to the definition as it is now."""
        tokens = self._in_vault(record.code)
        return tokens if tokens and tokens.binding == record.definition.binding else None

    def renew(self, record: StoredIntegration, *, beyond: int) -> tuple[TokenSet, TokenState]:
        """Return tokens of a later generation than `beyond`, asking the provider if need be.

        Raises IdentityRefused, IdentityUnavailable, StorageUnavailable or VaultUnavailable.
        """
        found: list[TokenSet] = []

        def somebody_else_did() -> bool:
            if self._states.read(record.code).generation > beyond:
                tokens = self._usable(record, beyond)
                found.extend([tokens] if tokens else [])
            return bool(found)

        owner = self._states.lease(
            record.code,
            refuse=lambda state: self._outcomes.refuse(record, state),
            give_up=somebody_else_did,
        )
        if owner is None:
            return found[0], self._states.read(record.code)
        try:
            return self._renew_as(owner, record, beyond)
        except IdentityRefused as error:
            self._outcomes.refusal(owner, record, error)
            raise
        except IdentityUnavailable as error:
            self._outcomes.failure(owner, record, error)
            raise
        except VaultUnavailable:
            self._outcomes.give_back(owner, record)
            raise

    def store_grant(self, record: StoredIntegration, grant: Grant) -> tuple[TokenSet, TokenState]:
        """Store what a person's sign-in granted, over whatever was there before."""
        owner = self._states.lease(record.code, refuse=lambda _: None, give_up=lambda: False)
        assert owner is not None  # noqa: S101 - nothing gives up
        try:
            kept = self._in_vault(record.code)
            return self._store(owner, record, grant, kept, by_person=True)
        except VaultUnavailable:
            self._outcomes.give_back(owner, record)
            raise

    def _renew_as(
        self, owner: str, record: StoredIntegration, beyond: int
    ) -> tuple[TokenSet, TokenState]:
        # The vault is the truth: a process may have died between it and the state.
        tokens = self._usable(record, beyond)
        if tokens is not None:
            return tokens, self._record(owner, record, tokens)
        kept = self._in_vault(record.code)
        if record.definition.grant_type == "client_credentials":
            form = client_credentials_form(record.definition)
        elif kept and kept.refresh_token and kept.binding == record.definition.binding:
            form = refresh_form(record.definition, kept.refresh_token)
        else:
            raise sign_in_required()
        return self._store(owner, record, self._identity.grant(record, form), kept)

    def _store(
        self,
        owner: str,
        record: StoredIntegration,
        grant: Grant,
        kept: TokenSet | None,
        *,
        by_person: bool = False,
    ) -> tuple[TokenSet, TokenState]:
        refresh_token = grant.refresh_token
        if refresh_token is None and kept is not None and not by_person:
            refresh_token = kept.refresh_token  # RFC 6749 section 6: the old one stays in force
        last = max(self._states.read(record.code).generation, kept.generation if kept else 0)
        tokens = TokenSet(
            access_token=grant.access_token,
            refresh_token=refresh_token,
            obtained_on=self._clock.now(),
            expires_on=grant.expires_on,
            generation=last + 1,
            binding=record.definition.binding,
        )
        self._save(record.code, tokens)
        log_event(
            "token_obtained",
            integration=record.code,
            generation=tokens.generation,
            expires_on=tokens.expires_on,
        )
        state = self._record(owner, record, tokens, grant.signed_in_as, by_person=by_person)
        return tokens, state

    def _save(self, code: str, tokens: TokenSet) -> None:
        """Write to the vault, with patience: a rotated refresh token exists nowhere else."""
        for attempt in range(1, _SAVE_ATTEMPTS + 1):
            try:
                self._secrets.set(tokens_name(code), tokens.to_secret())
            except VaultUnavailable:
                if attempt == _SAVE_ATTEMPTS:
                    log_event("tokens_lost", level=logging.ERROR, integration=code)
                    raise
                self._clock.sleep(0.5 * attempt)
            else:
                return

    def _record(
        self,
        owner: str,
        record: StoredIntegration,
        tokens: TokenSet,
        signed_in_as: str | None = None,
        *,
        by_person: bool = False,
    ) -> TokenState:
        try:
            state = self._outcomes.tokens(
                owner, record, tokens, signed_in_as=signed_in_as, by_person=by_person
            )
        except StorageUnavailable as error:
            # The tokens are safe in the vault; the state follows with the next refresh.
            event, reason = "token_state_behind", error.detail
            log_event(event, level=logging.WARNING, integration=record.code, reason=reason)
            return authorized(TokenState(), tokens, signed_in_as, self._clock.now())
        if state.status == "deauthorized":
            # Somebody deauthorized while the provider answered: what came is not kept.
            self._secrets.forget(tokens_name(record.code))
            raise sign_in_required(state)
        return state

    def _usable(self, record: StoredIntegration, beyond: int) -> TokenSet | None:
        tokens = self.stored_tokens(record)
        if tokens is None or tokens.generation <= beyond:
            return None
        is_expired = tokens.freshness(self._clock.now(), timedelta(0)) is Freshness.EXPIRED
        return None if is_expired else tokens

    def _in_vault(self, code: str) -> TokenSet | None:
        secret = self._secrets.get(tokens_name(code))
        return TokenSet.from_secret(secret) if secret is not None else None
