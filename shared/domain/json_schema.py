"""JSON Schema for payloads: what may be stored, and what a document does not fit.

jsonschema-rs is imported on first use: most endpoints have no schema.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

import msgspec

from shared.domain.documents import pointer
from shared.domain.errors import FieldProblem
from shared.domain.payloads import NotReadable, read_json

if TYPE_CHECKING:
    import jsonschema_rs

_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_DIALECTS = ("http://json-schema.org/", "https://json-schema.org/")
_LONGEST_MESSAGE = 300
_MOST_PROBLEMS = 50


def schema_definition_problem(schema: dict[str, Any]) -> str | None:
    """Return why a schema may not be stored, or None."""
    if foreign := _foreign_reference(schema):
        return f"must not refer to anything outside itself ({foreign})"
    import jsonschema_rs  # noqa: PLC0415

    try:
        jsonschema_rs.validator_for(schema, retriever=_refuse)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        first_line = str(error).partition("\n")[0]
        return f"is not a valid JSON Schema: {first_line[:_LONGEST_MESSAGE]}"
    return None


def schema_problems(schema: dict[str, Any], body: bytes) -> list[FieldProblem]:
    """Return the places where a JSON body does not fit, the first fifty of them."""
    validator = _validator(msgspec.json.encode(schema))
    try:
        return [
            FieldProblem(pointer(*error.instance_path), error.message[:_LONGEST_MESSAGE])
            for error in itertools.islice(validator.iter_errors(read_json(body)), _MOST_PROBLEMS)
        ]
    except (NotReadable, ValueError) as error:  # the latter for what is nested too deeply
        return [FieldProblem("", f"cannot be checked: {error}")]


@functools.lru_cache(maxsize=256)
def _validator(schema: bytes) -> jsonschema_rs.Validator:
    """Build a validator; it takes longer than the call of most payloads, so they are kept."""
    import jsonschema_rs  # noqa: PLC0415

    return jsonschema_rs.validator_for(msgspec.json.decode(schema), retriever=_refuse)


def _foreign_reference(value: object) -> str | None:
    """Find what would make a validator load something: it would do so from anywhere."""
    if isinstance(value, list):
        return next(filter(None, map(_foreign_reference, value)), None)
    if not isinstance(value, dict):
        return None
    for name, below in value.items():
        if isinstance(below, str) and _leads_outside(str(name), below):
            return str(name)
        if found := _foreign_reference(below):
            return found
    return None


def _leads_outside(name: str, uri: str) -> bool:
    if name == "$schema":
        return not uri.startswith(_DIALECTS)
    if name in {"$id", "id"}:
        return ":" in uri
    return name in _REFERENCES and not uri.startswith("#")


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is outside the schema")
