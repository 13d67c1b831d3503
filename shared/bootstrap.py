"""The one place that knows the concrete classes: it builds the services from the settings.

Built on first use, not at import: a bad setting then fails a request with a clear error instead of
hiding every function from the host, and a cold start loads only what it needs.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from shared.services.activity import ActivityLog
from shared.services.activity_clearing import ActivityClearing
from shared.services.activity_report import ActivityReport
from shared.services.admission import Admission
from shared.services.audit import Audit
from shared.services.authorization import Authorization
from shared.services.call_notes import CallNotes
from shared.services.callers import Callers
from shared.services.catalogue import Catalogue
from shared.services.claims_challenges import ClaimsChallenges
from shared.services.client_auth import ClientAuthenticator
from shared.services.companies import Companies
from shared.services.endpoints import EndpointAdministration
from shared.services.health import Health
from shared.services.housekeeping import Housekeeping
from shared.services.idempotency import Idempotency
from shared.services.identity import IdentityProvider
from shared.services.integrations import IntegrationAdministration
from shared.services.invocation import Invocation
from shared.services.kept_calls import KeptCalls
from shared.services.level_watch import LevelWatch
from shared.services.overview import Overview
from shared.services.paging import Paging
from shared.services.presets import Presets
from shared.services.refresh import TokenRefresher
from shared.services.refresh_due import DueRefresh
from shared.services.removal import Removal
from shared.services.sealing import Sealer
from shared.services.sign_in_failures import SignInFailures
from shared.services.sign_off import SignOff
from shared.services.token_keeping import TokenKeeper
from shared.services.token_outcomes import TokenOutcomes
from shared.services.token_states import TokenStates
from shared.services.token_status import TokenStatus
from shared.services.tokens import TokenService
from shared.services.upstream import Upstream
from shared.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.core.credentials import TokenCredential

    from shared.ports import (
        ActivityStore,
        AssertionSource,
        AuditStore,
        Background,
        Clock,
        EndpointStore,
        HttpClient,
        IdempotencyStore,
        IntegrationStore,
        Probe,
        SecretStore,
        SignInStore,
        TokenStateStore,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """One implementation of every port."""

    integrations: IntegrationStore
    endpoints: EndpointStore
    states: TokenStateStore
    sign_ins: SignInStore
    idempotency: IdempotencyStore
    activity: ActivityStore
    audit: AuditStore
    secrets: SecretStore
    http: HttpClient
    assertions: AssertionSource
    clock: Clock
    background: Background
    renewals: Background
    recording: Background
    probes: Mapping[str, Probe]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the triggers call."""

    settings: Settings
    invocation: Invocation
    authorization: Authorization
    integrations: IntegrationAdministration
    endpoints: EndpointAdministration
    companies: Companies
    presets: Presets
    kept_calls: KeptCalls
    tokens: TokenService
    sign_off: SignOff
    token_status: TokenStatus
    overview: Overview
    due_refresh: DueRefresh
    health: Health
    activity: ActivityLog
    activity_report: ActivityReport
    audit: Audit


_lock = threading.Lock()
_services: Services | None = None


def get_services() -> Services:
    """Return this process's services; GatewayError `gateway_misconfigured` for bad settings."""
    global _services  # noqa: PLW0603 - the composition root holds the only state of its kind
    if _services is None:
        with _lock:
            if _services is None:
                settings = Settings.from_mapping(os.environ)
                _services = build(settings, real_ports(settings))
                atexit.register(_services.activity.close)
    return _services


def real_ports(settings: Settings) -> Ports:
    """Return the ports as Azure keeps them."""
    from shared.adapters.activity_table import ActivityTable  # noqa: PLC0415
    from shared.adapters.audit_table import AuditTable  # noqa: PLC0415
    from shared.adapters.definition_tables import EndpointTable, IntegrationTable  # noqa: PLC0415
    from shared.adapters.http import PooledHttpClient  # noqa: PLC0415
    from shared.adapters.idempotency_table import IdempotencyTable  # noqa: PLC0415
    from shared.adapters.keyvault import KeyVault  # noqa: PLC0415
    from shared.adapters.managed_identity import ManagedIdentityAssertion  # noqa: PLC0415
    from shared.adapters.system import (  # noqa: PLC0415
        DaemonBackground,
        SystemClock,
        ThreadBackground,
    )
    from shared.adapters.tables import open_tables  # noqa: PLC0415
    from shared.adapters.token_tables import SignInTable, TokenStateTable  # noqa: PLC0415

    # These log every request at INFO, which would bury the gateway's own lines.
    logging.getLogger("azure").setLevel(logging.WARNING)
    tables = open_tables(
        url=settings.tables_url, connection=settings.storage_connection, credential=_credential
    )
    integrations = IntegrationTable(tables)
    vault = KeyVault(settings.key_vault_url, _credential())
    return Ports(
        integrations=integrations,
        endpoints=EndpointTable(tables),
        states=TokenStateTable(tables),
        sign_ins=SignInTable(tables),
        idempotency=IdempotencyTable(tables),
        activity=ActivityTable(tables),
        audit=AuditTable(tables),
        secrets=vault,
        http=PooledHttpClient(settings.egress, settings.ca_bundle),
        assertions=ManagedIdentityAssertion(_credential),
        clock=SystemClock(),
        background=ThreadBackground(4),
        # A token call may take a minute: slow providers must not delay the definitions.
        renewals=ThreadBackground(16),
        recording=DaemonBackground(),
        probes={"storage": integrations, "vault": vault},
    )


def build(settings: Settings, ports: Ports) -> Services:
    """Connect the services with each other and with `ports`."""
    clock, background = ports.clock, ports.background
    activity = ActivityLog(ports.activity, clock, ports.recording)
    audit = Audit(ports.audit, clock)
    catalogue = Catalogue(
        ports.integrations,
        ports.endpoints,
        lifetime=settings.definition_lifetime,
        clock=clock,
        background=background,
    )
    authenticator = ClientAuthenticator(ports.secrets, ports.assertions, clock)
    identity = IdentityProvider(
        ports.http,
        authenticator,
        clock,
        token_call=settings.token_call,
        public_url=settings.public_url,
    )
    states = TokenStates(ports.states, clock, token_call=settings.token_call)
    outcomes = TokenOutcomes(states, clock, activity)
    keeper = TokenKeeper(states=states, outcomes=outcomes, secrets=ports.secrets, clock=clock)
    refresher = TokenRefresher(
        integrations=ports.integrations,
        states=states,
        outcomes=outcomes,
        keeper=keeper,
        identity=identity,
        clock=clock,
    )
    tokens = TokenService(
        states=states,
        refresher=refresher,
        keeper=keeper,
        refresh_ahead=settings.refresh_ahead,
        state_lifetime=settings.definition_lifetime,
        max_waiters=settings.worker_threads // 2,
        clock=clock,
        background=background,
        renewals=ports.renewals,
    )
    sign_off = SignOff(
        states=states,
        keeper=keeper,
        identity=identity,
        tokens=tokens,
        activity=activity,
        audit=audit,
    )
    removal = Removal(
        integrations=ports.integrations,
        endpoints=ports.endpoints,
        sign_ins=ports.sign_ins,
        idempotency=ports.idempotency,
        activity=ports.activity,
        audit=audit,
        secrets=ports.secrets,
        sign_off=sign_off,
        catalogue=catalogue,
        clock=clock,
    )
    integrations = IntegrationAdministration(
        integrations=ports.integrations,
        states=ports.states,
        audit=audit,
        secrets=ports.secrets,
        sign_off=sign_off,
        removal=removal,
        catalogue=catalogue,
        policy=settings.egress,
        clock=clock,
    )
    admission = Admission(most_inside=max(settings.worker_threads // 2, 1), clock=clock)
    upstream = Upstream(
        http=ports.http,
        tokens=tokens,
        admission=admission,
        max_answer_bytes=settings.max_answer_bytes,
        clock=clock,
    )
    endpoints = EndpointAdministration(
        integrations=integrations,
        endpoints=ports.endpoints,
        audit=audit,
        catalogue=catalogue,
        clock=clock,
    )
    callers = Callers(has_easy_auth=settings.has_easy_auth)
    sealer = Sealer(ports.secrets, states, clock)
    companies = Companies(upstream, clock)
    return Services(
        settings=settings,
        invocation=Invocation(
            catalogue=catalogue,
            callers=callers,
            admission=admission,
            companies=companies,
            upstream=upstream,
            paging=Paging(sealer, settings.public_url),
            idempotency=Idempotency(ports.idempotency, sealer, clock),
            max_payload_bytes=settings.max_payload_bytes,
            max_answer_bytes=settings.max_answer_bytes,
            notes=CallNotes(activity, callers, clock),
            clock=clock,
        ),
        authorization=Authorization(
            integrations=integrations,
            sign_ins=ports.sign_ins,
            identity=identity,
            authenticator=authenticator,
            tokens=tokens,
            challenges=ClaimsChallenges(states),
            failures=SignInFailures(states, clock),
            activity=activity,
            audit=audit,
            public_url=settings.public_url,
            clock=clock,
        ),
        integrations=integrations,
        endpoints=endpoints,
        companies=companies,
        presets=Presets(endpoints),
        kept_calls=KeptCalls(ports.idempotency, endpoints, audit, clock),
        tokens=tokens,
        sign_off=sign_off,
        overview=Overview(ports.integrations, ports.states, clock),
        token_status=TokenStatus(
            integrations=integrations,
            states=ports.states,
            refresh_ahead=settings.refresh_ahead,
            clock=clock,
        ),
        due_refresh=DueRefresh(
            integrations=ports.integrations,
            states=ports.states,
            tokens=tokens,
            watch=LevelWatch(ports.integrations, states, clock),
            housekeeping=Housekeeping(
                sign_ins=ports.sign_ins,
                idempotency=ports.idempotency,
                activity=ActivityClearing(
                    ports.activity, ports.integrations, kept_for=settings.activity_kept_for
                ),
            ),
            refresh_ahead=settings.refresh_ahead,
            definition_lifetime=settings.definition_lifetime,
            clock=clock,
        ),
        health=Health(ports.probes, catalogue=catalogue, tokens=tokens, clock=clock),
        activity=activity,
        activity_report=ActivityReport(ports.activity, ports.integrations, clock),
        audit=audit,
    )


@cache
def _credential() -> TokenCredential:
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    return DefaultAzureCredential()
