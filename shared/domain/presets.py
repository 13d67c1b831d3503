"""Endpoints that an administrator can add as they are: the calls of the warehouse flow.

They are procedures of a codeunit that has to be published as the web service SERVICE_NAME, or under
the name that the integration gives.
"""

from __future__ import annotations

from typing import Any

SERVICE_NAME = "APICodeunits"

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
WAREHOUSE_FLOW = tuple({**call, "kind": "codeunit", "method": "POST"} for call in _CALLS)
