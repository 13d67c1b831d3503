"""The whole gateway on fakes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shared.bootstrap import Ports, Services, build
from shared.settings import Settings
from tests.fakes import (
    FakeActivityStore,
    FakeAssertionSource,
    FakeAuditStore,
    FakeBackground,
    FakeClock,
    FakeEndpointStore,
    FakeHttpClient,
    FakeIdempotencyStore,
    FakeIntegrationStore,
    FakeSecretStore,
    FakeSignInStore,
    FakeTokenStateStore,
)

PUBLIC_URL = "https://gateway.example"


def make_settings(**changes: str) -> Settings:
    """Read settings that are good as they stand; `changes` are app settings by name."""
    environment = {
        "KEY_VAULT_URL": "https://gateway.vault.example",
        "TABLES_URL": "https://gateway.table.example",
        "PUBLIC_URL": PUBLIC_URL,
        "PYTHON_THREADPOOL_THREAD_COUNT": "64",  # as shipped, on every machine
    }
    return Settings.from_mapping(environment | changes)


def held() -> FakeBackground:
    """Return a background that does nothing before a test says so."""
    background = FakeBackground()
    background.is_held = True
    return background


@dataclass(kw_only=True)
class World:
    """One gateway, and the fakes around it."""

    settings: Settings = field(default_factory=make_settings)
    integrations: FakeIntegrationStore = field(default_factory=FakeIntegrationStore)
    endpoints: FakeEndpointStore = field(default_factory=FakeEndpointStore)
    states: FakeTokenStateStore = field(default_factory=FakeTokenStateStore)
    sign_ins: FakeSignInStore = field(default_factory=FakeSignInStore)
    idempotency: FakeIdempotencyStore = field(default_factory=FakeIdempotencyStore)
    activity: FakeActivityStore = field(default_factory=FakeActivityStore)
    audit: FakeAuditStore = field(default_factory=FakeAuditStore)
    secrets: FakeSecretStore = field(default_factory=FakeSecretStore)
    http: FakeHttpClient = field(default_factory=FakeHttpClient)
    assertions: FakeAssertionSource = field(default_factory=FakeAssertionSource)
    clock: FakeClock = field(default_factory=FakeClock)
    background: FakeBackground = field(default_factory=FakeBackground)
    recording: FakeBackground = field(default_factory=held)
    services: Services = field(init=False)

    def __post_init__(self) -> None:
        """Start the first instance."""
        self.services = self.another_instance()

    def another_instance(self) -> Services:
        """Start one more instance of the app: it shares everything but its memory."""
        ports = Ports(
            integrations=self.integrations,
            endpoints=self.endpoints,
            states=self.states,
            sign_ins=self.sign_ins,
            idempotency=self.idempotency,
            activity=self.activity,
            audit=self.audit,
            secrets=self.secrets,
            http=self.http,
            assertions=self.assertions,
            clock=self.clock,
            background=self.background,
            renewals=self.background,
            recording=self.recording,
            probes={"storage": self.integrations, "vault": self.secrets},
        )
        return build(self.settings, ports)


def make_services(**changes: Any) -> World:
    """Build the services on fakes; `changes` replace the settings or single ports."""
    return World(**changes)
