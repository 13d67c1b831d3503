"""Read a JSON document into a definition, naming every problem at once; write it back.

The struct's own types are the rules, so that there is one place where a field is described.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from shared.domain.error_kinds import INVALID_PAYLOAD
from shared.domain.errors import FieldProblem, GatewayError
from shared.domain.payloads import NotReadable, read_json

_DEEPEST = 100  # far below what any recursion in the app or its libraries bears

Definition = TypeVar("Definition", bound=msgspec.Struct)

# A property of Table Storage holds 64 KiB of UTF-16; what is stored beside needs some of them.
_MOST_CHARACTERS = 30_000

# How msgspec says it, and how somebody reads it who knows neither Python nor JSON Schema.
_WORDING = (
    (re.compile(r"Expected `str` of length >= 1"), "must not be empty"),
    (re.compile(r"Expected `str` of length <= (\d+)"), r"must have at most \1 characters"),
    (re.compile(r"Expected `int` >= (\d+)"), r"must be at least \1"),
    (re.compile(r"Expected `int` <= (\d+)"), r"must be at most \1"),
    (re.compile(r"Invalid RFC3339 encoded date"), "must be a date such as 2026-12-31"),
    (re.compile(r"Expected (.+), got (.+)"), r"must be \1, not \2"),
)
_TYPE_NAMES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number with a fraction",
    "bool": "true or false",
    "date": "a date such as 2026-12-31",
    "object": "an object in braces",
    "array": "a list in brackets",
}


def parse_object(text: bytes, *, name: str = "The body") -> dict[str, Any]:
    """Parse a JSON object; GatewayError `invalid_payload` says where it is broken."""
    try:
        document = read_json(text)
    except NotReadable as error:
        raise GatewayError(INVALID_PAYLOAD, f"{name} is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise GatewayError(INVALID_PAYLOAD, f"{name} must be a JSON object.")
    if _is_too_deep(document):
        detail = f"{name} is nested more than {_DEEPEST} levels deep."
        raise GatewayError(INVALID_PAYLOAD, detail)
    return document


def decode(
    struct: type[Definition],
    document: dict[str, Any],
    check: Callable[[Definition, set[str]], list[FieldProblem]],
) -> tuple[Definition | None, list[FieldProblem]]:
    """Return the definition, or None and all its problems, those that `check` finds among them.

    `check` also gets the names of fields that cannot be read and have their default instead.
    """
    values = {}
    fields = _fields(struct)
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
            values[name] = msgspec.convert(document[name], field.type)
        except msgspec.ValidationError as error:
            problems += _problems(document[name], field.type, str(error), name)
    unread = {_field(problem) for problem in problems}
    blank = {name: "" for name, field in fields.items() if field.required}
    definition = struct(**(blank | values))
    further = check(definition, unread)
    problems += [problem for problem in further if _field(problem) not in unread]
    if not problems and _characters(definition) > _MOST_CHARACTERS:
        text = "must not have more than 30 000 characters as JSON; make schemas or texts shorter"
        problems.append(FieldProblem("", text))
    if problems:
        return None, sorted(problems, key=lambda problem: problem.pointer)
    return definition, []


def _characters(definition: msgspec.Struct) -> int:
    """Count as Table Storage does: some characters, such as emojis, take the place of two."""
    return len(msgspec.json.encode(definition).decode().encode("utf-16-le")) // 2


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


def _is_too_deep(document: dict[str, Any]) -> bool:
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        entries = (value.values() if isinstance(value, dict) else value for value in level)
        level = [entry for below in entries for entry in below if isinstance(entry, dict | list)]
        if not level:
            return False
    return True


@functools.cache
def _fields(struct: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.name: field for field in msgspec.structs.fields(struct)}


def _field(problem: FieldProblem) -> str:
    return problem.pointer.partition("/")[2].partition("/")[0]


def _problems(value: Any, kind: Any, text: str, *place: str | int) -> list[FieldProblem]:
    """Return the problem that msgspec found, or, inside a list or an object, that of each entry."""
    found = []
    if entry_kind := _entry_kind(value, kind):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            try:
                msgspec.convert(entry, entry_kind)
            except msgspec.ValidationError as error:
                found += _problems(entry, entry_kind, str(error), *place, key)
    return found or [FieldProblem(pointer(*place), _message(text, kind))]


def _entry_kind(value: Any, kind: Any) -> Any:
    """Return the type that `kind` asks of the entries of `value`; None where it holds none."""
    for option in (kind, *get_args(kind)):
        if get_origin(option) is type(value):
            return get_args(option)[-1]
    return None


def _message(text: str, kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "must be one of " + ", ".join(get_args(kind))
    for pattern, wording in _WORDING:
        text = pattern.sub(wording, text)
    return re.sub(
        r"`([^`]*)`",
        lambda match: " or ".join(_TYPE_NAMES.get(name, name) for name in match[1].split(" | ")),
        text,
    )
