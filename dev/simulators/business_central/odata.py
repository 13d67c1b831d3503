"""How entities look on the wire: contexts, etags, JSON (bc-api.md section 7)."""

from __future__ import annotations

import base64
import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from werkzeug.wrappers import Response

from dev.simulators.business_central.errors import ODataError, bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from werkzeug.wrappers import Request

    from dev.simulators.business_central.database import Row
    from dev.simulators.business_central.schema import Field

JSON_TYPE = "application/json; odata.metadata=minimal; odata.streaming=true"

# Decimals leave as bare numbers, digit by digit.
_encoder = msgspec.json.Encoder(decimal_format="number")


def to_json(document: object) -> bytes:
    """Write JSON without losing a digit."""
    return _encoder.encode(document)


def from_json(text: str | bytes) -> Any:
    """Read JSON without losing a digit."""
    return json.loads(text, parse_float=Decimal)


def json_response(
    document: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with JSON."""
    return Response(to_json(document), status, headers, content_type=JSON_TYPE)


def empty_response(status: int = 204) -> Response:
    """Answer without a body, and so without a content type."""
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response


def json_object(request: Request) -> dict[str, Any]:
    """Read the JSON object in a request's body; an empty body counts as an empty object."""
    body = request.get_data()
    if not body:
        return {}
    if request.mimetype != "application/json":
        message = f"The content type '{request.content_type}' is not supported."
        raise ODataError(415, "BadRequest", message)
    try:
        document = from_json(body)
    except ValueError as error:
        raise bad_request("Invalid Request Body") from error
    if not isinstance(document, dict):
        raise bad_request("Invalid Request Body")
    return document


def etag(row: Row) -> str:
    """Return the etag of a row: base64 of a quoted text with the row's version inside."""
    digest = hashlib.sha256(f"{row['id']} {row['version']}".encode()).digest()
    number = 10**18 + int.from_bytes(digest[:7], "big")
    text = base64.b64encode(f"'19;{number}1;00;'".encode()).decode()
    return f'W/"{text}"'


def entity_json(row: Row, fields: Iterable[Field]) -> dict[str, Any]:
    """Return an entity as it stands in a list. Companies have no etag."""
    tag = {"@odata.etag": etag(row)} if "version" in row else {}
    return tag | {field.name: field.value(row) for field in fields}


def check_etag(request: Request, row: Row, *, is_required: bool) -> None:
    """Hold `If-Match` against the row; stale is 409 here, not the 412 of the standard."""
    expected = request.headers.get("If-Match")
    if expected is None and is_required:
        raise ODataError(
            400,
            "BadRequest_InvalidToken",
            "Could not validate the client concurrency token required by the service. "
            "Please provide a valid token in the client request.",
        )
    if expected not in (None, "*", etag(row)):
        message = "Another user has already changed the record."
        raise ODataError(409, "Request_EntityChanged", message)
