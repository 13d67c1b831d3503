"""Payloads against their schema."""

from __future__ import annotations

import pytest

from shared.domain.json_schema import schema_problems

LIST = {"type": "array", "items": {"type": "integer"}}


def test_every_place_is_named():
    """With a JSON pointer each."""
    problems = schema_problems(LIST, b'[1, "a", 2, null]')

    assert [problem.pointer for problem in problems] == ["/1", "/3"]


def test_no_more_than_fifty_places_are_named():
    """An answer with thousands of them would help nobody."""
    assert len(schema_problems(LIST, b"[" + b'"a",' * 500 + b"1]")) == 50


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ({"type": "number"}, b"1e400"),
        ({"type": "integer"}, b"1" + b"0" * 5000),
        ({"type": "string"}, b'"\xff"'),
        (LIST, b"["),
        (LIST, b"[" * 100_000 + b"]" * 100_000),
        ({"type": "object"}, b"[" * 500 + b"]" * 500),
    ],
    ids=["float", "integer", "no UTF-8", "cut", "far too deep", "too deep for the validator"],
)
def test_what_cannot_be_checked_does_not_fit(schema, body):
    """It is a problem of the whole payload, not of the gateway."""
    (problem,) = schema_problems(schema, body)

    assert problem.pointer == ""
    assert problem.message.startswith("cannot be checked")


def test_changed_schema_counts_at_once():
    """Validators are kept by what the schema says."""
    schema = {"type": "array", "maxItems": 1}
    before = schema_problems(schema, b"[1, 2]")
    schema["maxItems"] = 2

    assert (len(before), schema_problems(schema, b"[1, 2]")) == (1, [])
