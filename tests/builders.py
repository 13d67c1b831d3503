"""Definitions for tests: valid as they stand, and changed by naming what matters in a test."""

from __future__ import annotations

from typing import Any

from shared.domain.endpoint import Endpoint
from shared.domain.integration import Integration

TENANT_ID = "11111111-2222-4333-8444-555555555555"
CLIENT_ID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
COMPANY = "CRONUS USA, Inc."
COMPANY_ID = "9e1b6ea7-0000-4000-8000-000000000001"


def integration_document(**changes: Any) -> dict[str, Any]:
    """Return what a management call would send for an integration."""
    document = {
        "code": "CRONUS",
        "name": "Business Central",
        "tenant_id": TENANT_ID,
        "environment": "Production",
        "company": COMPANY,
        "service_name": "APICodeunits",
        "client_id": CLIENT_ID,
    }
    return document | changes


def endpoint_document(**changes: Any) -> dict[str, Any]:
    """Return what a management call would send for an endpoint."""
    document = {
        "code": "GET_WHSE_SHPT_LINES",
        "name": "Get Warehouse Shipment Lines",
        "api_url": "GetWhseShipmentList",
    }
    return document | changes


def make_integration(**changes: Any) -> Integration:
    """Return an integration, whatever its fields hold: no rule is checked."""
    return Integration(**integration_document(**changes))


def make_endpoint(**changes: Any) -> Endpoint:
    """Return an endpoint, whatever its fields hold: no rule is checked."""
    return Endpoint(**endpoint_document(**changes))
