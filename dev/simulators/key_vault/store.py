"""What a vault holds: secrets with their versions, and those that are deleted but not yet gone.

The rules are Microsoft's: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets and
https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview. Messages and codes are
those that the service gives. One thing is simpler here: deleting and recovering take effect at
once, whereas the service needs some seconds, in which it answers 404 and 409.
"""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
MAX_VALUE_BYTES = 25 * 1024
RETENTION_DAYS = 90


class VaultError(Exception):
    """A refusal: the status, `error.code`, `error.message` and `error.innererror.code`."""

    def __init__(self, status: int, code: str, message: str, inner: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.inner = inner


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a secret; times are Unix seconds."""

    id: str
    value: str
    created: int
    updated: int
    enabled: bool = True
    nbf: int | None = None
    exp: int | None = None
    content_type: str | None = None
    tags: dict[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret with its versions, the oldest first, and when it was deleted: 0 while in use."""

    name: str
    versions: tuple[Version, ...]
    deleted: int = 0

    def version(self, version_id: str = "") -> Version:
        """Return the version of this id, the latest one for an empty id."""
        if not version_id:
            return self.versions[-1]
        for version in self.versions:
            if version.id == version_id:
                return version
        raise _not_found(f"{self.name}/{version_id}")


class Vault:
    """The secrets of one vault, each kept in a file; names are told apart without regard to case.

    A change costs no more in a vault of thousands of secrets than in an empty one.
    """

    def __init__(self, folder: Path, *, now: Callable[[], datetime], allow_purge: bool) -> None:
        """Open the vault in `folder`; without `allow_purge` it has purge protection."""
        self.allow_purge = allow_purge
        self._folder = folder
        self._now = now
        self._writing = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._secrets = {
            file.stem: msgspec.json.decode(file.read_bytes(), type=Secret)
            for file in folder.glob("*.json")
        }

    def secrets(self, *, deleted: bool = False) -> list[Secret]:
        """Return the secrets in use, or the deleted ones."""
        return [secret for secret in self._secrets.values() if bool(secret.deleted) is deleted]

    def find(self, name: str) -> Secret:
        """Return a secret in use."""
        secret = self._secrets.get(_key(name))
        if secret is None or secret.deleted:
            raise _not_found(name)
        return secret

    def find_deleted(self, name: str) -> Secret:
        """Return a deleted secret."""
        secret = self._secrets.get(_key(name))
        if secret is None or not secret.deleted:
            raise VaultError(404, "SecretNotFound", f"Deleted Secret not found: {name}")
        return secret

    def set(self, name: str, value: str, **properties: Any) -> Secret:
        """Add a version, and the secret itself where the name is new."""
        if len(value.encode()) > MAX_VALUE_BYTES:
            raise VaultError(400, "BadParameter", "Property  has invalid value\r\n")
        time = self._time()
        version = Version(
            id=uuid.uuid4().hex, value=value, created=time, updated=time, **properties
        )
        with self._writing:
            known = self._secrets.get(_key(name), Secret(name=name, versions=()))
            if known.deleted:
                raise VaultError(
                    409,
                    "Conflict",
                    f"Secret {name} is currently in a deleted but recoverable state, and its name "
                    "cannot be reused; in this state, the secret can only be recovered or purged.",
                    "ObjectIsDeletedButRecoverable",
                )
            return self._keep(replace(known, versions=(*known.versions, version)))

    def update(self, name: str, version_id: str, **properties: Any) -> Secret:
        """Change what a version says of itself, never its value."""
        with self._writing:
            secret = self.find(name)
            old = secret.version(version_id)
            new = replace(old, updated=self._time(), **properties)
            versions = tuple(new if version is old else version for version in secret.versions)
            return self._keep(replace(secret, versions=versions))

    def delete(self, name: str) -> Secret:
        """Delete a secret softly, with all of its versions."""
        with self._writing:
            return self._keep(replace(self.find(name), deleted=self._time()))

    def recover(self, name: str) -> Secret:
        """Take a deleted secret into use again."""
        with self._writing:
            secret = self._secrets.get(_key(name))
            if secret is None or not secret.deleted:
                raise _not_found(name)
            return self._keep(replace(secret, deleted=0))

    def purge(self, name: str) -> None:
        """Forget a deleted secret for good."""
        with self._writing:
            self.find_deleted(name)
            if not self.allow_purge:
                raise VaultError(
                    403,
                    "Forbidden",
                    'Operation "purge" is not allowed because purge protection is enabled for this '
                    "vault. Key Vault service will automatically purge it after the retention "
                    "period has passed.",
                )
            key = _key(name)
            self._file(key).unlink()
            self._secrets = {each: kept for each, kept in self._secrets.items() if each != key}

    def _keep(self, secret: Secret) -> Secret:
        # Readers need no lock: they see the vault before or after a change that is on the disk.
        key = _key(secret.name)
        unfinished = self._file(key).with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(msgspec.json.encode(secret))
        unfinished.replace(self._file(key))
        self._secrets = {**self._secrets, key: secret}
        return secret

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _time(self) -> int:
        return int(self._now().timestamp())


def _key(name: str) -> str:
    if not NAME.fullmatch(name):
        message = f"The request URI contains an invalid name: {name}"
        raise VaultError(400, "BadParameter", message)
    return name.lower()


def _not_found(name: str) -> VaultError:
    return VaultError(
        404,
        "SecretNotFound",
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted "
        "this secret you may be able to recover it using the correct recovery command. For help "
        "resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182",
    )
