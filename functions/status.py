"""The health of an integration's tokens."""

from __future__ import annotations

import azure.functions as func

from functions.http import Request, json_response, trigger
from shared.bootstrap import get_services

blueprint = func.Blueprint()


@blueprint.route("integrations/{integration}/status", methods=["GET"])
@trigger
def status(request: Request) -> func.HttpResponse:
    """Tell who is signed in, how old the token is, and what is wrong; never a secret."""
    return json_response(get_services().token_status.of(request.route("integration")))
