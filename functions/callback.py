"""The end of a sign-in: the identity provider sends the browser back here.

Anonymous at the host, which would otherwise take the provider's `code` for a function key.
"""

from __future__ import annotations

import azure.functions as func

from functions.http import Request, json_response
from functions.sign_in_pages import (
    asset_response,
    clear_cookies,
    consent_page,
    page_trigger,
    result_page,
)
from shared.bootstrap import get_services
from shared.services.authorization import FinishedSignIn, ProviderAnswer

blueprint = func.Blueprint()


@blueprint.route("callback", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@page_trigger
def callback(request: Request) -> func.HttpResponse:
    """Finish the sign-in and say in plain words what happened."""
    asset = asset_response(request.parameters.get("asset", ""))
    if asset is not None:
        return asset
    if _is_admin_consent(request):
        return consent_page(
            error=request.parameters.get("error", ""),
            error_description=request.parameters.get("error_description", ""),
        )
    answer = ProviderAnswer(
        unverified_state=request.parameters.get("state", ""),
        code=request.parameters.get("code", ""),
        error=request.parameters.get("error", ""),
        error_description=request.parameters.get("error_description", ""),
    )
    finished = get_services().authorization.finish(answer, request.cookies())
    response = _success(request, finished)
    clear_cookies(request, response)
    return response


def _is_admin_consent(request: Request) -> bool:
    """Tell whether the browser comes from Entra's page for the consent of administrators.

    Without a state, since a link that is handed around has none: learn.microsoft.com/entra/
    identity-platform/v2-admin-consent. With one, the way back is that of a sign-in.
    """
    return "admin_consent" in request.parameters and "state" not in request.parameters


def _success(request: Request, finished: FinishedSignIn) -> func.HttpResponse:
    if request.accepts("application/json"):
        return json_response(
            {
                "integration": finished.integration,
                "status": "authorized",
                "signed_in_as": finished.signed_in_as,
            }
        )
    who = f" as {finished.signed_in_as}" if finished.signed_in_as else ""
    return result_page(
        request,
        title="Signed in",
        message=f"{finished.name} is connected{who}.",
        hint=""
        if finished.is_renewable
        else "The provider gave no refresh token, so this sign-in ends with its first token. Add "
        "offline_access to scope and sign in again.",
        integration=finished.integration,
    )
