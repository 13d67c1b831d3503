"""The wire: refuses what Kestrel, the web server inside the Functions host, refuses.

cheroot is more lenient; its HTTPRequest is overridden where that would let something through. This
is stricter than Kestrel about absolute-form targets, control characters in targets, other transfer
codings than `chunked`, and a length beside one (all 400). Header names with an underscore are
dropped, since WSGI could not tell them from names with a hyphen.
(aspnetcore: Http1Connection, HttpParser, HttpUtilities, KestrelServerLimits; RFC 9112)
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from cheroot.errors import MaxSizeExceeded
from cheroot.server import HeaderReader, HTTPRequest, SizeCheckWrapper

from dev.serving import LingeringConnection

MAX_LINE_BYTES = 8 * 1024
MAX_HEADERS_BYTES = 32 * 1024
MAX_HEADERS = 100
MAX_CHUNKED_BYTES = 100 * 1024 * 1024

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(%b) (/[\x21-\x7e]*|\*) HTTP/(\d\.\d)\r\n" % _TOKEN)
_HEADER = re.compile(rb"(%b):[ \t]*([^\0\r\n]*?)[ \t]*\r\n" % _TOKEN)
_HOST = re.compile(rb"(?:[A-Za-z0-9!$&'()._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?|")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[^\r\n]*)?\r\n")
_PIECE_BYTES = 64 * 1024


class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def readline(self, size: int, /) -> bytes: ...


class KestrelHeaders(HeaderReader):
    """Reads the header section of a request; ValueError for one that cannot be taken."""

    def __call__(self, rfile: SizeCheckWrapper, hdict: Any | None = None) -> dict[bytes, bytes]:
        """Fill `hdict`: repeated values are joined with a comma, empty ones count for nothing."""
        headers: dict[bytes, bytes] = {} if hdict is None else hdict
        count = 0
        while (line := rfile.readline()) != b"\r\n":
            header = _HEADER.fullmatch(line)
            count += 1
            if header is None:
                raise ValueError("Invalid request header.")
            if count > MAX_HEADERS:
                raise MaxSizeExceeded
            name, value = header[1].title(), header[2]
            if name in headers and name in {b"Host", b"Content-Length"}:
                raise ValueError("Repeated request header.")
            if b"_" not in name:
                headers[name] = b",".join(filter(None, (headers.get(name), value)))
        if not _HOST.fullmatch(headers.get(b"Host", b"")):
            raise ValueError("Invalid Host header.")
        if not re.fullmatch(rb"\d+", headers.get(b"Content-Length", b"0")):
            raise ValueError("Invalid Content-Length.")
        return headers


class KestrelRequest(HTTPRequest):
    """One request, read as Kestrel reads it."""

    header_reader = KestrelHeaders()

    def read_request_line(self) -> bool:
        """Read the request line; False once it was refused or the client is gone."""
        self.rfile = SizeCheckWrapper(self.conn.rfile, MAX_LINE_BYTES)
        line = self.rfile.readline()
        self.started_request = True
        if line == b"\r\n":
            line = self.rfile.readline()
        if not line:
            return False
        parts = _REQUEST_LINE.fullmatch(line)
        if parts is None or (parts[2] == b"*" and parts[1] != b"OPTIONS"):
            return self._refuse("400 Bad Request")
        self.method, self.uri, version = parts.groups()
        if version not in {b"1.0", b"1.1"}:
            return self._refuse("505 HTTP Version Not Supported")
        self.path, _, self.qs = self.uri.partition(b"?")
        self.authority = b""
        self.request_protocol = b"HTTP/" + version
        self.response_protocol = self.request_protocol.decode()
        return True

    def read_request_headers(self) -> bool:
        """Read the headers; False once the request was refused."""
        self.rfile = SizeCheckWrapper(self.conn.rfile, MAX_HEADERS_BYTES)
        try:
            if not super().read_request_headers():  # type: ignore[no-untyped-call]
                return False
        except MaxSizeExceeded:
            return self._refuse("431 Request Header Fields Too Large")
        coding = self.inheaders.get(b"Transfer-Encoding")
        has_length = b"Content-Length" in self.inheaders
        if self.request_protocol == b"HTTP/1.1":
            is_valid = b"Host" in self.inheaders and not (coding and has_length)
        else:
            is_valid = coding is None and (has_length or self.method not in {b"POST", b"PUT"})
        if coding is not None and coding.lower() != b"chunked":
            is_valid = False
        return is_valid or self._refuse("400 Bad Request")

    def respond(self) -> None:
        """Take a chunked body off the connection, which nobody reads, then answer the request."""
        if self.chunked_read:
            try:
                drain_chunks(self.conn.rfile)
            except ValueError:
                self._refuse("400 Bad Request")
                return
            except MaxSizeExceeded:
                self._refuse("413 Payload Too Large")
                return
            self.chunked_read = False
        super().respond()

    def _refuse(self, status: str) -> bool:
        self.close_connection = True
        self.simple_response(status)
        return False


class KestrelConnection(LingeringConnection):
    """A connection whose requests are read as Kestrel reads them."""

    RequestHandlerClass: Any = KestrelRequest


def drain_chunks(rfile: _Reader) -> None:
    """Read a chunked body and its trailers to their end (RFC 9112, section 7.1).

    ValueError for bad framing, MaxSizeExceeded for more than the host takes.
    """
    total = 0
    while size := _chunk_size(rfile.readline(MAX_LINE_BYTES)):
        total += size
        if total > MAX_CHUNKED_BYTES:
            raise MaxSizeExceeded
        while size:
            piece = rfile.read(min(size, _PIECE_BYTES))
            if not piece:
                raise ValueError("The body ended inside a chunk.")
            size -= len(piece)
        if rfile.read(2) != b"\r\n":
            raise ValueError("A chunk is longer than it says.")
    KestrelHeaders()(SizeCheckWrapper(rfile, MAX_HEADERS_BYTES))


def _chunk_size(line: bytes) -> int:
    chunk = _CHUNK.fullmatch(line)
    if chunk is None:
        raise ValueError("Bad chunk size.")
    return int(chunk[1], 16)
