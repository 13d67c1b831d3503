"""What the stores make of a row that is damaged, or that another version of the gateway wrote."""

from __future__ import annotations

import logging
from functools import partial

import pytest
from azure.data.tables import UpdateMode

from shared.adapters.definition_tables import EndpointTable, IntegrationTable
from shared.adapters.idempotency_table import IdempotencyTable
from shared.adapters.tables import SCHEMA_VERSION
from shared.adapters.token_tables import SignInTable, TokenStateTable
from shared.domain.error_kinds import GATEWAY_MISCONFIGURED
from shared.domain.errors import StorageUnavailable
from shared.domain.idempotency import KEY_LIFE
from shared.domain.tokens import TokenState
from tests.contract.records import (
    KEY_HASH,
    NOW,
    endpoint_record,
    integration_record,
    keyed_call,
    sign_in,
)
from tests.fakes import FakeIntegrationStore, FakeTokenStateStore

CANARY = "canary-7c21f0"
DAMAGES = {
    "other-version": {"schema_version": SCHEMA_VERSION + 1},
    "no-version": {"schema_version": None},
    "no-json": {"body": CANARY},
    "cut-off": {"body": f'{{"status":"{CANARY}'},
    "against-the-schema": {"body": f'{{"status":"{CANARY}"}}'},
    "no-body": {"body": None},
    "number": {"body": 7},
}


def damage(tables, table, partition, change=DAMAGES["no-json"]):
    """Change columns of the one row in a partition; None leaves the column out."""
    client = tables.get_table_client(table)
    (row,) = client.query_entities("PartitionKey eq @code", parameters={"code": partition})
    changed = {name: value for name, value in (row | change).items() if value is not None}
    client.update_entity(changed, mode=UpdateMode.REPLACE)


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES)
def test_unreadable_state_is_told_with_the_remedy(tables, change):
    """A permanent fault, which no resending heals; nothing of the content is told."""
    store = TokenStateTable(tables)
    store.put("CRONUS", TokenState(), etag=None)
    damage(tables, "tokenstate", "CRONUS", change)

    with pytest.raises(StorageUnavailable) as caught:
        store.get("CRONUS")

    assert caught.value.kind is GATEWAY_MISCONFIGURED
    assert caught.value.detail == "The row CRONUS in tokenstate cannot be read."
    assert "delete the row" in caught.value.hint
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES)
def test_unreadable_state_is_left_out_of_a_list_and_logged(tables, change, caplog):
    """By the name of its partition, and without its content."""
    store = TokenStateTable(tables)
    for code in ("ONE", "TWO", "THREE"):
        store.put(code, TokenState(), etag=None)
    damage(tables, "tokenstate", "TWO", change)

    assert set(store.between("A", "Z")) == {"ONE", "THREE"}
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert line.message == '{"event":"row_unreadable","table":"tokenstate","partition":"TWO"}'


@pytest.fixture(params=["fake", "table"])
def integrations(request):
    """Return a store of integrations of each kind, and what damages a row in it."""
    if request.param == "fake":
        store = FakeIntegrationStore()
        return store, store.spoiled.add
    tables = request.getfixturevalue("tables")
    return IntegrationTable(tables), partial(damage, tables, "integrations")


def test_page_is_filled_up_past_unreadable_integrations(integrations):
    """A page that is not full would be taken for the last one."""
    store, spoil = integrations
    for code in "ABCDE":
        store.insert(integration_record(code))
    for code in "BC":
        spoil(code)

    pages = [store.list(after=after, limit=2) for after in ("", "D")]

    assert [[record.code for record in page] for page in pages] == [["A", "D"], ["E"]]


def test_unreadable_integration_is_not_taken_for_a_missing_one(integrations):
    """Something else could be written over it, otherwise."""
    store, spoil = integrations
    store.insert(integration_record())
    spoil("CRONUS")

    with pytest.raises(StorageUnavailable) as caught:
        store.get("CRONUS")

    assert caught.value.kind is GATEWAY_MISCONFIGURED


@pytest.fixture(params=["fake", "table"])
def states(request):
    """Return a store of token states of each kind, and what damages a row in it."""
    if request.param == "fake":
        store = FakeTokenStateStore()
        return store, store.spoiled.add
    tables = request.getfixturevalue("tables")
    return TokenStateTable(tables), partial(damage, tables, "tokenstate")


def test_unreadable_state_can_be_deleted(states):
    """With its integration: nothing has to be read for that."""
    store, spoil = states
    store.put("CRONUS", TokenState(), etag=None)
    spoil("CRONUS")
    store.delete("CRONUS")

    assert store.get("CRONUS") is None


def test_unreadable_endpoint_is_left_out_of_a_list(tables):
    """The others of the integration are shown, and can be called."""
    store = EndpointTable(tables)
    store.insert(endpoint_record("CRONUS"))
    damage(tables, "endpoints", "CRONUS")
    other = store.insert(endpoint_record("CRONUS", "OTHER"))

    assert store.list("CRONUS", after="", limit=10) == [other]


def test_unreadable_sign_in_keeps_no_other(tables):
    """What is over is tidied up past it."""
    store = SignInTable(tables)
    store.insert(sign_in("damaged"))
    damage(tables, "signins", "damaged")
    store.insert(sign_in("over", expires_on=NOW))

    store.delete_expired(NOW)

    assert store.take("over") is None
    with pytest.raises(StorageUnavailable):
        store.take("damaged")


def test_unreadable_call_is_not_taken_for_a_free_key(tables):
    """It would be executed a second time; the row is cleared with the others when it is over."""
    store = IdempotencyTable(tables)
    store.insert(keyed_call())
    damage(tables, "idempotency", "CRONUS")

    with pytest.raises(StorageUnavailable) as caught:
        store.get("CRONUS", KEY_HASH)
    store.delete_expired(NOW + KEY_LIFE, limit=1)

    assert caught.value.kind is GATEWAY_MISCONFIGURED
    assert store.get("CRONUS", KEY_HASH) is None
