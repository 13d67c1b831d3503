"""Key Vault in memory."""

# ruff: noqa: D102 - the ports describe their methods

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from shared.domain.errors import VaultUnavailable
from tests.fakes.base import Fake, call

if TYPE_CHECKING:
    from shared.domain.secret import Secret


class FakeSecretStore(Fake):
    """The port SecretStore, and its Probe; `versions` holds each name's secrets in order."""

    outage = VaultUnavailable

    def __init__(self) -> None:
        super().__init__()
        self.versions: dict[str, dict[str, Secret]] = {}
        self._numbers = itertools.count(1)

    @call
    def get(self, name: str, version: str | None = None) -> Secret | None:
        versions = self.versions.get(name, {})
        newest = next(reversed(versions), None)
        return versions.get(version or newest or "")

    @call
    def set(self, name: str, secret: Secret) -> str:
        version = f"version{next(self._numbers)}"
        self.versions.setdefault(name, {})[version] = secret
        return version

    @call
    def forget(self, name: str) -> None:
        self.versions.pop(name, None)

    @call
    def ping(self) -> None:
        pass
