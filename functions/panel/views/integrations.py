"""The list of integrations, with the health of each at a glance; and how one is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.panel.remedies import remedy
from functions.panel.rendering import page, redirect
from shared.bootstrap import get_services
from shared.domain.codes import fold, is_code
from shared.domain.error_kinds import CHANGED_MEANWHILE
from shared.domain.errors import GatewayError
from shared.domain.integration import Integration
from shared.services.editing import Precondition

if TYPE_CHECKING:
    import azure.functions as func

    from functions.panel.request import PanelRequest


def show_list(request: PanelRequest) -> func.HttpResponse:
    """Show every integration, or where to begin if there is none."""
    services = get_services()
    asked = fold(request.parameter("after"))
    after = asked if is_code(asked) else ""
    found = services.overview.page(after=after)
    if not found.shown and not after:
        redirect_uri = Integration(code="").effective_redirect_uri(services.settings.public_url)
        return page(request, "first_run.html", redirect_uri=redirect_uri)
    return page(
        request,
        "integrations.html",
        glances=[(each, remedy(each.finding) if each.finding else "") for each in found.shown],
        next_after=found.next_after,
        is_continued=bool(after),
    )


def confirm_deletion(request: PanelRequest) -> func.HttpResponse:
    """Ask before an integration is deleted with all that belongs to it."""
    return _deletion(request)


def delete(request: PanelRequest) -> func.HttpResponse:
    """Delete the integration, if it is still the one that was shown."""
    shown = Precondition(if_match=request.form.text("etag"))
    try:
        get_services().integrations.delete(request.integration, shown, by=request.administrator)
    except GatewayError as error:
        if error.kind is not CHANGED_MEANWHILE:
            raise
        return _deletion(request, has_changed=True, status=412)
    return redirect("", done="deleted")


def _deletion(
    request: PanelRequest, *, has_changed: bool = False, status: int = 200
) -> func.HttpResponse:
    saved = get_services().integrations.get(request.integration)
    return page(
        request,
        "integration_delete.html",
        status=status,
        integration=saved.document,
        etag=saved.etag,
        has_changed=has_changed,
    )
