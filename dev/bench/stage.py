"""Where the benchmark takes place: a stack of its own, a service, and the naive design."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev import sample
from dev.bench.places import INSTANCES, PROCEDURE, TRANSPORTS, Places
from dev.demo.gateway_client import GatewayClient
from dev.demo.signing_in import sign_in
from dev.demo.warehouse_definitions import integration
from dev.options import StackOptions
from dev.paths import DEV_FOLDER
from dev.stack.app_settings import app_settings, process_environment
from dev.stack.certificates import prepare_certificates
from dev.stack.parts import SERVICES
from dev.stack.ports import free_block
from dev.stack.processes import Part, processes
from dev.stack.running import STARTING_SECONDS, running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dev.bench.places import Transport
    from dev.stack.running import Stack

# The integrations that are there from the start, with an app's token and with a person's.
APPS: Mapping[Transport, str] = {"http": "BENCH_HTTP", "https": "BENCH_TLS"}
PERSON = "BENCH_PERSON"
ENDPOINT = "ECHO"
# The benchmark itself does the timer's work.
SETTINGS = {"REFRESH_SCHEDULE": "0 0 0 1 1 *"}
# More than call at once: waiting in turn is not what is measured.
MAX_IN_FLIGHT = 32


@dataclass(frozen=True, slots=True)
class Stage:
    """The running parts, and the environment of a process that works as the app."""

    stack: Stack
    places: Places
    app_environment: Mapping[str, str]


@contextmanager
def stage() -> Iterator[Stage]:
    """Start everything on free ports, store and sign in; end it with the context."""
    ports = free_block(INSTANCES)
    options = StackOptions(
        port=ports.base, state=DEV_FOLDER / "bench", is_fresh=True, settings=SETTINGS
    )
    with running_stack(options) as stack, processes(stack.logs) as beside:
        certificates = prepare_certificates(stack.folder / "state")
        settings = app_settings(ports, trusted=certificates.bundle, overrides=SETTINGS)
        here = Stage(stack, Places(ports), process_environment() | settings)
        beside.start(_upstream(here.places, str(certificates.server)))
        beside.start(_naive(here))
        beside.wait_until_listening(STARTING_SECONDS)
        _store(here)
        yield here


def _upstream(places: Places, certificate: str) -> Part:
    port, tls_port = (places.upstream_port(transport) for transport in TRANSPORTS)
    options = ["--port", str(port), "--tls-port", str(tls_port), "--certificate", certificate]
    return Part(
        name="upstream",
        command=[sys.executable, "-m", "dev.bench.upstream", *options],
        port=tls_port,
        tier=SERVICES,
        environment=process_environment(),
    )


def _naive(here: Stage) -> Part:
    port = here.places.naive_port
    urls = [here.places.upstream_call(transport) for transport in TRANSPORTS]
    return Part(
        name="naive",
        command=[sys.executable, "-m", "dev.bench.naive", "--port", str(port), *urls],
        port=port,
        tier=SERVICES,
        environment=here.app_environment,
    )


def _store(here: Stage) -> None:
    administrator = GatewayClient(here.stack.gateway, key=sample.HOST_KEY, key_name="host key")
    pattern = integration(here.places.ports) | {"max_in_flight": MAX_IN_FLIGHT}
    administrator.require("PUT", f"integrations/{PERSON}", pattern | {"code": PERSON})
    sign_in(administrator, PERSON)
    for transport, code in APPS.items():
        of_app = {
            "code": code,
            "grant_type": "client_credentials",
            "base_url": here.places.upstream(transport),
        }
        administrator.require("PUT", f"integrations/{code}", pattern | of_app)
        endpoint = {"code": ENDPOINT, "name": "Echo", "api_url": PROCEDURE}
        place = f"integrations/{code}/endpoints/{ENDPOINT}"
        administrator.require("PUT", place, endpoint)
        administrator.require("POST", f"invoke/{code}/{ENDPOINT}", {})
