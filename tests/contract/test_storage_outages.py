"""What the tables' adapters make of a storage that is down, slow or refuses the app.

The fakes need no cases here: a test tells them which error to raise.
"""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from werkzeug.wrappers import Response

from dev.serving import LoopbackServer
from dev.stack.app_settings import storage_connection
from dev.stack.ports import HOST, PortBlock
from shared.adapters import tables as tables_module
from shared.adapters.activity_table import ActivityTable
from shared.adapters.audit_table import AuditTable
from shared.adapters.definition_tables import EndpointTable, IntegrationTable
from shared.adapters.idempotency_table import IdempotencyTable
from shared.adapters.tables import open_tables
from shared.adapters.token_tables import SignInTable, TokenStateTable
from shared.domain.audit import AuditEntry
from shared.domain.error_kinds import GATEWAY_MISCONFIGURED
from shared.domain.errors import StorageUnavailable
from shared.domain.secret import Secret
from shared.domain.tokens import TokenState
from tests.builders import roll_up
from tests.contract.bounds import bounded
from tests.contract.records import NOW, endpoint_record, integration_record, keyed_call, sign_in

CANARY = "canary-5f1d7c"
STORED_INTEGRATION = replace(integration_record(), etag='W/"1"')
STORED_ENDPOINT = replace(endpoint_record(), etag='W/"1"')
STORED_CALL = replace(keyed_call(), etag='W/"1"')
STORED_NOTE = AuditEntry(
    id="1", moment=NOW, by="a key", action="deauthorized", integration="CRONUS"
)
STORAGE_CALLS = {
    "integrations.get": lambda tables: IntegrationTable(tables).get("CRONUS"),
    "integrations.list": lambda tables: IntegrationTable(tables).list(after="", limit=2),
    "integrations.insert": lambda tables: IntegrationTable(tables).insert(STORED_INTEGRATION),
    "integrations.replace": lambda tables: IntegrationTable(tables).replace(STORED_INTEGRATION),
    "integrations.delete": lambda tables: IntegrationTable(tables).delete(STORED_INTEGRATION),
    "integrations.ping": lambda tables: IntegrationTable(tables).ping(),
    "endpoints.get": lambda tables: EndpointTable(tables).get("CRONUS", "GET_LINES"),
    "endpoints.list": lambda tables: EndpointTable(tables).list("CRONUS", after="", limit=2),
    "endpoints.insert": lambda tables: EndpointTable(tables).insert(STORED_ENDPOINT),
    "endpoints.replace": lambda tables: EndpointTable(tables).replace(STORED_ENDPOINT),
    "endpoints.delete": lambda tables: EndpointTable(tables).delete(STORED_ENDPOINT),
    "endpoints.delete_all": lambda tables: EndpointTable(tables).delete_all("CRONUS"),
    "states.get": lambda tables: TokenStateTable(tables).get("CRONUS"),
    "states.between": lambda tables: TokenStateTable(tables).between("A", "Z"),
    "states.put": lambda tables: TokenStateTable(tables).put("CRONUS", TokenState(), etag=None),
    "states.delete": lambda tables: TokenStateTable(tables).delete("CRONUS"),
    "idempotency.get": lambda tables: IdempotencyTable(tables).get("CRONUS", "5f"),
    "idempotency.insert": lambda tables: IdempotencyTable(tables).insert(STORED_CALL),
    "idempotency.replace": lambda tables: IdempotencyTable(tables).replace(STORED_CALL),
    "idempotency.delete": lambda tables: IdempotencyTable(tables).delete(STORED_CALL),
    "idempotency.delete_for": lambda tables: IdempotencyTable(tables).delete_for("CRONUS"),
    "idempotency.delete_expired": lambda tables: IdempotencyTable(tables).delete_expired(
        NOW, limit=1
    ),
    "activity.write": lambda tables: ActivityTable(tables).write("_", [], [roll_up(NOW)]),
    "activity.batches": lambda tables: list(ActivityTable(tables).batches("_", since=NOW)),
    "activity.roll_ups": lambda tables: list(ActivityTable(tables).roll_ups("_", since=NOW)),
    "activity.partitions": lambda tables: ActivityTable(tables).partitions(after="", limit=1),
    "activity.delete_before": lambda tables: ActivityTable(tables).delete_before("_", NOW, limit=1),
    "audit.write": lambda tables: AuditTable(tables).write(STORED_NOTE),
    "audit.list": lambda tables: AuditTable(tables).list(
        after="", limit=1, integration=None, endpoint=None
    ),
    "audit.delete_for": lambda tables: AuditTable(tables).delete_for("CRONUS"),
    "sign_ins.insert": lambda tables: SignInTable(tables).insert(sign_in()),
    "sign_ins.take": lambda tables: SignInTable(tables).take("5f"),
    "sign_ins.delete_for": lambda tables: SignInTable(tables).delete_for("CRONUS"),
    "sign_ins.delete_expired": lambda tables: SignInTable(tables).delete_expired(NOW),
}


@contextmanager
def storage_on(port):
    """Open the tables of a storage account on this port."""
    ports = PortBlock(port - PortBlock(0).table)
    connection = Secret(storage_connection(ports))
    with open_tables(url=None, connection=connection, credential=pytest.fail) as tables:
        yield tables


@pytest.mark.parametrize("act", STORAGE_CALLS.values(), ids=STORAGE_CALLS)
def test_unreachable_storage_is_unavailable(closed_port, act):
    """Whatever is done, the error says so, soon, and keeps the address and the account back."""
    with (
        storage_on(closed_port) as tables,
        bounded(),
        pytest.raises(StorageUnavailable) as caught,
    ):
        act(tables)

    assert caught.value.detail == "Table Storage cannot be reached."
    assert caught.value.retry_after_seconds


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "InternalError"),
        (503, "ServerBusy"),
        (403, "AuthenticationFailed"),
        (401, "NoAuthenticationInformation"),
    ],
)
def test_refusing_storage_is_unavailable(status, body):
    """Neither a row nor its absence: a refusal says nothing about what is stored."""
    server = LoopbackServer(Response(f"{body} {CANARY}", status=status))
    server.start()
    try:
        with storage_on(server.port) as tables:
            for name in ("integrations.get", "endpoints.list", "states.between", "states.put"):
                with bounded(), pytest.raises(StorageUnavailable) as caught:
                    STORAGE_CALLS[name](tables)
                assert CANARY not in str(caught.value)
    finally:
        server.stop()


def test_storage_that_refuses_the_app_names_the_missing_role():
    """No caller can wait for that: an administrator has to act."""
    server = LoopbackServer(Response(status=403))
    server.start()
    try:
        with storage_on(server.port) as tables, pytest.raises(StorageUnavailable) as caught:
            IntegrationTable(tables).get("CRONUS")
    finally:
        server.stop()

    assert caught.value.kind is GATEWAY_MISCONFIGURED
    assert "Storage Table Data Contributor" in caught.value.hint


def test_silent_storage_is_unavailable(monkeypatch):
    """A server that accepts and never answers holds nobody longer than the read timeout."""
    options = tables_module._CLIENT_OPTIONS | {"read_timeout": 0.2}
    monkeypatch.setattr(tables_module, "_CLIENT_OPTIONS", options)
    with (
        socket.create_server((HOST, 0)) as listener,
        storage_on(listener.getsockname()[1]) as tables,
    ):
        started = time.monotonic()
        with pytest.raises(StorageUnavailable):
            IntegrationTable(tables).get("CRONUS")

    assert time.monotonic() - started < 5
