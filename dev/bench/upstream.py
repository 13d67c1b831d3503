"""A service that costs next to nothing: it sends each body back, and keeps its connections.

What it took itself would hide what the ways to it take.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dev.stack.ports import HOST

if TYPE_CHECKING:
    from asyncio import BaseTransport, Transport

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Echo(asyncio.Protocol):
    """One connection, with a request at a time."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin with nothing read."""
        self._transport = cast("Transport", transport)
        self._read = bytearray()
        self._whole = 0  # the length of the request, as soon as its head is there

    def data_received(self, data: bytes) -> None:
        """Answer as soon as the request is whole."""
        self._read += data
        if not self._whole:
            head = self._read.find(_END_OF_HEAD) + len(_END_OF_HEAD)
            if head < len(_END_OF_HEAD):
                return
            length = _LENGTH.search(self._read, 0, head)
            self._body = head
            self._whole = head + (int(length[1]) if length else 0)
        if len(self._read) >= self._whole:
            self._transport.write(answer(bytes(self._read[self._body : self._whole])))
            self._read.clear()
            self._whole = 0


def answer(body: bytes) -> bytes:
    """Return an answer with this body."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + _END_OF_HEAD + body


async def serve(port: int, tls_port: int, certificate: Path) -> None:
    """Serve on both ports until the process is ended."""
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    plain = await loop.create_server(Echo, HOST, port, backlog=128)
    async with plain, await loop.create_server(Echo, HOST, tls_port, ssl=context, backlog=128):
        await asyncio.Event().wait()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls-port", type=int, required=True)
    parser.add_argument("--certificate", type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.tls_port, options.certificate))


if __name__ == "__main__":
    main()
