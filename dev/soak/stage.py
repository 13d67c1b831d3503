"""What a round plays on: a stack of its own whose hosts can be killed and whose platform fails.

The hosts reach Table Storage through a gate (`dev.soak.storage_gate`); the provider rotates refresh
tokens strictly and detects their reuse (RFC 9700 section 4.14.2); the timer stays out of the way.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dev import sample
from dev.demo.gateway_client import GatewayClient
from dev.demo.signing_in import sign_in
from dev.demo.warehouse_definitions import ENDPOINTS, integration
from dev.options import StackOptions
from dev.soak.simulator import Simulator
from dev.soak.storage_gate import storage_gate
from dev.stack.app_settings import storage_connection
from dev.stack.ports import PortBlock, free_block, url
from dev.stack.running import running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import requests

    from dev.stack.running import Stack

INSTANCES = (1, 2)
CACHE_SECONDS = 2
# The rule of a fault that meets the token endpoint alone.
TOKEN_PATH = "/oauth2/v2.0/token$"

_SETTINGS = {
    "DEFINITION_CACHE_SECONDS": str(CACHE_SECONDS),
    "REFRESH_SCHEDULE": "0 0 0 1 1 *",
}
_ENDPOINT = next(each for each in ENDPOINTS if each["code"] == "GET_NEXT_SO_NO")
# More than the rounds send: Business Central's own limits are no part of them.
_LIMITS = {"requests_per_window": 1_000_000, "running": 100}


@dataclass(frozen=True, slots=True)
class Stage:
    """A running stack under the control of a round."""

    stack: Stack
    entra: Simulator
    business_central: Simulator
    vault: Simulator
    storage: Simulator
    _administrator: GatewayClient
    _callers: Mapping[int, GatewayClient]

    def add_integration(self, code: str) -> None:
        """Store an integration under `code`, and sign in to it."""
        definition = integration(self.stack.ports) | {"code": code}
        self.manage("PUT", f"integrations/{code}", definition)
        self.manage("PUT", f"integrations/{code}/endpoints/{_ENDPOINT['code']}", _ENDPOINT)
        self.sign_in(code)

    def sign_in(self, code: str) -> None:
        """Sign in as a person does, which begins a new grant."""
        sign_in(self._administrator, code)

    def token_life(self, seconds: int) -> None:
        """Let the provider's next access tokens live so long."""
        self.entra.control("POST", "settings", {"access_token_seconds": seconds})

    def call(self, code: str, instance: int = 1) -> requests.Response:
        """Call the endpoint of an integration once, as a caller does."""
        return self._callers[instance].call("POST", call_path(code), {})

    def call_url(self, code: str, instance: int, *, endpoint: str = _ENDPOINT["code"]) -> str:
        """Give the URL of an endpoint at an instance; without a name, of the one `call` calls."""
        return self._callers[instance].url(call_path(code, endpoint))

    def status(self, code: str) -> Any:
        """Give the status document of an integration."""
        return self.manage("GET", f"integrations/{code}/status")

    def token_expires(self, code: str) -> float:
        """Give when the access token of an integration expires, in Unix seconds."""
        expires_on = self.status(code)["access_token"]["expires_on"]
        return datetime.fromisoformat(expires_on).timestamp()

    def manage(self, method: str, path: str, body: Any = None) -> Any:
        """Call the management API, which must succeed, and give the answer's JSON."""
        return self._administrator.require(method, path, body)

    def refreshes(self) -> int:
        """Give how many times a refresh token has come to the provider."""
        return int(self._counters()["token"].get("refresh_token", 0))

    def reuse_detections(self) -> int:
        """Give how many times a refresh token has come that was replaced before."""
        return int(self._counters()["reuse_detections"])

    def _counters(self) -> Any:
        return self.entra.control("GET", "counters")


def call_path(code: str, endpoint: str = _ENDPOINT["code"]) -> str:
    """Give the route that calls an endpoint of an integration."""
    return f"invoke/{code}/{endpoint}"


@contextmanager
def stage(folder: Path, **settings: str) -> Iterator[Stage]:
    """Start a fresh stack of two instances with these app settings, and end it with the context."""
    ports = free_block(len(INSTANCES))
    with ExitStack() as resources:
        gate = resources.enter_context(storage_gate(ports.table))
        options = StackOptions(
            port=ports.base,
            instances=len(INSTANCES),
            state=folder,
            is_fresh=True,
            settings={
                **_SETTINGS,
                "AzureWebJobsStorage": storage_connection(ports, tables=gate),
                **settings,
            },
        )
        stack = resources.enter_context(running_stack(options))
        simulators = _simulators(stack, gate)
        simulators["entra"].control("POST", "settings", {"strict_rotation": True})
        simulators["business_central"].control("POST", "settings", _LIMITS)
        yield Stage(
            stack,
            **simulators,
            _administrator=GatewayClient(stack.gateway, key=sample.HOST_KEY, key_name="host key"),
            _callers={number: _caller(stack.ports, number) for number in INSTANCES},
        )
        # A part that died explains failed calls better than the calls do.
        stack.require_alive()


def _simulators(stack: Stack, gate: str) -> dict[str, Simulator]:
    ports = stack.ports
    authority = stack.folder / "state" / "certificates" / "ca.pem"
    return {
        "entra": Simulator(url(ports.entra)),
        "business_central": Simulator(url(ports.business_central)),
        "vault": Simulator(url(ports.key_vault, scheme="https"), trusted=authority),
        "storage": Simulator(gate),
    }


def _caller(ports: PortBlock, number: int) -> GatewayClient:
    instance = url(ports.instance(number))
    return GatewayClient(instance, key=sample.INVOKE_KEY, key_name="invoke key")
