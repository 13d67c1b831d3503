"""Keep what a provider granted: in the vault first, then in the state that tells of it."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from shared.domain.error_kinds import IDENTITY_MISCONFIGURED
from shared.domain.errors import IdentityRefused, StorageUnavailable, VaultUnavailable
from shared.domain.events import log_event
from shared.domain.secret_names import tokens_name
from shared.domain.tokens import TokenSet, TokenState
from shared.services.token_outcomes import Obtained, authorized, sign_in_required
from shared.services.token_states import LeaseLost

if TYPE_CHECKING:
    from shared.domain.oauth import Grant
    from shared.domain.records import StoredIntegration
    from shared.ports import Clock, SecretStore
    from shared.services.token_outcomes import TokenOutcomes
    from shared.services.token_states import Lease, TokenStates

# The largest secret of Key Vault (learn.microsoft.com/azure/key-vault/secrets/about-secrets).
_MOST_BYTES = 25 * 1024
_ATTEMPTS = 4
_PAUSE_SECONDS = 0.5


class TokenKeeper:
    """Stores token sets under a lease; what a lost lease covered is void."""

    def __init__(
        self,
        *,
        states: TokenStates,
        outcomes: TokenOutcomes,
        secrets: SecretStore,
        clock: Clock,
    ) -> None:
        """Keep tokens in `secrets` and what is known about them in `states`."""
        self._states = states
        self._outcomes = outcomes
        self._secrets = secrets
        self._clock = clock

    def kept(self, code: str) -> TokenSet | None:
        """Return the tokens in the vault, whatever they are bound to."""
        secret = self._secrets.get(tokens_name(code))
        return TokenSet.from_secret(secret) if secret is not None else None

    def kept_for(self, record: StoredIntegration) -> TokenSet | None:
        """Return the tokens in the vault, if they belong to the integration as it is now."""
        tokens = self.kept(record.code)
        return tokens if tokens and tokens.binding == record.binding else None

    def forget(self, code: str, *, generation: int) -> None:
        """Forget the tokens in the vault, unless they are newer than `generation`."""
        kept = self.kept(code)
        if kept is None or kept.generation <= generation:
            self.forget_all(code)

    def forget_all(self, code: str) -> None:
        """Forget the tokens in the vault, whatever they are."""
        self._secrets.forget(tokens_name(code))

    def keep_sign_in(self, record: StoredIntegration, grant: Grant) -> tuple[TokenSet, TokenState]:
        """Keep what a person's sign-in granted, over whatever was there before.

        Raises StorageUnavailable, VaultUnavailable, or IdentityRefused if it was ended meanwhile.
        """
        lease = self._states.wait_for_lease(record.code)
        try:
            return self.keep(lease, record, grant, former=self.kept(record.code), is_sign_in=True)
        except LeaseLost as error:
            raise sign_in_required() from error
        except BaseException:
            self._states.give_back(lease)
            raise

    def keep(
        self,
        lease: Lease,
        record: StoredIntegration,
        grant: Grant,
        *,
        former: TokenSet | None,
        is_sign_in: bool = False,
        is_forced: bool = False,
    ) -> tuple[TokenSet, TokenState]:
        """Store new tokens under the next generation, and release the lease.

        Raises IdentityRefused where they are too long to be kept, LeaseLost, VaultUnavailable, and
        for a sign-in StorageUnavailable.
        """
        known = lease.row.state.generation
        tokens = TokenSet(
            access_token=grant.access_token,
            refresh_token=grant.refresh_token,
            obtained_on=self._clock.now(),
            expires_on=grant.expires_on,
            generation=max(known, former.generation if former else 0) + 1,
            binding=record.binding,
            refresh_expires_on=grant.refresh_expires_on,
        )
        _require_room(tokens)
        # Nobody knows during an outage; a rotated refresh token must reach the vault all the same.
        with suppress(StorageUnavailable):
            self._states.extend(lease)
        self._save(lease, tokens)
        log_event(
            "token_obtained",
            integration=record.code,
            generation=tokens.generation,
            expires_on=tokens.expires_on,
        )
        obtained = Obtained(tokens=tokens, grant=grant, is_sign_in=is_sign_in, is_forced=is_forced)
        return tokens, self.record(lease, record, obtained)

    def record(self, lease: Lease, record: StoredIntegration, obtained: Obtained) -> TokenState:
        """Tell the other instances of tokens that are in the vault, and release the lease.

        Raises LeaseLost, and for a sign-in StorageUnavailable: nobody would find the tokens.
        """
        tokens = obtained.tokens
        try:
            state = self._finish(lease, record, obtained)
            if state is not None:
                return state
            state = self._states.read(record.code)
        except StorageUnavailable as error:
            event, reason = "token_state_behind", error.detail
            log_event(event, level=logging.WARNING, integration=record.code, reason=reason)
            if obtained.is_sign_in:
                raise
            # The tokens are safe in the vault; the state follows with the next refresh.
            return authorized(TokenState(), record, obtained, now=self._clock.now())
        if state.tells_of(tokens):
            return state  # the write's answer was lost, and somebody has changed the row since
        if state.binding != tokens.binding or state.status in {"none", "deauthorized"}:
            self.forget(record.code, generation=tokens.generation)
        raise LeaseLost(record.code)

    def _finish(
        self, lease: Lease, record: StoredIntegration, obtained: Obtained
    ) -> TokenState | None:
        attempts = _ATTEMPTS if obtained.is_sign_in else 1
        for attempt in range(1, attempts):
            with suppress(StorageUnavailable):
                return self._outcomes.tokens(lease, record, obtained)
            self._clock.sleep(_PAUSE_SECONDS * attempt)
        return self._outcomes.tokens(lease, record, obtained)

    def _save(self, lease: Lease, tokens: TokenSet) -> None:
        """Write to the vault, with patience: a rotated refresh token exists nowhere else."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._secrets.set(tokens_name(lease.integration), tokens.to_secret())
            except VaultUnavailable:
                if attempt == _ATTEMPTS:
                    log_event("tokens_lost", level=logging.ERROR, integration=lease.integration)
                    raise
                with suppress(StorageUnavailable):
                    self._states.extend(lease)
                self._clock.sleep(_PAUSE_SECONDS * attempt)
            else:
                return


def _require_room(tokens: TokenSet) -> None:
    if len(tokens.to_secret().reveal().encode()) > _MOST_BYTES:
        raise IdentityRefused(
            IDENTITY_MISCONFIGURED,
            "The provider's tokens are larger than the 25 KB that Key Vault keeps.",
            hint="Let the provider put less into its tokens: a shorter scope, or no groups and "
            "roles among the claims of the app registration.",
        )
