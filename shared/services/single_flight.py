"""Do a piece of work once for all threads that ask for it at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Shares results and failures among the threads of this process.

    The first to ask does the work in its own thread, where its log lines belong to its call; the
    others wait for what comes of it.
    """

    def __init__(self) -> None:
        """Begin with no work under way."""
        self._flights: dict[str, Future[Result]] = {}
        self._lock = threading.Lock()

    def run(self, key: str, work: Callable[[], Result], *, timeout_seconds: float) -> Result:
        """Return what `work` returns, here or where it is under way; raise what it raises.

        TimeoutError if another thread's work takes longer than this one can wait.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                own = self._flights[key] = Future()
        if flight is not None:
            return flight.result(max(timeout_seconds, 0))
        try:
            result = work()
        except BaseException as error:
            self._land(key)
            own.set_exception(error)
            raise
        self._land(key)
        own.set_result(result)
        return result

    def _land(self, key: str) -> None:
        with self._lock:
            del self._flights[key]
