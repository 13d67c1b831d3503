"""The companies to choose from in the form of an integration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.panel.rendering import page
from shared.bootstrap import get_services
from shared.domain.error_kinds import SIGN_IN_REQUIRED
from shared.domain.errors import GatewayError

if TYPE_CHECKING:
    import azure.functions as func

    from functions.panel.request import PanelRequest
    from shared.services.companies import ListedCompany

_SIGN_IN_FIRST = "Sign in under Authorization, then choose from the list here."


def show(request: PanelRequest) -> func.HttpResponse:
    """Show the companies as Business Central lists them, or why there is no list."""
    services = get_services()
    record = services.integrations.find(request.integration)
    found: list[ListedCompany] = []
    problem, remedy = None, ""
    try:
        found = services.companies.names(record, request_id=request.http.id)
    except GatewayError as error:
        problem = error
        remedy = _SIGN_IN_FIRST if error.kind is SIGN_IN_REQUIRED else error.hint
    return page(request, "_companies.html", companies=found, problem=problem, remedy=remedy)
