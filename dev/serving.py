"""Serve a WSGI application on loopback, with keep-alive as the real services have it."""

from __future__ import annotations

import logging
import signal
import threading
from typing import TYPE_CHECKING

from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import FrameType
    from wsgiref.types import StartResponse, WSGIEnvironment

    WsgiApp = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

HOST = "127.0.0.1"
THREADS = 64


class LoopbackServer:
    """One listening server: `start` runs it in a thread, `serve` until SIGTERM or Ctrl+C."""

    def __init__(self, app: WsgiApp, *, port: int = 0, certificate: Path | None = None) -> None:
        """Listen for `app` on `port` (0: any free one), over TLS with a PEM `certificate`."""
        self._server = wsgi.Server((HOST, port), app, numthreads=THREADS, timeout=30)
        self._server.error_log = _log  # type: ignore[method-assign]
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
        """Serve in this thread until SIGTERM or Ctrl+C."""

        def end(_signal: int, _frame: FrameType | None) -> None:
            raise KeyboardInterrupt

        signal.signal(signal.SIGTERM, end)
        try:
            self._server.serve()
        except KeyboardInterrupt:
            self._server.stop()


def _log(msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002
    """Send the server's own complaints to the process log; the signature is cheroot's."""
    logging.getLogger("dev.serving").log(level, "%s", msg, exc_info=traceback)
