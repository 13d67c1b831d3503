"""The kinds of fields that are typed: how a value is shown as text, and read from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.panel.filters import as_json
from functions.panel.forms.lines import from_list, from_map, to_list, to_map
from shared.domain.documents import parse_object
from shared.domain.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.panel.forms.state import Value

_BYTE = re.compile(r"\(byte (\d+)\)")


@dataclass(frozen=True, slots=True)
class FieldKind:
    """How a value of the definition is shown as text, and read from it or refused (ValueError)."""

    show: Callable[[Any], str]
    read: Callable[[str], Any]


def show_all(kinds: Mapping[str, FieldKind], document: Mapping[str, Any]) -> dict[str, Value]:
    """Return what the fields show of a definition."""
    return {name: kind.show(document[name]) for name, kind in kinds.items()}


def read_all(
    kinds: Mapping[str, FieldKind], values: Mapping[str, Value]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what was entered, and which fields could not be read and why.

    Those stay text, which none of them takes: so the service names them among all other problems,
    and stores nothing.
    """
    document: dict[str, Any] = {}
    errors = {}
    for name, kind in kinds.items():
        text = str(values[name])
        try:
            document[name] = kind.read(text)
        except ValueError as error:
            document[name], errors[name] = text, str(error)
    return document, errors


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be a whole number") from None


def _schema(text: str) -> dict[str, Any] | None:
    if not text.strip():
        return None
    try:
        return parse_object(text.encode(), name="The text")
    except GatewayError as error:
        raise ValueError(_with_line(error.detail, text)) from error


def _with_line(message: str, text: str) -> str:
    """Say the line where the reader of JSON says the byte."""
    before = _BYTE.search(message)
    if before is None:
        return message
    line = text.encode()[: int(before[1])].count(b"\n") + 1
    return _BYTE.sub(f"(line {line})", message)


TEXT = FieldKind(str, str.strip)
OPTIONAL = FieldKind(
    lambda value: "" if value is None else str(value), lambda text: text.strip() or None
)
NUMBER = FieldKind(str, _number)
LIST = FieldKind(from_list, to_list)
MAP = FieldKind(from_map, to_map)
SCHEMA = FieldKind(lambda value: "" if value is None else as_json(value), _schema)
