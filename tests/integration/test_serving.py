"""The server under every part of the local stack: who answers, and for how long it stays."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from http.client import HTTPConnection

import pytest

from dev import serving
from dev.serving import HOST, LoopbackServer

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


def tell_thread(_, start_response):
    """Answer with the number of the thread that answers."""
    body = str(threading.get_ident()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def server():
    """Serve with two threads."""
    server = LoopbackServer(tell_thread, threads=2)
    server.start()
    yield server
    server.stop()


def ask(connection):
    """Return the thread that answered."""
    connection.request("GET", "/")
    return connection.getresponse().read()


def test_thread_stays_with_a_client_that_goes_on(server, monkeypatch):
    """No other thread has to be woken for its next request."""
    monkeypatch.setattr(serving, "LINGER_SECONDS", 10)

    with closing(HTTPConnection(HOST, server.port)) as connection:
        assert len({ask(connection) for _ in range(20)}) == 1


def test_client_that_pauses_is_answered_on_the_same_connection(server, monkeypatch):
    """Its thread leaves, and some thread comes back."""
    monkeypatch.setattr(serving, "LINGER_SECONDS", 0.01)

    with closing(HTTPConnection(HOST, server.port)) as connection:
        ask(connection)
        kept = connection.sock
        time.sleep(0.1)
        ask(connection)
        assert connection.sock is kept


def test_more_clients_than_threads_are_answered(server):
    """A thread that waits for a client's next request does not keep the others out."""
    connections = [HTTPConnection(HOST, server.port, timeout=10) for _ in range(6)]

    for _ in range(2):
        for connection in connections:
            ask(connection)
    for connection in connections:
        connection.close()


def test_requests_that_come_together_are_all_answered(server):
    """The second one is read already when the first is answered."""
    with socket.create_connection((HOST, server.port), timeout=10) as connection:
        connection.sendall(REQUEST * 3)
        answers = b""
        while answers.count(b"HTTP/1.1 200 OK") < 3:
            read = connection.recv(65536)
            assert read
            answers += read
