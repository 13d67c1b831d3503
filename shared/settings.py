"""The app settings: read once from a mapping, all problems reported together."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.egress import EgressPolicy
from shared.domain.error_kinds import GATEWAY_MISCONFIGURED
from shared.domain.errors import GatewayError
from shared.domain.paths import base_url_problem
from shared.domain.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

MEBIBYTE = 1024 * 1024
# What the worker takes where nothing is set (the default of ThreadPoolExecutor).
_WORKERS_OWN_THREADS = min(32, (os.cpu_count() or 1) + 4)
_SIZES = range(1024, 100 * MEBIBYTE + 1)
_NUMBER = re.compile(r"[0-9]{1,9}")
# What the Azure SDK needs to find in a connection string, in any of three forms.
_CONNECTION_FORMS = (
    {"usedevelopmentstorage"},
    {"accountname", "accountkey"},
    {"tableendpoint", "sharedaccesssignature"},
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in the form in which the app uses them."""

    key_vault_url: str
    public_url: str
    tables_url: str | None
    storage_connection: Secret | None
    refresh_ahead: timedelta
    token_call: timedelta
    definition_lifetime: timedelta
    activity_kept_for: timedelta
    worker_threads: int
    max_payload_bytes: int
    max_answer_bytes: int
    egress: EgressPolicy
    ca_bundle: str | None
    has_easy_auth: bool

    @classmethod
    def from_mapping(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings; GatewayError `gateway_misconfigured` names all that is wrong."""
        reader = _Reader(environment)
        tables_url = reader.url("TABLES_URL") or reader.url("AzureWebJobsStorage__tableServiceUri")
        connection = "" if tables_url else reader.connection("AzureWebJobsStorage")
        if not tables_url and not connection:
            reader.problems.append("TABLES_URL (or AzureWebJobsStorage) is missing")
        settings = cls(
            key_vault_url=reader.required_url("KEY_VAULT_URL"),
            public_url=reader.required_url("PUBLIC_URL", may_be_http=True),
            tables_url=tables_url,
            storage_connection=Secret(connection) if connection else None,
            refresh_ahead=timedelta(
                seconds=reader.number("REFRESH_AHEAD_SECONDS", 900, range(86_401))
            ),
            token_call=timedelta(seconds=reader.number("TOKEN_CALL_SECONDS", 60, range(1, 121))),
            definition_lifetime=timedelta(
                seconds=reader.number("DEFINITION_CACHE_SECONDS", 30, range(1, 3_601))
            ),
            activity_kept_for=timedelta(days=reader.number("ACTIVITY_DAYS", 30, range(1, 366))),
            # Read by the worker too, whose default this is.
            worker_threads=reader.number(
                "PYTHON_THREADPOOL_THREAD_COUNT",
                min(32, (os.cpu_count() or 1) + 4),
                range(1, 1_001),
            ),
            max_payload_bytes=reader.number("MAX_PAYLOAD_BYTES", 10 * MEBIBYTE, _SIZES),
            max_answer_bytes=reader.number("MAX_ANSWER_BYTES", 32 * MEBIBYTE, _SIZES),
            egress=EgressPolicy(
                allow_insecure=reader.flag("ALLOW_INSECURE_UPSTREAMS"),
                private_hosts=frozenset(reader.names("ALLOWED_PRIVATE_HOSTS")),
            ),
            ca_bundle=reader.text("REQUESTS_CA_BUNDLE") or None,
            # Set by the platform; what .NET does not read as true counts as off, as for the host.
            has_easy_auth=reader.text("WEBSITE_AUTH_ENABLED").lower() == "true",
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

    def url(self, name: str, *, may_be_http: bool = False) -> str | None:
        value = self.text(name).rstrip("/")
        schemes = ("https://", "http://") if may_be_http else ("https://",)
        if value and (base_url_problem(value) or not value.startswith(schemes)):
            self.problems.append(f"{name} must be a URL that begins with {' or '.join(schemes)}")
        return value or None

    def required_url(self, name: str, *, may_be_http: bool = False) -> str:
        value = self.url(name, may_be_http=may_be_http)
        if not value:
            self.problems.append(f"{name} is missing")
        return value or ""

    def connection(self, name: str) -> str:
        value = self.text(name)
        parts = [part.partition("=") for part in value.split(";") if part]
        names = {part[0].strip().lower() for part in parts if part[2]}
        if value and (len(names) < len(parts) or not any(map(names.issuperset, _CONNECTION_FORMS))):
            self.problems.append(f"{name} must be a storage account's connection string")
        return value

    def number(self, name: str, default: int, allowed: range) -> int:
        value = self.text(name)
        if not value:
            return default
        if not _NUMBER.fullmatch(value) or int(value) not in allowed:
            bounds = f"from {allowed[0]} to {allowed[-1]}"
            self.problems.append(f"{name} must be a whole number {bounds}")
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
