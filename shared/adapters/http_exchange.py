"""One request and its answer: what its connection has to know, and the time that ends both."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Self

from shared.adapters.http_deadlines import Deadlines

if TYPE_CHECKING:
    from types import TracebackType

    from shared.domain.egress import EgressPolicy

_CONNECT_SECONDS = 10

_deadlines = Deadlines()


class Exchange:
    """One request and its answer, as the connection that carries it sees them.

    A context: inside it, the connections of this thread work for this exchange.
    """

    def __init__(self, target: str, policy: EgressPolicy, seconds: float) -> None:
        """Send `target` in the request line; end everything after `seconds`."""
        self.target = target
        self.policy = policy
        self.was_sent = False
        self.is_over = False
        self.is_forbidden = False
        self.ends_on = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        _of_thread.exchange = self
        _deadlines.watch(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _deadlines.leave(self)
        self.let_go()
        del _of_thread.exchange

    @property
    def seconds_left(self) -> float:
        """How long a socket may still wait; never zero, which would mean not to wait at all."""
        return max(self.ends_on - time.monotonic(), 0.001)

    @property
    def is_out_of_time(self) -> bool:
        """Tell whether its time has come, whether or not the watch over it has noticed."""
        return time.monotonic() >= self.ends_on

    @property
    def connect_seconds(self) -> float:
        """How long a step on the way to a connection may take."""
        return min(self.seconds_left, _CONNECT_SECONDS)

    def hold(self, connected: socket.socket) -> None:
        """Bind the socket to the end of this exchange; TimeoutError if that has come."""
        with self._lock:
            if self.is_over:
                raise TimeoutError("time was up")
            self._socket = connected

    def let_go(self) -> None:
        """Leave the socket to the exchange that uses it next."""
        with self._lock:
            self._socket = None

    def end(self) -> None:
        """End it now, whatever it is waiting for."""
        with self._lock:
            self.is_over = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # Not the TLS socket's own: what is sent meanwhile would go out in clear.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _ThreadExchange(threading.local):
    exchange: Exchange


_of_thread = _ThreadExchange()


def current_exchange() -> Exchange:
    """Return the exchange that the connections of this thread work for."""
    return _of_thread.exchange
