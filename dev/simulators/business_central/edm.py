"""The primitive types: their JSON values and their literals in URLs (OData 4.0 part 2, 5.1)."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any
from uuid import UUID

STRING_LITERAL = re.compile(r"'((?:[^']|'')*)'")
BOOLEANS = {"true": True, "false": False}


class Edm(Enum):
    """A primitive type; the value is its name in `$metadata`."""

    STRING = "Edm.String"
    INT32 = "Edm.Int32"
    DECIMAL = "Edm.Decimal"
    BOOLEAN = "Edm.Boolean"
    GUID = "Edm.Guid"
    DATE = "Edm.Date"
    DATE_TIME = "Edm.DateTimeOffset"


# What an AL variable holds before anything is assigned to it.
BLANKS: dict[Edm, Any] = {
    Edm.STRING: "",
    Edm.INT32: 0,
    Edm.DECIMAL: 0,
    Edm.BOOLEAN: False,
    Edm.GUID: "00000000-0000-0000-0000-000000000000",
    Edm.DATE: "0001-01-01",
    Edm.DATE_TIME: "0001-01-01T00:00:00Z",
}


def parse_literal(edm: Edm, text: str) -> Any:
    """Return the JSON value of a URL literal; `ValueError` if it is none of this type."""
    try:
        match edm:
            case Edm.STRING:
                match = STRING_LITERAL.fullmatch(text)
                if match is None:
                    raise ValueError(text)
                return match[1].replace("''", "'")
            case Edm.INT32:
                return int(text)
            case Edm.DECIMAL:
                return _finite(Decimal(text))
            case Edm.BOOLEAN:
                return BOOLEANS[text]
            case Edm.GUID:
                return str(UUID(text))
            case Edm.DATE:
                return date.fromisoformat(text).isoformat()
            case Edm.DATE_TIME:
                return _with_offset(text)
    except (KeyError, InvalidOperation) as error:
        raise ValueError(text) from error


def format_literal(edm: Edm, value: Any) -> str:
    """Return a value as a URL literal: strings in quotes, everything else bare."""
    if edm is Edm.STRING:
        return "'" + str(value).replace("'", "''") + "'"
    return str(value)


def is_json_value(edm: Edm, value: Any) -> bool:
    """Tell whether a value read from JSON is one of this type."""
    match edm:
        case Edm.STRING:
            return isinstance(value, str)
        case Edm.BOOLEAN:
            return isinstance(value, bool)
        case Edm.INT32:
            return type(value) is int and -(2**31) <= value < 2**31
        case Edm.DECIMAL:
            return type(value) in (int, Decimal)
        case _:
            return isinstance(value, str) and _is_literal(edm, value)


def comparable(edm: Edm, value: Any) -> Any:
    """Return what orders values of this type."""
    return datetime.fromisoformat(value) if edm is Edm.DATE_TIME else value


def _finite(number: Decimal) -> Decimal:
    if not number.is_finite():
        raise ValueError(number)
    return number


def _with_offset(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(text)
    return text


def _is_literal(edm: Edm, text: str) -> bool:
    try:
        parse_literal(edm, text)
    except ValueError:
        return False
    return True
