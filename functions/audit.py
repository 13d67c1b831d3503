"""Who changed what, and when."""

from __future__ import annotations

import azure.functions as func

from functions.documents import page_response, read_limit
from functions.http import Request, trigger
from shared.bootstrap import get_services

blueprint = func.Blueprint()


@blueprint.route("audit", methods=["GET"])
@trigger
def audit(request: Request) -> func.HttpResponse:
    """List the changes, the latest first: all, or those of an integration or an endpoint."""
    given = request.parameters
    wanted = {name: given[name] for name in ("integration", "endpoint") if given.get(name)}
    limit = read_limit(request)
    page = get_services().audit.list(after=given.get("after", ""), limit=limit, **wanted)
    return page_response(request, page, limit=limit, **wanted)
