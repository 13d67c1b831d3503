"""The HTTP adapter's total deadline, on real sockets: whatever the other side does."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from shared.adapters import http, http_connections, http_exchange
from shared.domain.transport import NotSent, SendError, TimedOut
from tests.integration.outbound import MEBIBYTE, make_client, resolve_to, send
from tests.integration.raw_server import HOST, RawServer, answer, chunk, dripping, head

SECONDS = 0.3
# What a busy machine may need beside the deadline.
SLACK_SECONDS = 1.5
PATIENCE_SECONDS = 10


@contextmanager
def bounded(seconds=SECONDS):
    """Fail if what is done inside does not end near its deadline."""
    started = time.monotonic()
    yield
    assert seconds * 0.9 < time.monotonic() - started < seconds + SLACK_SECONDS


BODY = b'{"value": "a body of some length"}'
DRIPPING = {
    "nothing": dripping(b"", seconds=0),
    "head": dripping(answer(BODY), seconds=0.05),
    "body": dripping(BODY, seconds=0.05, after=head(f"Content-Length: {len(BODY)}")),
    "chunked": dripping(
        chunk(BODY) + chunk(b""), seconds=0.05, after=head("Transfer-Encoding: chunked")
    ),
    "until-close": dripping(BODY, seconds=0.05, after=head("Connection: close")),
    "gzip": dripping(
        gzip.compress(BODY),
        seconds=0.05,
        after=head("Content-Length: 100", "Content-Encoding: gzip"),
    ),
    "interim": dripping(head(status="100 Continue") * 9, seconds=0.05),
}


@pytest.mark.parametrize("act", DRIPPING.values(), ids=DRIPPING)
def test_dripping_answer_ends_with_the_deadline(client, act):
    """Each byte comes in time, and the whole does not: no part is taken for it."""
    with RawServer(act) as server, bounded(), pytest.raises(TimedOut):
        send(client, server.url, seconds=SECONDS)


def test_dripping_answer_over_tls_ends_with_the_deadline(certificate, bundle):
    """The deadline reaches through the encryption, and the next call connects anew."""
    client = make_client(trusted=bundle)

    with RawServer(DRIPPING["body"], certificate=certificate) as server:
        for _ in range(2):
            with bounded(), pytest.raises(TimedOut):
                send(client, server.url, seconds=SECONDS)

    assert server.accepted == 2


def test_deadline_is_forgotten_with_the_answer(client):
    """A connection that waits in the pool past it is none the worse, and nobody watches over it."""
    with RawServer(answer()) as server:
        send(client, server.url, seconds=SECONDS)
        time.sleep(SECONDS * 1.5)
        send(client, server.url)
        time.sleep(0.05)

    assert server.accepted == 1
    assert not http_exchange._deadlines._under_way


def test_late_answer_meets_nobody(client):
    """What arrives after the deadline is not the answer to the next request."""

    def act(connection, request):
        if request.target == b"/late":
            time.sleep(SECONDS * 1.5)
        connection.sendall(answer(request.target))

    with RawServer(act) as server:
        with pytest.raises(TimedOut):
            send(client, server.url + "/late", seconds=SECONDS)
        time.sleep(SECONDS)
        assert send(client, server.url + "/next").body == b"/next"


def test_body_that_nobody_reads_ends_with_the_deadline(client):
    """A part of it was sent: what the server makes of it is unknown."""
    with socket.create_server((HOST, 0)) as listener:
        url, body = f"http://{HOST}:{listener.getsockname()[1]}/", bytes(32 * MEBIBYTE)
        with bounded(), pytest.raises(TimedOut):
            send(client, url, method="POST", body=body, seconds=SECONDS)


@pytest.mark.parametrize("is_kept", [False, True], ids=["new-connection", "kept-connection"])
def test_slow_upload_has_the_whole_time(client, monkeypatch, is_kept):
    """The shorter time for connecting does not bound the sending."""
    monkeypatch.setattr(http_exchange, "_CONNECT_SECONDS", 0.1)

    with socket.create_server((HOST, 0)) as listener, ThreadPoolExecutor(1) as threads:
        url = f"http://{HOST}:{listener.getsockname()[1]}/"
        served = threads.submit(read_late, listener, requests=2 if is_kept else 1)
        if is_kept:
            send(client, url)
        body = bytes(16 * MEBIBYTE)
        assert send(client, url, method="POST", body=body).status == 200
        assert served.result() > len(body)


def read_late(listener, *, requests):
    """Answer all but the last request, and read that one only after a while; return its size."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(PATIENCE_SECONDS)
        for _ in range(requests - 1):
            connection.recv(MEBIBYTE)
            connection.sendall(answer())
        time.sleep(SECONDS)
        size = 0
        while size < 16 * MEBIBYTE and (data := connection.recv(MEBIBYTE)):
            size += len(data)
        connection.sendall(answer())
    return size


def test_silent_handshake_ends_with_the_deadline(client):
    """A port that accepts and never speaks TLS has got nothing of the request."""
    with (
        socket.create_server((HOST, 0)) as listener,
        bounded(),
        pytest.raises(NotSent, match="time was up"),
    ):
        send(client, f"https://{HOST}:{listener.getsockname()[1]}/", seconds=SECONDS)


def test_slow_resolver_leaves_nothing_sent(client, monkeypatch):
    """Once the time is up, no request begins any more."""
    real = socket.getaddrinfo

    def resolve(*args, **options):
        time.sleep(SECONDS)
        return real(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with RawServer(answer()) as server, pytest.raises(NotSent, match="time was up"):
        send(client, server.url, seconds=SECONDS / 2)

    assert server.requests == []


def test_unanswering_addresses_share_the_time(client, monkeypatch):
    """A name with many addresses is not given the time once for each."""

    def connect(_, timeout, **__):
        time.sleep(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(http_connections, "create_connection", connect)
    resolve_to(monkeypatch, *(f"192.0.2.{number}" for number in range(1, 9)))

    with bounded(), pytest.raises(NotSent):
        send(client, "http://unanswering.example/", seconds=SECONDS)


def test_deadline_does_not_end_the_next_exchange(client, monkeypatch):
    """The connection is another thread's as soon as it is back in the pool.

    The first exchange is held up between the two, until its time is up.
    """
    is_read, read = threading.Event(), http._read

    def read_and_dawdle(response, max_bytes):
        body = read(response, max_bytes)
        if body == b"/first":
            is_read.set()
            time.sleep(SECONDS * 1.5)
        return body

    def act(connection, request):
        if request.target == b"/second":
            time.sleep(SECONDS * 2)
        connection.sendall(answer(request.target))

    monkeypatch.setattr(http, "_read", read_and_dawdle)
    with RawServer(act) as server, ThreadPoolExecutor(1) as threads:
        first = threads.submit(send, client, server.url + "/first", seconds=SECONDS)
        assert is_read.wait(PATIENCE_SECONDS)
        second = send(client, server.url + "/second")

    assert second.body == b"/second"
    assert isinstance(first.exception(), TimedOut)
    assert server.accepted == 1


def test_deadlines_that_meet_answers_harm_nobody(client):
    """Exchanges that end just when their answers come, beside others with time to spare."""

    def act(connection, request):
        time.sleep(0.02)
        connection.sendall(answer(request.target))

    def ask(number):
        hurries = number % 2
        try:
            seconds = 0.015 + number % 20 / 2000 if hurries else PATIENCE_SECONDS
            return send(client, f"{server.url}/{number}", seconds=seconds).body
        except SendError:
            return None if hurries else b"ended by another's deadline"

    with RawServer(act) as server, ThreadPoolExecutor(16) as threads:
        bodies = list(threads.map(ask, range(400)))

    assert all(body in {None, b"/%d" % number} for number, body in enumerate(bodies))
    assert bodies[::2] == [b"/%d" % number for number in range(0, 400, 2)]
