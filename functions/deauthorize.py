"""End a sign-in."""

from __future__ import annotations

import azure.functions as func

from functions.http import Request, json_response, trigger
from shared.bootstrap import get_services

blueprint = func.Blueprint()


@blueprint.route("deauthorize/{integration}", methods=["POST"])
@trigger
def deauthorize(request: Request) -> func.HttpResponse:
    """Forget all tokens of an integration, and revoke them where the provider can."""
    services = get_services()
    record = services.integrations.find(request.route("integration"))
    revoked = services.sign_off.deauthorize(record)
    return json_response(
        {"integration": record.code, "revoked": revoked, "status": "not_authorized"}
    )
