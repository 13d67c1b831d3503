"""The body of a call: checked, and sent on untouched unless its endpoint asks for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.error_kinds import (
    INVALID_PAYLOAD,
    LENGTH_REQUIRED,
    PAYLOAD_AGAINST_SCHEMA,
    PAYLOAD_TOO_LARGE,
)
from shared.domain.errors import GatewayError
from shared.domain.headers import is_json
from shared.domain.json_schema import schema_problems
from shared.domain.payloads import check_json, encode_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.domain.endpoint import Endpoint

_METHODS_WITHOUT_BODY = frozenset({"GET", "DELETE"})


def request_body(
    endpoint: Endpoint,
    body: bytes,
    *,
    headers: Mapping[str, str],
    was_lost: bool,
    max_bytes: int,
) -> bytes | None:
    """Return what to send; None for a method that has no body.

    `headers` are the caller's; `was_lost` says that a body was announced and not handed over.

    Raises GatewayError `length_required`, `payload_too_large` or `invalid_payload`.
    """
    _check_arrival(was_lost=was_lost)
    if len(body) > max_bytes:
        detail = f"The payload has {len(body)} bytes; {max_bytes} are allowed."
        raise GatewayError(PAYLOAD_TOO_LARGE, detail)
    if body and headers.get("content-encoding", "identity").lower() != "identity":
        raise GatewayError(
            INVALID_PAYLOAD,
            "The payload came compressed, which the gateway does not read.",
            hint="Send the body as it is, without Content-Encoding.",
        )
    if body and is_json(headers.get("content-type", "")):
        check_json(body)
    if endpoint.method in _METHODS_WITHOUT_BODY:
        return None  # "run it" is a POST for Power Automate, which always sends a body
    if endpoint.request_schema is not None:
        _check_schema(endpoint.request_schema, body)
    if endpoint.encode_parameters and body:
        return encode_parameters(body, endpoint.encode_parameters)
    return body


def check_no_body(body: bytes, *, was_lost: bool) -> None:
    """Refuse what a continuation would drop; an empty object is what Power Automate sends.

    Raises GatewayError `length_required` or `invalid_payload`.
    """
    _check_arrival(was_lost=was_lost)
    if body.strip() not in (b"", b"{}"):
        raise GatewayError(
            INVALID_PAYLOAD,
            "A continuation link only reads, and takes no payload.",
            hint="Follow the link with GET, or with POST and {} as the body; "
            "to send a payload, call the endpoint without gw_page.",
        )


def _check_arrival(*, was_lost: bool) -> None:
    if was_lost:
        raise GatewayError(LENGTH_REQUIRED, "The body was announced, and did not arrive.")


def _check_schema(schema: dict[str, object], body: bytes) -> None:
    if not body:
        raise GatewayError(INVALID_PAYLOAD, "The endpoint needs a JSON payload.")
    check_json(body)
    if problems := schema_problems(schema, body):
        raise GatewayError(
            PAYLOAD_AGAINST_SCHEMA,
            "The payload does not fit the endpoint's request_schema.",
            errors=tuple(problems),
        )
