"""The management API of integrations: one function for the collection and its members."""

from __future__ import annotations

import azure.functions as func

from functions.documents import list_response, saved_response
from functions.http import Request, method_not_allowed, trigger
from shared.bootstrap import get_services

blueprint = func.Blueprint()


@blueprint.route("integrations/{integration?}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@trigger
def integrations(request: Request) -> func.HttpResponse:
    """List, create, show, replace, change and delete integrations."""
    code = request.route("integration")
    return _member(request, code) if code else _collection(request)


def _collection(request: Request) -> func.HttpResponse:
    administration = get_services().integrations
    if request.method == "GET":
        return list_response(
            request, lambda after, limit: administration.list(after=after, limit=limit)
        )
    if request.method == "POST":
        return saved_response(request, administration.create(request.document()))
    raise method_not_allowed(["GET", "POST"])


def _member(request: Request, code: str) -> func.HttpResponse:
    administration, precondition = get_services().integrations, request.precondition
    if request.method == "GET":
        return saved_response(request, administration.get(code))
    if request.method == "PUT":
        return saved_response(request, administration.put(code, request.document(), precondition))
    if request.method == "PATCH":
        return saved_response(request, administration.patch(code, request.document(), precondition))
    if request.method == "DELETE":
        administration.delete(code, precondition)
        return func.HttpResponse(status_code=204)
    raise method_not_allowed(["GET", "PUT", "PATCH", "DELETE"])
