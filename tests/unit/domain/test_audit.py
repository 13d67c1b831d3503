"""What an entry of the audit tells of a change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared.domain.audit import (
    FieldChange,
    changed,
    created,
    deleted,
    entry_id,
    fitted,
    is_entry_id,
)
from tests.builders import make_endpoint, make_integration

NOW = datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=UTC)
QUOTES = '"' * 200  # JSON needs two characters for each of them
FULL_FIELDS = {
    "description": QUOTES * 10,
    "api_url": QUOTES * 5,
    "request_schema": {"const": QUOTES * 50},
    "response_schema": {"const": QUOTES * 50},
    "headers": {f"{QUOTES}{number}": QUOTES for number in range(20)},
    "query": {f"{QUOTES}{number}": QUOTES for number in range(20)},
    "allowed_query": [QUOTES] * 50,
    "allowed_roles": [QUOTES] * 50,
    "allowed_clients": [QUOTES] * 50,
}


def told(changes):
    """Return old and new values by field."""
    return {each.field: (each.old, each.new) for each in changes}


def test_creation_tells_what_is_not_by_default():
    """What was left out, and what was given as the default is, says nothing."""
    definition = make_endpoint(api_url="items", name="", headers={"Prefer": "x"}, timeout_seconds=9)

    assert told(created(definition)) == {
        "/code": (None, "GET_WHSE_SHPT_LINES"),
        "/api_url": (None, "items"),
        "/headers": (None, {"Prefer": "x"}),
        "/timeout_seconds": (None, 9),
    }


def test_change_tells_old_and_new():
    """Of the fields that differ, and of no others."""
    before = make_integration(company="A", scope="x")
    after = make_integration(company="B", scope=None, max_in_flight=7)

    assert told(changed(before, after)) == {
        "/company": ("A", "B"),
        "/scope": ("x", None),
        "/max_in_flight": (5, 7),
    }


def test_order_of_members_is_no_change():
    """Two spellings of the same JSON are the same."""
    one, other = ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})

    assert not changed(make_endpoint(request_schema=one), make_endpoint(request_schema=other))


@pytest.mark.parametrize("other", [True, 1.0, "1"], ids=repr)
def test_values_that_python_takes_for_equal_are_told_apart(other):
    """JSON knows the difference between 1, 1.0 and true."""
    before, after = (make_endpoint(request_schema={"const": each}) for each in (1, other))

    assert [each.field for each in changed(before, after)] == ["/request_schema"]


def test_deletion_tells_the_whole_definition():
    """The defaults of its time, too: it could be made anew from it."""
    definition = make_integration(company_id=None, query={"a": "b"})

    old = {field: values[0] for field, values in told(deleted(definition)).items()}

    assert old["/max_in_flight"] == 5
    assert old["/query"] == {"a": "b"}
    assert "/company_id" not in old
    again = {field.removeprefix("/"): value for field, value in old.items()}
    assert msgspec.convert(again, type(definition)) == definition


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("x" * 2000, "x" * 2000),
        ("x" * 2001, "x" * 2000 + "... (2001 characters)"),
        (["x" * 1996], ["x" * 1996]),
        (["x" * 1997], '["' + "x" * 1997 + '"... (2001 characters)'),
    ],
    ids=["text", "long-text", "list", "long-list"],
)
def test_long_value_is_shortened_and_says_so(value, kept):
    """Schemas may have pages; the rest of the entry stays as it is."""
    (change,) = fitted((FieldChange(field="/x", old=value, new=1),))

    assert (change.old, change.new) == (kept, 1)
    assert change.is_shortened == (value != kept)


def test_largest_change_fits_into_a_row():
    """All fields at once: each loses more, and none is left out."""
    others = {name: [QUOTES, value] for name, value in FULL_FIELDS.items()}
    changes = changed(make_endpoint(**others), make_endpoint(**FULL_FIELDS))

    kept = fitted(changes)

    assert {each.field.removeprefix("/") for each in kept} == FULL_FIELDS.keys()
    assert 10_000 < len(msgspec.json.encode(kept)) <= 30_000


def test_ids_come_in_the_order_of_time():
    """The latest first, to the microsecond."""
    moments = [NOW + timedelta(microseconds=number) for number in (3, 2, 1, 0)]
    moments += [NOW - timedelta(days=9000)]
    ids = [entry_id(moment, "0" * 16) for moment in moments]

    assert ids == sorted(ids)
    assert all(map(is_entry_id, ids))


@pytest.mark.parametrize(
    "text", ["", "x", "1" * 16, f"{'1' * 16}-{'g' * 16}", f"{'1' * 16}-' or 1"]
)
def test_other_texts_are_no_ids(text):
    """Nothing else reaches the storage as a cursor."""
    assert not is_entry_id(text)
