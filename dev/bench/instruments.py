"""What stands between the services and their ports: a counter of calls, and a clock to turn."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from shared.ports import Clock

Port = TypeVar("Port")


class TurnedClock:
    """The port Clock, ahead of another one: a token's life passes in no time."""

    def __init__(self, clock: Clock) -> None:
        """Go as `clock` does."""
        self._clock = clock
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """Return the moment in UTC."""
        return self._clock.now() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._clock.sleep(seconds)

    def turn(self, ahead: timedelta) -> None:
        """Go so much further ahead."""
        self._ahead += ahead


class Calls:
    """Counts the calls of ports, by what stands behind them."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def counted(self, port: Port, behind: str) -> Port:
        """Return the same port, each call of which is counted under the name `behind`."""
        return cast("Port", _Counted(port, behind, self))

    def add(self, behind: str) -> None:
        """Count one call."""
        with self._lock:
            self._counts[behind] += 1

    def taken(self) -> Counter[str]:
        """Return the counts and begin anew."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return counts


class _Counted:
    """Hands every method through; who reaches for one calls it."""

    def __init__(self, port: object, behind: str, calls: Calls) -> None:
        self._port = port
        self._behind = behind
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        self._calls.add(self._behind)
        return getattr(self._port, name)
