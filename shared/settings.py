"""The app settings: read once from a mapping, all problems reported together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.egress import EgressPolicy
from shared.domain.errors import GATEWAY_MISCONFIGURED, GatewayError
from shared.domain.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

MEBIBYTE = 1024 * 1024
_NUMBER = re.compile(r"[0-9]{1,9}")

# Read by the host, the worker or Microsoft's SDKs, not by the app; shipped with it all the same.
PLATFORM_SETTINGS = frozenset({"REFRESH_SCHEDULE", "PYTHON_THREADPOOL_THREAD_COUNT"})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in the form in which the app uses them."""

    key_vault_url: str
    public_url: str
    tables_url: str | None
    storage_connection: Secret | None
    refresh_ahead: timedelta
    definition_lifetime: timedelta
    max_payload_bytes: int
    max_answer_bytes: int
    egress: EgressPolicy
    ca_bundle: str | None

    @classmethod
    def from_mapping(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings; GatewayError `gateway_misconfigured` names all that is wrong."""
        reader = _Reader(environment)
        connection = reader.text("AzureWebJobsStorage")
        tables_url = reader.url("TABLES_URL") or reader.url("AzureWebJobsStorage__tableServiceUri")
        if not tables_url and not connection:
            reader.problems.append("TABLES_URL (or AzureWebJobsStorage) is missing")
        settings = cls(
            key_vault_url=reader.required_url("KEY_VAULT_URL"),
            public_url=reader.required_url("PUBLIC_URL"),
            tables_url=tables_url,
            storage_connection=Secret(connection) if connection else None,
            refresh_ahead=timedelta(seconds=reader.number("REFRESH_AHEAD_SECONDS", 900)),
            definition_lifetime=timedelta(seconds=reader.number("DEFINITION_CACHE_SECONDS", 30)),
            max_payload_bytes=reader.number("MAX_PAYLOAD_BYTES", 10 * MEBIBYTE),
            max_answer_bytes=reader.number("MAX_ANSWER_BYTES", 32 * MEBIBYTE),
            egress=EgressPolicy(
                allow_insecure=reader.flag("ALLOW_INSECURE_UPSTREAMS"),
                private_hosts=frozenset(reader.names("ALLOWED_PRIVATE_HOSTS")),
            ),
            ca_bundle=reader.text("REQUESTS_CA_BUNDLE") or None,
        )
        if reader.problems:
            raise GatewayError(
                GATEWAY_MISCONFIGURED, "App settings: " + "; ".join(reader.problems) + "."
            )
        return settings


class _Reader:
    """Read single values, treat unset and empty alike, and collect what is wrong."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        value = self._environment.get(name, "").strip()
        if value.startswith("@Microsoft.KeyVault("):
            # The platform leaves the reference standing where it could not resolve it.
            self.problems.append(f"{name} is a Key Vault reference that could not be resolved")
            return ""
        return value

    def url(self, name: str) -> str | None:
        value = self.text(name).rstrip("/")
        if value and not value.startswith(("https://", "http://")):
            self.problems.append(f"{name} must be a URL")
        return value or None

    def required_url(self, name: str) -> str:
        value = self.url(name)
        if not value:
            self.problems.append(f"{name} is missing")
        return value or ""

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not _NUMBER.fullmatch(value):
            self.problems.append(f"{name} must be a whole number of nine digits at most")
            return default
        return int(value)

    def flag(self, name: str) -> bool:
        value = self.text(name).lower()
        if value not in {"", "true", "false"}:
            self.problems.append(f"{name} must be true or false")
        return value == "true"

    def names(self, name: str) -> list[str]:
        parts = (part.strip().lower() for part in self.text(name).split(","))
        return [part for part in parts if part]
