"""The app settings: what is read, what is assumed, and how all that is wrong is told at once."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from shared.domain.egress import EgressPolicy
from shared.domain.errors import GatewayError
from shared.domain.secret import Secret
from shared.settings import Settings

CONNECTION = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=canary;EndpointSuffix=x"
REFERENCE = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x/)"
# What each is read into, its default, and another value.
NUMBERS = {
    "REFRESH_AHEAD_SECONDS": (lambda settings: settings.refresh_ahead, timedelta(seconds=900), 60),
    "TOKEN_CALL_SECONDS": (lambda settings: settings.token_call, timedelta(seconds=60), 30),
    "DEFINITION_CACHE_SECONDS": (
        lambda settings: settings.definition_lifetime,
        timedelta(seconds=30),
        60,
    ),
    "ACTIVITY_DAYS": (lambda settings: settings.activity_kept_for, timedelta(days=30), 7),
    "PYTHON_THREADPOOL_THREAD_COUNT": (
        lambda settings: settings.worker_threads,
        min(32, (os.cpu_count() or 1) + 4),  # the worker's own
        64,
    ),
    "MAX_PAYLOAD_BYTES": (lambda settings: settings.max_payload_bytes, 10 * 1024 * 1024, 1500),
    "MAX_ANSWER_BYTES": (lambda settings: settings.max_answer_bytes, 32 * 1024 * 1024, 1500),
}


def environment(**changes):
    """Return the settings without which nothing works; None takes one away."""
    needed = {
        "KEY_VAULT_URL": "https://gateway.vault.azure.net",
        "TABLES_URL": "https://gateway.table.core.windows.net",
        "PUBLIC_URL": "https://gateway.azurewebsites.net",
    }
    return {name: value for name, value in (needed | changes).items() if value is not None}


def read(**changes):
    """Read the settings that work, with these changes."""
    return Settings.from_mapping(environment(**changes))


def complaint(**changes):
    """Return what is said of settings that do not work."""
    with pytest.raises(GatewayError) as caught:
        read(**changes)
    assert (caught.value.kind.code, caught.value.kind.status) == ("gateway_misconfigured", 424)
    return caught.value.detail


def test_needed_settings_are_enough():
    """Everything else has a default, and the defaults are the safe ones."""
    threads = min(32, (os.cpu_count() or 1) + 4)  # the worker's own default
    assert read() == Settings(
        key_vault_url="https://gateway.vault.azure.net",
        public_url="https://gateway.azurewebsites.net",
        tables_url="https://gateway.table.core.windows.net",
        storage_connection=None,
        refresh_ahead=timedelta(minutes=15),
        token_call=timedelta(seconds=60),
        definition_lifetime=timedelta(seconds=30),
        activity_kept_for=timedelta(days=30),
        worker_threads=threads,
        max_payload_bytes=10 * 1024 * 1024,
        max_answer_bytes=32 * 1024 * 1024,
        egress=EgressPolicy(allow_insecure=False, private_hosts=frozenset()),
        ca_bundle=None,
        has_easy_auth=False,
    )


def test_all_problems_are_told_together():
    """Whoever mends the settings restarts the app once."""
    detail = complaint(
        KEY_VAULT_URL=None,
        TABLES_URL="",
        PUBLIC_URL="gateway.azurewebsites.net",
        REFRESH_AHEAD_SECONDS="soon",
        ALLOW_INSECURE_UPSTREAMS="yes",
    )

    for problem in (
        "KEY_VAULT_URL is missing",
        "TABLES_URL (or AzureWebJobsStorage) is missing",
        "PUBLIC_URL must be a URL",
        "REFRESH_AHEAD_SECONDS must be a whole number",
        "ALLOW_INSECURE_UPSTREAMS must be true or false",
    ):
        assert problem in detail


@pytest.mark.parametrize("name", ["KEY_VAULT_URL", "PUBLIC_URL"])
@pytest.mark.parametrize("value", [None, "", "   "], ids=["unset", "empty", "blank"])
def test_needed_url_is_missed(name, value):
    """The platform hands an empty setting over as an empty text, or not at all."""
    assert f"{name} is missing" in complaint(**{name: value})


@pytest.mark.parametrize("name", ["KEY_VAULT_URL", "PUBLIC_URL", "TABLES_URL"])
@pytest.mark.parametrize("value", ["gateway", "//gateway", "ftp://gateway", "https://", "https:"])
def test_malformed_url_is_refused(name, value):
    """The error names the setting."""
    assert f"{name} must be a URL" in complaint(**{name: value})


def test_urls_lose_their_last_slash():
    """So that a path can be put behind them."""
    settings = read(PUBLIC_URL="https://gateway.example/ ", KEY_VAULT_URL="https://v.example//")

    assert settings.public_url == "https://gateway.example"
    assert settings.key_vault_url == "https://v.example"


def test_connection_string_stands_in_for_the_url():
    """It holds a key and never shows it."""
    settings = read(TABLES_URL=None, AzureWebJobsStorage=CONNECTION)

    assert settings.tables_url is None
    assert settings.storage_connection == Secret(CONNECTION)
    assert "canary" not in repr(settings)


def test_hosts_own_storage_setting_stands_in_for_the_url():
    """The identity-based form that Flex Consumption has."""
    settings = read(
        TABLES_URL=None, AzureWebJobsStorage__tableServiceUri="https://a.table.core.windows.net/"
    )

    assert settings.tables_url == "https://a.table.core.windows.net"


def test_own_url_wins_over_the_hosts():
    """The gateway's tables may lie elsewhere than the host's."""
    settings = read(
        TABLES_URL="https://own.example",
        AzureWebJobsStorage=CONNECTION,
        AzureWebJobsStorage__tableServiceUri="https://host.example",
    )

    assert settings.tables_url == "https://own.example"


def test_problems_never_hold_a_value():
    """A mistyped connection string is a secret all the same."""
    detail = complaint(TABLES_URL=CONNECTION, MAX_PAYLOAD_BYTES="canary")

    assert "canary" not in detail


@pytest.mark.parametrize("name", ["KEY_VAULT_URL", "TABLES_URL", "MAX_PAYLOAD_BYTES"])
def test_unresolved_reference_is_told(name):
    """The platform leaves it standing where the app may not read the secret."""
    detail = complaint(**{name: REFERENCE})

    assert f"{name} is a Key Vault reference that could not be resolved" in detail
    assert "SecretUri" not in detail


@pytest.mark.parametrize(("name", "case"), NUMBERS.items(), ids=NUMBERS)
class TestNumber:
    """A setting that is a number."""

    @pytest.mark.parametrize("value", [None, "", " "], ids=["unset", "empty", "blank"])
    def test_missing_one_has_a_default(self, name, case, value):
        """As the contract has it."""
        assert case[0](read(**{name: value})) == case[1]

    def test_given_one_counts(self, name, case):
        """Spaces around it do no harm."""
        read_into, default, given = case
        unit = "days" if name.endswith("_DAYS") else "seconds"
        expected = timedelta(**{unit: given}) if isinstance(default, timedelta) else given

        assert read_into(read(**{name: f" {given} "})) == expected

    @pytest.mark.parametrize("value", ["-1", "1.5", "1e3", "ten", "0x10", "1_000", "٣", "9" * 30])
    def test_malformed_one_is_refused(self, name, case, value):
        """Neither a sign nor a fraction, nor more than anything here can be."""
        assert f"{name} must be a whole number" in complaint(**{name: value})
        assert case


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("REFRESH_AHEAD_SECONDS", 0, 86_400),
        ("TOKEN_CALL_SECONDS", 1, 120),
        ("DEFINITION_CACHE_SECONDS", 1, 3_600),
        ("ACTIVITY_DAYS", 1, 365),
        ("PYTHON_THREADPOOL_THREAD_COUNT", 1, 1_000),
        ("MAX_PAYLOAD_BYTES", 1024, 100 * 1024 * 1024),
        ("MAX_ANSWER_BYTES", 1024, 100 * 1024 * 1024),
    ],
)
def test_number_has_bounds(name, lowest, highest):
    """A slip of the keyboard is told, with the bounds, instead of taken at its word."""
    for value in (lowest, highest):
        read(**{name: str(value)})
    for value in {lowest - 1, highest + 1, 999_999_999} - {-1}:
        assert f"{name} must be a whole number from {lowest} to {highest}" in complaint(
            **{name: str(value)}
        )


@pytest.mark.parametrize("name", ["KEY_VAULT_URL", "TABLES_URL"])
def test_microsofts_services_are_never_called_in_clear(name):
    """Tokens of the app's identity go there."""
    assert f"{name} must be a URL that begins with https://" in complaint(
        **{name: "http://gateway.example"}
    )


def test_public_url_may_be_http():
    """The local stack's is."""
    assert read(PUBLIC_URL="http://127.0.0.1:7071").public_url == "http://127.0.0.1:7071"


@pytest.mark.parametrize(
    "value",
    [
        "canary",
        "canary;AccountName=a;AccountKey=canary",
        "AccountName=a;AccountKey=",
        "AccountName=a",
        "TableEndpoint=https://a.example",
        "DefaultEndpointsProtocol=https;EndpointSuffix=core.windows.net",
    ],
)
def test_malformed_connection_string_is_told(value):
    """With all other problems, and without the string, which holds a key."""
    detail = complaint(TABLES_URL=None, AzureWebJobsStorage=value, MAX_PAYLOAD_BYTES="much")

    assert "AzureWebJobsStorage must be a storage account's connection string" in detail
    assert "MAX_PAYLOAD_BYTES" in detail
    assert "canary" not in detail


@pytest.mark.parametrize(
    "value",
    [
        "UseDevelopmentStorage=true",
        "AccountName=a;AccountKey=Y2FuYXJ5==;",
        "TableEndpoint=https://a.example;SharedAccessSignature=sv=1&sig=x",
        CONNECTION,
    ],
)
def test_connection_string_in_each_form_is_taken(value):
    """The storage's client is not built yet, but it will take it."""
    settings = read(TABLES_URL=None, AzureWebJobsStorage=value)

    assert settings.storage_connection == Secret(value)


def test_connection_string_of_the_host_does_not_matter_beside_a_url():
    """It is the host's own then."""
    assert read(AzureWebJobsStorage="not ours").storage_connection is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, False),
        ("", False),
        ("false", False),
        ("False", False),
        ("true", True),
        (" TRUE ", True),
    ],
)
def test_insecure_upstreams_need_a_clear_word(value, expected):
    """The platform's own tools write True and False."""
    assert read(ALLOW_INSECURE_UPSTREAMS=value).egress.allow_insecure is expected


@pytest.mark.parametrize("value", ["1", "0", "yes", "on", "wahr"])
def test_unclear_word_is_refused(value):
    """Nobody opens the network by a guess."""
    assert "ALLOW_INSECURE_UPSTREAMS must be true or false" in complaint(
        ALLOW_INSECURE_UPSTREAMS=value
    )


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        (None, set()),
        (" , ", set()),
        ("erp.example", {"erp.example"}),
        ("ERP.example , nav.local,", {"erp.example", "nav.local"}),
    ],
)
def test_private_hosts_are_a_list(value, hosts):
    """Separated by commas, without regard to case."""
    assert read(ALLOWED_PRIVATE_HOSTS=value).egress.private_hosts == hosts


def test_trusted_authorities_are_a_path():
    """The variable is the one that Microsoft's SDKs read as well."""
    assert read(REQUESTS_CA_BUNDLE="/etc/ca.pem").ca_bundle == "/etc/ca.pem"
    assert read(REQUESTS_CA_BUNDLE="").ca_bundle is None


def test_unknown_settings_are_ignored():
    """The environment is full of other people's."""
    assert read(PATH="/bin", FUNCTIONS_WORKER_RUNTIME="python") == read()
