"""The ports TokenStateStore and SignInStore, kept by the fakes and by Table Storage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest

from shared.adapters.tables import SCHEMA_VERSION, JsonTable
from shared.adapters.token_tables import SignInTable, TokenStateTable
from shared.domain.records import StoredTokenState
from shared.domain.tokens import Cause, TokenState
from shared.ports import Conflict
from tests.contract.records import NOW, SIGN_IN_KEY, sign_in
from tests.fakes import FakeSignInStore, FakeTokenStateStore

FULL_STATE = TokenState(
    status="needs_sign_in",
    generation=7,
    binding="b" * 64,
    signed_in_as="Zoë O'Brien 東京 <zoe@cronus.example>",
    obtained_on=NOW,
    expires_on=NOW + timedelta(hours=1),
    last_used_on=NOW,
    cause=Cause(code="sign_in_required", detail='It said "no": \\ \u2028', hint="Sign in."),
    revision=NOW.isoformat(),
    failures=3,
    last_failure_on=NOW,
    retry_on=NOW,
    lease_owner="owner",
    lease_until=NOW,
    is_renewable=False,
    signed_in_on=NOW,
    grant_expires_on=NOW + timedelta(days=90),
    grant_renewed_on=NOW,
    credential_expires_on=NOW,
    failed_sign_in=Cause(code="sign_in_refused", detail="Declined.", hint="Sign in."),
    failed_sign_in_on=NOW,
    level="action_needed",
    level_told_by="watcher",
)


class TestTokenStateStore:
    """The port TokenStateStore."""

    @pytest.fixture(params=["fake", "table"])
    def store(self, request):
        """Return an empty store of each kind."""
        if request.param == "fake":
            return FakeTokenStateStore()
        return TokenStateTable(request.getfixturevalue("tables"))

    def test_unknown_integration_has_no_state(self, store):
        """Before anything was ever stored, too."""
        assert store.get("CRONUS") is None
        assert store.between("A", "Z") == {}

    @pytest.mark.parametrize("state", [TokenState(), FULL_STATE], ids=["blank", "full"])
    def test_state_comes_back_whole(self, store, state):
        """Every field, to the microsecond, with the ETag that put returned."""
        stored = store.put("CRONUS", state, etag=None)

        assert stored.etag
        assert stored == StoredTokenState(integration="CRONUS", state=state, etag=stored.etag)
        assert store.get("CRONUS") == stored

    def test_put_of_a_new_state_conflicts_with_a_stored_one(self, store):
        """Two instances that saw nothing do not both begin."""
        stored = store.put("CRONUS", FULL_STATE, etag=None)

        with pytest.raises(Conflict):
            store.put("CRONUS", TokenState(), etag=None)

        assert store.get("CRONUS") == stored

    def test_put_over_a_changed_state_conflicts(self, store):
        """Compare and swap: a former ETag is worth nothing."""
        first = store.put("CRONUS", TokenState(generation=1), etag=None)
        second = store.put("CRONUS", TokenState(generation=2), etag=first.etag)

        with pytest.raises(Conflict):
            store.put("CRONUS", TokenState(generation=3), etag=first.etag)

        assert store.get("CRONUS") == second

    def test_put_over_a_deleted_state_conflicts(self, store):
        """The row of a deleted integration does not come back."""
        stored = store.put("CRONUS", TokenState(), etag=None)
        store.delete("CRONUS")

        with pytest.raises(Conflict):
            store.put("CRONUS", TokenState(), etag=stored.etag)

        assert store.get("CRONUS") is None

    def test_one_of_many_takes_a_lease(self, store):
        """Of 16 instances that see the same state one writes its name."""
        stored = store.put("CRONUS", TokenState(), etag=None)

        def take(owner):
            try:
                store.put("CRONUS", TokenState(lease_owner=owner), etag=stored.etag)
            except Conflict:
                return None
            return owner

        with ThreadPoolExecutor(16) as threads:
            owners = [owner for owner in threads.map(take, "abcdefghijklmnop") if owner]

        assert [store.get("CRONUS").state.lease_owner] == owners

    def test_delete_needs_nothing_to_be_there(self, store):
        """Neither a row nor a table."""
        store.delete("CRONUS")
        store.put("CRONUS", TokenState(), etag=None)
        store.delete("CRONUS")
        store.delete("CRONUS")

        assert store.get("CRONUS") is None

    def test_between_takes_both_ends_in(self, store):
        """And nothing beside them."""
        for generation, code in enumerate(["A", "AB", "A_B", "B", "C"]):
            store.put(code, TokenState(generation=generation), etag=None)

        found = store.between("AB", "B")

        assert {code: state.generation for code, state in found.items()} == {
            "AB": 1,
            "A_B": 2,
            "B": 3,
        }


class TestSignInStore:
    """The port SignInStore."""

    @pytest.fixture(params=["fake", "table"])
    def store(self, request):
        """Return an empty store of each kind."""
        if request.param == "fake":
            return FakeSignInStore()
        return SignInTable(request.getfixturevalue("tables"))

    def test_sign_in_is_taken_once(self, store):
        """It comes back whole, and then never again."""
        store.insert(sign_in())

        assert store.take(SIGN_IN_KEY) == sign_in()
        assert store.take(SIGN_IN_KEY) is None

    def test_unknown_key_takes_nothing(self, store):
        """Before anything was ever stored, too."""
        assert store.take(SIGN_IN_KEY) is None

    def test_one_of_many_takes_it(self, store):
        """Of 16 at once exactly one gets it."""
        store.insert(sign_in())

        with ThreadPoolExecutor(16) as threads:
            taken = [
                each for each in threads.map(store.take, [SIGN_IN_KEY] * 16) if each is not None
            ]

        assert taken == [sign_in()]

    def test_expired_ones_are_deleted(self, store):
        """Those whose time is over, to the moment; the others stay."""
        store.insert(sign_in("over", expires_on=NOW - timedelta(microseconds=1)))
        store.insert(sign_in("ending", expires_on=NOW))
        store.insert(sign_in("valid", expires_on=NOW + timedelta(microseconds=1)))

        store.delete_expired(NOW)

        assert [store.take(key) is not None for key in ("over", "ending", "valid")] == [
            False,
            False,
            True,
        ]

    def test_those_of_an_integration_are_deleted(self, store):
        """Whatever other codes begin with."""
        store.insert(sign_in("one", integration="CRONUS"))
        store.insert(sign_in("two", integration="CRONUS"))
        store.insert(sign_in("other", integration="CRONUS1"))

        store.delete_for("CRONUS")

        assert store.take("one") is None
        assert store.take("two") is None
        assert store.take("other") is not None

    def test_deleting_from_an_empty_store_does_nothing(self, store):
        """Before anything was ever stored, too."""
        store.delete_for("CRONUS")
        store.delete_expired(NOW)

        assert store.take(SIGN_IN_KEY) is None


def test_every_page_is_read(tables):
    """Table Storage gives 1,000 rows at once; the stores read on to the last one."""
    client = tables.create_table("tokenstate")
    body = msgspec.json.encode(TokenState()).decode()
    rows = [
        {"PartitionKey": "C", "RowKey": str(n), "schema_version": SCHEMA_VERSION, "body": body}
        for n in range(1001)
    ]
    for batch in (rows[start : start + 100] for start in range(0, len(rows), 100)):
        client.submit_transaction([("create", row) for row in batch])
    table = JsonTable(tables, "tokenstate")

    assert len(list(table.rows())) == 1001
    assert len(list(table.rows("PartitionKey eq @code", {"code": "C"}))) == 1001
    assert len(list(table.rows("PartitionKey eq @code", {"code": "C"}, page_size=300))) == 1001
