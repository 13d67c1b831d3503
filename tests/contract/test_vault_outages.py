"""What the adapters make of a vault or an identity that is down, slow or refuses the app.

The fakes need no cases here: a test tells them which error to raise.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from dev.faults import CONTROL_PATH
from dev.stack.ports import HOST
from shared.adapters.keyvault import KeyVault
from shared.adapters.managed_identity import ManagedIdentityAssertion
from shared.domain.error_kinds import GATEWAY_MISCONFIGURED
from shared.domain.errors import IdentityUnavailable, VaultUnavailable
from shared.domain.secret import Secret
from tests.contract.bounds import bounded

CANARY = "canary-5f1d7c"
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
