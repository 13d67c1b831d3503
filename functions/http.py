"""From an HTTP request to a service call and back: parsing, errors, headers of every answer.

A trigger is a function from `Request` to an `HttpResponse`, wrapped by `trigger`.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

import azure.functions as func
import msgspec

from shared.domain.codes import fold, is_code
from shared.domain.documents import parse_object
from shared.domain.error_kinds import (
    INTERNAL_ERROR,
    LENGTH_REQUIRED,
    METHOD_NOT_ALLOWED,
    PAYLOAD_TOO_LARGE,
)
from shared.domain.errors import GatewayError, IdentityRefused
from shared.services.editing import Precondition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_log = logging.getLogger("gateway")

# Nothing that an upstream sends may run beside the panel, which shares the origin.
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LONGEST_DOCUMENT_BYTES = 256 * 1024


class Request:
    """A request as the triggers read it."""

    def __init__(self, raw: func.HttpRequest) -> None:
        """Read from the host's own request."""
        self._raw = raw
        self.id = str(uuid.uuid4())
        self.method = raw.method.upper()
        self.headers: Mapping[str, str] = raw.headers
        self.parameters: Mapping[str, str] = raw.params

    @property
    def path(self) -> str:
        """The path of the URL, without the query, which may hold a key."""
        # The host's name comes from the client; parsing it could fail.
        before_query = str(self._raw.url).partition("?")[0]
        return "/" + before_query.partition("://")[2].partition("/")[2]

    @property
    def raw_query(self) -> str:
        """The query as it came, byte for byte."""
        return str(self._raw.url).partition("?")[2].partition("#")[0]

    @property
    def body(self) -> bytes:
        """The body; empty where the host handed none over."""
        return self._raw.get_body()

    @property
    def has_lost_body(self) -> bool:
        """Tell whether a body was announced that the host did not hand over: chunked ones."""
        return not self.body and "transfer-encoding" in self.headers

    @property
    def precondition(self) -> Precondition:
        """The conditions of a write."""
        return Precondition(self.headers.get("if-match"), self.headers.get("if-none-match"))

    def route(self, name: str) -> str:
        """Return a part of the route, empty where it was left out."""
        return self._raw.route_params.get(name) or ""

    def document(self) -> dict[str, Any]:
        """Return the JSON object in the body; GatewayError `invalid_payload`."""
        if self.has_lost_body:
            raise GatewayError(LENGTH_REQUIRED, "The body was announced, and did not arrive.")
        if len(self.body) > _LONGEST_DOCUMENT_BYTES:
            raise GatewayError(PAYLOAD_TOO_LARGE, "A definition may have 256 KiB at most.",
                               hint="Make the definition smaller.")  # fmt: skip
        return parse_object(self.body)

    def cookies(self) -> dict[str, str]:
        """Return the cookies; other people's malformed ones do no harm."""
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, equals, value in pairs if equals}

    def accepts(self, media_type: str) -> bool:
        """Tell whether the caller asks for this media type by name."""
        return media_type in self.headers.get("accept", "").lower()


def trigger(
    handler: Callable[[Request], func.HttpResponse],
    *,
    render_error: Callable[[Request, GatewayError], func.HttpResponse] | None = None,
) -> Callable[[func.HttpRequest], func.HttpResponse]:
    """Wrap a handler: its errors become answers, and every answer gets the gateway's headers."""

    def run(req: func.HttpRequest) -> func.HttpResponse:
        request = Request(req)
        try:
            response = handler(request)
        except GatewayError as error:
            response = (render_error or problem)(request, error)
        except Exception:  # noqa: BLE001 - the outermost frame: the host would answer an empty 500
            _log.exception("Unexpected error in request %s", request.id)
            detail = "An unexpected error occurred; the gateway's log has it under the request_id."
            response = (render_error or problem)(request, GatewayError(INTERNAL_ERROR, detail))
        return _finished(response, request)

    run.__name__ = handler.__name__
    run.__doc__ = handler.__doc__
    return run


def json_response(
    document: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    """Answer with a JSON document."""
    return func.HttpResponse(
        msgspec.json.encode(document),
        status_code=status,
        headers=dict(headers or {}),
        mimetype="application/json",
    )


def problem(request: Request, error: GatewayError) -> func.HttpResponse:
    """Answer with an error, as RFC 9457 has it."""
    kind = error.kind
    document: dict[str, Any] = {
        "type": f"urn:business-central-gateway:error:{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
        "instance": request.path,
        "code": kind.code,
        "source": kind.source,
        "retryable": kind.retryable,
        "hint": _hint_with_link(request, error),
        "request_id": request.id,
    }
    if error.errors:
        document["errors"] = [
            {"pointer": each.pointer, "message": each.message} for each in error.errors
        ]
    if error.upstream is not None:
        document["upstream"] = error.upstream
    headers = {"X-Gateway-Source": kind.source} | error.headers
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return func.HttpResponse(
        msgspec.json.encode(document),
        status_code=kind.status,
        headers=headers,
        mimetype="application/problem+json",
    )


def hint_for(request: Request, error: GatewayError) -> str:
    """Return the error's hint with the integration that the request is about."""
    integration = fold(request.route("integration"))
    return error.hint.replace("{integration}", integration if is_code(integration) else "...")


def _hint_with_link(request: Request, error: GatewayError) -> str:
    hint = hint_for(request, error)
    if isinstance(error, IdentityRefused) and error.admin_consent_url is not None:
        return f"{hint} An administrator can consent here: {error.admin_consent_url}"
    return hint


def method_not_allowed(allowed: list[str]) -> GatewayError:
    """Return the error for a method that the route does not know."""
    return GatewayError(
        METHOD_NOT_ALLOWED, "The method is not known here.", headers={"Allow": ", ".join(allowed)}
    )


def _finished(response: func.HttpResponse, request: Request) -> func.HttpResponse:
    defaults = _SECURITY_HEADERS | {
        "X-Gateway-Source": "gateway",
        "X-Gateway-Request-Id": request.id,
    }
    for name, value in defaults.items():
        if name not in response.headers:
            response.headers[name] = value
    return response
