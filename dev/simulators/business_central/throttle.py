"""Limits per user: a sliding window of requests, a few running, some more queued (section 5)."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from dev.simulators.business_central.errors import ODataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from dev.simulators.business_central.settings import Settings

RETRY_AFTER_SECONDS = 10


@dataclass(slots=True)
class _Load:
    arrivals: deque[datetime] = field(default_factory=deque)
    running: int = 0
    queued: int = 0


class Throttle:
    """Lets requests in as the service does; a refused one was not executed."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._loads: defaultdict[str, _Load] = defaultdict(_Load)
        self._changed = threading.Condition()

    @contextmanager
    def admit(self, user: str, settings: Settings) -> Iterator[None]:
        """Hold a place for the user while the block runs, after queueing for it if need be."""
        with self._changed:
            load = self._loads[user]
            self._count_arrival(load, settings)
            self._wait_for_place(load, settings)
        try:
            yield
        finally:
            with self._changed:
                load.running -= 1
                self._changed.notify_all()

    def _count_arrival(self, load: _Load, settings: Settings) -> None:
        now = self._now()
        start = now - timedelta(seconds=settings.window_seconds)
        while load.arrivals and load.arrivals[0] <= start:
            load.arrivals.popleft()
        if len(load.arrivals) >= settings.requests_per_window:
            raise _too_many(len(load.arrivals) + 1, settings.requests_per_window, settings)
        connections = load.running + load.queued
        if connections >= settings.running + settings.queued:
            raise _too_many(connections + 1, settings.running + settings.queued, settings)
        load.arrivals.append(now)

    def _wait_for_place(self, load: _Load, settings: Settings) -> None:
        load.queued += 1
        has_place = self._changed.wait_for(
            lambda: load.running < settings.running, settings.queue_seconds
        )
        load.queued -= 1
        if not has_place:
            # The code of this answer is not documented.
            message = "The request waited too long for its turn."
            raise ODataError(503, "Unknown", message, {"Retry-After": str(RETRY_AFTER_SECONDS)})
        load.running += 1


def _too_many(actual: int, maximum: int, settings: Settings) -> ODataError:
    headers = {}
    if settings.retry_after_seconds is not None:
        headers["Retry-After"] = str(settings.retry_after_seconds)
    message = f"Too many requests reached. Actual ({actual}). Maximum ({maximum})."
    return ODataError(429, "Application_TooManyRequests", message, headers)
