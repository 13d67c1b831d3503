"""Serve the Microsoft Entra simulator until the process is told to end."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dev.faults import Faults
from dev.serving import HOST, LoopbackServer
from dev.simulators.entra.app import Entra
from dev.simulators.entra.control import Settings


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m dev.simulators.entra", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder for key and grants")
    parser.add_argument("--access-token-seconds", type=int, default=Settings().access_token_seconds)
    parser.add_argument("--automatic", action="store_true", help="sign in without showing a page")
    options = parser.parse_args()
    entra = Entra(
        f"http://{HOST}:{options.port}",
        state=options.state,
        settings=Settings(access_token_seconds=options.access_token_seconds),
        automatic=options.automatic,
        now=partial(datetime.now, UTC),
    )
    LoopbackServer(Faults(entra), port=options.port).serve()


if __name__ == "__main__":
    main()
