"""The port HttpClient, by an adapter of requests.

Three things that requests does not do by itself are done in the modules beside this one. The
address that is connected to is checked (`http_connections`). A deadline ends the whole exchange,
where a timeout of requests starts anew with every byte (`http_exchange`). And the request target
goes out byte for byte, where requests and urllib3 would both encode it their own way.

The adapter is used without a session: a session would keep cookies between callers, read
credentials from .netrc, and follow the proxies that the environment names.
"""

from __future__ import annotations

from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.exceptions import RequestException, Timeout
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as UrllibTimeout

from shared.adapters.http_adapter import GuardedAdapter
from shared.adapters.http_exchange import Exchange
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

    from requests import Response

    from shared.domain.egress import EgressPolicy

_CHUNK_BYTES = 64 * 1024
_TIMEOUTS = (TimeoutError, UrllibTimeout, Timeout)


class PooledHttpClient:
    """Sends requests, each within its time and its size."""

    def __init__(self, policy: EgressPolicy, ca_bundle: str | None) -> None:
        """Connect where `policy` permits; trust `ca_bundle`, or the usual authorities."""
        self._policy = policy
        self._adapter = GuardedAdapter(ca_bundle)

    def send(
        self, request: OutboundRequest, *, timeout_seconds: float, max_bytes: int
    ) -> OutboundAnswer:
        """Return the answer, whatever its status; redirects are not followed."""
        parts = urlsplit(request.url)
        if not self._policy.permits_scheme(parts.scheme):  # stored when it was allowed
            raise NotSent("no request may be sent in clear", is_forbidden=True)
        exchange = Exchange(_target(parts), self._policy, timeout_seconds)
        try:
            with exchange:
                response = self._adapter.send(_prepared(request), timeout=timeout_seconds)
                try:
                    body = _read(response, max_bytes)
                except BaseException:
                    response.raw.close()  # what is left of the answer must not meet the next one
                    raise
                response.raw.release_conn()
        except (RequestException, HTTPError, HTTPException, OSError) as error:
            raise _failure(exchange, error) from None  # the cause may show the URL and headers
        if exchange.is_over:
            raise TimedOut("time was up")
        return OutboundAnswer(response.status_code, _headers(response), body)


def _prepared(request: OutboundRequest) -> PreparedRequest:
    """Prepare by hand: requests' own preparation would rewrite the URL."""
    prepared = PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    prepared.headers = CaseInsensitiveDict({"Accept-Encoding": "gzip"} | request.headers)
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        prepared.headers["Content-Length"] = str(len(request.body or b""))
    prepared.body = request.body or None
    return prepared


def _target(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def _read(response: Response, max_bytes: int) -> bytes:
    if response.status_code < HTTPStatus.OK:
        raise AnswerLost("only an interim answer was read")  # the final one is still to come
    body = bytearray()  # a list of tiny chunks would take many times their length
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        if len(body) + len(chunk) > max_bytes:
            raise AnswerTooLarge(response.status_code)
        body += chunk
    return bytes(body)


def _headers(response: Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _failure(exchange: Exchange, error: Exception) -> NotSent | AnswerLost:
    if not exchange.was_sent:
        reason = "time was up" if exchange.is_out_of_time else "no connection"
        return NotSent(reason, is_forbidden=exchange.is_forbidden)
    if exchange.is_over or _is_timeout(error):
        return TimedOut("time was up")
    return AnswerLost("connection lost")


def _is_timeout(error: BaseException | None) -> bool:
    # What the socket says is wrapped by urllib3, and again by requests.
    return error is not None and (isinstance(error, _TIMEOUTS) or _is_timeout(error.__context__))
