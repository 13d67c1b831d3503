"""The form of one endpoint, to add it or to change it, with a preview of its URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.panel.forms import endpoint as fields
from functions.panel.forms.state import FormState, by_field, errors_of
from functions.panel.rendering import page, redirect
from shared.bootstrap import get_services
from shared.domain.documents import to_document
from shared.domain.endpoint import Endpoint
from shared.domain.error_kinds import ALREADY_EXISTS, CHANGED_MEANWHILE, ENDPOINT_NOT_FOUND
from shared.domain.errors import GatewayError
from shared.services.editing import Precondition
from shared.services.url_preview import URL_FIELDS, preview_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    import azure.functions as func

    from functions.panel.forms.state import Value
    from functions.panel.request import PanelRequest
    from shared.domain.integration import Integration

_TAKEN = "belongs to another endpoint of this integration: choose another code"


@dataclass(frozen=True, slots=True)
class _Preview:
    """What the page says about the URL: the URL, what is wrong by field, or nothing yet."""

    url: str | None
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Conflict:
    """Somebody else was faster: the fields that differ now, None if the endpoint is gone."""

    differing: tuple[str, ...] | None = None


def new(request: PanelRequest) -> func.HttpResponse:
    """Show an empty form, or with `from` the values of the endpoint to start from."""
    source = request.parameter("from")
    if source:
        document = get_services().endpoints.get(request.integration, source).document
    else:
        document = to_document(Endpoint(code="", api_url=""))
    return _page(request, FormState(fields.shown(document | {"code": ""})))


def create(request: PanelRequest) -> func.HttpResponse:
    """Store a new endpoint."""
    values = fields.entered(request.form)
    if _wants_preview(request):
        return _page(request, FormState(values))
    document, unread = fields.read(values)
    try:
        get_services().endpoints.create(request.integration, document, by=request.administrator)
    except GatewayError as error:
        found = {"code": _TAKEN} if error.kind is ALREADY_EXISTS else errors_of(error)
        return _page(request, FormState(values, found | unread), status=422)
    return _to_integration(request, done="created")


def edit(request: PanelRequest) -> func.HttpResponse:
    """Show the form with what is stored."""
    saved = get_services().endpoints.get(request.integration, request.endpoint)
    return _page(request, FormState(fields.shown(saved.document)), etag=saved.etag)


def save(request: PanelRequest) -> func.HttpResponse:
    """Store the changes, unless somebody else has changed the endpoint meanwhile."""
    etag = request.form.text("etag")
    values = fields.entered(request.form) | {"code": request.endpoint}
    if _wants_preview(request):
        return _page(request, FormState(values), etag=etag)
    document, unread = fields.read(values)
    # Without an ETag the endpoint was gone already when the form was shown.
    precondition = Precondition(if_match=etag) if etag else Precondition(if_none_match="*")
    try:
        get_services().endpoints.put(
            request.integration,
            request.endpoint,
            document,
            precondition,
            by=request.administrator,
        )
    except GatewayError as error:
        if error.kind is CHANGED_MEANWHILE:
            return _conflict(request, values)
        state = FormState(values, errors_of(error) | unread)
        return _page(request, state, etag=etag, status=422)
    return _to_integration(request, done="saved")


def preview(request: PanelRequest) -> func.HttpResponse:
    """Show what the URL will be, as far as the form is filled in."""
    integration = get_services().integrations.find(request.integration).definition
    shown = _preview(integration, fields.entered(request.form))
    return page(request, "_preview.html", preview=shown)


def _conflict(request: PanelRequest, values: Mapping[str, Value]) -> func.HttpResponse:
    """Show again what was entered, and where it differs from what is stored now.

    To save it from there is a decision: the form has the current ETag.
    """
    conflict, etag = _Conflict(), ""
    try:
        saved = get_services().endpoints.get(request.integration, request.endpoint)
    except GatewayError as error:
        if error.kind is not ENDPOINT_NOT_FOUND:
            raise
    else:
        document, _ = fields.read(values)
        differing = [name for name in document if document[name] != saved.document[name]]
        conflict, etag = _Conflict(tuple(differing)), saved.etag
    return _page(request, FormState(values), etag=etag, conflict=conflict, status=412)


def _page(
    request: PanelRequest, form: FormState, *, status: int = 200, **values: Any
) -> func.HttpResponse:
    services = get_services()
    integration = services.integrations.find(request.integration).definition
    code = request.endpoint if "endpoint" in request.values else None
    address = f"{services.settings.public_url}/api/invoke/{integration.code}/{code}"
    return page(
        request,
        "endpoint.html",
        status=status,
        form=form,
        integration=integration,
        code=code,
        invoke_url=address,
        preview=_preview(integration, form.values),
        url_fields=",".join(sorted(URL_FIELDS)),
        **{"etag": None, "conflict": None} | values,
    )


def _preview(integration: Integration, values: Mapping[str, Value]) -> _Preview:
    if not values["api_url"]:
        return _Preview(None, {})
    document, unread = fields.read(values)
    seen = preview_url(integration, document)
    errors = by_field(seen.problems) | unread
    return _Preview(seen.url, {name: errors[name] for name in errors if name in URL_FIELDS | {""}})


def _wants_preview(request: PanelRequest) -> bool:
    """Tell whether the button was pressed that stands for the live preview without JavaScript."""
    return "preview" in request.form


def _to_integration(request: PanelRequest, *, done: str) -> func.HttpResponse:
    return redirect(f"integrations/{request.integration}", done=done)
