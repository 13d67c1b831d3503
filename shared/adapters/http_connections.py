"""Connections that go only where they may, and whose exchange ends when its time is up.

Three things that requests does not do by itself. The address is checked after the name is resolved
and is the one that is connected to, so that a name cannot be pointed inside between check and use.
A deadline ends the whole exchange: a timeout of requests starts anew with every byte. And the
request target goes out byte for byte, where urllib3 would rewrite its percent-encodings.
"""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import threading
import time
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import certifi
from requests import Response
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection
from urllib3.util.ssl_ import create_urllib3_context

from shared.adapters.http_deadlines import Deadlines

if TYPE_CHECKING:
    from types import TracebackType

    from requests import PreparedRequest
    from urllib3._base_connection import BaseHTTPConnection
    from urllib3.response import BaseHTTPResponse

    from shared.domain.egress import EgressPolicy

_CONNECT_SECONDS = 10
# Azure's address translation drops what was idle for four minutes, and tells neither side:
# learn.microsoft.com/azure/nat-gateway/nat-gateway-resource#tcp-timeout
_LONGEST_IDLE_SECONDS = 60
_POOLED_HOSTS = 50
_CONNECTIONS_PER_HOST = 64

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


class _Guarded(HTTPConnection):
    """What both kinds of connection do differently."""

    idle_since = math.inf

    def _new_conn(self) -> socket.socket:
        exchange = _of_thread.exchange
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # the latter for a name that no DNS could hold
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        permitted = [each for each in addresses if exchange.policy.permits(self.host, each)]
        if not permitted:
            exchange.is_forbidden = True
            raise NewConnectionError(self, "the address may not be called")
        connected = self._connect_to_one_of(permitted)
        connected.settimeout(exchange.connect_seconds)  # for the TLS handshake
        return connected

    def _connect_to_one_of(self, addresses: list[str]) -> socket.socket:
        failures = []
        for address in addresses:
            try:
                return create_connection(
                    (address, self.port),
                    _of_thread.exchange.connect_seconds,
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
        exchange.hold(self.sock)
        exchange.was_sent = True
        self.sock.settimeout(exchange.seconds_left)
        super().send(data)


class _GuardedTls(_Guarded, HTTPSConnection):
    """A guarded connection over TLS."""


class _Pool(HTTPConnectionPool):
    """Connections that nothing binds to an exchange while they wait in the pool, nor for long."""

    ConnectionCls = _Guarded

    def _get_conn(self, timeout: float | None = None) -> BaseHTTPConnection:
        connection = super()._get_conn(timeout)
        if isinstance(connection, _Guarded):
            if time.monotonic() - connection.idle_since > _LONGEST_IDLE_SECONDS:
                connection.close()  # it connects anew when it is used
            connection.idle_since = math.inf
        return connection

    def _put_conn(self, conn: BaseHTTPConnection | None) -> None:
        # Now, not with the exchange's end: another thread may have taken it by then.
        _of_thread.exchange.let_go()
        if isinstance(conn, _Guarded):
            conn.idle_since = time.monotonic()
        super()._put_conn(conn)


class _TlsPool(_Pool, HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = _GuardedTls


class GuardedAdapter(HTTPAdapter):
    """The connections to the most recently used hosts, kept alive between exchanges.

    What requests leaves to a subclass is overridden where it works anew for each request what is
    the same for all of them: to find the pool, to load the authorities, to look for cookies.
    """

    def __init__(self, ca_bundle: str | None) -> None:
        """Trust the authorities in the file or folder `ca_bundle`, or the usual ones."""
        super().__init__(pool_connections=_POOLED_HOSTS, pool_maxsize=_CONNECTIONS_PER_HOST)
        self._ca_bundle = Path(ca_bundle or certifi.where())
        self._pool = lru_cache(_POOLED_HOSTS)(self._open)

    def get_connection_with_tls_context(
        self, request: PreparedRequest, *_args: Any, **_options: Any
    ) -> HTTPConnectionPool:
        """Return the pool of the request's origin; there are no proxies."""
        parts = urlsplit(request.url or "")
        return self._pool(parts.scheme, parts.hostname or "", parts.port)

    def cert_verify(self, *_args: Any, **_options: Any) -> None:
        """Leave the pool with the trust that it was opened with."""

    def request_url(self, *_args: Any, **_options: Any) -> str:
        """Return a placeholder: the connection asks the exchange for its target."""
        return "/"

    def build_response(self, req: PreparedRequest, resp: BaseHTTPResponse) -> Response:
        """Return the answer without reading its cookies, which nobody keeps."""
        response = Response()
        response.request = req
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        return response

    def _open(self, scheme: str, host: str, port: int | None) -> HTTPConnectionPool:
        if scheme == "https":
            return _TlsPool(host, port, maxsize=_CONNECTIONS_PER_HOST, ssl_context=self._trust)
        return _Pool(host, port, maxsize=_CONNECTIONS_PER_HOST)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        # Read once: the list of authorities is long, and connecting would read it each time.
        context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
        if self._ca_bundle.is_dir():
            context.load_verify_locations(capath=self._ca_bundle)
        else:
            context.load_verify_locations(cafile=self._ca_bundle)
        return context
