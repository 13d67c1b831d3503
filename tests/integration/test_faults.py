"""Fault rules over real sockets: what becomes of a request whose client waits, or does not."""

from __future__ import annotations

import json
import threading
from http.client import HTTPConnection, RemoteDisconnected

import pytest

from dev.faults import CONTROL_PATH, Faults
from dev.serving import HOST, LoopbackServer

PATIENCE_SECONDS = 5
HELD = {"path": "/work", "latency_seconds": PATIENCE_SECONDS, "abandon": True}
BRIEFLY_HELD = HELD | {"latency_seconds": 0.01}


class Worker:
    """An application that remembers what it was given to do, behind faults."""

    def __init__(self):
        self.works = []
        self.has_worked = threading.Event()
        self.has_ended = threading.Event()
        self._faults = Faults(self._work)

    def __call__(self, environ, start_response):
        """Answer, and tell when that has ended, with or without an exception."""
        try:
            return self._faults(environ, start_response)
        finally:
            if environ["PATH_INFO"] == "/work":
                self.has_ended.set()

    def _work(self, environ, start_response):
        self.works.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        self.has_worked.set()
        start_response("200 OK", [("Content-Length", "4")])
        return [b"done"]


@pytest.fixture
def worker():
    """Return the application that the server serves."""
    return Worker()


@pytest.fixture
def connect(worker):
    """Return a function that connects to the server."""
    server = LoopbackServer(worker, threads=4)
    server.start()
    opened = []

    def connect():
        opened.append(HTTPConnection(HOST, server.port, timeout=PATIENCE_SECONDS))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()
    server.stop()


def arm(connect, rule):
    """Add a rule."""
    connection = connect()
    connection.request("POST", CONTROL_PATH, json.dumps(rule), {"Content-Type": "application/json"})
    assert connection.getresponse().status == 200


def work(connection, body=b"work"):
    """Send a request and return what the answer says."""
    connection.request("POST", "/work", body)
    return connection.getresponse().read()


def test_request_whose_client_has_gone_is_abandoned_without_work(worker, connect):
    """A provider that notices it has not spent the refresh token."""
    arm(connect, HELD)
    client = connect()
    client.request("POST", "/work", b"work")
    client.close()

    assert worker.has_ended.wait(PATIENCE_SECONDS / 2)
    assert worker.works == []


def test_answer_whose_client_has_gone_is_abandoned_after_the_work(worker, connect):
    """What was done stays done, though nobody hears of it."""
    arm(connect, HELD | {"after": True})
    client = connect()
    client.request("POST", "/work", b"work")
    assert worker.has_worked.wait(PATIENCE_SECONDS)
    client.close()

    assert worker.has_ended.wait(PATIENCE_SECONDS / 2)
    assert worker.works == [b"work"]


@pytest.mark.parametrize("after", [False, True], ids=["before-work", "after-work"])
def test_client_that_waits_is_answered_over_the_same_connection(worker, connect, after):
    """A request that a rule holds is served once its time is over, and so is the next one."""
    arm(connect, BRIEFLY_HELD | {"after": after})
    client = connect()

    assert [work(client, b"one"), work(client, b"two")] == [b"done", b"done"]
    assert worker.works == [b"one", b"two"]


@pytest.mark.parametrize(
    ("after", "works"), [(False, []), (True, [b"work"])], ids=["before-work", "after-work"]
)
def test_drop_closes_the_connection_without_an_answer(worker, connect, after, works):
    """The client cannot tell whether the work was done."""
    arm(connect, {"path": "/work", "drop": True, "after": after})

    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        work(connect())
    assert worker.works == works


def test_rule_answers_in_place_of_the_application(connect):
    """The status, headers and body are the rule's, for as many requests as it says."""
    rule = {"path": "/work", "times": 1, "status": 429, "headers": {"Retry-After": "7"}}
    arm(connect, rule | {"body": "slow down"})
    client = connect()
    client.request("POST", "/work", b"work")
    answer = client.getresponse()

    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert answer.read() == b"slow down"
    assert work(client) == b"done"
