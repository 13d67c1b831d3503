"""Definitions as they are stored: with their ETag and what the store knows beside them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from shared.domain.endpoint import Endpoint
from shared.domain.integration import Integration
from shared.domain.tokens import TokenState


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIntegration:
    """An integration in the store; the version names its client secret in Key Vault.

    The row alone says which version counts, so that definition and secret change in one step.
    """

    definition: Integration
    client_secret_version: str | None
    created_on: datetime
    updated_on: datetime
    etag: str = ""

    @property
    def code(self) -> str:
        """The integration's code."""
        return self.definition.code

    @property
    def binding(self) -> str:
        """Fingerprint of what tokens are entrusted to: the identity, of this very integration.

        One that was deleted and made anew under the same code does not inherit its sign-in.
        """
        parts = f"{self.definition.binding}\n{self.created_on.isoformat()}"
        return hashlib.sha256(parts.encode()).hexdigest()

    @property
    def revision(self) -> str:
        """What changes with every change of the definition or its secret."""
        return self.etag


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEndpoint:
    """An endpoint in the store, under its integration's code."""

    integration: str
    definition: Endpoint
    created_on: datetime
    updated_on: datetime
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTokenState:
    """The token state of an integration, and the ETag to change it by."""

    integration: str
    state: TokenState
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in under way, or a link that starts one.

    The key is a hash of what only the browser (or the link) holds; the binding is that of the
    integration when it began.
    """

    key: str
    integration: str
    binding: str
    expires_on: datetime
