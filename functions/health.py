"""Whether the gateway can do its work."""

from __future__ import annotations

import azure.functions as func

from functions.http import Request, json_response, trigger
from shared.bootstrap import get_services
from shared.domain.errors import GatewayError

blueprint = func.Blueprint()


@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@trigger
def health(_: Request) -> func.HttpResponse:
    """Tell the state of storage and vault; nothing confidential."""
    try:
        report = get_services().health.report()
    except GatewayError as error:  # the settings; a monitor must see that as a failure
        return json_response({"status": "unavailable", "settings": error.detail}, status=503)
    document = {"status": report.status, "checks": report.checks}
    return json_response(document, status=503 if report.status == "unavailable" else 200)
