"""The description of the API, for people and tools."""

from __future__ import annotations

import azure.functions as func

from functions.http import Request, trigger

blueprint = func.Blueprint()

_CACHING = "public, max-age=300"


@blueprint.route("openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@trigger
def openapi(request: Request) -> func.HttpResponse:
    """Give the OpenAPI document; nothing in it is confidential."""
    from shared.services.openapi.document import served  # noqa: PLC0415 - no cold start needs it

    document = served()
    headers = {"ETag": document.etag, "Cache-Control": _CACHING}
    if document.etag in request.headers.get("if-none-match", ""):
        return func.HttpResponse(status_code=304, headers=headers)
    return func.HttpResponse(document.body, headers=headers, mimetype="application/json")
