"""Connections that go only where they may, and whose exchange ends when its time is up.

Three things that requests does not do by itself. The address is checked after the name is resolved
and is the one that is connected to, so that a name cannot be pointed inside between check and use.
A timer ends the whole exchange: a timeout of requests starts anew with every byte. And the request
target goes out byte for byte, where urllib3 would rewrite its percent-encodings.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

if TYPE_CHECKING:
    from types import TracebackType

    from shared.domain.egress import EgressPolicy

_POOLED_HOSTS = 50
_CONNECTIONS_PER_HOST = 64


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
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _of_thread.exchange = self
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._socket = None  # it may serve the next exchange by now
        del _of_thread.exchange

    def use(self, connected: socket.socket) -> None:
        """Remember the socket that the answer will come from."""
        with self._lock:
            self._socket = connected

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


class _ThreadExchange(threading.local):
    exchange: Exchange


_of_thread = _ThreadExchange()


class _Guarded(HTTPConnection):
    """What both kinds of connection do differently."""

    def _new_conn(self) -> socket.socket:
        exchange = _of_thread.exchange
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        permitted = [each for each in addresses if exchange.policy.permits(self.host, each)]
        if not permitted:
            exchange.is_forbidden = True
            raise NewConnectionError(self, "the address may not be called")
        return self._connect_to_one_of(permitted)

    def _connect_to_one_of(self, addresses: list[str]) -> socket.socket:
        failures = []
        for address in addresses:
            try:
                return create_connection(
                    (address, self.port),
                    self.timeout,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                failures.append(error)
        raise NewConnectionError(self, "no connection") from failures[-1]

    def putrequest(self, method: str, url: str, *args: Any, **options: Any) -> None:
        """Begin the request with the exchange's own target."""
        super().putrequest(method, _of_thread.exchange.target or url, *args, **options)

    def send(self, data: Any) -> None:
        """Send, knowing from then on that something may have arrived."""
        if self.sock is None:
            self.connect()
        exchange = _of_thread.exchange
        exchange.use(self.sock)
        exchange.was_sent = True
        super().send(data)


class _GuardedTls(_Guarded, HTTPSConnection):
    """A guarded connection over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTls


class GuardedAdapter(HTTPAdapter):
    """The pool of connections, kept alive between exchanges."""

    def __init__(self) -> None:
        """Keep connections to the most recently used hosts."""
        super().__init__(pool_connections=_POOLED_HOSTS, pool_maxsize=_CONNECTIONS_PER_HOST)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
