"""The management API of endpoints: one function for an integration's collection and its members."""

from __future__ import annotations

import azure.functions as func

from functions.documents import list_response, saved_response
from functions.http import Request, method_not_allowed, trigger
from shared.bootstrap import get_services

blueprint = func.Blueprint()


@blueprint.route(
    "integrations/{integration}/endpoints/{endpoint?}",
    methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
)
@trigger
def endpoints(request: Request) -> func.HttpResponse:
    """List, create, show, replace, change and delete endpoints."""
    integration, code = request.route("integration"), request.route("endpoint")
    return _member(request, integration, code) if code else _collection(request, integration)


def _collection(request: Request, integration: str) -> func.HttpResponse:
    administration = get_services().endpoints
    if request.method == "GET":
        return list_response(
            request, lambda after, limit: administration.list(integration, after=after, limit=limit)
        )
    if request.method == "POST":
        return saved_response(request, administration.create(integration, request.document()))
    raise method_not_allowed(["GET", "POST"])


def _member(request: Request, integration: str, code: str) -> func.HttpResponse:
    administration, precondition = get_services().endpoints, request.precondition
    if request.method == "GET":
        return saved_response(request, administration.get(integration, code))
    if request.method == "PUT":
        saved = administration.put(integration, code, request.document(), precondition)
        return saved_response(request, saved)
    if request.method == "PATCH":
        saved = administration.patch(integration, code, request.document(), precondition)
        return saved_response(request, saved)
    if request.method == "DELETE":
        administration.delete(integration, code, precondition)
        return func.HttpResponse(status_code=204)
    raise method_not_allowed(["GET", "PUT", "PATCH", "DELETE"])
