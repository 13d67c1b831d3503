"""The port HttpClient, over the pooled connections of urllib3.

It is what requests sends by. A session of requests would keep cookies between callers, read
credentials from .netrc, and follow the proxies that the environment names; its adapter alone would
only cost time (docs/benchmark.md).
"""

from __future__ import annotations

from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from urllib3 import Retry
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as UrllibTimeout

from shared.adapters.http_connections import Exchange, Pools
from shared.domain.transport import (
    AnswerLost,
    AnswerTooLarge,
    NotSent,
    OutboundAnswer,
    OutboundRequest,
    TimedOut,
)

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from urllib3.response import BaseHTTPResponse

    from shared.domain.egress import EgressPolicy

_CHUNK_BYTES = 64 * 1024
_TIMEOUTS = (TimeoutError, UrllibTimeout)
_ONCE = Retry(total=False, redirect=False)


class PooledHttpClient:
    """Sends requests, each within its time and its size."""

    def __init__(self, policy: EgressPolicy, ca_bundle: str | None) -> None:
        """Connect where `policy` permits; trust `ca_bundle`, or the usual authorities."""
        self._policy = policy
        self._pools = Pools(ca_bundle)

    def send(
        self, request: OutboundRequest, *, timeout_seconds: float, max_bytes: int
    ) -> OutboundAnswer:
        """Return the answer, whatever its status; redirects are not followed."""
        parts = urlsplit(request.url)
        exchange = Exchange(_target(parts), self._policy, timeout_seconds)
        try:
            with exchange:
                pool = self._pools.to(parts.scheme, parts.hostname or "", parts.port)
                response = pool.urlopen(
                    request.method,
                    "/",  # the exchange knows the target
                    body=request.body or None,
                    headers={"Accept-Encoding": "gzip"} | request.headers,
                    timeout=timeout_seconds,
                    retries=_ONCE,
                    redirect=False,
                    preload_content=False,
                )
                try:
                    body = _read(response, max_bytes)
                except BaseException:
                    response.close()  # what is left of the answer must not meet the next one
                    raise
                response.release_conn()
        except (HTTPError, HTTPException, OSError) as error:
            raise _failure(exchange, error) from None  # the cause may show the URL and headers
        if exchange.is_over:
            raise TimedOut("time was up")
        return OutboundAnswer(response.status, _headers(response), body)


def _target(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def _read(response: BaseHTTPResponse, max_bytes: int) -> bytes:
    if response.status < HTTPStatus.OK:
        raise AnswerLost("only an interim answer was read")  # the final one is still to come
    body = bytearray()  # a list of tiny chunks would take many times their length
    while chunk := response.read1(_CHUNK_BYTES, decode_content=True):
        if len(body) + len(chunk) > max_bytes:
            raise AnswerTooLarge(response.status)
        body += chunk
    return bytes(body)


def _headers(response: BaseHTTPResponse) -> dict[str, str]:
    # By name, which joins those that stand twice; its items are told one by one.
    return {name.lower(): response.headers[name] for name in response.headers}


def _failure(exchange: Exchange, error: Exception) -> NotSent | AnswerLost:
    if not exchange.was_sent:
        reason = "time was up" if exchange.is_over else "no connection"
        return NotSent(reason, is_forbidden=exchange.is_forbidden)
    if exchange.is_over or _is_timeout(error):
        return TimedOut("time was up")
    return AnswerLost("connection lost")


def _is_timeout(error: BaseException | None) -> bool:
    # What the socket says is wrapped by urllib3.
    return error is not None and (isinstance(error, _TIMEOUTS) or _is_timeout(error.__context__))
