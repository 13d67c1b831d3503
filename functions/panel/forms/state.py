"""What a form shows: values as they were entered, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.domain.error_kinds import INVALID_DEFINITION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shared.domain.errors import FieldProblem, GatewayError

Value = str | bool


@dataclass(frozen=True, slots=True)
class FormState:
    """The fields of a form by their names, each of which is a field of the definition."""

    values: Mapping[str, Value]
    errors: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return what a field shows."""
        return str(self.values.get(name, ""))

    def is_checked(self, name: str) -> bool:
        """Tell whether a checkbox is checked."""
        return self.values.get(name) is True

    def error(self, name: str) -> str | None:
        """Return what is wrong with a field, or None."""
        return self.errors.get(name)


def errors_of(error: GatewayError) -> dict[str, str]:
    """Return what is wrong by field; the error itself again, if it is not about fields."""
    if error.kind is not INVALID_DEFINITION:
        raise error
    return by_field(error.errors)


def by_field(problems: Iterable[FieldProblem]) -> dict[str, str]:
    """Return the problems by field; of a field that holds several values, with the place in it."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        name, _, place = problem.pointer.removeprefix("/").partition("/")
        text = f"{place}: {problem.message}" if place else problem.message
        found.setdefault(name, []).append(text)
    return {name: "; ".join(texts) for name, texts in found.items()}
