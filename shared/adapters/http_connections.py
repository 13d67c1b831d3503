"""Connections that go only where they may, and the pools that keep them between exchanges.

The address is checked after the name is resolved and is the one that is connected to, so that a
name cannot be pointed inside between check and use.
"""

from __future__ import annotations

import math
import socket
import time
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from shared.adapters.http_exchange import current_exchange

if TYPE_CHECKING:
    from urllib3._base_connection import BaseHTTPConnection

# Azure's address translation drops what was idle for four minutes, and tells neither side:
# learn.microsoft.com/azure/nat-gateway/nat-gateway-resource#tcp-timeout
_LONGEST_IDLE_SECONDS = 60


class _Guarded(HTTPConnection):
    """What both kinds of connection do differently."""

    idle_since = math.inf

    def _new_conn(self) -> socket.socket:
        exchange = current_exchange()
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
                    current_exchange().connect_seconds,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                failures.append(error)
        raise NewConnectionError(self, "no connection") from failures[-1]

    def putrequest(self, method: str, url: str, *args: Any, **options: Any) -> None:
        """Begin the request with the exchange's own target, byte for byte."""
        super().putrequest(method, current_exchange().target or url, *args, **options)

    def send(self, data: Any) -> None:
        """Send, knowing from then on that something may have arrived."""
        if self.sock is None:
            self.connect()
        exchange = current_exchange()
        exchange.hold(self.sock)
        exchange.was_sent = True
        self.sock.settimeout(exchange.seconds_left)
        super().send(data)


class _GuardedTls(_Guarded, HTTPSConnection):
    """A guarded connection over TLS."""


class Pool(HTTPConnectionPool):
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
        current_exchange().let_go()
        if isinstance(conn, _Guarded):
            conn.idle_since = time.monotonic()
        super()._put_conn(conn)


class TlsPool(Pool, HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = _GuardedTls
