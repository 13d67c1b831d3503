"""The inline constraints of ASP.NET Core routes: `{id:int}`, `{name:length(2,5)}`.

https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Predicate = Callable[[str], bool]

_NUMBER = r"\s*[+-]?(\d[\d,]*\.?\d*|\.\d+)"


def constraint(name: str, argument: str | None) -> Predicate:
    """Give the predicate that `name(argument)` stands for; ValueError if there is no such thing."""
    if name.lower() == "regex":
        return _searches(argument or "")
    arguments = argument.split(",") if argument else []
    try:
        return _CONSTRAINTS[name.lower(), len(arguments)](*map(int, arguments))
    except KeyError:
        raise ValueError(
            f"there is no constraint {name!r} with {len(arguments)} arguments"
        ) from None


def _searches(pattern: str) -> Predicate:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"bad regular expression {pattern!r}: {error}") from None
    return lambda value: compiled.search(value) is not None


def _is(pattern: str) -> Callable[[], Predicate]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda: lambda value: compiled.fullmatch(value) is not None


def _integer(low: float, high: float) -> Predicate:
    def holds(value: str) -> bool:
        return re.fullmatch(r"\s*[+-]?\d+\s*", value) is not None and low <= int(value) <= high

    return holds


def _length(low: float, high: float) -> Predicate:
    return lambda value: low <= len(value) <= high


def _has_file_name(value: str) -> bool:
    return "." in value.rpartition("/")[2].rstrip(".")


_INFINITE = float("inf")
# By name and number of arguments.
_CONSTRAINTS: dict[tuple[str, int], Callable[..., Predicate]] = {
    ("int", 0): lambda: _integer(-(2**31), 2**31 - 1),
    ("long", 0): lambda: _integer(-(2**63), 2**63 - 1),
    ("min", 1): lambda low: _integer(low, 2**63 - 1),
    ("max", 1): lambda high: _integer(-(2**63), high),
    ("range", 2): _integer,
    ("bool", 0): _is(r"\s*(true|false)\s*"),
    ("guid", 0): _is(
        r"[0-9a-f]{32}|(?P<open>[({])?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?(open)[)}])"
    ),
    ("alpha", 0): _is(r"[a-z]*"),
    ("decimal", 0): _is(_NUMBER + r"\s*"),
    ("double", 0): _is(_NUMBER + r"(e[+-]?\d+)?\s*"),
    ("float", 0): _is(_NUMBER + r"(e[+-]?\d+)?\s*"),
    # .NET reads many more ways to write a date; these are the ones that have no spaces.
    ("datetime", 0): _is(
        r"(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[-/]\d{1,2}[-/]\d{4})"
        r"(t\d{1,2}:\d{2}(:\d{2}(\.\d{1,7})?)?(z|[+-]\d{2}:\d{2})?)?"
    ),
    ("minlength", 1): lambda low: _length(low, _INFINITE),
    ("maxlength", 1): lambda high: _length(0, high),
    ("length", 1): lambda exact: _length(exact, exact),
    ("length", 2): _length,
    ("required", 0): lambda: bool,
    ("file", 0): lambda: _has_file_name,
    ("nonfile", 0): lambda: lambda value: not _has_file_name(value),
}
