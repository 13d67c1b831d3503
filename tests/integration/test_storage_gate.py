"""The gate in front of Table Storage: invisible until it is told to fail."""

from __future__ import annotations

import pytest
import requests
from werkzeug.wrappers import Request, Response

from dev.demo.gateway_client import http_session
from dev.serving import LoopbackServer
from dev.soak.simulator import Simulator
from dev.soak.storage_gate import storage_gate

TARGET = "/account/tokenstate(PartitionKey='A%27B',RowKey='state')?$top=1&x=%2F"


@pytest.fixture
def behind():
    """Return a server behind the gate, with what it saw of the last request."""
    seen = {}

    def app(environ, start_response):
        request = Request(environ)
        seen["target"] = environ["REQUEST_URI"]
        seen["headers"] = dict(request.headers)
        seen["body"] = request.get_data()
        answer = Response(b"stored", 201, {"ETag": 'W/"1"'})
        return answer(environ, start_response)

    server = LoopbackServer(app)
    server.start()
    server.seen = seen
    yield server
    server.stop()


def put(gate):
    """Send a request as a client of the tables does."""
    headers = {"Authorization": "SharedKey account:signature", "If-Match": "*"}
    with http_session() as session:
        return session.put(f"{gate}{TARGET}", data=b"{}", headers=headers, timeout=10)


def test_request_and_answer_pass_unchanged(behind):
    """The target is signed byte for byte, so nothing of it may be written otherwise."""
    with storage_gate(behind.port) as gate:
        answer = put(gate)

    assert behind.seen["target"] == TARGET
    assert behind.seen["body"] == b"{}"
    assert behind.seen["headers"]["Authorization"] == "SharedKey account:signature"
    assert behind.seen["headers"]["If-Match"] == "*"
    assert (answer.status_code, answer.content) == (201, b"stored")
    assert answer.headers["ETag"] == 'W/"1"'


def test_gate_fails_only_while_it_is_told_to(behind):
    """The storage is throttled for a while, and then itself again."""
    with storage_gate(behind.port) as gate:
        with Simulator(gate).failing(status=429, headers={"Retry-After": "1"}):
            throttled = put(gate)
        after = put(gate)

    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "1")
    assert after.status_code == 201


def test_storage_that_is_gone_is_gone_through_the_gate(behind):
    """The gate invents no answer of its own."""
    behind.stop()

    with storage_gate(behind.port) as gate, pytest.raises(requests.ConnectionError):
        put(gate)
