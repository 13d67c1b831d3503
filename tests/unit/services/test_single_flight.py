"""Work that many threads ask for at the same time is done once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.services.single_flight import SingleFlight
from tests.fakes import FakeClock

THREADS = 8
LONG, NO_TIME = timedelta(seconds=10), timedelta(0)


def new_flight(*, max_waiters=THREADS, clock=None):
    """Return one with nothing under way."""
    return SingleFlight(max_waiters=max_waiters, clock=clock or FakeClock())


class Work:
    """Work that goes on until somebody opens the gate."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.gate = threading.Event()
        self.runs = 0

    def __call__(self) -> int:
        """Return how often the work was done."""
        self.runs += 1
        self.started.set()
        assert self.gate.wait(10)
        return self.runs

    def fail(self) -> int:
        """Do the work in vain."""
        self()
        raise LookupError("in vain")


def shared_outcomes(work, body):
    """Ask from many threads while the work is under way, and return what each of them got."""
    flight = new_flight()
    with ThreadPoolExecutor(THREADS) as threads:
        first = threads.submit(flight.run, "A", body, timeout=LONG)
        assert work.started.wait(10)
        under_way = Watched(flight._flights["A"].outcome)
        flight._flights["A"].outcome = under_way
        others = [threads.submit(flight.run, "A", body, timeout=LONG) for _ in range(THREADS - 1)]
        assert under_way.everybody_waits.wait(10)
        work.gate.set()
        return [first, *others]


class Watched:
    """The result that threads wait for; it tells when all of them do."""

    def __init__(self, future, *, threads=THREADS - 1) -> None:
        self._future = future
        self._waiting = threading.Barrier(threads, action=self._tell)
        self.everybody_waits = threading.Event()
        self.set_result, self.set_exception = future.set_result, future.set_exception

    def _tell(self):
        self.everybody_waits.set()

    def result(self, timeout):
        """Wait, once everybody else has come here too."""
        self._waiting.wait(10)
        return self._future.result(timeout)


def test_threads_share_one_result():
    """Whoever asks while the work is under way gets its result."""
    work = Work()

    outcomes = shared_outcomes(work, work)

    assert {outcome.result() for outcome in outcomes} == {1}
    assert work.runs == 1


def test_threads_share_one_failure():
    """A failure is told to everybody at once, instead of being met by one after another."""
    work = Work()

    outcomes = shared_outcomes(work, work.fail)

    assert {type(outcome.exception()) for outcome in outcomes} == {LookupError}
    assert work.runs == 1


def test_waiting_is_bounded():
    """Whoever cannot wait for the other thread's work learns so in time."""
    flight, work = new_flight(), Work()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(flight.run, "A", work, timeout=LONG)
        assert work.started.wait(10)

        with pytest.raises(TimeoutError):
            flight.run("A", work, timeout=NO_TIME)

        work.gate.set()
    assert work.runs == 1


def test_next_request_is_new_work():
    """A result is shared while it is made, and not kept."""
    flight, work = new_flight(), Work()
    work.gate.set()

    results = [flight.run("A", work, timeout=NO_TIME) for _ in range(3)]

    assert results == [1, 2, 3]


def test_other_keys_do_not_wait():
    """One integration never delays another."""
    flight, slow, quick = new_flight(), Work(), Work()
    quick.gate.set()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(flight.run, "A", slow, timeout=LONG)
        assert slow.started.wait(10)

        assert flight.run("B", quick, timeout=NO_TIME) == 1

        slow.gate.set()


def test_crowd_leaves_slow_work_to_a_few():
    """Work that takes long holds no more than its share of the threads."""
    clock, work = FakeClock(), Work()
    flight = new_flight(max_waiters=1, clock=clock)
    with ThreadPoolExecutor(2) as threads:
        threads.submit(flight.run, "A", work, timeout=LONG)
        assert work.started.wait(10)
        under_way = Watched(flight._flights["A"].outcome, threads=1)
        flight._flights["A"].outcome = under_way
        patient = threads.submit(flight.run, "A", work, timeout=LONG)
        assert under_way.everybody_waits.wait(10)
        clock.advance(seconds=5)

        with pytest.raises(TimeoutError):
            flight.run("A", work, timeout=LONG)

        work.gate.set()
        assert patient.result() == 1


def test_crowd_waits_for_work_that_is_quick():
    """Many who come at once, as after a cold start, are not refused for their number."""
    work = Work()
    flight = new_flight(max_waiters=0)
    with ThreadPoolExecutor(2) as threads:
        threads.submit(flight.run, "A", work, timeout=LONG)
        assert work.started.wait(10)
        under_way = Watched(flight._flights["A"].outcome, threads=1)
        flight._flights["A"].outcome = under_way
        waiter = threads.submit(flight.run, "A", work, timeout=LONG)
        assert under_way.everybody_waits.wait(10)

        work.gate.set()

        assert waiter.result() == 1
