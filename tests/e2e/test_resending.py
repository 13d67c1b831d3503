"""What is sent again, what is not, and who has to come back: on real sockets, from end to end.

The contract's rows 429, `integration_busy`, `upstream_unreachable`, `upstream_timeout` and
`outcome_unknown`.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from tests.e2e.foreign.shop import endpoint
from tests.e2e.gateway import problem
from tests.e2e.processes import wait_until
from tests.e2e.standing import LISTING
from tests.integration.raw_server import RawServer, answer, dripping, end, head, sending

DONE = answer(b'{"value": "done"}', "Content-Type: application/json")
THREADS_OF_ONE_INTEGRATION = 64 // 2  # of PYTHON_THREADPOOL_THREAD_COUNT in the local stack


def status(number, *headers):
    """Return how a service behaves that answers so."""
    return sending(answer(b'{"error": 1}', *headers, status=f"{number} Told"))


def drop(connection, _request):
    """Break the connection off without a word."""
    end(connection)


def keep_silent(_connection, _request):
    """Answer nothing, until the other side gives up."""


class Service(RawServer):
    """Meets one request after another in these ways, the last one from then on."""

    def __init__(self, *ways) -> None:
        self._ways = list(ways)
        super().__init__(self._meet)

    def _meet(self, connection, request):
        way = self._ways.pop(0) if len(self._ways) > 1 else self._ways[0]
        way(connection, request)


def connect(gateway, shop, service, *, max_in_flight=5, **changes):
    """Store the service's one endpoint, and return the path that runs it."""
    definition = shop.for_app(base_url=service.url, max_in_flight=max_in_flight)
    gateway.store(definition, endpoint(**changes))
    return f"{shop.code}/ORDERS"


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_throttled_call_succeeds_after_a_while(gateway, shop, method):
    """429 means that nothing was executed: any call is sent again, after the time asked for."""
    with Service(status(429, "Retry-After: 1"), sending(DONE)) as service:
        path = connect(gateway, shop, service, method=method)
        began = time.monotonic()
        answered = gateway.invoke(path)
    assert (answered.status_code, answered.json()) == (200, {"value": "done"})
    assert time.monotonic() - began >= 1
    assert len(service.requests) == 2


def test_throttling_that_lasts_too_long_goes_back_at_once(gateway, shop):
    """As the service gave it, with the time that it asks for."""
    with Service(status(429, "Retry-After: 600")) as service:
        path = connect(gateway, shop, service, method="POST")
        answered = gateway.invoke(path)
    assert (answered.status_code, answered.json()) == (429, {"error": 1})
    assert answered.headers["Retry-After"] == "600"
    assert answered.headers["X-Gateway-Source"] == "upstream"
    assert len(service.requests) == 1


@pytest.mark.parametrize("first", [status(503), status(500), drop], ids=["503", "500", "drop"])
def test_read_succeeds_at_the_second_attempt(gateway, shop, first):
    """A failure that passes costs the caller a moment."""
    with Service(first, sending(DONE)) as service:
        path = connect(gateway, shop, service)
        assert gateway.invoke(path, method="GET").status_code == 200
    assert len(service.requests) == 2


@pytest.mark.parametrize(
    "way",
    [
        *(status(number) for number in (408, 500, 502, 503, 504)),
        drop,
        sending(head("Content-Length: 99") + b"half", then_close=True),
        keep_silent,
        dripping(DONE, seconds=0.2),
    ],
    ids=["408", "500", "502", "503", "504", "drop", "half", "silent", "drip"],
)
def test_change_with_an_unknown_outcome_is_sent_once(gateway, shop, way):
    """409, which no client resends by itself; nor does the gateway."""
    with Service(way, sending(DONE)) as service:
        path = connect(gateway, shop, service, method="POST", timeout_seconds=1)
        document = problem(gateway.invoke(path), 409, "outcome_unknown")
        assert (document["source"], document["retryable"]) == ("upstream", False)
        assert len(service.requests) == 1


@pytest.mark.parametrize("way", [keep_silent, dripping(DONE, seconds=0.2)], ids=["silent", "drip"])
def test_read_that_takes_too_long_ends_in_time(gateway, shop, way):
    """504 when its time is over, and it was begun once."""
    with Service(way) as service:
        path = connect(gateway, shop, service, timeout_seconds=1)
        began = time.monotonic()
        document = problem(gateway.invoke(path, method="GET"), 504, "upstream_timeout")
        assert 1 <= time.monotonic() - began < 5
        assert (document["source"], document["retryable"]) == ("upstream", True)
        assert len(service.requests) == 1


def test_read_that_always_breaks_off_is_unreachable(gateway, shop):
    """503 with Retry-After, after more than one attempt."""
    with Service(drop) as service:
        path = connect(gateway, shop, service, timeout_seconds=5)
        answered = gateway.invoke(path, method="GET")
        problem(answered, 503, "upstream_unreachable")
        assert int(answered.headers["Retry-After"]) > 0
        assert len(service.requests) > 1


def test_busy_integration_is_told_so_and_delays_no_other(gateway, shop, standing):
    """One slot, half of the threads: some wait in turn, the rest comes back, others notice nothing.

    What was let in is served in the end.
    """
    is_open = threading.Event()

    def serve_when_open(connection, _request):
        is_open.wait(20)
        connection.sendall(DONE)

    with Service(serve_when_open) as service, ThreadPoolExecutor(40) as callers:
        path = connect(gateway, shop, service, max_in_flight=2, timeout_seconds=60)
        calls = [callers.submit(gateway.invoke, path, method="GET") for _ in range(40)]
        try:
            refused = 40 - THREADS_OF_ONE_INTEGRATION
            wait_until(lambda: sum(call.done() for call in calls) >= refused, 10, "refusals")
            for call in calls:
                if call.done():
                    document = problem(call.result(), 429, "integration_busy")
                    assert (document["source"], document["retryable"]) == ("gateway", True)
                    assert int(call.result().headers["Retry-After"]) > 0
            assert len(service.requests) <= 2
            began = time.monotonic()
            assert gateway.invoke(f"{standing}/{LISTING}").status_code == 200
            assert time.monotonic() - began < 2
        finally:
            is_open.set()
        wait(calls, timeout=20)
    served = [call for call in calls if call.result().status_code == 200]
    assert len(served) == THREADS_OF_ONE_INTEGRATION
    assert len(service.requests) == THREADS_OF_ONE_INTEGRATION


def test_call_that_waits_for_a_slot_too_long_comes_back(gateway, shop):
    """429 when its time is nearly over; nothing of it was sent."""
    with Service(keep_silent) as service, ThreadPoolExecutor(1) as callers:
        path = connect(gateway, shop, service, max_in_flight=1, timeout_seconds=3)
        gateway.store(
            shop.for_app(base_url=service.url, max_in_flight=1),
            endpoint("IMPATIENT", method="POST", timeout_seconds=1),
        )
        first = callers.submit(gateway.invoke, path, method="GET")
        wait_until(lambda: service.requests, 10, "the first call")
        answered = gateway.invoke(f"{shop.code}/IMPATIENT")
        problem(answered, 429, "integration_busy")
        assert len(service.requests) == 1
        problem(first.result(10), 504, "upstream_timeout")
