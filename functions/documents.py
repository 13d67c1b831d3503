"""Answers of the management API: stored documents and lists of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from functions.http import Request, json_response
from shared.bootstrap import get_services
from shared.domain.codes import fold, is_code
from shared.domain.error_kinds import INVALID_PARAMETER
from shared.domain.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable

    import azure.functions as func

    from shared.services.editing import Page, Saved

_DEFAULT_LIMIT = 100
_HIGHEST_LIMIT = 500
_LIMIT = re.compile(r"[0-9]{1,3}")


def saved_response(request: Request, saved: Saved) -> func.HttpResponse:
    """Answer with a document and its ETag; a new one is 201 and says where it is."""
    headers = {"ETag": saved.etag}
    if not saved.is_new:
        return json_response(saved.document, headers=headers)
    path, code = request.path.rstrip("/"), str(saved.document["code"])
    if request.method == "POST":
        path = f"{path}/{code}"
    headers["Location"] = f"{get_services().settings.public_url}{path}"
    return json_response(saved.document, status=201, headers=headers)


def list_response(request: Request, list_page: Callable[[str, int], Page]) -> func.HttpResponse:
    """Answer `{"value": [...], "nextLink": ...}` with the page that `after` and `limit` ask for."""
    limit = read_limit(request)
    after = fold(request.parameters.get("after", ""))
    if after and not is_code(after):
        raise GatewayError(
            INVALID_PARAMETER,
            "after must be the code of a definition.",
            hint="Follow nextLink as it is, or leave after out.",
        )
    return page_response(request, list_page(after, limit), limit=limit)


def read_limit(request: Request) -> int:
    """Return how many entries a page may have; GatewayError `invalid_parameter`."""
    limit = request.parameters.get("limit", str(_DEFAULT_LIMIT))
    if not (_LIMIT.fullmatch(limit) and 0 < int(limit) <= _HIGHEST_LIMIT):
        raise GatewayError(
            INVALID_PARAMETER,
            f"limit must be a number from 1 to {_HIGHEST_LIMIT}.",
            hint="Leave limit out, or correct it.",
        )
    return int(limit)


def page_response(request: Request, page: Page, *, limit: int, **wanted: str) -> func.HttpResponse:
    """Answer with a page, and a link to the next one that asks for the same."""
    next_link = None
    if page.next_after is not None:
        query = urlencode({**wanted, "after": page.next_after, "limit": limit})
        next_link = f"{get_services().settings.public_url}{request.path}?{query}"
    return json_response({"value": page.documents, "nextLink": next_link})
