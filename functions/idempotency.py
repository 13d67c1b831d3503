"""Idempotency keys for administrators; the key comes in its header, never in a URL."""

from __future__ import annotations

from typing import Literal

import azure.functions as func

from functions.http import Request, json_response, trigger
from shared.bootstrap import get_services
from shared.domain.error_kinds import INVALID_PARAMETER
from shared.domain.errors import GatewayError

blueprint = func.Blueprint()


@blueprint.route(
    "integrations/{integration}/endpoints/{endpoint}/idempotency", methods=["GET", "POST"]
)
@trigger
def idempotency(request: Request) -> func.HttpResponse:
    """Show what became of the call with a key, or settle what nobody knows."""
    kept_calls = get_services().kept_calls
    integration, endpoint = request.route("integration"), request.route("endpoint")
    if request.method == "GET":
        return json_response(kept_calls.show(integration, endpoint, request.headers))
    settled = kept_calls.settle(integration, endpoint, request.headers, _outcome(request))
    return func.HttpResponse(status_code=204) if settled is None else json_response(settled)


def _outcome(request: Request) -> Literal["done", "not_done"]:
    match request.document():
        case {"outcome": "done", **others} if not others:
            return "done"
        case {"outcome": "not_done", **others} if not others:
            return "not_done"
    raise GatewayError(
        INVALID_PARAMETER,
        "outcome must be done or not_done, and stand alone.",
        hint='Look in Business Central, then send {"outcome": "done"} or {"outcome": "not_done"}.',
    )
