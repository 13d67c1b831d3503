"""Authenticated encryption with the gateway's own key, which every instance shares.

Fernet (AES-128-CBC with HMAC-SHA256) is imported on first use.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.errors import VaultUnavailable
from shared.domain.secret import Secret
from shared.services.token_states import OutOfTime

if TYPE_CHECKING:
    from shared.ports import Clock, SecretStore
    from shared.services.token_states import TokenStates

KEY_NAME = "gateway-seal-key"
# Longer than writing a secret takes, and short for a call that waits.
_PATIENCE = timedelta(seconds=5)


class BrokenSeal(Exception):
    """A sealed text was changed, was not made here, or is too old."""


class Sealer:
    """Seals texts so that only the gateway can read or make them."""

    def __init__(self, secrets: SecretStore, states: TokenStates, clock: Clock) -> None:
        """Keep the key in `secrets`; it is made once, under a lease in `states`."""
        self._secrets = secrets
        self._states = states
        self._clock = clock
        self._key: Secret | None = None

    def prepare(self) -> None:
        """Get the key, so that no later sealing fails. Raises as `seal` does."""
        self._get_key()

    def seal(self, text: bytes) -> str:
        """Return the sealed text, fit for a URL. Raises VaultUnavailable, StorageUnavailable."""
        from cryptography.fernet import Fernet  # noqa: PLC0415

        moment = int(self._clock.now().timestamp())
        return Fernet(self._get_key().reveal()).encrypt_at_time(text, moment).decode()

    def open(self, sealed: str, *, life: timedelta | None = None) -> bytes:
        """Return what was sealed, no longer than `life` ago where it is given; raise BrokenSeal."""
        from cryptography.fernet import Fernet, InvalidToken  # noqa: PLC0415

        fernet = Fernet(self._get_key().reveal())
        try:
            if life is None:
                return fernet.decrypt(sealed.encode())
            moment = int(self._clock.now().timestamp())
            return fernet.decrypt_at_time(sealed.encode(), int(life.total_seconds()), moment)
        except InvalidToken as error:
            raise BrokenSeal from error

    def _get_key(self) -> Secret:
        if self._key is None:
            self._key = self._secrets.get(KEY_NAME) or self._made_key()
        return self._key

    def _made_key(self) -> Secret:
        from cryptography.fernet import Fernet  # noqa: PLC0415

        try:
            lease = self._states.wait_for_lease(KEY_NAME, patience=_PATIENCE)
        except OutOfTime as error:
            # Whoever made it may have died; a call must not wait for its lease to run out.
            raise VaultUnavailable("The gateway's sealing key is being made.") from error
        try:
            found = self._secrets.get(KEY_NAME)  # another instance may just have made it
            if found is None:
                found = Secret(Fernet.generate_key().decode())
                self._secrets.set(KEY_NAME, found)
        finally:
            self._states.release(lease)
        return found
