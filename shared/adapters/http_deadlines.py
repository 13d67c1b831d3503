"""Ends what takes too long: one thread watches over all.

A timer for each call would start a thread for each (docs/benchmark.md tells what that costs).
"""

from __future__ import annotations

import math
import threading
import time
from typing import Protocol


class Ending(Protocol):
    """Something that ends at a time of `time.monotonic`, by itself or by `end`."""

    ends_on: float

    def end(self) -> None:
        """End now."""


class Deadlines:
    """What is under way, and a thread that sleeps until the first of it has to end."""

    def __init__(self) -> None:
        """Watch over nothing; the thread begins with the first that is to be watched."""
        self._changed = threading.Condition()
        self._under_way: set[Ending] = set()
        self._wakes_on = math.inf
        self._thread: threading.Thread | None = None

    def watch(self, ending: Ending) -> None:
        """End it when its time has come, unless `leave` comes first."""
        with self._changed:
            self._under_way.add(ending)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            if ending.ends_on < self._wakes_on:
                self._wakes_on = ending.ends_on
                self._changed.notify()

    def leave(self, ending: Ending) -> None:
        """Watch over it no longer; the thread may wake once for it, and finds nothing to do."""
        with self._changed:
            self._under_way.discard(ending)

    def _run(self) -> None:
        while True:
            for ending in self._wait():
                ending.end()

    def _wait(self) -> list[Ending]:
        """Wait until something has to end, and return it."""
        with self._changed:
            while True:
                now = time.monotonic()
                over = [each for each in self._under_way if each.ends_on <= now]
                if over:
                    self._under_way.difference_update(over)
                    return over
                self._wakes_on = min((each.ends_on for each in self._under_way), default=math.inf)
                is_idle = self._wakes_on == math.inf
                self._changed.wait(None if is_idle else self._wakes_on - now)
