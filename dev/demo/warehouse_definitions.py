"""The sample: an integration and the calls of the warehouse flow, as an administrator stores them.

The calls are the presets of the control panel; their procedures are those of the simulated codeunit
(`dev/simulators/business_central/warehouse.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev.sample import CLIENT_ID, CLIENT_SECRET, COMPANIES, ENVIRONMENTS, TENANT_ID
from dev.stack.ports import url
from shared.domain.presets import SERVICE_NAME, WAREHOUSE_FLOW

if TYPE_CHECKING:
    from dev.stack.ports import PortBlock

INTEGRATION = "CRONUS"

ENDPOINTS = WAREHOUSE_FLOW

CUSTOMERS = {
    "code": "GET_CUSTOMERS",
    "name": "Get Customers",
    "description": "Lists customers; OData options such as $top and $filter may be given.",
    "api_url": "customers",
    "kind": "api",
    "method": "GET",
}


def integration(ports: PortBlock) -> dict[str, Any]:
    """Give the sample integration, led to the simulators of a stack instead of to Microsoft."""
    oauth = f"{url(ports.entra)}/{TENANT_ID}/oauth2/v2.0"
    return {
        "code": INTEGRATION,
        "name": "Microsoft Business Central",
        "grant_type": "authorization_code",
        "base_url": url(ports.business_central),
        "tenant_id": TENANT_ID,
        "environment": ENVIRONMENTS[0],
        "company": next(iter(COMPANIES)),
        "service_name": SERVICE_NAME,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "authorize_url": f"{oauth}/authorize",
        "token_url": f"{oauth}/token",
    }
