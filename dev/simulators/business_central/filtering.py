"""A small part of `$filter` (bc-api.md section 6): comparisons, text functions, and, or."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dev.simulators.business_central.edm import BLANKS, Edm, comparable, parse_literal
from dev.simulators.business_central.errors import ODataError, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.simulators.business_central.database import Row
    from dev.simulators.business_central.schema import EntitySet

TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[(),]|[^\s(),']+)")
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of a row, and the fields that it looks at."""

    matches: Callable[[Row], bool]
    fields: frozenset[str]


def parse_filter(text: str, entity_set: EntitySet) -> Callable[[Row], bool]:
    """Return the test that a `$filter` demands."""
    parser = _Parser(text, entity_set)
    condition = parser.any_of()
    parser.expect_end()
    return condition.matches


class _Parser:
    """Recursive descent: any_of > all_of > term."""

    def __init__(self, text: str, entity_set: EntitySet) -> None:
        self._text = text
        self._entity_set = entity_set
        self._position = 0

    def any_of(self) -> Condition:
        condition = self.all_of()
        while self._take_if("or"):
            condition = _either(condition, self.all_of())
        return condition

    def all_of(self) -> Condition:
        condition = self._term()
        while self._take_if("and"):
            condition = _both(condition, self._term())
        return condition

    def expect_end(self) -> None:
        if self._text[self._position :].strip():
            raise self._syntax_error()

    def _term(self) -> Condition:
        if self._take_if("("):
            condition = self.any_of()
            self._expect(")")
            return condition
        word = self._take()
        if word in FUNCTIONS:
            return self._function(FUNCTIONS[word])
        return self._comparison(word)

    def _comparison(self, name: str) -> Condition:
        field = self._entity_set.field(name)
        verb = self._take()
        if verb == "in":
            message = "The operator 'in' needs $schemaversion=2.1."
            raise ODataError(501, "BadRequest_MethodNotImplemented", message)
        if verb not in OPERATORS:
            raise self._syntax_error()
        value = comparable(field.edm, self._literal(field.edm))
        compare = OPERATORS[verb]
        return Condition(
            lambda row: compare(comparable(field.edm, field.value(row)), value),
            frozenset({field.name}),
        )

    def _function(self, test: Callable[[str, str], bool]) -> Condition:
        self._expect("(")
        field = self._entity_set.field(self._take())
        self._expect(",")
        value = self._literal(Edm.STRING)
        self._expect(")")
        return Condition(
            lambda row: test(str(field.value(row)), value),
            frozenset({field.name}),
        )

    def _literal(self, edm: Edm) -> Any:
        token = self._take()
        if token == "null":
            return BLANKS[edm]
        try:
            return parse_literal(edm, token)
        except ValueError as error:
            message = f"Cannot compare a property of type '{edm.value}' with {token}."
            raise bad_request(message) from error

    def _take(self) -> str:
        match = TOKEN.match(self._text, self._position)
        if match is None:
            raise self._syntax_error()
        self._position = match.end()
        return match[1]

    def _take_if(self, expected: str) -> bool:
        match = TOKEN.match(self._text, self._position)
        if match is None or match[1] != expected:
            return False
        self._position = match.end()
        return True

    def _expect(self, expected: str) -> None:
        if not self._take_if(expected):
            raise self._syntax_error()

    def _syntax_error(self) -> ODataError:
        return bad_request(f"Expression expected at position {self._position} in '{self._text}'.")


def _both(left: Condition, right: Condition) -> Condition:
    return Condition(
        lambda row: left.matches(row) and right.matches(row), left.fields | right.fields
    )


def _either(left: Condition, right: Condition) -> Condition:
    if left.fields != right.fields:
        message = "The operator 'or' is not supported on distinct fields."
        raise ODataError(501, "BadRequest_MethodNotImplemented", message)
    return Condition(lambda row: left.matches(row) or right.matches(row), left.fields)
