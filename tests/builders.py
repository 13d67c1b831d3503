"""Definitions for tests: valid as they stand, and changed by naming what matters in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.domain.activity import CallEntry
from shared.domain.activity_tally import RollUp, Tally
from shared.domain.endpoint import Endpoint
from shared.domain.integration import Integration
from tests.fakes.machine import START

if TYPE_CHECKING:
    from datetime import datetime

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


def call_entry(moment: datetime = START, **changes: Any) -> CallEntry:
    """Return a call that went well."""
    entry = {
        "integration": "CRONUS",
        "endpoint": "GET_WHSE_SHPT_LINES",
        "method": "POST",
        "status": 200,
        "milliseconds": 40,
        "request_id": "request-1",
    }
    return CallEntry(moment=moment, **entry | changes)


def roll_up(began_on: datetime, *milliseconds: int, name: str = "a1", errors: int = 0) -> RollUp:
    """Return what was counted in a slot: calls that lasted so long, the first ones errors."""
    tally = Tally()
    for number, each in enumerate(milliseconds):
        tally.add(each, is_error=number < errors)
    return RollUp(id=name, began_on=began_on, tally=tally)
