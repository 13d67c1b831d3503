"""Fault injection that every simulator offers on its control URL, `/_control/faults`.

`POST` adds a rule, `DELETE` removes all, `GET` lists them. A rule is JSON:

    {"path": "/token",      regular expression searched in the path; default: every path
     "method": "POST",      default: every method
     "times": 3,            how many requests it meets before it ends; default: until deleted
     "skip": 1,             how many matching requests pass first; default 0
     "latency_seconds": 2,  wait before anything else; with "after", when the work is done
     "abandon": true,       drop the request as soon as its client has gone while it waits
     "status": 503,         answer this instead of working
     "headers": {},  "body": "",   of that answer
     "after": false,        true: do the work first, then answer as the rule says
     "drop": false,         true: close the connection without an answer
     "drip_seconds": 0}     send the answer byte by byte, this long between two bytes
"""

from __future__ import annotations

import errno
import json
import re
import selectors
import threading
import time
from dataclasses import asdict, dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from dev.serving import SOCKET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

    from dev.serving import WsgiApp

CONTROL_PATH = "/_control/faults"


@dataclass(kw_only=True)
class Fault:
    """One rule; the module docstring says what each field does."""

    path: str = ""
    method: str | None = None
    times: int | None = None
    skip: int = 0
    latency_seconds: float = 0
    abandon: bool = False
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    after: bool = False
    drop: bool = False
    drip_seconds: float = 0

    def matches(self, request: Request) -> bool:
        """Tell whether the rule is about this request."""
        return self.method in (None, request.method) and bool(re.search(self.path, request.path))


class Faults:
    """WSGI middleware that puts the rules in front of a simulator."""

    def __init__(self, app: WsgiApp) -> None:
        """Wrap `app`."""
        self._app = app
        self._rules: list[Fault] = []
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the control URL, or the request as the first matching rule demands."""
        request = Request(environ)
        if request.path == CONTROL_PATH:
            return self._control(request)(environ, start_response)
        fault = self._take(request)
        if fault is None:
            return self._app(environ, start_response)
        # Read in any case: what is left unread would be taken for the connection's next request.
        environ["wsgi.input"] = BytesIO(request.get_data())
        answer = self._work(environ) if fault.after else None
        has_gone = _wait(fault, environ)
        if has_gone or fault.drop:
            raise ConnectionResetError(errno.ECONNRESET, "dropped by a fault rule")
        if fault.status is not None:
            answer = Response(fault.body, status=fault.status, headers=fault.headers)
        if answer is None:
            answer = self._work(environ)
        if fault.drip_seconds:
            answer.response = _drip(answer.get_data(), fault.drip_seconds)
        return answer(environ, start_response)

    def _work(self, environ: WSGIEnvironment) -> Response:
        return Response.from_app(self._app, environ, buffered=True)

    def _take(self, request: Request) -> Fault | None:
        with self._lock:
            for rule in self._rules:
                if not rule.matches(request):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self._rules.remove(rule)
                return rule
        return None

    def _control(self, request: Request) -> Response:
        with self._lock:
            if request.method == "POST":
                self._rules.append(Fault(**request.get_json()))
            elif request.method == "DELETE":
                self._rules.clear()
            body = json.dumps([asdict(rule) for rule in self._rules])
        return Response(body, mimetype="application/json")


def _wait(fault: Fault, environ: WSGIEnvironment) -> bool:
    """Wait as the rule says; tell whether it may end now because the client has gone."""
    if not fault.abandon:
        time.sleep(fault.latency_seconds)
        return False
    with selectors.DefaultSelector() as selector:
        # Nobody sends anything while waiting for an answer: what can be read is the end.
        selector.register(environ[SOCKET], selectors.EVENT_READ)
        return bool(selector.select(fault.latency_seconds))


def _drip(body: bytes, seconds: float) -> Iterator[bytes]:
    for position in range(len(body)):
        time.sleep(seconds)
        yield body[position : position + 1]
