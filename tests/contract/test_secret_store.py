"""The port SecretStore, kept by the fake and by Key Vault."""

from __future__ import annotations

import secrets as random
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.keyvault.secrets import SecretClient

from shared.adapters.keyvault import KeyVault
from shared.domain.secret import Secret
from tests.contract.records import AWKWARD_TEXT
from tests.fakes import FakeSecretStore


@pytest.fixture(params=["fake", "vault"])
def store(request):
    """Return a store of each kind."""
    if request.param == "fake":
        return FakeSecretStore()
    url = request.getfixturevalue("platform")["KEY_VAULT_URL"]
    return KeyVault(url, request.getfixturevalue("credential"))


@pytest.fixture
def name():
    """Return a name that no other test has used: nothing is ever purged from a vault."""
    return f"{random.token_hex(8)}-client-secret"


class TestSecretStore:
    """The port SecretStore."""

    def test_missing_secret_is_none(self, store, name):
        """Be it named with a version or without."""
        assert store.get(name) is None
        assert store.get(name, "0" * 32) is None

    @pytest.mark.parametrize(
        "text",
        [
            "plain",
            AWKWARD_TEXT,
            " spaces around ",
            "lines\r\nand\ttabs",
            "forgotten",
            "null",
            '{"access_token": "x"}',
            "x" * 25_000,
        ],
        ids=["plain", "awkward", "spaces", "lines", "forgotten", "null", "json", "large"],
    )
    def test_secret_comes_back_as_it_was(self, store, name, text):
        """Character by character."""
        version = store.set(name, Secret(text))

        assert store.get(name) == Secret(text)
        assert store.get(name, version) == Secret(text)

    def test_every_write_makes_a_version(self, store, name):
        """The newest counts, and the older one can still be named."""
        old, new = store.set(name, Secret("old")), store.set(name, Secret("new"))

        assert old != new
        assert store.get(name) == Secret("new")
        assert store.get(name, old) == Secret("old")
        assert store.get(name, "0" * 32) is None

    def test_forgotten_secret_is_gone(self, store, name):
        """By every version."""
        version = store.set(name, Secret("old"))

        store.forget(name)

        assert store.get(name) is None
        assert store.get(name, version) is None

    def test_forgetting_needs_nothing_to_be_there(self, store, name):
        """Neither before a secret was stored nor after it was forgotten."""
        store.forget(name)
        store.set(name, Secret("old"))
        store.forget(name)
        store.forget(name)

        assert store.get(name) is None

    def test_forgotten_name_takes_a_new_secret(self, store, name):
        """Again and again, each time with a version of its own."""
        versions = set()
        for text in ("one", "two", "three"):
            versions.add(store.set(name, Secret(text)))
            assert store.get(name) == Secret(text)
            store.forget(name)

        assert len(versions) == 3

    def test_old_value_never_comes_back_while_the_name_is_written_again(self, store, name):
        """Whoever reads in the meantime finds nothing, or the new secret."""
        for old, new in (("one", "two"), ("three", "four")):
            store.set(name, Secret(old))
            store.forget(name)
            with ThreadPoolExecutor(1) as writer:
                written = writer.submit(store.set, name, Secret(new))
                seen = [store.get(name)]
                while not written.done():
                    seen.append(store.get(name))

            assert Secret(old) not in seen
            assert store.get(name) == Secret(new)

    def test_many_may_forget_at_once(self, store, name):
        """Whoever comes second finds that there is nothing to do."""
        store.set(name, Secret("old"))

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(store.forget, [name] * 8))

        assert store.get(name) is None

    def test_many_may_set_a_forgotten_name_at_once(self, store, name):
        """One of them is the newest then."""
        store.set(name, Secret("old"))
        store.forget(name)

        with ThreadPoolExecutor(4) as threads:
            versions = list(threads.map(store.set, [name] * 4, map(Secret, "abcd")))

        assert store.get(name) in [store.get(name, version) for version in versions]

    def test_ping_of_a_sound_store_returns(self, store):
        """Without any secret of its own."""
        assert store.ping() is None


@pytest.fixture
def vault(platform, credential):
    """Return Microsoft's own client of the vault, to look behind the adapter."""
    with SecretClient(platform["KEY_VAULT_URL"], credential) as client:
        yield client


@pytest.fixture
def key_vault(platform, credential):
    """Return the adapter alone."""
    return KeyVault(platform["KEY_VAULT_URL"], credential)


def test_forgotten_secret_is_overwritten_before_its_deletion(key_vault, vault, name):
    """Deletion is soft: what an administrator recovers must not be the old secret."""
    key_vault.set(name, Secret("canary"))
    key_vault.forget(name)

    vault.begin_recover_deleted_secret(name).wait()

    assert "canary" not in vault.get_secret(name).value
    assert key_vault.get(name) is None


def test_secret_that_somebody_else_deleted_is_overwritten(key_vault, vault, name):
    """The way back for a name that an administrator deleted by hand, old content and all."""
    vault.set_secret(name, "old")
    vault.begin_delete_secret(name).wait()

    version = key_vault.set(name, Secret("new"))

    assert key_vault.get(name) == Secret("new")
    assert vault.get_secret(name).properties.version == version
