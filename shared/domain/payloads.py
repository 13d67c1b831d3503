"""JSON in and out of a call, without ever touching a number.

Values are moved as raw text (msgspec.Raw), so that decimals and 64-bit integers stay bit-exact.
"""

from __future__ import annotations

from typing import Any

import msgspec

from shared.domain.error_kinds import INVALID_PAYLOAD
from shared.domain.errors import FieldProblem, GatewayError


class NotReadable(Exception):
    """A text is not JSON, not of the form that was asked for, or more than can be read."""


def read_json(text: bytes | str | msgspec.Raw, form: Any = Any) -> Any:
    """Read JSON that came from outside; raise NotReadable, whatever is wrong with it."""
    try:
        if isinstance(text, bytes):
            text.decode()  # msgspec does not look into what it hands on as Raw
        return msgspec.json.decode(text, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotReadable(str(error)) from error
    except RecursionError as error:
        raise NotReadable("it is nested too deeply") from error


def check_json(body: bytes) -> None:
    """Raise GatewayError `invalid_payload` unless the body is one JSON value."""
    try:
        read_json(body, msgspec.Raw)
    except NotReadable as error:
        raise GatewayError(
            INVALID_PAYLOAD,
            f"The payload cannot be read as JSON: {error}.",
            hint="Correct the body, or send it with its true Content-Type.",
        ) from error


def encode_parameters(body: bytes, names: list[str]) -> bytes:
    """Turn the named members into texts that hold their JSON, as BC's Text parameters want it."""
    try:
        members: dict[str, msgspec.Raw] = read_json(body, dict[str, msgspec.Raw])
    except NotReadable as error:
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
        members: dict[str, msgspec.Raw] = read_json(body, dict[str, msgspec.Raw])
        text: str = read_json(members["value"], str)
        members["value"] = read_json(text, msgspec.Raw)
    except (NotReadable, KeyError):
        return body
    return msgspec.json.encode(members)
