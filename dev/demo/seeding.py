"""Store the sample integration and its endpoints, where a stack does not have them yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev.demo.warehouse_definitions import ENDPOINTS, INTEGRATION, integration
from dev.errors import DevError
from dev.stack.ports import HOST

if TYPE_CHECKING:
    from dev.demo.gateway_client import GatewayClient
    from dev.stack.ports import PortBlock

NOT_FOUND = 404


def store_sample(administrator: GatewayClient, ports: PortBlock) -> None:
    """Store what is absent through the management API; what somebody has changed stays so."""
    path = f"integrations/{INTEGRATION}"
    stored = _read(administrator, path)
    wanted = integration(ports)
    if stored is None or _has_moved(stored["base_url"], wanted["base_url"]):
        _store(administrator, path, wanted)
    for endpoint in ENDPOINTS:
        place = f"{path}/endpoints/{endpoint['code']}"
        if _read(administrator, place) is None:
            _store(administrator, place, endpoint)


def _has_moved(stored_url: str, simulator_url: str) -> bool:
    """Tell whether the sample leads to the simulator of an earlier start with another --port."""
    return stored_url.startswith(f"http://{HOST}:") and stored_url != simulator_url


def _read(administrator: GatewayClient, path: str) -> Any:
    answer = administrator.call("GET", path)
    if answer.status_code == NOT_FOUND:
        return None
    if not answer.ok:
        raise DevError(f"{answer.url} answers {answer.status_code}:\n\n{answer.text}")
    return answer.json()


def _store(administrator: GatewayClient, path: str, definition: dict[str, Any]) -> None:
    answer = administrator.call("PUT", path, definition)
    if not answer.ok:
        raise DevError(f"The sample cannot be stored at {answer.url}:\n\n{answer.text}")
