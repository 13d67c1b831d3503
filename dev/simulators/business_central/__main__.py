"""Serve the simulator: `python -m dev.simulators.business_central --port N --identity URL`."""

from __future__ import annotations

import argparse

import jwt

from dev import sample
from dev.serving import LoopbackServer
from dev.simulators.business_central.app import create_app
from dev.simulators.business_central.settings import Settings


def main() -> None:
    """Read the options and serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m dev.simulators.business_central")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--identity", required=True, help="base URL of the Entra simulator")
    parser.add_argument("--max-page-size", type=int, default=Settings().max_page_size)
    options = parser.parse_args()
    # An unknown key id is looked up at once; known keys outlast an identity provider in trouble.
    keys = jwt.PyJWKClient(
        f"{options.identity}/{sample.TENANT_ID}/discovery/v2.0/keys",
        lifespan=86_400,
        cooldown_duration=0,
    )
    app = create_app(
        find_key=lambda kid: keys.get_signing_key(kid).key,
        settings=Settings(max_page_size=options.max_page_size),
    )
    LoopbackServer(app, port=options.port).serve()


if __name__ == "__main__":
    main()
