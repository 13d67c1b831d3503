"""The port AuditStore, kept by the fake and by Table Storage."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.adapters.audit_table import AuditTable
from shared.domain.audit import SECRET_CHANGE, AuditEntry, FieldChange, entry_id, fitted
from tests.contract.records import AWKWARD_TEXT, NOW
from tests.fakes import FakeAuditStore


@pytest.fixture(params=["fake", "table"])
def store(request):
    """Return an empty store of each kind."""
    if request.param == "fake":
        return FakeAuditStore()
    return AuditTable(request.getfixturevalue("tables"))


def entry(number=0, **changes):
    """Return an entry that is the earlier, the higher the number."""
    moment = NOW - timedelta(microseconds=number)
    values = {"by": "a key", "action": "changed", "integration": "CRONUS"}
    return AuditEntry(id=entry_id(moment, f"{number:016x}"), moment=moment, **(values | changes))


def listed(store, *, after="", limit=99, integration=None, endpoint=None):
    """Return a page; whatever is not said is not asked for."""
    return store.list(after=after, limit=limit, integration=integration, endpoint=endpoint)


def test_entry_comes_back_whole(store):
    """Every field, to the microsecond, and values of every kind."""
    values = FieldChange(field="/query", old={"a": AWKWARD_TEXT}, new=[1, 2.5, True, None])
    stored = entry(by=AWKWARD_TEXT, endpoint="GET_LINES", changes=(values, SECRET_CHANGE))
    store.write(stored)

    assert listed(store) == [stored]


@pytest.mark.parametrize("text", ['\\"' * 9000, "\u6771" * 18_000, "\U0001f600" * 9000])
def test_largest_entry_comes_back(store, text):
    """A property of Table Storage holds 32 K characters of UTF-16."""
    changes = tuple(FieldChange(field=f"/{number}", old=text, new=text) for number in range(30))
    stored = entry(by="\u6771" * 200, changes=fitted(changes))
    store.write(stored)

    assert listed(store) == [stored]


def test_latest_come_first(store):
    """However they were written, of all integrations."""
    for number in (3, 0, 2, 1):
        store.write(entry(number, integration="ABCD"[number]))

    assert [each.integration for each in listed(store)] == ["A", "B", "C", "D"]


def test_writing_again_changes_nothing(store):
    """A write whose answer was lost is repeated."""
    for _ in range(2):
        store.write(entry())

    assert listed(store) == [entry()]


def test_pages_follow_each_other(store):
    """Each begins after the id that the last one ended with."""
    for number in range(5):
        store.write(entry(number))

    assert listed(store, limit=2) == [entry(0), entry(1)]
    assert listed(store, limit=2, after=entry(1).id) == [entry(2), entry(3)]
    assert listed(store, limit=2, after=entry(3).id) == [entry(4)]


def test_entries_are_found_by_what_they_are_about(store):
    """By integration, by endpoint, and by both; a page is filled up past the others."""
    about = [("A", None), ("B", None), ("A", "X"), ("B", "X"), ("A", "Y"), ("AB", "X")]
    for number, (integration, endpoint) in enumerate(about):
        store.write(entry(number, integration=integration, endpoint=endpoint))

    def found(**wanted):
        return [(each.integration, each.endpoint) for each in listed(store, **wanted)]

    assert found(integration="A") == [("A", None), ("A", "X"), ("A", "Y")]
    assert found(endpoint="X") == [("A", "X"), ("B", "X"), ("AB", "X")]
    assert found(integration="B", endpoint="X") == [("B", "X")]
    assert found(integration="A", limit=2) == [("A", None), ("A", "X")]
    assert found(integration="A", limit=2, after=entry(2).id) == [("A", "Y")]
    assert found(integration="C") == []


def test_those_of_an_integration_are_deleted(store):
    """All of them, more than one transaction holds, and nobody else's."""
    for number in range(120):
        store.write(entry(number, endpoint="X" if number % 2 else None))
    store.write(entry(120, integration="CRONUS1"))
    store.delete_for("CRONUS")

    assert listed(store) == [entry(120, integration="CRONUS1")]


def test_empty_store_is_empty(store):
    """Before anything was ever written, too."""
    store.delete_for("CRONUS")

    assert listed(store) == []


def test_unreadable_entry_is_left_out(tables, caplog):
    """A page is filled up past it, and nothing of its content is told."""
    store = AuditTable(tables)
    for number in range(3):
        store.write(entry(number))
    client = tables.get_table_client("audit")
    client.update_entity(client.get_entity("audit", entry(1).id) | {"body": '{"by":"canary"}'})

    assert listed(store, limit=2) == [entry(0), entry(2)]
    assert '"table":"audit","partition":"audit"' in caplog.text
    assert "canary" not in caplog.text
