"""Requests' adapter, over the connections of this package.

What requests leaves to a subclass is overridden where it works anew for each request what is the
same for all of them: to find the pool, to load the authorities, to look for cookies.
"""

from __future__ import annotations

import ssl
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import certifi
from requests import Response
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.util.ssl_ import create_urllib3_context

from shared.adapters.http_connections import Pool, TlsPool

if TYPE_CHECKING:
    from requests import PreparedRequest
    from urllib3.response import BaseHTTPResponse

_POOLED_HOSTS = 50
_CONNECTIONS_PER_HOST = 64


class GuardedAdapter(HTTPAdapter):
    """Sends prepared requests over pools of the most recently used hosts."""

    def __init__(self, ca_bundle: str | None) -> None:
        """Trust the authorities in the file or folder `ca_bundle`, or the usual ones."""
        super().__init__()
        self._ca_bundle = Path(ca_bundle or certifi.where())
        self._pool = lru_cache(_POOLED_HOSTS)(self._open)

    def get_connection_with_tls_context(
        self, request: PreparedRequest, *_args: Any, **_options: Any
    ) -> Pool:
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

    def _open(self, scheme: str, host: str, port: int | None) -> Pool:
        if scheme == "https":
            return TlsPool(host, port, maxsize=_CONNECTIONS_PER_HOST, ssl_context=self._trust)
        return Pool(host, port, maxsize=_CONNECTIONS_PER_HOST)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        # Read once: the list of authorities is long, and connecting would read it each time.
        context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
        if self._ca_bundle.is_dir():
            context.load_verify_locations(capath=self._ca_bundle)
        else:
            context.load_verify_locations(cafile=self._ca_bundle)
        return context
