"""Where the benchmark's own parts listen: on ports that the stack leaves to further instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from dev.sample import COMPANIES, ENVIRONMENTS, TENANT_ID
from dev.stack.ports import url

if TYPE_CHECKING:
    from dev.stack.ports import PortBlock

Transport = Literal["http", "https"]
TRANSPORTS: tuple[Transport, ...] = ("http", "https")
# How many instances' worth of ports the whole stage takes.
INSTANCES = 4

PROCEDURE = "Echo"
_TARGET = (
    f"/v2.0/{TENANT_ID}/{ENVIRONMENTS[0]}/ODataV4/APICodeunits_{PROCEDURE}"
    f"?company={quote(next(iter(COMPANIES)))}"
)


@dataclass(frozen=True, slots=True)
class Places:
    """The addresses of one stage."""

    ports: PortBlock

    @property
    def gateway_port(self) -> int:
        """The stand-in for the Functions host."""
        return self.ports.instance(1)

    @property
    def naive_port(self) -> int:
        """The naive design."""
        return self.ports.instance(2)

    def upstream_port(self, transport: Transport) -> int:
        """Give the port of the service behind all ways."""
        return self.ports.instance(3 if transport == "http" else 4)

    def upstream(self, transport: Transport) -> str:
        """Give the base URL of the service."""
        return url(self.upstream_port(transport), scheme=transport)

    def upstream_call(self, transport: Transport) -> str:
        """Give the URL that every way calls in the end."""
        return self.upstream(transport) + _TARGET
