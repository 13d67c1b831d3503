"""The machine in memory: its identity, its clock and its threads."""

# ruff: noqa: D102 - the ports describe their methods

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.errors import IdentityUnavailable
from shared.domain.secret import Secret
from tests.fakes.base import Fake, call

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class FakeAssertionSource(Fake):
    """The port AssertionSource."""

    outage = IdentityUnavailable

    @call
    def assertion(self) -> Secret:
        return Secret(f"assertion-{self.calls['assertion']}")


class FakeClock(Fake):
    """The port Clock: time passes only when somebody sleeps or a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self._now = START

    def advance(self, *, seconds: float = 0, minutes: float = 0, days: float = 0) -> None:
        """Let time pass."""
        with self._lock:
            self._now += timedelta(seconds=seconds, minutes=minutes, days=days)

    @call
    def now(self) -> datetime:
        return self._now

    @call
    def sleep(self, seconds: float) -> None:
        self.advance(seconds=seconds)


class FakeBackground(Fake):
    """The port Background: does the work at once, or, while it is held, on `release`."""

    def __init__(self) -> None:
        super().__init__()
        self.is_held = False
        self.waiting: list[Callable[[], None]] = []
        self.errors: list[Exception] = []

    def submit(self, work: Callable[[], None]) -> None:
        self.enter("submit")
        if self.is_held:
            self.waiting.append(work)
        else:
            self._run(work)

    def release(self) -> None:
        """Do what was held back, and hold back no more."""
        self.is_held = False
        while self.waiting:
            self._run(self.waiting.pop(0))

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the port promises that none comes out
            self.errors.append(error)
