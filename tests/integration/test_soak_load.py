"""What callers of a load are answered, over real connections."""

from __future__ import annotations

import pytest
from werkzeug.wrappers import Response

from dev.serving import LoopbackServer
from dev.soak.load import failed, running_load
from dev.stack.ports import url
from tests.e2e.processes import wait_until


@pytest.fixture
def answering():
    """Return a function that serves one answer to all, and gives the URL."""
    servers = []

    def serve(response):
        server = LoopbackServer(response)
        server.start()
        servers.append(server)
        return url(server.port)

    yield serve
    for server in servers:
        server.stop()


def first_call(target):
    """Return the first call of a load on a URL."""
    with running_load([target], threads=2, think_seconds=0) as load:
        wait_until(lambda: load.calls, 10, "a call")
    return load.calls[0]


def test_good_answer_is_no_failure(answering):
    """Only 200 counts as success."""
    call = first_call(answering(Response("{}")))

    assert (call.status, call.code, failed([call])) == (200, "", [])


def test_problem_document_is_told_by_its_code(answering):
    """A refusal is told apart by status and code, and by when to come back."""
    body = '{"code": "identity_unavailable"}'
    call = first_call(answering(Response(body, status=503, headers={"Retry-After": "7"})))

    assert (call.status, call.code, call.retry_after) == (503, "identity_unavailable", "7")
    assert failed([call]) == [call]


def test_answer_that_is_no_problem_document_fails_without_a_code(answering):
    """What the host itself answers has no code."""
    assert first_call(answering(Response("gone", status=502))).code == "without a code"


def test_call_without_an_answer_fails_by_the_exception():
    """An instance that is not there fails a call like one that refuses it."""
    call = first_call(url(1))

    assert (call.status, call.code) == (0, "ConnectionError")
    assert failed([call]) == [call]
