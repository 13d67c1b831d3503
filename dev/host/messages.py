"""A request as the host sees it, and an answer as it goes out."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from dev.host.targets import decode_path, encode_path, query_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

Header = tuple[str, str]

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class RefusedError(Exception):
    """A request that the web server or the host answers before it looks for a function."""

    def __init__(self, status: HTTPStatus) -> None:
        """Take the status of the answer, which has no body."""
        super().__init__(status.phrase)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A request: decoded path, raw query (with its question mark), lower-case header names."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def url(self) -> str:
        """Give the URL as the app sees it; the host believes `Host` and no forwarding header."""
        return f"http://{self.headers.get('host', '')}{encode_path(self.path)}{self.query}"

    def first_query_value(self, name: str) -> str | None:
        """Give the first value of a query parameter, whose name is found in any case."""
        values = (value for key, value in query_pairs(self.query[1:]) if key.lower() == name)
        return next(values, None)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response, whose length the web server adds."""

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    def with_defaults(self, defaults: Mapping[str, str]) -> Answer:
        """Add headers that are not set yet, as CustomHttpHeadersMiddleware does."""
        present = {name.lower() for name, _ in self.headers}
        added = (header for header in defaults.items() if header[0].lower() not in present)
        return Answer(status=self.status, headers=(*self.headers, *added), body=self.body)

    def send(self, start_response: StartResponse, *, method: str) -> list[bytes]:
        """Hand the answer to the server; a HEAD, a 204 and a 304 are answered without a body."""
        headers = list(self.headers)
        has_body = self.status >= HTTPStatus.OK and self.status not in {
            HTTPStatus.NO_CONTENT,
            HTTPStatus.NOT_MODIFIED,
        }
        if has_body:
            headers.append(("Content-Length", str(len(self.body))))
        start_response(f"{self.status} {_PHRASES.get(self.status, '')}", headers)
        return [self.body] if has_body and method != "HEAD" else []


def read(environ: WSGIEnvironment, *, body_limit: int) -> Incoming:
    """Read a request off the server; RefusedError if it is one that the host would not take.

    A body is read only where a length announces it: the host hands chunked ones over empty.
    (azure-functions-host: GrpcMessageConversionExtensions, HttpRequestBodySizeMiddleware)
    """
    path, mark, query = environ["REQUEST_URI"].partition("?")
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > body_limit:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    body = environ["wsgi.input"].read(length)
    if len(body) < length:
        raise RefusedError(HTTPStatus.BAD_REQUEST)
    try:
        return Incoming(
            method=environ["REQUEST_METHOD"],
            path="" if path == "*" else decode_path(path),
            query=mark + query,
            headers=_headers(environ),
            body=body,
        )
    except ValueError:
        raise RefusedError(HTTPStatus.BAD_REQUEST) from None


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    """Give all headers with lower-case names; Kestrel reads values as UTF-8 (WSGI as Latin-1)."""
    names = {
        key: key.removeprefix("HTTP_").lower().replace("_", "-")
        for key in environ
        if key.startswith("HTTP_") or key in {"CONTENT_TYPE", "CONTENT_LENGTH"}
    }
    return {name: environ[key].encode("latin-1").decode() for key, name in names.items()}
