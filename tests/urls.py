"""The URL of a call, built as a call does it; and what makes an endpoint one of each kind."""

from __future__ import annotations

from typing import Any

import pytest

from shared.bc_urls import build_url, choose_company
from shared.domain.errors import GatewayError
from tests.builders import COMPANY_ID, TENANT_ID, make_endpoint, make_integration

HOST = "https://api.businesscentral.dynamics.com"
ROOT = f"{HOST}/v2.0/{TENANT_ID}/Production"
ACTION = f"{ROOT}/ODataV4/APICodeunits_GetWhseShipmentList"
CRONUS = "CRONUS%20USA%2C%20Inc."
PAGE = f"{ROOT}/ODataV4/Company('{CRONUS}')"
API = f"{ROOT}/api/v2.0/companies({COMPANY_ID})"

Changes = dict[str, Any]


def url(
    integration: Changes | None = None, endpoint: Changes | None = None, query: str = ""
) -> str:
    """Build the URL as a call does: choose the company, then put everything together."""
    owner, called = make_integration(**(integration or {})), make_endpoint(**(endpoint or {}))
    company = choose_company(owner, called, query)
    return build_url(owner, called, company=company, query=query)


def refusal(
    integration: Changes | None = None, endpoint: Changes | None = None, query: str = ""
) -> tuple[int, str]:
    """Return status and code of the error that stands for the URL."""
    with pytest.raises(GatewayError) as caught:
        url(integration, endpoint, query)
    return caught.value.kind.status, caught.value.kind.code


def odata(api_url: str, **changes: Any) -> Changes:
    """Return the changes that make an endpoint an OData page."""
    return {"kind": "odata", "method": "GET", "api_url": api_url} | changes


def api(api_url: str, **changes: Any) -> Changes:
    """Return the changes that make an endpoint an API page."""
    return {"kind": "api", "method": "GET", "api_url": api_url} | changes


def custom(api_url: str = "orders", **changes: Any) -> Changes:
    """Return the changes that make an endpoint follow the integration's template."""
    return {"kind": "custom", "method": "GET", "api_url": api_url} | changes
