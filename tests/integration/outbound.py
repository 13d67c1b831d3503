"""Requests through the HTTP adapter, as the services send them."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from shared.adapters.http import PooledHttpClient
from shared.domain.egress import EgressPolicy
from shared.domain.transport import OutboundAnswer, OutboundRequest

if TYPE_CHECKING:
    import pytest

MEBIBYTE = 1024 * 1024


def make_client(
    policy: EgressPolicy = EgressPolicy(allow_insecure=True),  # noqa: B008 (it is frozen)
    *,
    trusted: str | None = None,
) -> PooledHttpClient:
    """Return a client that may go anywhere, if the policy is not another one."""
    return PooledHttpClient(policy, trusted)


def send(
    client: PooledHttpClient,
    url: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    seconds: float = 10,
    max_bytes: int = MEBIBYTE,
) -> OutboundAnswer:
    """Send one request."""
    request = OutboundRequest(method=method, url=url, headers=headers or {}, body=body)
    return client.send(request, timeout_seconds=seconds, max_bytes=max_bytes)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name under .example resolve to these addresses."""
    real = socket.getaddrinfo

    def resolve(name: str, port: int, *args: Any, **options: Any) -> list[Any]:
        if not name.endswith(".example"):
            return real(name, port, *args, **options)
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            (family[":" in address], socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
