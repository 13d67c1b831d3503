"""An HTTP server that notes every request as it came over the wire."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Seen:
    """A request: its line and headers as they were sent, and its body."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def method(self) -> str:
        """The method."""
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        """Path and query, byte for byte."""
        return self.line.split(" ")[1]

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The target's query."""
        return self.target.partition("?")[2]

    @property
    def header_names(self) -> set[str]:
        """The names of all headers, in lower case."""
        return {name.lower() for name, _ in self.headers}

    def header(self, name: str) -> str:
        """Return the value of a header; empty if it is not there."""
        found = (value for key, value in self.headers if key.lower() == name.lower())
        return next(found, "")

    def __str__(self) -> str:
        """Return the whole request as text, for searching in it."""
        headers = "\n".join(f"{name}: {value}" for name, value in self.headers)
        return f"{self.line}\n{headers}\n\n{self.body.decode(errors='replace')}"


@dataclass(frozen=True)
class Reply:
    """What a service answers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class NotingServer:
    """Answers on a free port of loopback for as long as the context lasts."""

    def __init__(self) -> None:
        """Listen."""
        self.seen: list[Seen] = []
        handler = type("Handler", (_Handler,), {"noting": self})
        self._server = ThreadingHTTPServer((HOST, 0), handler)
        self.url = f"http://{HOST}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        options = {"poll_interval": 0.02}
        threading.Thread(target=self._server.serve_forever, kwargs=options, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(self, request: Seen) -> Reply:
        """Return the answer to a request; another kind of server says something else here."""
        del request
        return Reply()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    wbufsize = -1  # an answer goes out in one piece
    raw_requestline: bytes
    noting: NotingServer

    def serve_one(self) -> None:
        """Note and answer a request, whatever its method."""
        length = int(self.headers.get("Content-Length") or 0)
        request = Seen(
            line=self.raw_requestline.decode("latin-1").rstrip("\r\n"),
            headers=tuple(self.headers.items()),
            body=self.rfile.read(length),
        )
        self.noting.seen.append(request)
        reply = self.noting.reply(request)
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve_one  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Print nothing: the requests are noted."""
