"""The host as a WSGI application: everything between a request and the function it is for."""

from __future__ import annotations

import json
import logging
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from dev.host.conversion import ResponseError, from_function, to_function
from dev.host.easy_auth import PATHS
from dev.host.keys import Level, level
from dev.host.messages import Answer, Incoming, RefusedError, read
from dev.host.metadata import is_disabled
from dev.host.routing import RouteTable
from dev.host.templates import Template
from dev.host.timer import fire
from dev.host.worker import InvocationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from dev.host.configuration import Configuration
    from dev.host.easy_auth import EasyAuth
    from dev.host.indexing import Function
    from dev.host.worker import Worker

# HttpRequestBodySizeMiddleware's own, and the setting that replaces it.
MAX_BODY_BYTES = 100 * 1024 * 1024
MAX_BODY_SETTING = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"

_ADMIN_FUNCTION = Template("admin/functions/{name}")
_HOME_PAGE = b"The stand-in for your Azure Functions host is up and running.\n"
_logger = logging.getLogger(__name__)


class FunctionsHost:
    """Answers the requests to one app."""

    def __init__(
        self,
        functions: Iterable[Function],
        *,
        worker: Worker,
        configuration: Configuration,
        settings: Mapping[str, str],
        easy_auth: EasyAuth | None,
    ) -> None:
        """Register the functions' routes; TemplateError for one that cannot be read."""
        self._functions = {function.name.lower(): function for function in functions}
        self._routes = RouteTable(self._functions.values(), prefix=configuration.route_prefix)
        self._custom_headers = configuration.custom_headers
        self._worker = worker
        self._settings = settings
        self._easy_auth = easy_auth
        self._body_limit = int(settings.get(MAX_BODY_SETTING) or MAX_BODY_BYTES)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        try:
            answer = self._answer(read(environ, body_limit=self._body_limit))
        except RefusedError as error:
            answer = Answer(status=error.status)
        answer = answer.with_defaults(self._custom_headers)
        return answer.send(start_response, method=environ["REQUEST_METHOD"])

    def _answer(self, request: Incoming) -> Answer:
        if self._easy_auth is not None:
            if request.path.startswith(PATHS):
                return self._easy_auth.answer(request)
            request = self._easy_auth.identify(request)
        match = self._routes.find(request.method, request.path)
        if match is None:
            return self._answer_without_function(request)
        function = match.function
        key_level = level(request, function.name)
        if key_level < function.level:
            return Answer(status=HTTPStatus.UNAUTHORIZED)
        if is_disabled(function, self._settings) and key_level < Level.ADMIN:
            return Answer(status=HTTPStatus.NOT_FOUND)
        return self._run(function, request, match.values)

    def _run(self, function: Function, request: Incoming, values: Mapping[str, str]) -> Answer:
        try:
            return from_function(self._worker.invoke(function, to_function(request, values)))
        except InvocationError:
            return Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        except ResponseError:
            _logger.exception("Executed 'Functions.%s' (Failed)", function.name)
            return Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR)

    def _answer_without_function(self, request: Incoming) -> Answer:
        """Answer from the host's own pages, of which these are here: `/` and running a timer."""
        if request.path == "/":
            content_type = ("Content-Type", "text/plain; charset=utf-8")
            return Answer(status=HTTPStatus.OK, headers=(content_type,), body=_HOME_PAGE)
        values = _ADMIN_FUNCTION.match(request.path)
        if values is None or request.method != "POST":
            return Answer(status=HTTPStatus.NOT_FOUND)
        if level(request, values["name"]) < Level.ADMIN:
            return Answer(status=HTTPStatus.UNAUTHORIZED)
        function = self._functions.get(values["name"].lower())
        if function is None or not function.is_timer:
            return Answer(status=HTTPStatus.NOT_FOUND)
        if not _is_invocation(request.body):
            return Answer(status=HTTPStatus.BAD_REQUEST)
        threading.Thread(target=fire, args=(self._worker, function), daemon=True).start()
        return Answer(status=HTTPStatus.ACCEPTED)


def _is_invocation(body: bytes) -> bool:
    """Tell whether a body is what runs a function by hand: `{"input": ...}`."""
    try:
        content = json.loads(body)
    except ValueError:
        return False
    return isinstance(content, dict) and "input" in content
