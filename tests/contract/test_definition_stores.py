"""The ports IntegrationStore and EndpointStore, kept by the fakes and by Table Storage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared.adapters.definition_tables import EndpointTable, IntegrationTable
from shared.ports import Conflict
from tests.contract.records import AWKWARD_TEXT, CODES, endpoint_record, integration_record
from tests.fakes import FakeEndpointStore, FakeIntegrationStore


class RecordCases:
    """What both stores promise of single records; `record` and `get` say of which kind."""

    def test_missing_record_is_none(self, store):
        """Before anything was ever stored, too."""
        assert self.get(store, self.record()) is None

    def test_inserted_record_comes_back_whole(self, store):
        """Every field, to the microsecond, with the ETag that insert returned."""
        stored = store.insert(self.record(name=AWKWARD_TEXT))

        assert stored.etag
        assert stored == replace(self.record(name=AWKWARD_TEXT), etag=stored.etag)
        assert self.get(store, stored) == stored

    def test_second_insert_conflicts_and_changes_nothing(self, store):
        """The record that was there first stays."""
        stored = store.insert(self.record(name="first"))

        with pytest.raises(Conflict):
            store.insert(self.record(name="second"))

        assert self.get(store, stored) == stored

    def test_replace_gives_a_new_etag(self, store):
        """The former ETag is worth nothing from then on."""
        first = store.insert(self.record(name="first"))
        second = store.replace(replace(self.record(name="second"), etag=first.etag))

        assert second.etag != first.etag
        assert self.get(store, first) == second
        with pytest.raises(Conflict):
            store.replace(replace(self.record(name="third"), etag=first.etag))
        assert self.get(store, first) == second

    def test_replacing_a_missing_record_conflicts(self, store):
        """A record that somebody deleted does not come back by a change."""
        stored = store.insert(self.record())
        store.delete(stored)

        with pytest.raises(Conflict):
            store.replace(stored)

        assert self.get(store, stored) is None

    def test_delete_removes_the_record(self, store):
        """And it can be stored anew."""
        store.delete(store.insert(self.record()))

        assert self.get(store, self.record()) is None
        assert store.insert(self.record()).etag

    def test_delete_with_a_former_etag_conflicts(self, store):
        """Nobody deletes what he has not seen."""
        first = store.insert(self.record())
        second = store.replace(first)

        with pytest.raises(Conflict):
            store.delete(first)

        assert self.get(store, second) == second

    def test_delete_of_a_missing_record_does_nothing(self, store):
        """It is gone, as was wanted; be the table there or not."""
        store.delete(replace(self.record(), etag='W/"1"'))
        stored = store.insert(self.record())
        store.delete(stored)
        store.delete(stored)

        assert self.get(store, stored) is None

    def test_one_of_many_writers_wins(self, store):
        """Of 16 changes from the same state one is made, and the others are told."""
        stored = store.insert(self.record())

        def change(number):
            try:
                return store.replace(replace(self.record(name=str(number)), etag=stored.etag))
            except Conflict:
                return None

        with ThreadPoolExecutor(16) as threads:
            winners = [each for each in threads.map(change, range(16)) if each is not None]

        assert [self.get(store, stored)] == winners


class TestIntegrationStore(RecordCases):
    """The port IntegrationStore."""

    record = staticmethod(integration_record)

    @pytest.fixture(params=["fake", "table"])
    def store(self, request):
        """Return an empty store of each kind."""
        if request.param == "fake":
            return FakeIntegrationStore()
        return IntegrationTable(request.getfixturevalue("tables"))

    @staticmethod
    def get(store, record):
        """Read the record anew."""
        return store.get(record.code)

    def test_list_of_an_empty_store_is_empty(self, store):
        """Before anything was ever stored, too."""
        assert store.list(after="", limit=10) == []

    def test_list_goes_on_after_a_code(self, store):
        """Pages follow each other in the order of the codes, whatever order they were stored in."""
        for code in reversed(CODES):
            store.insert(integration_record(code))

        pages = [store.list(after=after, limit=4) for after in ("", "A_B", "B1", "Z", "ZZ")]

        assert [[record.code for record in page] for page in pages] == [
            ["A", "AB", "A_B", "B"],
            ["B", "B1", "Z"],
            ["Z"],
            [],
            [],
        ]

    def test_list_gives_whole_records(self, store):
        """What a list shows is what `get` shows."""
        stored = store.insert(integration_record(company=AWKWARD_TEXT))

        assert store.list(after="", limit=1) == [stored]

    def test_ping_of_a_sound_store_returns(self, store):
        """Before anything was ever stored, too."""
        assert store.ping() is None

    def test_unset_secret_version_comes_back(self, store):
        """No version is not the same as an empty one."""
        stored = store.insert(replace(integration_record(), client_secret_version=None))

        assert store.get("CRONUS").client_secret_version is None
        assert store.get("CRONUS") == stored


class TestEndpointStore(RecordCases):
    """The port EndpointStore."""

    record = staticmethod(endpoint_record)

    @pytest.fixture(params=["fake", "table"])
    def store(self, request):
        """Return an empty store of each kind."""
        if request.param == "fake":
            return FakeEndpointStore()
        return EndpointTable(request.getfixturevalue("tables"))

    @staticmethod
    def get(store, record):
        """Read the record anew."""
        return store.get(record.integration, record.definition.code)

    def test_same_code_under_two_integrations_is_two_records(self, store):
        """An endpoint belongs to its integration."""
        one = store.insert(endpoint_record("ONE"))
        two = store.insert(endpoint_record("TWO"))

        store.delete(one)

        assert store.get("ONE", "GET_LINES") is None
        assert store.get("TWO", "GET_LINES") == two

    def test_list_shows_one_integration_in_order(self, store):
        """Pages follow each other in the order of the codes; neighbours do not show up."""
        for code in reversed(CODES):
            store.insert(endpoint_record("B", code))
        for neighbour in ("A", "B1", "B_", "C"):
            store.insert(endpoint_record(neighbour, "B"))

        pages = [store.list("B", after=after, limit=4) for after in ("", "B", "Z")]

        assert [[record.definition.code for record in page] for page in pages] == [
            ["A", "AB", "A_B", "B"],
            ["B1", "Z"],
            [],
        ]

    def test_delete_all_leaves_other_integrations(self, store):
        """Whatever their codes begin with."""
        for code in CODES:
            store.insert(endpoint_record("ONE", code))
        store.insert(endpoint_record("ONE1", "KEPT"))

        store.delete_all("ONE")
        store.delete_all("NEVER_SEEN")

        assert store.list("ONE", after="", limit=10) == []
        assert store.get("ONE1", "KEPT") is not None

    @pytest.mark.parametrize("text", ["x" * 29_000, "😀" * 14_500], ids=["ascii", "emoji"])
    def test_largest_definition_comes_back_whole(self, store, text):
        """As large as a definition may be, counted as Table Storage does."""
        stored = store.insert(endpoint_record(request_schema={"description": text}))

        assert store.get("CRONUS", "GET_LINES") == stored
        assert stored.definition.request_schema == {"description": text}
