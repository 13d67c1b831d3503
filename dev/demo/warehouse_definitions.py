"""The sample: an integration and the calls of the warehouse flow, as an administrator stores them.

The procedures are those of the simulated codeunit APICodeunits
(`dev/simulators/business_central/warehouse.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev.sample import CLIENT_ID, CLIENT_SECRET, COMPANIES, ENVIRONMENTS, TENANT_ID
from dev.stack.ports import url

if TYPE_CHECKING:
    from dev.stack.ports import PortBlock

INTEGRATION = "CRONUS"

_CALLS: list[dict[str, Any]] = [
    {
        "code": "GET_WHSE_SHPT_LINES",
        "name": "Get Warehouse Shipment Lines",
        "description": "Lists the open warehouse shipments with their lines.",
        "api_url": "GetWhseShipmentList",
        "decode_value": True,
        "read_only": True,
    },
    {
        "code": "GET_WHSE_PICKS",
        "name": "Get Warehouse Picks",
        "description": "Lists the picks of a shipment: {shipmentNo}.",
        "api_url": "GetWhsePicks",
        "decode_value": True,
        "read_only": True,
    },
    {
        "code": "GET_WHSE_PICK",
        "name": "Get Warehouse Pick",
        "description": "Reads one pick with its lines: {pickNo}.",
        "api_url": "GetWhsePick",
        "decode_value": True,
        "read_only": True,
    },
    {
        "code": "UPDATE_WHSE_PICK",
        "name": "Update Warehouse Pick",
        "description": "Sets the quantities that were taken: {pickNo, linesJson}.",
        "api_url": "UpdateWhsePick",
        "decode_value": True,
        "encode_parameters": ["linesJson"],
    },
    {
        "code": "REGISTER_WHSE_PICK",
        "name": "Register Warehouse Pick",
        "description": "Registers what was taken: {pickNo}.",
        "api_url": "RegisterWhsePick",
        "decode_value": True,
    },
    {
        "code": "POST_WHSE_SHPT",
        "name": "Post Warehouse Shipment",
        "description": "Posts a shipment whose picks are registered: {shipmentNo}.",
        "api_url": "PostWhseShipment",
        "decode_value": True,
    },
    {
        "code": "GET_NEXT_SO_NO",
        "name": "Get Next Sales Order No.",
        "description": "Draws the next number for a sales order.",
        "api_url": "GetNextSalesOrderNo",
    },
]
ENDPOINTS = [{**call, "kind": "codeunit", "method": "POST"} for call in _CALLS]

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
        "service_name": "APICodeunits",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "authorize_url": f"{oauth}/authorize",
        "token_url": f"{oauth}/token",
    }
