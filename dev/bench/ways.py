"""The ways of a call to the service: by itself, through the gateway, through the naive design."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import azure.functions as func
import requests
from requests.adapters import HTTPAdapter

from dev import sample
from dev.bench.naive import ACCESS_TOKEN
from dev.bench.stage import APPS, ENDPOINT
from dev.demo.gateway_client import TIMEOUT_SECONDS
from dev.errors import DevError
from dev.stack.ports import HOST
from functions.invoke import invoke

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev.bench.places import Places, Transport

# Sends a body and returns the body of the answer.
Call = Callable[[bytes], bytes]

DIRECT, IN_PROCESS, HOST_STAND_IN, NAIVE = "direct", "in-process", "host", "naive"
_JSON = {"Content-Type": "application/json"}
_CONNECTIONS = 64


def ways(places: Places, transport: Transport) -> dict[str, Call]:
    """Return every way by its name."""
    path = f"/api/invoke/{APPS[transport]}/{ENDPOINT}"
    headers = _JSON | {"x-functions-key": sample.INVOKE_KEY}
    return {
        DIRECT: direct(places.upstream_call(transport)),
        IN_PROCESS: in_process(APPS[transport]),
        HOST_STAND_IN: _Client(places.gateway_port, path, headers).call,
        NAIVE: _Client(places.naive_port, f"/{transport}", _JSON).call,
    }


def direct(url: str) -> Call:
    """Return a call of one shared session, as a program makes it that has a token."""
    session = requests.Session()
    session.mount(url, HTTPAdapter(pool_maxsize=_CONNECTIONS))
    headers = _JSON | {"Authorization": f"Bearer {ACCESS_TOKEN}"}

    def call(body: bytes) -> bytes:
        answer = session.post(url, data=body, headers=headers, timeout=TIMEOUT_SECONDS)
        _require_ok(answer.status_code, answer.content)
        return answer.content

    return call


def in_process(integration: str) -> Call:
    """Return a call of the trigger as the worker makes it, with all that the gateway does."""
    url = f"http://{HOST}/api/invoke/{integration}/{ENDPOINT}"
    route = {"integration": integration, "endpoint": ENDPOINT}

    def call(body: bytes) -> bytes:
        request = func.HttpRequest("POST", url, headers=_JSON, route_params=route, body=body)
        response = invoke(request)
        answer: bytes = response.get_body()
        _require_ok(response.status_code, answer)
        return answer

    return call


class _Client(threading.local):
    """A caller of a server on this machine, with a connection of each thread."""

    def __init__(self, port: int, path: str, headers: Mapping[str, str]) -> None:
        self._connection = HTTPConnection(HOST, port, timeout=TIMEOUT_SECONDS)
        self._path = path
        self._headers = headers

    def call(self, body: bytes) -> bytes:
        self._connection.request("POST", self._path, body, self._headers)
        answer = self._connection.getresponse()
        read = answer.read()
        _require_ok(answer.status, read)
        return read


def _require_ok(status: int, body: bytes) -> None:
    if status != 200:
        raise DevError(f"A call was answered with {status}:\n\n{body[:2000].decode()}")
