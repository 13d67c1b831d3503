"""What the adapters make of a service that is down, slow or refuses the app.

The fakes need no cases here: a test tells them which error to raise.
"""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
import requests
from werkzeug.wrappers import Response

from dev.faults import CONTROL_PATH
from dev.serving import LoopbackServer
from dev.stack.app_settings import storage_connection
from dev.stack.ports import HOST, PortBlock
from shared.adapters import tables as tables_module
from shared.adapters.definition_tables import EndpointTable, IntegrationTable
from shared.adapters.keyvault import KeyVault
from shared.adapters.managed_identity import ManagedIdentityAssertion
from shared.adapters.tables import open_tables
from shared.adapters.token_tables import SignInTable, TokenStateTable
from shared.domain.error_kinds import GATEWAY_MISCONFIGURED
from shared.domain.errors import IdentityUnavailable, StorageUnavailable, VaultUnavailable
from shared.domain.secret import Secret
from shared.domain.tokens import TokenState
from tests.contract.records import NOW, endpoint_record, integration_record, sign_in

# Behind a call of the gateway nobody waits longer than this for storage or vault.
BOUND_SECONDS = 12
CANARY = "canary-5f1d7c"

STORED_INTEGRATION = replace(integration_record(), etag='W/"1"')
STORED_ENDPOINT = replace(endpoint_record(), etag='W/"1"')
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
    "states.all": lambda tables: list(TokenStateTable(tables).all()),
    "states.between": lambda tables: TokenStateTable(tables).between("A", "Z"),
    "states.put": lambda tables: TokenStateTable(tables).put("CRONUS", TokenState(), etag=None),
    "states.delete": lambda tables: TokenStateTable(tables).delete("CRONUS"),
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


@pytest.fixture
def closed_port():
    """Return a port on which nobody listens."""
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def bounded():
    """Fail if what is done inside takes longer than a caller may be kept waiting."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < BOUND_SECONDS


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
            for name in ("integrations.get", "endpoints.list", "states.all", "states.put"):
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


SECRET = "outage-tokens"
VAULT_CALLS = {
    "get": lambda vault: vault.get(SECRET),
    "get-version": lambda vault: vault.get(SECRET, "0" * 32),
    "set": lambda vault: vault.set(SECRET, Secret(CANARY)),
    "forget": lambda vault: vault.forget(SECRET),
    "ping": lambda vault: vault.ping(),
}


@pytest.fixture
def vault(platform, credential):
    """Return the vault with a stored secret."""
    vault = KeyVault(platform["KEY_VAULT_URL"], credential)
    vault.set(SECRET, Secret(CANARY))
    return vault


@contextmanager
def fault(platform, **rule):
    """Let the simulated vault work as the rule of `dev/faults.py` says."""
    control = platform["KEY_VAULT_URL"] + CONTROL_PATH
    trusted = platform["REQUESTS_CA_BUNDLE"]
    requests.post(control, json=rule, verify=trusted, timeout=5).raise_for_status()
    try:
        yield
    finally:
        requests.delete(control, verify=trusted, timeout=5).raise_for_status()


def all_at_once(vault):
    """Return what each of the vault's calls raises; together, since each waits between retries."""

    def error(act):
        with pytest.raises(VaultUnavailable) as caught:
            act(vault)
        return caught.value

    with ThreadPoolExecutor() as threads, bounded():
        return list(threads.map(error, VAULT_CALLS.values()))


@pytest.mark.parametrize(
    "rule",
    [{"status": 503}, {"status": 429}, {"status": 403}, {"drop": True}],
    ids=["down", "throttled", "forbidden", "dropped"],
)
def test_refusing_vault_is_unavailable(platform, vault, rule):
    """Whatever is done, it is neither a secret nor its absence, and the error holds nothing."""
    with fault(platform, **rule):
        errors = all_at_once(vault)

    assert not any(CANARY in str(error) or SECRET in str(error) for error in errors)
    assert vault.get(SECRET) == Secret(CANARY)


def test_unreachable_vault_is_unavailable(closed_port, credential):
    """Whatever is done, the error says so, and keeps the address back."""
    errors = all_at_once(KeyVault(f"https://{HOST}:{closed_port}", credential))

    assert {error.detail for error in errors} == {"Key Vault cannot be reached."}


def test_vault_that_refuses_the_app_names_the_missing_role(platform, vault):
    """No caller can wait for that: an administrator has to act."""
    with fault(platform, status=403), pytest.raises(VaultUnavailable) as caught:
        vault.get(SECRET)

    assert caught.value.kind is GATEWAY_MISCONFIGURED
    assert "Key Vault Secrets Officer" in caught.value.hint


def test_passing_throttling_is_outlasted(platform, vault):
    """What passes with the client's own patience never reaches a caller."""
    with fault(platform, status=429, times=1):
        assert vault.get(SECRET) == Secret(CANARY)


@pytest.fixture
def lost_credential(monkeypatch, credential, closed_port):
    """Return an identity whose endpoint is not there."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{HOST}:{closed_port}/msi/token")
    with type(credential)() as identity:
        yield identity


def test_lost_identity_gives_neither_secret_nor_assertion(platform, lost_credential):
    """Neither a secret nor an assertion, and no word of the credentials that were tried in vain."""
    vault = KeyVault(platform["KEY_VAULT_URL"], lost_credential)
    source = ManagedIdentityAssertion(lambda: lost_credential)

    with ThreadPoolExecutor() as threads, bounded():
        secret, assertion = threads.submit(vault.get, SECRET), threads.submit(source.assertion)

    assert isinstance(secret.exception(), VaultUnavailable)
    assert isinstance(assertion.exception(), IdentityUnavailable)
    assert assertion.exception().detail == "The managed identity gave no token."
