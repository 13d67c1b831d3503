"""Requests and responses between host and worker.

The worker's half is Microsoft's own code, the converters of `azure.functions`: they decide on the
content type, let same-named headers collapse to the last one, and parse cookies.
"""

from __future__ import annotations

import re
from http.cookies import CookieError
from typing import TYPE_CHECKING, Any

from azure.functions import HttpResponse
from azure.functions.http import HttpRequest, HttpResponseConverter

from dev.host.cookies import set_cookie
from dev.host.messages import Answer
from dev.host.targets import query_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev.host.messages import Header, Incoming

# The server sets these itself; a function's own would break the framing of the answer.
_FRAMING_HEADERS = {"connection", "content-length", "transfer-encoding"}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")


class ResponseError(ValueError):
    """What a function returned cannot be sent; the client gets a 500."""


def to_function(request: Incoming, route_values: Mapping[str, str]) -> HttpRequest:
    """Give the request as a function gets it."""
    return HttpRequest(
        method=request.method,
        url=request.url,
        headers=request.headers,
        params=query_parameters(request.query[1:]),
        route_params=route_values,
        body_type="bytes",
        body=request.body,
    )


def from_function(returned: object) -> Answer:
    """Give the answer for what a function returned; ResponseError if the host has none.

    A `str` is refused too: the host may take its text for a response definition.
    """
    if not isinstance(returned, HttpResponse):
        raise ResponseError(f"a function must return an HttpResponse, not {returned!r}")
    try:
        response: dict[str, Any] = HttpResponseConverter.encode(returned, expected_type=None).value
        status = int(response["status_code"].value)
        cookies = [morsel for each in response["cookies"] or () for morsel in each.values()]
        # The host keeps the first of names that differ in case only (RawScriptResult).
        headers: dict[str, Header] = {}
        for name, datum in response["headers"].items():
            headers.setdefault(name.lower(), (name, datum.value))
        lines = [*headers.values(), *(("Set-Cookie", set_cookie(each)) for each in cookies)]
    except (ValueError, CookieError) as error:
        raise ResponseError(str(error)) from error
    for name, value in lines:
        _check_header(name, value)
    if not 200 <= status <= 999:
        raise ResponseError(f"{status} is not the status of a response")
    return Answer(status=status, headers=tuple(lines), body=response["body"].value)


def _check_header(name: str, value: str) -> None:
    if name.lower() in _FRAMING_HEADERS:
        raise ResponseError(f"the header {name!r} is the server's to set")
    if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
        raise ResponseError(f"the server refuses the characters of the header {name!r}: {value!r}")
