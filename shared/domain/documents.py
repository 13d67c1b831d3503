"""Read a JSON document into a definition, naming every problem at once; write it back.

The struct's own types are the rules, so that there is one place where a field is described.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from shared.domain.errors import INVALID_PAYLOAD, FieldProblem, GatewayError

Definition = TypeVar("Definition", bound=msgspec.Struct)

_MESSAGE = re.compile(r"(?P<message>.*?)(?: - at `\$?(?P<path>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>[^\]]+)\]")


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; GatewayError `invalid_payload` says where it is broken."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GatewayError(INVALID_PAYLOAD, f"The body is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise GatewayError(INVALID_PAYLOAD, "The body must be a JSON object.")
    return document


def decode(
    struct: type[Definition], document: dict[str, Any]
) -> tuple[Definition | None, list[FieldProblem]]:
    """Return the definition, or None and all problems of its fields."""
    values = {}
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    problems = [
        FieldProblem(pointer(name), "is not a field that the gateway knows")
        for name in document.keys() - fields.keys()
    ]
    for name, field in fields.items():
        if name not in document:
            if field.required:
                problems.append(FieldProblem(pointer(name), "is required"))
            continue
        try:
            values[name] = msgspec.convert(document[name], field.type, str_keys=True)
        except msgspec.ValidationError as error:
            problems.append(_problem(name, str(error)))
    if problems:
        return None, sorted(problems, key=lambda problem: problem.pointer)
    return struct(**values), []


def to_document(definition: msgspec.Struct) -> dict[str, Any]:
    """Return the definition as plain JSON values."""
    document = msgspec.to_builtins(definition)
    assert isinstance(document, dict)  # noqa: S101 - a struct is always an object
    return document


def merge_patch(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Apply a JSON merge patch (RFC 7396): null removes, objects merge, the rest replaces."""
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            below = merged.get(name)
            merged[name] = merge_patch(below if isinstance(below, dict) else {}, value)
        else:
            merged[name] = value
    return merged


def pointer(*steps: str | int) -> str:
    """Return the JSON pointer (RFC 6901) to a place in a document."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def _problem(name: str, text: str) -> FieldProblem:
    match = _MESSAGE.fullmatch(text)
    assert match is not None  # noqa: S101 - every part of the expression may be empty
    steps = [step["name"] or step["index"] for step in _STEP.finditer(match["path"] or "")]
    message = match["message"].replace("`", "")
    message = message[:1].lower() + message[1:]
    return FieldProblem(pointer(name, *(step for step in steps if step != "...")), message)
