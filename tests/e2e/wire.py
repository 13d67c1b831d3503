"""Requests written byte by byte, for what no client library would send."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING

from dev import sample
from dev.stack.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Answer:
    """A parsed answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def send(
    port: int,
    target: str,
    *header_lines: str,
    method: str = "GET",
    body: bytes = b"",
    key: str | None = sample.INVOKE_KEY,
) -> Answer:
    """Send one request with exactly this target and these header lines."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}:{port}", "Connection: close"]
    lines += [f"x-functions-key: {key}"] if key else []
    head = "".join(f"{line}\r\n" for line in (*lines, *header_lines, ""))
    with socket.create_connection((HOST, port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(head.encode("latin-1") + body)
        with HTTPResponse(connection, method=method) as response:
            response.begin()
            return Answer(response.status, dict(response.headers.items()), response.read())
