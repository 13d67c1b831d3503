"""The port SecretStore, over Azure Key Vault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from shared.domain.errors import VaultUnavailable, missing_role
from shared.domain.secret import Secret

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

# What stands in place of a forgotten secret: a text that nobody would have as theirs.
_FORGOTTEN = "The gateway has forgotten this secret."
_RECOVERY_SECONDS = 10
_ROLE = "Key Vault Secrets Officer"
_CLIENT_OPTIONS = {"connection_timeout": 5, "read_timeout": 10, "retry_total": 2}


class KeyVault:
    """Secrets of one vault."""

    def __init__(self, url: str, credential: TokenCredential) -> None:
        """Work on the vault at `url`."""
        self._client = SecretClient(url, credential, **_CLIENT_OPTIONS)

    def get(self, name: str, version: str | None = None) -> Secret | None:
        """Return the secret (its newest version, if none is named), or None."""
        with _vault_errors():
            try:
                value = self._client.get_secret(name, version).value
            except ResourceNotFoundError:
                return None
        return None if value in {None, _FORGOTTEN} else Secret(str(value))

    def set(self, name: str, secret: Secret) -> str:
        """Store the secret, whatever was under the name before, and return its version."""
        with _vault_errors():
            try:
                written = self._client.set_secret(name, secret.reveal())
            except ResourceExistsError:
                # The name is soft-deleted. It is recovered only to be overwritten at once.
                with suppress(ResourceNotFoundError):  # somebody else has just recovered it
                    self._client.begin_recover_deleted_secret(name).wait(_RECOVERY_SECONDS)
                written = self._client.set_secret(name, secret.reveal())
        return written.properties.version or ""

    def forget(self, name: str) -> None:
        """Overwrite the secret and delete it; nothing happens if there is none.

        Deletion is soft, and purge protection keeps the newest version readable for 90 days.
        """
        if self.get(name) is None:
            return
        # Somebody else may be forgetting it at the same time.
        with _vault_errors(), suppress(ResourceExistsError, ResourceNotFoundError):
            self._client.set_secret(name, _FORGOTTEN)
            self._client.begin_delete_secret(name)

    def ping(self) -> None:
        """Return if the vault answers; VaultUnavailable otherwise."""
        self.get("gateway-ping")


@contextmanager
def _vault_errors() -> Iterator[None]:
    """Tell an outage by its port's error; the SDK's own text may hold addresses and names."""
    try:
        yield
    except AzureError as error:
        status = getattr(error, "status_code", None)
        if status in {401, 403}:
            remedy = missing_role(_ROLE)
            raise VaultUnavailable("Key Vault refuses the app.", remedy=remedy) from None
        what = f"answered with status {status}" if status else "cannot be reached"
        raise VaultUnavailable(f"Key Vault {what}.") from None
