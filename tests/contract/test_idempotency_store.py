"""The port IdempotencyStore, kept by the fake and by Table Storage."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from shared.adapters.idempotency_table import IdempotencyTable
from shared.domain.idempotency import KEY_LIFE, LONGEST_KEPT_BODY_BYTES
from shared.ports import Conflict
from tests.contract.records import KEY_HASH, NOW, RUNNING, keyed_call
from tests.fakes import FakeIdempotencyStore

ENDED = msgspec.structs.replace(RUNNING, state="done", status=201, is_body_kept=True)
# What Fernet makes of the longest body: four thirds of it, and a little.
LONGEST_SEALED = LONGEST_KEPT_BODY_BYTES * 4 // 3 + 4096


def created_on(moment):
    """Return the record of a call of that moment."""
    return msgspec.structs.replace(RUNNING, created_on=moment)


@pytest.fixture(params=["fake", "table"])
def store(request):
    """Return an empty store of each kind."""
    if request.param == "fake":
        return FakeIdempotencyStore()
    return IdempotencyTable(request.getfixturevalue("tables"))


def test_unknown_key_has_no_call(store):
    """Before anything was ever stored, too."""
    assert store.get("CRONUS", KEY_HASH) is None


@pytest.mark.parametrize("record", [RUNNING, ENDED], ids=["running", "done"])
def test_call_comes_back_whole(store, record):
    """Every field, to the microsecond, with the ETag that insert returned."""
    stored = store.insert(keyed_call(record=record))

    assert stored.etag
    assert store.get("CRONUS", KEY_HASH) == stored
    assert replace(stored, etag="") == keyed_call(record=record)


@pytest.mark.parametrize("size", [1, 65536, 65537, LONGEST_SEALED])
def test_sealed_answer_comes_back_whole(store, size):
    """Up to the longest that there is, whatever a column of a table holds."""
    sealed = os.urandom(size)
    reserved = store.insert(keyed_call())

    stored = store.replace(replace(reserved, record=ENDED, sealed=sealed))

    assert store.get("CRONUS", KEY_HASH) == stored
    assert stored.sealed == sealed


def test_shorter_answer_leaves_nothing_of_a_longer_one(store):
    """A settled call forgets what it was answered with."""
    stored = store.insert(keyed_call(sealed=os.urandom(200_000)))

    stored = store.replace(replace(stored, sealed=b"short"))
    assert store.get("CRONUS", KEY_HASH).sealed == b"short"

    store.replace(replace(stored, sealed=b""))
    assert store.get("CRONUS", KEY_HASH).sealed == b""


def test_taken_key_conflicts(store):
    """Whoever comes second does not begin."""
    stored = store.insert(keyed_call())

    with pytest.raises(Conflict):
        store.insert(keyed_call(record=ENDED))

    assert store.get("CRONUS", KEY_HASH) == stored


def test_one_of_many_takes_the_key(store):
    """Of 16 at once exactly one begins."""

    def take(owner):
        try:
            store.insert(keyed_call(record=msgspec.structs.replace(RUNNING, owner=owner)))
        except Conflict:
            return None
        return owner

    with ThreadPoolExecutor(16) as threads:
        owners = [owner for owner in threads.map(take, "abcdefghijklmnop") if owner]

    assert owners == [store.get("CRONUS", KEY_HASH).record.owner]


def test_replacing_a_changed_call_conflicts(store):
    """Compare and swap: a former ETag is worth nothing."""
    first = store.insert(keyed_call())
    second = store.replace(replace(first, record=ENDED))

    with pytest.raises(Conflict):
        store.replace(first)

    assert store.get("CRONUS", KEY_HASH) == second


def test_replacing_a_deleted_call_conflicts(store):
    """A key that was freed does not get an outcome of somebody else."""
    stored = store.insert(keyed_call())
    store.delete(stored)

    with pytest.raises(Conflict):
        store.replace(stored)

    assert store.get("CRONUS", KEY_HASH) is None


def test_deleting_a_changed_call_conflicts(store):
    """Nobody frees a key that another call has taken."""
    first = store.insert(keyed_call())
    second = store.replace(first)

    with pytest.raises(Conflict):
        store.delete(first)

    assert store.get("CRONUS", KEY_HASH) == second


def test_deleting_a_call_twice_does_nothing(store):
    """The first answer may have got lost."""
    stored = store.insert(keyed_call())

    store.delete(stored)
    store.delete(stored)

    assert store.get("CRONUS", KEY_HASH) is None


def test_calls_of_an_integration_are_deleted(store):
    """Whatever other codes begin with."""
    for integration in ("CRONUS", "CRONUS1"):
        for key_hash in ("one", "two"):
            store.insert(keyed_call(key_hash, integration=integration))

    store.delete_for("CRONUS")

    assert [store.get("CRONUS", key_hash) for key_hash in ("one", "two")] == [None, None]
    assert all(store.get("CRONUS1", key_hash) for key_hash in ("one", "two"))


def test_expired_calls_are_deleted(store):
    """Those whose time is over, to the moment; the others stay."""
    for name, over in [("over", -1), ("ending", 0), ("valid", 1)]:
        record = created_on(NOW - KEY_LIFE + timedelta(microseconds=over))
        store.insert(keyed_call(name, record=record, sealed=b"x" * 70_000))

    store.delete_expired(NOW, limit=10)

    names = ("over", "ending", "valid")
    assert [store.get("CRONUS", name) is not None for name in names] == [False, False, True]


def test_no_more_expired_calls_are_deleted_than_asked_for(store):
    """The rest is for the next round."""
    names = ("one", "two", "three")
    for name in names:
        store.insert(keyed_call(name, record=created_on(NOW - KEY_LIFE)))

    store.delete_expired(NOW, limit=2)
    assert len([name for name in names if store.get("CRONUS", name)]) == 1

    store.delete_expired(NOW, limit=2)
    assert [name for name in names if store.get("CRONUS", name)] == []


def test_deleting_from_an_empty_store_does_nothing(store):
    """Before anything was ever stored, too."""
    store.delete_for("CRONUS")
    store.delete_expired(NOW, limit=10)
    store.delete(replace(keyed_call(), etag='W/"1"'))

    assert store.get("CRONUS", KEY_HASH) is None


def test_expired_call_that_is_replaced_meanwhile_stays(tables, monkeypatch):
    """A new call may take the key between the look and the deletion."""
    store = IdempotencyTable(tables)
    expired = store.insert(keyed_call(record=created_on(NOW - KEY_LIFE)))
    delete = store._table.delete

    def taken_just_before(*place, **options):
        store.replace(replace(expired, record=RUNNING))
        delete(*place, **options)

    monkeypatch.setattr(store._table, "delete", taken_just_before)
    store.delete_expired(NOW, limit=10)

    assert store.get("CRONUS", KEY_HASH).record == RUNNING
