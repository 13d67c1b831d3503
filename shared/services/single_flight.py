"""Do a piece of work once for all threads that ask for it at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.ports import Clock

Result = TypeVar("Result")

# How long work may take while more threads wait for it than should.
_PATIENCE_OF_A_CROWD = timedelta(seconds=5)


@dataclass(slots=True)
class _Flight(Generic[Result]):
    """Work under way, and how many threads wait for it."""

    began_on: datetime
    outcome: Future[Result] = field(default_factory=Future)
    waiting: int = 0


class SingleFlight(Generic[Result]):
    """Shares results and failures among the threads of this process.

    The first to ask does the work in its own thread, where its log lines belong to its call; the
    others wait for what comes of it. Once the work is slow, no more than `max_waiters` do, so that
    one integration whose provider hangs leaves threads to the others.
    """

    def __init__(self, *, max_waiters: int, clock: Clock) -> None:
        """Begin with no work under way."""
        self._max_waiters = max_waiters
        self._clock = clock
        self._flights: dict[str, _Flight[Result]] = {}
        self._lock = threading.Lock()

    def run(self, key: str, work: Callable[[], Result], *, timeout: timedelta) -> Result:
        """Return what `work` returns, here or where it is under way; raise what it raises.

        TimeoutError if another thread's work takes longer than this one can wait.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                own = self._flights[key] = _Flight(self._clock.now())
            else:
                timeout = self._join(flight, timeout)
        if flight is not None:
            return self._wait(flight, timeout)
        try:
            result = work()
        except BaseException as error:
            self._land(key)
            own.outcome.set_exception(error)
            raise
        self._land(key)
        own.outcome.set_result(result)
        return result

    def _join(self, flight: _Flight[Result], timeout: timedelta) -> timedelta:
        """Count the thread among those that wait, and return for how long it may."""
        flight.waiting += 1
        if flight.waiting <= self._max_waiters:
            return timeout
        return min(timeout, flight.began_on + _PATIENCE_OF_A_CROWD - self._clock.now())

    def _wait(self, flight: _Flight[Result], timeout: timedelta) -> Result:
        try:
            return flight.outcome.result(max(timeout.total_seconds(), 0))
        finally:
            with self._lock:
                flight.waiting -= 1

    def _land(self, key: str) -> None:
        with self._lock:
            del self._flights[key]
