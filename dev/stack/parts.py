"""Which processes make up the stack, and how each is started."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dev.errors import DevError
from dev.paths import ROOT
from dev.setup.node import installed_azurite
from dev.stack.app_settings import app_settings, process_environment
from dev.stack.certificates import prepare_certificates
from dev.stack.ports import HOST, PortBlock, url
from dev.stack.processes import Part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Each uses those above it, and the hosts use them all.
STORAGE, SERVICES, HOSTS = range(3)


def stack_parts(
    ports: PortBlock, *, instances: int, state: Path, overrides: Mapping[str, str]
) -> list[Part]:
    """List the parts of a stack, with all that they keep under the folder `state`."""
    trusted = prepare_certificates(state).bundle
    settings = app_settings(ports, trusted=trusted, overrides=overrides)
    return [
        _azurite(ports, state),
        *_services(ports, state, identity_header=settings["IDENTITY_HEADER"]),
        *(_host(ports, number, settings) for number in range(1, instances + 1)),
    ]


def host_name(number: int) -> str:
    """Give the name of the part that is host instance `number`, counted from 1."""
    return f"host-{number}"


def _azurite(ports: PortBlock, state: Path) -> Part:
    azurite = installed_azurite()
    if azurite is None:
        raise DevError(
            "Azurite is not installed. Run this with `python -m dev`, which installs it."
        )
    options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    for service, port in (("blob", ports.blob), ("queue", ports.queue), ("table", ports.table)):
        options += [f"--{service}Host", HOST, f"--{service}Port", str(port)]
    return Part(
        name="azurite",
        command=[*azurite.command(), *options, "--location", str(state / "azurite")],
        port=ports.table,
        tier=STORAGE,
        environment=process_environment(),
    )


def _services(ports: PortBlock, state: Path, *, identity_header: str) -> list[Part]:
    stored = ("--state", str(state))
    entra = ("--identity", url(ports.entra))
    header = ("--header", identity_header)
    return [
        _service("identity", "identity", ports.identity, *stored, *header),
        _service("key-vault", "key_vault", ports.key_vault, *stored),
        _service("entra", "entra", ports.entra, *stored),
        _service("business-central", "business_central", ports.business_central, *entra),
    ]


def _service(name: str, package: str, port: int, *arguments: str) -> Part:
    module = f"dev.simulators.{package}"
    return Part(
        name=name,
        command=[sys.executable, "-m", module, "--port", str(port), *arguments],
        port=port,
        tier=SERVICES,
        environment=process_environment(),
    )


def _host(ports: PortBlock, number: int, settings: Mapping[str, str]) -> Part:
    port = ports.instance(number)
    options = ["--app", str(ROOT), "--port", str(port), "--instance", str(number)]
    # As in Azure, where one instance holds the lease of a timer.
    timer = ["--timer"] if number == 1 else []
    return Part(
        name=host_name(number),
        command=[sys.executable, "-m", "dev.host", *options, *timer],
        port=port,
        tier=HOSTS,
        environment=process_environment() | dict(settings),
    )
