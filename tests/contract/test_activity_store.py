"""The port ActivityStore, kept by the fake and by Table Storage."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest

from shared.adapters.activity_table import ActivityTable
from shared.domain.activity import Batch, TokenEntry
from shared.domain.activity_tally import SLOT, Tally, slot_of
from tests.builders import call_entry, roll_up
from tests.contract.records import AWKWARD_TEXT, CODES, NOW
from tests.fakes import FakeActivityStore

TICK = timedelta(microseconds=1)
THIS_SLOT = slot_of(NOW)
FULL_CALL = call_entry(
    NOW, code="outcome_unknown", caller=AWKWARD_TEXT, flow_run="08585", status=409
)
FULL_EVENT = TokenEntry(
    moment=NOW, integration="CRONUS", event="renewal_failed", code="x", reason=AWKWARD_TEXT
)


@pytest.fixture(params=["fake", "table"])
def store(request):
    """Return an empty store of each kind."""
    if request.param == "fake":
        return FakeActivityStore()
    return ActivityTable(request.getfixturevalue("tables"))


def batch(*moments, name="a1", **changes):
    """Return a batch of calls at these moments."""
    entries = tuple(call_entry(moment, **changes) for moment in moments)
    return Batch(id=name, entries=entries)


def entries(store, partition="CRONUS", since=NOW, **place):
    """Return the entries that are found, batch by batch."""
    return [each.entries for each in store.batches(partition, since=since, **place)]


def moments(store, partition="CRONUS", since=NOW - timedelta(days=400), **place):
    """Return the newest moment of each batch that is found."""
    return [each.newest for each in store.batches(partition, since=since, **place)]


def test_entries_come_back_whole(store):
    """Every field, to the microsecond, and what is unknown as unknown."""
    stored = Batch(id="a1", entries=(call_entry(NOW, method=None), FULL_CALL, FULL_EVENT))
    store.write("CRONUS", [stored], [])

    assert entries(store) == [stored.entries]


def test_batches_come_newest_first(store):
    """By their newest entries, to the microsecond, however they were written."""
    for number, ago in enumerate([5, 0, 3]):
        stored = batch(NOW - timedelta(days=1), NOW - ago * TICK, name=f"a{number}")
        store.write("CRONUS", [stored], [])
    store.write("CRONUS1", [batch(NOW + TICK, name="b")], [])

    assert moments(store) == [NOW, NOW - 3 * TICK, NOW - 5 * TICK]


def test_batches_are_found_by_their_newest_entry(store):
    """Both moments included."""
    for number in range(5):
        store.write("CRONUS", [batch(NOW + number * TICK, name=f"a{number}")], [])

    found = moments(store, since=NOW + TICK, until=NOW + 3 * TICK)

    assert found == [NOW + number * TICK for number in (3, 2, 1)]


def test_batches_of_the_same_moment_stay_apart(store):
    """Several instances may write at once."""
    store.write("CRONUS", [batch(NOW, name=name) for name in ("c3", "a1", "b2")], [])

    found = list(store.batches("CRONUS", since=NOW))

    assert [each.newest for each in found] == [NOW] * 3
    assert [each.id[:2] for each in found] == ["a1", "b2", "c3"]


def test_writing_again_changes_nothing(store):
    """A write whose answer was lost is repeated."""
    for _ in range(2):
        store.write("CRONUS", [batch(NOW)], [roll_up(THIS_SLOT, 10)])

    assert moments(store) == [NOW]
    assert len(list(store.roll_ups("CRONUS", since=THIS_SLOT))) == 1


def test_more_entries_than_a_row_or_a_transaction_holds_come_back(store):
    """An outage's worth, each of the longest, in texts that are not ASCII; none lost or doubled."""
    texts = {"caller": "€" * 200, "flow_run": "r" * 100, "endpoint": "X" * 50}
    made = [
        call_entry(NOW + number * TICK, request_id=str(number), **texts) for number in range(4000)
    ]
    store.write("CRONUS", [Batch(id="a1", entries=tuple(made))], [])

    parts = entries(store)

    assert sorted((each for part in parts for each in part), key=lambda e: e.moment) == made
    newest = [part[-1].moment for part in parts]
    assert newest == sorted(newest, reverse=True)


def test_batches_are_read_as_far_as_they_are_wanted(store):
    """More of them than one answer of the storage holds."""
    for start in range(0, 250, 50):
        store.write(
            "CRONUS",
            [
                batch(NOW + number * TICK, name=f"{number:04}")
                for number in range(start, start + 50)
            ],
            [],
        )

    assert len(moments(store)) == 250
    first = [each.newest for each in islice(store.batches("CRONUS", since=NOW), 2)]
    assert first == [NOW + 249 * TICK, NOW + 248 * TICK]


def test_counts_come_back_as_they_were_written_last(store):
    """The same slot of the same instance is written again and again as it grows."""
    slot = roll_up(THIS_SLOT, 10, 100, errors=1)
    store.write("CRONUS", [batch(NOW)], [roll_up(THIS_SLOT, 10)])
    store.write(
        "CRONUS", [], [slot, replace(slot, id="b2"), roll_up(THIS_SLOT - SLOT, 5, name="c3")]
    )

    found = sorted(store.roll_ups("CRONUS", since=THIS_SLOT), key=lambda each: each.id)

    assert found == [slot, replace(slot, id="b2")]
    assert found[0].tally == Tally(calls=2, errors=1, lasted=slot.tally.lasted)
    assert moments(store) == [NOW]


def test_partitions_are_those_that_hold_something(store):
    """In order and page by page."""
    for number, code in enumerate(reversed(CODES)):
        kept = [batch(NOW), batch(NOW, name="b2")] if number % 2 else []
        store.write(code, kept, [roll_up(THIS_SLOT, 10)])
    store.write("_", [batch(NOW)], [])

    assert store.partitions(after="", limit=99) == [*CODES, "_"]
    assert store.partitions(after="AB", limit=2) == ["A_B", "B"]
    assert store.partitions(after="_", limit=2) == []


def test_what_is_older_is_deleted(store):
    """To the microsecond, entries and counts, and nobody else's."""
    for partition in ("CRONUS", "CRONUS1"):
        kept = [batch(NOW + number * TICK, name=f"a{number + 1}") for number in (-1, 0, 1)]
        counts = [roll_up(THIS_SLOT - SLOT, 1), roll_up(THIS_SLOT, 1, name="b2")]
        store.write(partition, kept, counts)

    assert store.delete_before("CRONUS", NOW, limit=10) == 3

    assert moments(store) == [NOW + TICK, NOW]
    assert store.partitions(after="", limit=9) == ["CRONUS", "CRONUS1"]
    assert len(moments(store, "CRONUS1")) == 3
    assert len(list(store.roll_ups("CRONUS1", since=THIS_SLOT - SLOT))) == 2


def test_no_more_is_deleted_than_asked_for(store):
    """More of it than one transaction holds; the rest is for the next round."""
    old = [batch(NOW - number * TICK, name=f"{number:04}") for number in range(1, 301)]
    store.write("CRONUS", old, [])

    assert store.delete_before("CRONUS", NOW, limit=250) == 250
    assert len(moments(store)) == 50
    assert store.delete_before("CRONUS", NOW, limit=250) == 50
    assert store.delete_before("CRONUS", NOW, limit=250) == 0
    assert store.partitions(after="", limit=9) == []


def test_empty_store_is_empty(store):
    """Before anything was ever written, too."""
    assert moments(store) == []
    assert list(store.roll_ups("CRONUS", since=NOW)) == []
    assert store.partitions(after="", limit=9) == []
    assert store.delete_before("CRONUS", NOW, limit=9) == 0


def test_rows_that_somebody_else_deletes_are_no_error(tables, monkeypatch):
    """A deletion of the integration and the timer may meet."""
    store = ActivityTable(tables)
    store.write("CRONUS", [batch(NOW - TICK, name=name) for name in ("a", "b", "c")], [])
    together = store._table.delete_together

    def deleted_just_before(rows):
        store._table.delete(rows[1].partition, rows[1].key)
        together(rows)

    monkeypatch.setattr(store._table, "delete_together", deleted_just_before)
    store.delete_before("CRONUS", NOW, limit=9)

    assert moments(store) == []


def test_unreadable_row_is_left_out(tables, caplog):
    """The rest of the activity is shown."""
    store = ActivityTable(tables)
    store.write("CRONUS", [batch(NOW), batch(NOW + TICK, name="b2")], [])
    client = tables.get_table_client("activity")
    row = next(iter(client.list_entities()))
    client.update_entity(row | {"body": '[{"type":"canary"}]'})

    assert moments(store) == [NOW]
    assert '"table":"activity","partition":"CRONUS"' in caplog.text
    assert "canary" not in caplog.text
