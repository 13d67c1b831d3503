"""The main job: run an endpoint by its name."""

from __future__ import annotations

import azure.functions as func

from functions.http import Request, trigger
from shared.bootstrap import get_services
from shared.services.invocation import Call

blueprint = func.Blueprint()


# The host answers an unlisted method with 404; listed, the caller learns which one is right.
@blueprint.route(
    "invoke/{integration}/{endpoint}", methods=["GET", "POST", "PATCH", "PUT", "DELETE"]
)
@trigger
def invoke(request: Request) -> func.HttpResponse:
    """Run an endpoint and answer as the service behind it did."""
    call = Call(
        integration=request.route("integration"),
        endpoint=request.route("endpoint"),
        method=request.method,
        query=request.raw_query,
        headers=request.headers,
        body=request.body,
        request_id=request.id,
        has_lost_body=request.has_lost_body,
    )
    reply = get_services().invocation.run(call)
    return func.HttpResponse(
        reply.body,
        status_code=reply.status,
        headers=reply.headers | {"X-Gateway-Source": "upstream"},
        mimetype="application/octet-stream",
    )
