"""The page of one integration: information, authorization and endpoints; and the form for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

_TAKEN = "belongs to another integration: choose another code"
_EMPTY = Integration(code="")


def new(request: PanelRequest) -> func.HttpResponse:
    """Show an empty form."""
    return _new(request, FormState(fields.shown(to_document(_EMPTY))))


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
    return _page(request)


def save(request: PanelRequest) -> func.HttpResponse:
    """Store the changes, unless somebody else has changed the integration meanwhile."""
    etag = request.form.text("etag")
    values = fields.entered(request.form) | {"code": request.integration}
    document, unread = fields.read(values, request.form)
    try:
        get_services().integrations.put(
            request.integration, document, Precondition(if_match=etag), by=request.administrator
        )
    except GatewayError as error:
        if error.kind is CHANGED_MEANWHILE:
            return _page(request, FormState(values), has_changed=True, status=412)
        state = FormState(values, errors_of(error) | unread)
        return _page(request, state, etag=etag, status=422)
    return redirect(f"integrations/{request.integration}", done="saved")


def _new(request: PanelRequest, form: FormState, *, status: int = 200) -> func.HttpResponse:
    return page(
        request,
        "integration_new.html",
        status=status,
        form=form,
        labels=fields.LABELS,
        has_secret=False,
        is_secret_lost=_is_secret_lost(request),
        redirect_uri=_EMPTY.effective_redirect_uri(get_services().settings.public_url),
        is_connected=False,
    )


def _page(
    request: PanelRequest,
    entered: FormState | None = None,
    *,
    etag: str = "",
    has_changed: bool = False,
    status: int = 200,
) -> func.HttpResponse:
    """Show the page with what is stored, or with what was entered instead.

    If it `has_changed` meanwhile, the form has the current ETag and the page names what differs:
    to save from there is a decision.
    """
    known = authorization.section(request)
    integration, sign_in = known["integration"], known["status"]
    stored = fields.shown(to_document(integration))
    form = entered or FormState(stored)
    return page(
        request,
        "integration.html",
        status=status,
        integration=integration,
        form=form,
        labels=fields.LABELS,
        etag=etag or known["record"].etag,
        differing=[fields.LABELS[name] for name in stored if stored[name] != form.values[name]],
        has_changed=has_changed,
        has_secret=sign_in["has_client_secret"],
        is_secret_lost=_is_secret_lost(request),
        redirect_uri=integration.effective_redirect_uri(get_services().settings.public_url),
        is_connected=sign_in["is_valid_auth"],
        authorization=known,
        endpoints=endpoints.section(request),
    )


def _is_secret_lost(request: PanelRequest) -> bool:
    """Tell whether a secret was entered: nothing was saved, and the form cannot show it again."""
    return bool(request.form.raw(fields.SECRET))
