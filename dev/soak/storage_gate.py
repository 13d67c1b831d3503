"""A reverse proxy in front of Azurite's tables, so that Table Storage can fail on command."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

import urllib3
from werkzeug.wrappers import Request, Response

from dev.faults import Faults
from dev.serving import THREADS, LoopbackServer
from dev.stack.ports import HOST, url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

# RFC 9110 section 7.6.1: they are about one connection, and the two sides have one each.
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})


class Forwarder:
    """Sends each request on unchanged, as its signature demands, over connections that it keeps."""

    def __init__(self, port: int) -> None:
        """Forward to `port`."""
        self._pool = urllib3.HTTPConnectionPool(HOST, port, maxsize=THREADS, block=True)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer what is answered there; drop the connection where nothing is."""
        request = Request(environ)
        try:
            answer = self._pool.urlopen(
                request.method,
                environ["REQUEST_URI"],
                body=request.get_data(),
                headers=_end_to_end(request.headers.items()),
                retries=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the storage is gone") from error
        headers = _end_to_end(answer.headers.items())
        return Response(answer.data, answer.status, headers)(environ, start_response)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


@contextmanager
def storage_gate(table_port: int) -> Iterator[str]:
    """Serve in front of the tables at `table_port`, with fault injection; give the gate's URL."""
    forwarder = Forwarder(table_port)
    server = LoopbackServer(Faults(forwarder))
    server.start()
    try:
        yield url(server.port)
    finally:
        server.stop()
        forwarder.close()


def _end_to_end(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _HOP_BY_HOP}
