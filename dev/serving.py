"""Serve a WSGI application on loopback, with keep-alive as the real services have it."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from cheroot import wsgi
from cheroot.server import HTTPConnection
from cheroot.ssl.builtin import BuiltinSSLAdapter
from urllib3.util.wait import wait_for_read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import FrameType
    from wsgiref.types import StartResponse, WSGIEnvironment

    from cheroot.server import HTTPRequest

    WsgiApp = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

HOST = "127.0.0.1"
THREADS = 64
# More than any test or benchmark opens at once: the server's own 5 would cut them short.
BACKLOG = 128
LINGER_SECONDS = 0.05
STOP_SECONDS = 5
# Where an application finds, in its environ, the socket that the request came by.
SOCKET = "dev.serving.socket"


class _Gateway(wsgi.Gateway_10):
    """Lets an application see when its client has gone, which WSGI does not tell (PEP 3333)."""

    def __init__(self, req: HTTPRequest) -> None:
        super().__init__(req)
        self.env[SOCKET] = req.conn.socket


class LingeringConnection(HTTPConnection):
    """A connection whose thread waits a moment for the next request, which mostly comes at once.

    Otherwise each request would pass through the one thread that watches over idle connections.
    """

    def communicate(self) -> bool:
        """Answer requests; True for a connection that is to be kept, and idle for now."""
        while super().communicate():  # type: ignore[no-untyped-call]
            if not self.rfile.has_data() and not wait_for_read(self.socket, LINGER_SECONDS):
                return True
        return False


class LoopbackServer:
    """One listening server: `start` runs it in a thread, `serve` until SIGTERM or Ctrl+C."""

    def __init__(
        self,
        app: WsgiApp,
        *,
        port: int = 0,
        certificate: Path | None = None,
        threads: int = THREADS,
        connection: type[LingeringConnection] = LingeringConnection,
    ) -> None:
        """Listen for `app` on `port` (0: any free one), over TLS with a PEM `certificate`.

        `connection` is the class that reads requests off a socket.
        """
        self._server = wsgi.Server(
            (HOST, port), app, numthreads=threads, timeout=30, request_queue_size=BACKLOG
        )
        self._server.gateway = _Gateway
        self._server.error_log = _log  # type: ignore[method-assign]
        self._server.ConnectionClass = connection
        self._server.keep_alive_conn_limit = None  # type: ignore[assignment]
        if certificate is not None:
            self._server.ssl_adapter = BuiltinSSLAdapter(str(certificate), str(certificate))
        self._server.prepare()
        self.port: int = self._server.bind_addr[1]

    def start(self) -> None:
        """Serve in a background thread; `stop` ends it."""
        threading.Thread(target=self._server.serve, daemon=True).start()

    def stop(self) -> None:
        """Close the socket and end the threads."""
        self._server.stop()

    def serve(self) -> None:
        """Serve until SIGTERM or Ctrl+C.

        The server runs in a thread of its own: an exception that a signal raises inside of it can
        lose a wake-up, and then its workers wait for ever.
        """
        told_to_end = threading.Event()

        def end(_signal: int, _frame: FrameType | None) -> None:
            told_to_end.set()

        signal.signal(signal.SIGTERM, end)
        self.start()
        with suppress(KeyboardInterrupt):
            while not told_to_end.wait(1):
                pass
        # cheroot waits for the requests that it is answering, however long that takes.
        stopping = threading.Thread(target=self._server.stop, daemon=True)
        stopping.start()
        stopping.join(STOP_SECONDS)


def _log(msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002
    """Send the server's own complaints to the process log; the signature is cheroot's."""
    logging.getLogger("dev.serving").log(level, "%s", msg, exc_info=traceback)
