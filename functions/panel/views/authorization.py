"""Who is signed in to an integration, and how that begins and ends."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import azure.functions as func
import msgspec

from functions.panel.remedies import remedy
from functions.panel.rendering import HEADERS, page, redirect
from functions.panel.same_origin import require_own_page
from functions.sign_in_pages import link_address, start_response
from shared.bootstrap import get_services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.panel.request import PanelRequest


def section(request: PanelRequest) -> dict[str, Any]:
    """Return what the section of the integration's page shows."""
    services = get_services()
    record = services.integrations.find(request.integration)
    status = services.token_status.of_record(record)
    return {
        "record": record,
        "integration": record.definition,
        "status": status,
        "findings": [(found, remedy(found)) for found in status["findings"]],
        "mark": _mark(status),
    }


def health(request: PanelRequest) -> func.HttpResponse:
    """Show the part of the section that changes by itself, if it is not what was `seen`."""
    shown = section(request)
    if request.parameter("seen") == shown["mark"]:
        return func.HttpResponse(status_code=204, headers=HEADERS)
    response = page(request, "_health.html", authorization=shown, is_news=request.is_fragment)
    response.headers["HX-Trigger"] = "health"  # other parts of the page rest on it, too
    return response


def begin(request: PanelRequest) -> func.HttpResponse:
    """Send the browser to the provider's sign-in page, or connect an app that needs nobody.

    A link, since the panel's policy lets no form end at another site; so it looks by itself whether
    it was followed on one of the panel's pages.
    """
    services = get_services()
    require_own_page("GET", request.http.headers, services.settings.public_url)
    started = services.authorization.begin(request.integration, by=request.administrator)
    if started is None:
        return redirect(_home(request), done="connected")
    return start_response(request.http, started, panel_integration=request.integration)


def deauthorize(request: PanelRequest) -> func.HttpResponse:
    """Forget all tokens, and revoke them where the provider can."""
    services = get_services()
    record = services.integrations.find(request.integration)
    is_revoked = services.sign_off.deauthorize(record, by=request.administrator)
    return redirect(_home(request), done="revoked" if is_revoked else "deauthorized")


def create_link(request: PanelRequest) -> func.HttpResponse:
    """Show a new sign-in link: here and now, since it is kept nowhere."""
    services = get_services()
    integration = services.integrations.find(request.integration).definition
    link = services.authorization.create_link(integration.code, by=request.administrator)
    return page(
        request,
        "signin_link.html",
        integration=integration,
        url=link_address(link),
        expires_on=link.expires_on,
    )


def _mark(status: Mapping[str, Any]) -> str:
    """Return what changes when there is something new to look at."""
    told = [
        status["status"],
        status["signed_in_as"],
        status["grant"] and status["grant"]["signed_in_on"],
        status["failed_sign_in_on"],
        [found.code for found in status["findings"]],
    ]
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:16]


def _home(request: PanelRequest) -> str:
    return f"integrations/{request.integration}"
