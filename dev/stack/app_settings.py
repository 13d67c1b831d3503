"""The environment of the host instances: the app's settings, and nothing of the developer's own."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING

from dev.paths import ROOT
from dev.stack.ports import HOST, url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dev.stack.ports import PortBlock

EXAMPLE = ROOT / "local.settings.example.json"

# What a process needs to run at all. The developer's own settings and credentials stay outside.
PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR"),
    *("SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP"),
    *("USERPROFILE", "APPDATA", "LOCALAPPDATA"),
)

# Microsoft's published development account, the same in every Azurite.
STORAGE_ACCOUNT = "devstoreaccount1"
STORAGE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


def process_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Take from the developer's environment what any process of the stack needs."""
    passed_on = {name: environ[name] for name in PASSED_ON if name in environ}
    return passed_on | {
        # No part may be sent through the proxy that Windows or macOS has in its settings.
        "NO_PROXY": f"{HOST},localhost",
        "PYTHONUNBUFFERED": "1",
        # A crash in native code would end a part without a word; so its log says where it was.
        "PYTHONFAULTHANDLER": "1",
    }


def app_settings(
    ports: PortBlock, *, trusted: Path, overrides: Mapping[str, str]
) -> dict[str, str]:
    """Give the app's settings: the example's, over them the stack's, over them the developer's.

    An empty value is left out, as the host does it.
    """
    example: dict[str, str] = json.loads(EXAMPLE.read_text(encoding="utf-8"))["Values"]
    of_stack = {
        "AzureWebJobsStorage": storage_connection(ports),
        "KEY_VAULT_URL": url(ports.key_vault, scheme="https"),
        "PUBLIC_URL": url(ports.instance(1)),
        "WEBSITE_HOSTNAME": f"{HOST}:{ports.instance(1)}",
        "IDENTITY_ENDPOINT": f"{url(ports.identity)}/msi/token",
        "REQUESTS_CA_BUNDLE": str(trusted),
        # Signs the cookie of the stand-in for Easy Auth: what one instance set, all accept.
        "DEV_EASY_AUTH_KEY": secrets.token_hex(32),
    }
    settings = example | of_stack | dict(overrides)
    return {name: value for name, value in settings.items() if value}


def storage_connection(ports: PortBlock, *, tables: str | None = None) -> str:
    """Give the connection string of the stack's Azurite, or one with its tables at that URL."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={STORAGE_ACCOUNT};AccountKey={STORAGE_KEY};"
        f"BlobEndpoint={url(ports.blob)}/{STORAGE_ACCOUNT};"
        f"QueueEndpoint={url(ports.queue)}/{STORAGE_ACCOUNT};"
        f"TableEndpoint={tables or url(ports.table)}/{STORAGE_ACCOUNT};"
    )
