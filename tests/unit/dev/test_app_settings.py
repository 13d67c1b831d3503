"""The app settings that the host instances are started with."""

from __future__ import annotations

import json

from dev.stack.app_settings import EXAMPLE, app_settings, process_environment, storage_connection
from dev.stack.ports import PortBlock

EXAMPLE_VALUES = json.loads(EXAMPLE.read_text(encoding="utf-8"))["Values"]


def compose(tmp_path, base=7071, **overrides):
    """Compose the settings of a stack."""
    return app_settings(PortBlock(base), trusted=tmp_path / "bundle.pem", overrides=overrides)


def test_settings_of_the_example_are_the_base(tmp_path):
    """What the stack has no opinion about is taken from the example."""
    settings = compose(tmp_path)

    assert settings["REFRESH_SCHEDULE"] == EXAMPLE_VALUES["REFRESH_SCHEDULE"]
    assert settings["PYTHON_THREADPOOL_THREAD_COUNT"] == "64"


def test_settings_of_the_stack_follow_its_ports(tmp_path):
    """Every address is the stack's own, whatever the example says."""
    settings = compose(tmp_path, base=9000)

    assert settings["PUBLIC_URL"] == "http://127.0.0.1:9000"
    assert settings["WEBSITE_HOSTNAME"] == "127.0.0.1:9000"
    assert settings["KEY_VAULT_URL"] == "https://127.0.0.1:9022"
    assert settings["IDENTITY_ENDPOINT"] == "http://127.0.0.1:9023/msi/token"
    assert "TableEndpoint=http://127.0.0.1:9026/devstoreaccount1" in settings["AzureWebJobsStorage"]
    assert settings["REQUESTS_CA_BUNDLE"] == str(tmp_path / "bundle.pem")
    assert not any(":70" in value for value in settings.values())


def test_settings_of_the_developer_win(tmp_path):
    """`--set` is above both the example and the stack, and adds new names."""
    settings = compose(tmp_path, REFRESH_AHEAD_SECONDS="5", PUBLIC_URL="https://x", NEW="1")

    assert settings["REFRESH_AHEAD_SECONDS"] == "5"
    assert settings["PUBLIC_URL"] == "https://x"
    assert settings["NEW"] == "1"


def test_empty_settings_are_left_out(tmp_path):
    """The host drops empty values, whether the example or the developer empties them."""
    settings = compose(tmp_path, REFRESH_SCHEDULE="")

    assert EXAMPLE_VALUES["TABLES_URL"] == ""
    assert "TABLES_URL" not in settings
    assert "REFRESH_SCHEDULE" not in settings


def test_example_leads_to_the_stack_on_the_default_port():
    """`func start` beside `python -m dev up` finds the same storage, vault and identity."""
    ports = PortBlock()

    assert EXAMPLE_VALUES["AzureWebJobsStorage"] == storage_connection(ports)
    assert EXAMPLE_VALUES["KEY_VAULT_URL"] == f"https://127.0.0.1:{ports.key_vault}"
    assert EXAMPLE_VALUES["IDENTITY_ENDPOINT"] == f"http://127.0.0.1:{ports.identity}/msi/token"


def test_developers_own_variables_stay_outside():
    """Only what a process needs is passed on: no setting, credential or proxy of the developer."""
    own = {
        "PATH": "/bin",
        "KEY_VAULT_URL": "https://real.vault.azure.net",
        "AZURE_CLIENT_SECRET": "canary",
        "HTTPS_PROXY": "http://proxy",
        "PYTHONPATH": "/elsewhere",
    }

    environment = process_environment(own)

    assert environment.pop("PATH") == "/bin"
    assert environment.keys().isdisjoint(own)
    assert "127.0.0.1" in environment["NO_PROXY"]
