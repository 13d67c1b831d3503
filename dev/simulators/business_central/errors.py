"""Error answers: their shape and the recurring ones (bc-api.md section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import msgspec
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request

JSON_TYPES = {"*/*", "application/*", "application/json"}


class ODataError(Exception):
    """An answer other than success; the server adds the correlation id to its message."""

    is_front_end = False

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


class FrontEndError(ODataError):
    """An answer of the routing layer in front of the server: no correlation id, XML at heart."""

    is_front_end = True


def bad_request(message: str) -> ODataError:
    """Say that the request itself is wrong."""
    return ODataError(400, "BadRequest", message)


def al_error(message: str) -> ODataError:
    """Answer as the AL statement `Error(message)` does."""
    return ODataError(400, "Application_DialogException", message)


def record_not_found(caption: str, identification: str) -> ODataError:
    """Answer as the AL statement `Get` on a missing record does."""
    return ODataError(
        404,
        "Internal_RecordNotFound",
        f"The {caption} does not exist. Identification fields and values: {identification}",
    )


def resource_not_found(segment: str) -> ODataError:
    """Say that a path segment names nothing."""
    message = f"Resource not found for the segment '{segment}'."
    return ODataError(404, "BadRequest_ResourceNotFound", message)


def uri_not_found(url: str) -> ODataError:
    """Say that the whole URL names nothing, as for an unpublished web service."""
    message = f"No HTTP resource was found that matches the request URI '{url}'."
    return ODataError(404, "BadRequest_NotFound", message)


def query_syntax_error() -> ODataError:
    """Say that a key in the path cannot be read."""
    return ODataError(400, "BadRequest_NotFound", "Bad Request - Error in query syntax.")


def method_not_allowed(method: str, name: str, allowed: str, kind: str = "Entity") -> ODataError:
    """Refuse a method; RFC 9110 section 15.5.6 demands the header."""
    return ODataError(
        405,
        "BadRequest_MethodNotAllowed",
        f"'{method}' requests for '{name}' of EdmType '{kind}' are not allowed within "
        "Dynamics 365 Business Central OData web services.",
        {"Allow": allowed},
    )


def error_response(error: ODataError, request: Request, correlation_id: str) -> Response:
    """Render an error as JSON, or as XML where the caller does not take JSON."""
    message = error.message
    if not error.is_front_end:
        message += f"  CorrelationId:  {correlation_id}."
    if _wants_json(request, is_explicit=error.is_front_end):
        content_type = "application/json; odata.metadata=minimal; odata.streaming=true"
        body = msgspec.json.encode({"error": {"code": error.code, "message": message}})
    else:
        content_type = "application/xml"
        body = (
            '<error xmlns="http://docs.oasis-open.org/odata/ns/metadata">'
            f"<code>{error.code}</code><message>{escape(message)}</message></error>"
        ).encode()
    return Response(body, error.status, error.headers, content_type=content_type)


def _wants_json(request: Request, *, is_explicit: bool) -> bool:
    accepted = {
        media_range.partition(";")[0].strip().lower()
        for media_range, quality in request.accept_mimetypes
        if quality > 0
    }
    if is_explicit:
        return "application/json" in accepted
    return not accepted or bool(accepted & JSON_TYPES)
