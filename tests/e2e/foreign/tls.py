"""TLS for servers that are not ours, under names that the local stack's authority vouches for."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from dev.stack.running import Stack
    from tests.e2e.foreign.server import NotingServer


def speak_tls(server: NotingServer, stack: Stack, name: str) -> None:
    """Serve under https and this name from now on; before the server's context is entered."""
    folder = stack.folder / "state" / "certificates"
    authority = trustme.CA.from_pem(
        (folder / "ca.pem").read_bytes(), (folder / "ca-key.pem").read_bytes()
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    listening = server._server
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    server.url = f"https://{name}:{listening.server_address[1]}"
