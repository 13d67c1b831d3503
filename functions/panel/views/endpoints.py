"""The endpoints of an integration: their table, the switch in it, deletion and presets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.panel.notices import notice_of
from functions.panel.rendering import page, redirect
from shared.bootstrap import get_services
from shared.domain.codes import fold, is_code
from shared.domain.error_kinds import CHANGED_MEANWHILE
from shared.domain.errors import GatewayError
from shared.domain.presets import SERVICE_NAME
from shared.services.editing import Precondition

if TYPE_CHECKING:
    import azure.functions as func

    from functions.panel.request import PanelRequest

_MOST_SHOWN = 100


def section(request: PanelRequest) -> dict[str, Any]:
    """Return what the section of the integration's page shows: one page of the table."""
    asked = fold(request.parameter("after"))
    after = asked if is_code(asked) else ""
    found = get_services().endpoints.list(request.integration, after=after, limit=_MOST_SHOWN)
    return {
        "integration": request.integration,
        "rows": found.documents,
        "next_after": found.next_after,
        "is_continued": bool(after),
    }


def switch(request: PanelRequest) -> func.HttpResponse:
    """Switch an endpoint on or off; htmx gets the cell of the table."""
    is_enabled = request.form.text("is_enabled") == "true"
    saved = get_services().endpoints.patch(
        request.integration,
        request.endpoint,
        {"is_enabled": is_enabled},
        Precondition(),
        by=request.administrator,
    )
    done = "enabled" if is_enabled else "disabled"
    if request.is_fragment:
        return page(
            request,
            "_switch.html",
            integration=request.integration,
            row=saved.document,
            announcement=notice_of(done),
        )
    return redirect(_home(request), done=done)


def confirm_deletion(request: PanelRequest) -> func.HttpResponse:
    """Ask before an endpoint is deleted."""
    return _deletion(request)


def delete(request: PanelRequest) -> func.HttpResponse:
    """Delete the endpoint, if it is still the one that was shown."""
    shown = Precondition(if_match=request.form.text("etag"))
    try:
        get_services().endpoints.delete(
            request.integration, request.endpoint, shown, by=request.administrator
        )
    except GatewayError as error:
        if error.kind is not CHANGED_MEANWHILE:
            raise
        return _deletion(request, has_changed=True, status=412)
    return redirect(_home(request), done="deleted")


def _deletion(
    request: PanelRequest, *, has_changed: bool = False, status: int = 200
) -> func.HttpResponse:
    saved = get_services().endpoints.get(request.integration, request.endpoint)
    return page(
        request,
        "endpoint_delete.html",
        status=status,
        integration=request.integration,
        endpoint=saved.document,
        etag=saved.etag,
        has_changed=has_changed,
    )


def show_presets(request: PanelRequest) -> func.HttpResponse:
    """Offer the calls of the warehouse flow."""
    return _presets(request)


def add_presets(request: PanelRequest) -> func.HttpResponse:
    """Add those that were chosen."""
    chosen = request.form.all("code")
    if not chosen:
        return _presets(request, problem="Choose at least one.", status=422)
    get_services().presets.add(request.integration, chosen, by=request.administrator)
    return redirect(_home(request), done="presets_added")


def _presets(
    request: PanelRequest, *, problem: str | None = None, status: int = 200
) -> func.HttpResponse:
    services = get_services()
    return page(
        request,
        "presets.html",
        status=status,
        integration=services.integrations.find(request.integration).definition,
        offers=services.presets.offers(request.integration),
        service_name=SERVICE_NAME,
        problem=problem,
    )


def _home(request: PanelRequest) -> str:
    return f"integrations/{request.integration}"
