"""Serve the Key Vault simulator over TLS: `python -m dev.simulators.key_vault`."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dev.faults import Faults
from dev.serving import LoopbackServer
from dev.simulators.identity import KEY_FILE
from dev.simulators.key_vault.store import Vault
from dev.simulators.key_vault.wire import KeyVault
from dev.stack.certificates import prepare_certificates


def main() -> None:
    """Serve the vault until the process is told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="shared with the identity")
    parser.add_argument("--allow-purge", action="store_true", help="a vault without protection")
    options = parser.parse_args()
    now = partial(datetime.now, UTC)
    certificates = prepare_certificates(options.state)
    folder = options.state / "key-vault"
    vault = Vault(folder, now=now, allow_purge=options.allow_purge)
    # Read anew each time, since the identity makes its key when it starts, be it first or second.
    key = (options.state / KEY_FILE).read_bytes
    app = Faults(KeyVault(vault, key=key, now=now))
    LoopbackServer(app, port=options.port, certificate=certificates.server).serve()


if __name__ == "__main__":
    main()
