"""What the panel shows instead of a page: what went wrong, and what to do next."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from functions.http import hint_for
from functions.panel.errors import ADMINISTRATOR_REQUIRED
from functions.panel.rendering import html

if TYPE_CHECKING:
    import azure.functions as func

    from functions.http import Request
    from shared.domain.errors import GatewayError


def error_page(request: Request, error: GatewayError) -> func.HttpResponse:
    """Answer with the error as a page or, for htmx, as a part of one."""
    kind = error.kind
    is_fragment = request.headers.get("hx-request") == "true"
    response = html(
        "_error.html" if is_fragment else "error.html",
        status=kind.status,
        title=kind.title,
        detail=error.detail,
        hint=hint_for(request, error),
        code=kind.code,
        request_id=request.id,
        may_sign_in=kind.status == HTTPStatus.UNAUTHORIZED,
        may_sign_out=kind is ADMINISTRATOR_REQUIRED,
        current_path=request.path,
    )
    response.headers["X-Gateway-Source"] = kind.source
    for name, value in error.headers.items():
        response.headers[name] = value
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response
