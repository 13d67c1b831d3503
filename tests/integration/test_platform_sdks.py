"""Microsoft's unpatched SDKs against the simulated identity endpoint and the simulated vault."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from dev.faults import CONTROL_PATH
from dev.simulators.identity import CLIENT_ID, PRINCIPAL_ID
from dev.stack.certificates import prepare_certificates

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
GRACE_SECONDS = 10
HEADER = "identity-header"
START_SECONDS = 20


def free_port():
    """Return a port that nobody listens on."""
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]


def wait_until_ready(process, port):
    """Return when the port accepts connections; fail if the process ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{process.args} did not start")


@contextmanager
def part(module, port, *arguments):
    """Run one part of the stack as its own process."""
    command = [sys.executable, "-m", module, "--port", str(port), *arguments]
    with subprocess.Popen(command, cwd=ROOT) as process:  # noqa: S603
        try:
            wait_until_ready(process, port)
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
            process.kill()


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Return the state folder that both parts share."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module", autouse=True)
def identity(state):
    """Run the identity endpoint, and give this process the environment of an app."""
    port = free_port()
    bundle = prepare_certificates(state).bundle
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("AZURE_", "IDENTITY_", "MSI_")):
                patch.delenv(name)
        patch.setenv("IDENTITY_ENDPOINT", f"http://{HOST}:{port}/msi/token")
        patch.setenv("IDENTITY_HEADER", HEADER)
        patch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        patch.setenv("NO_PROXY", HOST)
        with part("dev.simulators.identity", port, "--state", str(state), "--header", HEADER):
            yield


@pytest.fixture(scope="module")
def vault_url(state):
    """Run the vault."""
    port = free_port()
    with part("dev.simulators.key_vault", port, "--state", str(state)):
        yield f"https://{HOST}:{port}"


@pytest.fixture
def secrets(vault_url):
    """Return a client of the vault as the app makes one."""
    with DefaultAzureCredential() as credential, SecretClient(vault_url, credential) as client:
        yield client


@pytest.mark.parametrize(
    ("make_credential", "arguments"),
    [
        (DefaultAzureCredential, {}),
        (ManagedIdentityCredential, {}),
        (ManagedIdentityCredential, {"client_id": CLIENT_ID}),
        (ManagedIdentityCredential, {"identity_config": {"object_id": PRINCIPAL_ID}}),
    ],
    ids=["default", "system-assigned", "client-id", "object-id"],
)
def test_every_credential_opens_the_vault(vault_url, make_credential, arguments):
    """The client passes the challenge with a token that the credential got for it."""
    with make_credential(**arguments) as credential, SecretClient(vault_url, credential) as client:
        assert client.set_secret("opened", "v").value == "v"


def test_unknown_identity_gets_no_token():
    """A user-assigned identity that the app does not have is refused by name."""
    with (
        ManagedIdentityCredential(client_id=PRINCIPAL_ID) as credential,
        pytest.raises(ClientAuthenticationError, match="No User Assigned"),
    ):
        credential.get_token("https://vault.azure.net/.default")


def test_secret_and_its_versions_round_trip(secrets):
    """Values, tags, content type and expiry come back; older versions stay readable."""
    expires_on = datetime(2030, 1, 1, tzinfo=UTC)
    old = secrets.set_secret(
        "round-trip", "old", tags={"a": "b"}, content_type="text/plain", expires_on=expires_on
    )
    secrets.set_secret("round-trip", "new")

    read = secrets.get_secret("round-trip", old.properties.version)
    versions = list(secrets.list_properties_of_secret_versions("round-trip", max_page_size=1))

    assert secrets.get_secret("round-trip").value == "new"
    assert read.value == "old"
    assert read.properties.tags == {"a": "b"}
    assert read.properties.content_type == "text/plain"
    assert read.properties.expires_on == expires_on
    assert read.properties.recovery_level == "Recoverable"
    assert len(versions) == 2
    assert old.properties.version in {version.version for version in versions}


def test_properties_are_updated_in_place(secrets):
    """The latest version takes new tags and can be disabled."""
    version = secrets.set_secret("updated", "v").properties.version

    updated = secrets.update_secret_properties("updated", tags={"k": "v"}, enabled=False)

    assert (updated.version, updated.tags, updated.enabled) == (version, {"k": "v"}, False)
    with pytest.raises(HttpResponseError, match="disabled secret"):
        secrets.get_secret("updated")


def test_deleted_secret_is_recovered_and_overwritten(secrets):
    """The way back for a name in use before: conflict, recovery, new value."""
    secrets.set_secret("deleted", "old")
    secrets.begin_delete_secret("deleted").wait()
    with pytest.raises(ResourceExistsError) as conflict:
        secrets.set_secret("deleted", "new")
    with pytest.raises(ResourceNotFoundError):
        secrets.get_secret("deleted")
    assert "deleted" in {found.name for found in secrets.list_deleted_secrets(max_page_size=1)}

    secrets.begin_recover_deleted_secret("deleted").wait()
    secrets.set_secret("deleted", "new")

    assert conflict.value.error.code == "Conflict"
    assert conflict.value.error.innererror["code"] == "ObjectIsDeletedButRecoverable"
    assert secrets.get_secret("deleted").value == "new"


def test_purge_is_forbidden(secrets):
    """Purge protection holds, as in production."""
    secrets.set_secret("purged", "v")
    secrets.begin_delete_secret("purged").wait()

    with pytest.raises(HttpResponseError, match="purge protection") as refusal:
        secrets.purge_deleted_secret("purged")

    assert refusal.value.status_code == 403


def test_missing_secret_is_not_found(secrets):
    """The client recognises the error of the vault."""
    with pytest.raises(ResourceNotFoundError) as refusal:
        secrets.get_secret("missing")

    assert refusal.value.error.code == "SecretNotFound"


def test_list_follows_its_pages(secrets):
    """The client walks through all pages by itself."""
    names = {f"page-{number}" for number in range(5)}
    for name in names:
        secrets.set_secret(name, "v")

    pages = [
        [found.name for found in page]
        for page in secrets.list_properties_of_secrets(max_page_size=2).by_page()
    ]

    assert names <= {name for page in pages for name in page}
    assert max(len(page) for page in pages) == 2


def test_client_outlasts_throttling(secrets, vault_url):
    """A 429 that passes is the client's own business."""
    secrets.set_secret("throttled", "v")
    rule = {"path": "/secrets/throttled", "status": 429, "times": 1}
    requests.post(vault_url + CONTROL_PATH, json=rule, timeout=5).raise_for_status()

    assert secrets.get_secret("throttled").value == "v"


def test_later_process_finds_the_contents(secrets, state):
    """What was stored is on the disk: a vault started later over the same state has it."""
    stored = secrets.set_secret("kept", "v", tags={"a": "b"})
    port = free_port()

    with (
        part("dev.simulators.key_vault", port, "--state", str(state)),
        DefaultAzureCredential() as credential,
        SecretClient(f"https://{HOST}:{port}", credential) as later,
    ):
        found = later.get_secret("kept", stored.properties.version)

    assert (found.value, found.properties.tags) == ("v", {"a": "b"})
