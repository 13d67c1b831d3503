"""The page of one integration: information, authorization and endpoints; and the form for more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.panel.forms import integration as fields
from functions.panel.forms.state import FormState, errors_of
from functions.panel.rendering import page, redirect
from functions.panel.views import authorization, endpoints
from shared.bootstrap import get_services
from shared.domain.documents import to_document
from shared.domain.error_kinds import ALREADY_EXISTS, CHANGED_MEANWHILE
from shared.domain.errors import GatewayError
from shared.domain.integration import Integration
from shared.services.editing import Precondition

if TYPE_CHECKING:
    import azure.functions as func

    from functions.panel.request import PanelRequest
    from shared.services.editing import Saved

_TAKEN = "belongs to another integration: choose another code"


def new(request: PanelRequest) -> func.HttpResponse:
    """Show an empty form."""
    return _new(request, FormState(fields.shown(to_document(Integration(code="")))))


def create(request: PanelRequest) -> func.HttpResponse:
    """Store a new integration."""
    values = fields.entered(request.form)
    document, unread = fields.read(values, request.form)
    try:
        saved = get_services().integrations.create(document, by=request.administrator)
    except GatewayError as error:
        found = {"code": _TAKEN} if error.kind is ALREADY_EXISTS else errors_of(error)
        return _new(request, FormState(values, found | unread), status=422)
    return redirect(f"integrations/{saved.document['code']}", done="created")


def show(request: PanelRequest) -> func.HttpResponse:
    """Show an integration with all its sections."""
    saved = get_services().integrations.get(request.integration)
    return _page(request, saved, FormState(fields.shown(saved.document)))


def save(request: PanelRequest) -> func.HttpResponse:
    """Store the changes, unless somebody else has changed the integration meanwhile."""
    administration = get_services().integrations
    values = fields.entered(request.form) | {"code": request.integration}
    document, unread = fields.read(values, request.form)
    precondition = Precondition(if_match=request.form.text("etag"))
    try:
        administration.put(request.integration, document, precondition, by=request.administrator)
    except GatewayError as error:
        saved = administration.get(request.integration)
        if error.kind is CHANGED_MEANWHILE:
            return _conflict(request, saved, FormState(values))
        state = FormState(values, errors_of(error) | unread)
        return _page(request, saved, state, etag=request.form.text("etag"), status=422)
    return redirect(f"integrations/{request.integration}", done="saved")


def _conflict(request: PanelRequest, saved: Saved, state: FormState) -> func.HttpResponse:
    """Show again what was entered, and where it differs from what is stored now.

    To save it from there is a decision: the form has the current ETag.
    """
    stored = fields.shown(saved.document)
    differing = [name for name in stored if stored[name] != state.values[name]]
    return _page(request, saved, state, differing=differing, status=412)


def _new(request: PanelRequest, form: FormState, *, status: int = 200) -> func.HttpResponse:
    return page(
        request,
        "integration_new.html",
        status=status,
        form=form,
        has_secret=False,
        redirect_uri=f"{get_services().settings.public_url}/api/callback",
        is_connected=False,
    )


def _page(
    request: PanelRequest, saved: Saved, form: FormState, *, status: int = 200, **values: Any
) -> func.HttpResponse:
    document = saved.document
    public_url = get_services().settings.public_url
    return page(
        request,
        "integration.html",
        status=status,
        integration=document,
        form=form,
        has_secret=document["has_client_secret"],
        redirect_uri=document["redirect_uri"] or f"{public_url}/api/callback",
        is_connected=document["is_valid_auth"],
        authorization=authorization.section(request),
        endpoints=endpoints.section(request),
        **{"etag": saved.etag, "differing": None} | values,
    )
