"""JSON in and out of a call, without ever touching a number.

Values are moved as raw text (msgspec.Raw), so that decimals and 64-bit integers stay bit-exact.
"""

from __future__ import annotations

import msgspec

from shared.domain.errors import INVALID_PAYLOAD, FieldProblem, GatewayError


def check_json(body: bytes) -> None:
    """Raise GatewayError `invalid_payload` unless the body is one JSON value."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
        body.decode()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GatewayError(
            INVALID_PAYLOAD,
            f"The payload is announced as JSON and is none: {error}.",
            hint="Correct the body, or send it with its true Content-Type.",
        ) from error


def encode_parameters(body: bytes, names: list[str]) -> bytes:
    """Turn the named members into texts that hold their JSON, as BC's Text parameters want it."""
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError as error:
        problem = FieldProblem("", "must be a JSON object")
        raise GatewayError(INVALID_PAYLOAD, "The payload must be a JSON object.",
                           errors=(problem,)) from error  # fmt: skip
    for name in names:
        raw = bytes(members[name]) if name in members else b'"'
        if not raw.lstrip().startswith(b'"'):
            members[name] = msgspec.Raw(msgspec.json.encode(raw.decode()))
    return msgspec.json.encode(members)


def decode_value(body: bytes) -> bytes:
    """Replace a `value` that is a text of JSON by that JSON; anything else stays as it is."""
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        text = msgspec.json.decode(members["value"], type=str)
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError):
        return body
    members["value"] = msgspec.Raw(text.encode())
    return msgspec.json.encode(members)
