"""A server that answers with exactly the bytes that a test gives it, and keeps what it got."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One request as it arrived."""

    head: bytes
    body: bytes

    @property
    def target(self) -> bytes:
        """The middle of the request line."""
        return self.head.split(b"\r\n")[0].split(b" ", 1)[1].rsplit(b" ", 1)[0]

    def header(self, name: str) -> bytes | None:
        """Return the value of a header."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b": ")
            if key.lower() == name.lower().encode():
                return value
        return None


Answer = Callable[[socket.socket, RawRequest], None]


class RawServer:
    """A context in which `answer` answers every request; it may close the connection."""

    def __init__(self, answer: Answer | bytes, *, certificate: Path | None = None) -> None:
        self.accepted = 0
        self.requests: list[RawRequest] = []
        self._answer = answer if callable(answer) else sending(answer)
        self._listener = socket.create_server((HOST, 0), backlog=64)
        self._connections: list[socket.socket] = []
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._context.load_cert_chain(certificate)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'http' if self._context is None else 'https'}://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        end(self._listener)
        self.drop_connections()

    def drop_connections(self) -> None:
        """Close what is open, as a server does with idle connections."""
        while self._connections:
            end(self._connections.pop())

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted += 1
                self._connections.append(connection)
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._connections.append(connection)
            with connection, connection.makefile("rb") as stream:
                while request := _read(stream):
                    self.requests.append(request)
                    self._answer(connection, request)


def _read(stream: BufferedReader) -> RawRequest | None:
    lines = []
    while (line := stream.readline()) not in {b"", b"\r\n"}:
        lines.append(line)
    if not lines:
        return None
    request = RawRequest(b"".join(lines), b"")
    length = int(request.header("Content-Length") or 0)
    return RawRequest(request.head, stream.read(length))


def end(endpoint: socket.socket) -> None:
    """Close a connection for good, even while somebody reads from it."""
    with suppress(OSError):
        endpoint.shutdown(socket.SHUT_RDWR)
    endpoint.close()


def answer(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """Return an answer of a known length."""
    return head(f"Content-Length: {len(body)}", *headers, status=status) + body


def head(*headers: str, status: str = "200 OK") -> bytes:
    """Return the part of an answer before its body."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    """Return a chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def sending(data: bytes, *, then_close: bool = False) -> Answer:
    """Send this to every request."""

    def act(connection: socket.socket, _: RawRequest) -> None:
        connection.sendall(data)
        if then_close:
            end(connection)

    return act


def dripping(data: bytes, *, seconds: float, after: bytes = b"") -> Answer:
    """Send `after` at once, then the data byte by byte."""

    def act(connection: socket.socket, _: RawRequest) -> None:
        connection.sendall(after)
        for position in range(len(data)):
            time.sleep(seconds)
            connection.sendall(data[position : position + 1])

    return act
