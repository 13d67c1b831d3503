"""The port HttpClient, kept by the fake and by pooled connections to a server on loopback."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.wrappers import Request, Response

from dev.serving import LoopbackServer
from shared.adapters.http import PooledHttpClient
from shared.domain.egress import EgressPolicy
from shared.domain.transport import AnswerTooLarge, OutboundAnswer, OutboundRequest
from tests.fakes import FakeHttpClient

BASE = "http://service.example"


def answer(request):
    """Answer as the service of these tests: tell what came, in the way that the path asks for."""
    path, _, query = request.url.removeprefix(BASE).partition("?")
    if path == "/large":
        return OutboundAnswer(201, {}, bytes(int(query)))
    if path == "/status":
        return OutboundAnswer(int(query), {"location": "/elsewhere"}, b"as it is")
    headers = {"etag": 'W/"1"', "x-method": request.method, "x-query": query}
    return OutboundAnswer(200, headers, request.body or b"")


def served(environ, start_response):
    """Answer over the wire as `answer` does."""
    request = Request(environ)
    target = environ["REQUEST_URI"]
    url = BASE + (target if isinstance(target, str) else target.decode())
    given = answer(OutboundRequest(request.method, url, body=request.get_data()))
    response = Response(given.body, given.status, headers=given.headers)
    return response(environ, start_response)


@pytest.fixture(scope="module")
def server():
    """Serve the answers on loopback."""
    server = LoopbackServer(served)
    server.start()
    yield server
    server.stop()


class TestHttpClient:
    """The port HttpClient."""

    @pytest.fixture(params=["fake", "pooled"])
    def send(self, request):
        """Return a function that sends a request by a client of each kind."""
        if request.param == "fake":
            client, base = FakeHttpClient(), BASE
            client.script(BASE, answer)
        else:
            client = PooledHttpClient(EgressPolicy(allow_insecure=True), None)
            base = f"http://127.0.0.1:{request.getfixturevalue('server').port}"

        def send(target, *, method="GET", body=None, max_bytes=1_000_000):
            outbound = OutboundRequest(method=method, url=base + target, body=body)
            return client.send(outbound, timeout_seconds=10, max_bytes=max_bytes)

        return send

    @pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
    def test_answer_comes_back_whole(self, send, method):
        """Status, headers in lower case, and the body byte for byte."""
        body = None if method in {"GET", "DELETE"} else bytes(range(256))

        found = send("/echo?$filter='%c3%a9'", method=method, body=body)

        assert (found.status, found.body) == (200, body or b"")
        assert found.headers["etag"] == 'W/"1"'
        assert found.headers["x-method"] == method
        assert found.headers["x-query"] == "$filter='%c3%a9'"

    @pytest.mark.parametrize("status", [200, 302, 307, 400, 401, 409, 429, 500, 503])
    def test_every_status_is_an_answer(self, send, status):
        """Errors and redirects too, which are not followed."""
        found = send(f"/status?{status}")

        assert (found.status, found.body) == (status, b"as it is")
        assert found.headers["location"] == "/elsewhere"

    def test_answer_within_the_limit_comes_back(self, send):
        """The limit itself is within the limit."""
        assert send("/large?5000", max_bytes=5000).body == bytes(5000)

    def test_answer_over_the_limit_is_refused(self, send):
        """The error keeps the status: after a write it tells what happened."""
        with pytest.raises(AnswerTooLarge) as caught:
            send("/large?5001", max_bytes=5000)

        assert caught.value.status == 201

    def test_many_threads_get_their_own_answers(self, send):
        """One client serves the whole app."""

        def ask(number):
            return send("/echo", method="POST", body=b"%d" % number).body

        with ThreadPoolExecutor(16) as threads:
            bodies = list(threads.map(ask, range(64)))

        assert bodies == [b"%d" % number for number in range(64)]
