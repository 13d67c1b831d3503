"""The platform that the real adapters run on: Azurite, the simulated vault and identity."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import DefaultAzureCredential

from dev.errors import DevError
from dev.setup.node import installed_azurite
from dev.stack.app_settings import app_settings
from dev.stack.certificates import prepare_certificates
from dev.stack.parts import stack_parts
from dev.stack.ports import BLOCK_SIZE, HOST, PortBlock, require_free
from dev.stack.processes import processes
from shared.adapters.tables import open_tables
from shared.domain.secret import Secret

PARTS = {"azurite", "identity", "key-vault"}
STARTING_SECONDS = 60
TABLES = (
    *("integrations", "endpoints", "tokenstate", "signins", "idempotency"),
    *("activity", "audit"),
)


@pytest.fixture(scope="session")
def platform(tmp_path_factory):
    """Run the parts that the adapters speak to; return the app settings that lead to them."""
    if installed_azurite() is None:
        pytest.fail("Azurite is not installed: run `python -m dev test`, which installs it.")
    state = tmp_path_factory.mktemp("platform")
    ports = free_block()
    settings = app_settings(ports, trusted=prepare_certificates(state).bundle, overrides={})
    with processes(state / "logs") as started:
        for part in stack_parts(ports, instances=0, state=state, overrides={}):
            if part.name in PARTS:
                started.start(part)
        started.wait_until_listening(STARTING_SECONDS)
        yield settings


def free_block():
    """Return ports that nobody uses; test runs side by side begin to look at different ones."""
    first = 20_000 + os.getpid() % 200 * BLOCK_SIZE
    for base in range(first, first + 200 * BLOCK_SIZE, BLOCK_SIZE):
        with suppress(DevError):
            require_free(PortBlock(base), 0)
            return PortBlock(base)
    return pytest.fail("There is no block of free ports.")


@pytest.fixture(scope="session")
def storage(platform):
    """Return the client of the tables as the app makes it."""
    connection = Secret(platform["AzureWebJobsStorage"])
    with open_tables(url=None, connection=connection, credential=DefaultAzureCredential) as client:
        yield client


@pytest.fixture
def tables(storage):
    """Return the client of an account without any table."""
    for name in TABLES:
        with suppress(ResourceNotFoundError):
            storage.delete_table(name)
    return storage


@pytest.fixture(scope="module")
def credential(platform):
    """Return the app's identity, in the environment that an app finds itself in."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("AZURE_", "IDENTITY_", "MSI_")):
                patch.delenv(name)
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE"):
            patch.setenv(name, platform[name])
        patch.setenv("NO_PROXY", "127.0.0.1")
        with DefaultAzureCredential() as identity:
            yield identity


@pytest.fixture
def closed_port():
    """Return a port on which nobody listens."""
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]
