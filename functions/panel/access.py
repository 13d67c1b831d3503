"""Lets administrators in, and shows everybody else why not: what is not permitted is refused.

The principal's header is as good as whoever set it. It counts only where the platform says that
App Service Authentication is on, which then removes it from what clients send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.http import method_not_allowed
from functions.panel.assets import asset_response
from functions.panel.errors import ADMINISTRATOR_REQUIRED, NOT_SIGNED_IN
from functions.panel.request import PanelRequest
from functions.panel.routes import ROUTES
from functions.panel.routing import find
from functions.panel.same_origin import require_own_page
from shared.bootstrap import get_services
from shared.domain.errors import GatewayError
from shared.domain.principals import ADMINISTRATOR_ROLE, PRINCIPAL_HEADER, read_principal

if TYPE_CHECKING:
    import azure.functions as func

    from functions.http import Request

_ASSETS = "assets/"


def answer(request: Request) -> func.HttpResponse:
    """Answer with the page that the path names; GatewayError if there is none, or none for them."""
    path = request.route("path")
    if path.startswith(_ASSETS) and request.method == "GET":
        return asset_response(request, path.removeprefix(_ASSETS))
    settings = get_services().settings
    administrator = _administrator(request, has_easy_auth=settings.has_easy_auth)
    route, values = find(ROUTES, path)
    view = {"GET": route.get, "POST": route.post}.get(request.method)
    if view is None:
        raise method_not_allowed(["GET" if route.post is None else "POST"])
    if request.method != "GET":
        require_own_page(request.method, request.headers, settings.public_url)
    return view(PanelRequest(request, values, administrator))


def _administrator(request: Request, *, has_easy_auth: bool) -> str:
    """Return the name of the administrator who sends the request."""
    if not has_easy_auth:
        raise GatewayError(
            ADMINISTRATOR_REQUIRED,
            "App Service Authentication is off, so nobody can be told from anybody else.",
            hint="Switch App Service Authentication on for the function app (Microsoft as identity "
            "provider, unauthenticated requests allowed), then open the panel again.",
        )
    header = request.headers.get(PRINCIPAL_HEADER)
    if header is None:
        raise GatewayError(NOT_SIGNED_IN, "Nobody is signed in.")
    principal = read_principal(header)
    if principal is None or ADMINISTRATOR_ROLE not in principal.roles:
        raise GatewayError(
            ADMINISTRATOR_REQUIRED, f"This account lacks the app role {ADMINISTRATOR_ROLE}."
        )
    return principal.name or "an administrator"
