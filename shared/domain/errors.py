"""The exceptions that carry an entry of the catalogue of errors to the caller.

    GatewayError
    ├── IdentityRefused          the identity provider says no, until somebody acts
    └── Unavailable              a dependency is down (try again), or refuses the app
        ├── StorageUnavailable   Table Storage
        ├── VaultUnavailable     Key Vault
        └── IdentityUnavailable  the identity provider

A subclass exists only where a service treats the condition differently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.domain.error_kinds import (
    GATEWAY_MISCONFIGURED,
    IDENTITY_UNAVAILABLE,
    INVALID_DEFINITION,
    STORAGE_UNAVAILABLE,
    VAULT_UNAVAILABLE,
    ErrorKind,
)

RETRY_AFTER_SECONDS = 10  # where nobody says anything else


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong at one place of a document; `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    message: str


class GatewayError(Exception):
    """An error that is told to the caller as `application/problem+json` (RFC 9457)."""

    def __init__(
        self,
        kind: ErrorKind,
        detail: str,
        *,
        hint: str | None = None,
        errors: tuple[FieldProblem, ...] = (),
        retry_after_seconds: int | None = None,
        headers: dict[str, str] | None = None,
        upstream: dict[str, Any] | None = None,
    ) -> None:
        """Describe what happened in `detail`; `upstream` is the answer that caused it, if any."""
        super().__init__(f"{kind.code}: {detail}")
        self.kind = kind
        self.detail = detail
        self.hint = hint or kind.hint
        self.errors = errors
        self.retry_after_seconds = retry_after_seconds
        self.headers = headers or {}
        self.upstream = upstream


class IdentityRefused(GatewayError):
    """The identity provider refuses; asking again would not help before somebody acts."""

    def __init__(
        self,
        kind: ErrorKind,
        detail: str,
        *,
        hint: str | None = None,
        claims: str | None = None,
        admin_consent_url: str | None = None,
    ) -> None:
        """Keep the `claims` that the next sign-in has to carry, and where consent can be given."""
        super().__init__(kind, detail, hint=hint)
        self.claims = claims
        self.admin_consent_url = admin_consent_url


class Unavailable(GatewayError):
    """A dependency does not answer as it should; what can be done without it goes on."""

    KIND: ErrorKind

    def __init__(
        self,
        detail: str,
        *,
        retry_after_seconds: int | None = None,
        remedy: str | None = None,
    ) -> None:
        """Say in `detail` what was tried, and when to come back if the dependency told so.

        Where no waiting helps, say in `remedy` what an administrator has to do.
        """
        if remedy is None:
            wait = retry_after_seconds or RETRY_AFTER_SECONDS
            super().__init__(self.KIND, detail, retry_after_seconds=wait)
        else:
            super().__init__(GATEWAY_MISCONFIGURED, detail, hint=remedy)
        self.told_retry_after_seconds = retry_after_seconds


class StorageUnavailable(Unavailable):
    """Table Storage does not answer, throttles, or refuses the app."""

    KIND = STORAGE_UNAVAILABLE


class VaultUnavailable(Unavailable):
    """Key Vault does not answer, throttles, or refuses the app."""

    KIND = VAULT_UNAVAILABLE


class IdentityUnavailable(Unavailable):
    """The identity provider does not answer, throttles, or answers with something unreadable."""

    KIND = IDENTITY_UNAVAILABLE


def missing_role(role: str) -> str:
    """Return the remedy where a dependency refuses the app."""
    return f"Assign the role {role} to the app, and let it through any firewall."


def invalid_definition(problems: list[FieldProblem]) -> GatewayError:
    """Return the error that names all problems of a document at once."""
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    return GatewayError(INVALID_DEFINITION, f"The definition has {count}.", errors=tuple(problems))
