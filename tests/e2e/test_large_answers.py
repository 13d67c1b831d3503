"""Answers without an end: refused as soon as they pass the limit, and never held in memory."""

import socket
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice, repeat

import pytest

from dev.options import StackOptions
from dev.stack.ports import free_block
from dev.stack.running import running_stack
from tests.e2e.foreign.provider import Provider
from tests.e2e.foreign.shop import Shop, endpoint
from tests.e2e.foreign.upstream import Upstream
from tests.e2e.gateway import Gateway, problem
from tests.e2e.hosts import MEBIBYTE, Memory
from tests.integration.raw_server import RawServer, answer, chunk, head

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the peak of a process is read from /proc"
)

LIMIT = 4 * MEBIBYTE
GIGABYTE = 1_000_000_000
AT_ONCE = 10


def deflated(size):
    """Return so many zeros as a piece of a gzip stream that can be repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(bytes(size)) + packer.flush(zlib.Z_FULL_FLUSH)


GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
PIECE = b"x" * MEBIBYTE
BOMB = deflated(MEBIBYTE)
ANSWERS = {
    "/announced": (head(f"Content-Length: {GIGABYTE}"), PIECE),
    "/endless": (head("Transfer-Encoding: chunked"), chunk(PIECE)),
    "/unbounded": (head("Connection: close"), PIECE),
    "/bomb": (
        head("Transfer-Encoding: chunked", "Content-Encoding: gzip") + chunk(GZIP_HEADER),
        chunk(BOMB),
    ),
}
TINY = {"/tiny": (head("Transfer-Encoding: chunked"), chunk(b"x" * 40) * 10_000)}  # takes its time


def endlessly(connection: socket.socket, request) -> None:
    """Answer until the client has enough."""
    target = request.target.decode()
    if target == "/small":
        connection.sendall(answer(b"{}"))
        return
    start, piece = (ANSWERS | TINY)[target]
    connection.sendall(start)
    for each in repeat(piece):
        connection.sendall(each)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Return a gateway of its own, an integration whose service never ends, and the memory."""
    options = StackOptions(
        port=free_block(1).base,
        state=tmp_path_factory.mktemp("large"),
        is_empty=True,
        settings={"MAX_ANSWER_BYTES": str(LIMIT), "REFRESH_SCHEDULE": "0 0 0 1 1 *"},
    )
    with (
        Provider() as provider,
        Upstream(provider.grants.is_active) as unused,
        RawServer(endlessly) as service,
        running_stack(options) as stack,
    ):
        gateway = Gateway(stack.ports)
        shop = Shop("LARGE", gateway.url("callback"), provider, unused)
        calls = [
            endpoint(path[1:].upper(), api_url=path[1:]) for path in (*ANSWERS, *TINY, "/small")
        ]
        change = endpoint("CHANGE", method="POST", api_url="endless")
        gateway.store(shop.for_app(base_url=service.url, max_in_flight=AT_ONCE), *calls, change)
        assert gateway.invoke("LARGE/SMALL", method="GET").status_code == 200
        yield gateway, Memory(stack.pid(1))
        gateway.close()


def read(gateway, path):
    """Ask for an answer that has no end, which must be refused."""
    answered = gateway.invoke(f"LARGE{path}", method="GET")
    return problem(answered, 424, "answer_too_large")


@pytest.mark.parametrize("path", ANSWERS | TINY)
def test_answer_without_an_end_is_refused_within_twice_the_limit(large, path):
    """It is read no further than the limit, decompressed or not; the hint says what to do."""
    gateway, memory = large
    idle = memory.begin()

    document = read(gateway, path)

    assert memory.peak() - idle <= 2 * LIMIT
    assert "$select" in document["hint"]


def test_ten_at_once_stay_within_ten_times_that(large):
    """Ten callers who ask for too much do not bring the instance down."""
    gateway, memory = large
    idle = memory.begin()
    together = threading.Barrier(AT_ONCE)

    def call(path):
        together.wait()
        return read(gateway, path)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(call, islice(cycle(ANSWERS), AT_ONCE)))

    assert memory.peak() - idle <= AT_ONCE * 2 * LIMIT


def test_change_with_an_endless_answer_is_said_to_be_made(large):
    """Whoever reads the error must not send it again."""
    gateway, _ = large

    document = problem(gateway.invoke("LARGE/CHANGE"), 424, "answer_too_large")

    assert "do not send it again" in document["detail"]


def test_gateway_serves_on_and_holds_nothing_back(large):
    """What was read of an endless answer is not kept."""
    gateway, memory = large
    read(gateway, "/endless")
    idle = memory.begin()
    paths = [*ANSWERS] * 5
    for path in paths:
        read(gateway, path)

    answer_to_small = gateway.invoke("LARGE/SMALL", method="GET")

    assert (answer_to_small.status_code, answer_to_small.content) == (200, b"{}")
    # Each thread that has served one may hold freed memory of its own for a while (arenas).
    assert memory.begin() - idle <= len(paths) * LIMIT / 2
