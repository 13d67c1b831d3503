"""What every fake can do beside its port."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.domain.errors import Unavailable

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Fake:
    """A port kept in memory: `calls` counts by method, `fail` and `before` upset it."""

    outage: type[Unavailable]

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._failing: dict[str, Exception | None] = {}
        self._before: dict[str, Callable[[], None]] = {}
        self._lock = threading.RLock()

    def fail(self, *methods: str, error: Exception | None = None) -> None:
        """Raise the port's Unavailable error (or `error`) from these methods; from all, if none."""
        self._failing |= dict.fromkeys(methods or ("*",), error)

    def recover(self) -> None:
        """Fail no more."""
        self._failing.clear()

    def before(self, method: str, act: Callable[[], None]) -> None:
        """Do this once, just before the next call of the method."""
        self._before[method] = act

    def enter(self, method: str) -> None:
        """Begin a call: count it, and let happen or fail what a test has asked for."""
        with self._lock:
            self.calls[method] += 1
            act = self._before.pop(method, None)
        if act is not None:
            act()
        for name in (method, "*"):
            if name in self._failing:
                raise self._failing[name] or self.outage("The fake is down.")


FakeType = TypeVar("FakeType", bound=Fake)


def call(
    method: Callable[Concatenate[FakeType, Arguments], Result],
) -> Callable[Concatenate[FakeType, Arguments], Result]:
    """Make a method of a port: counted, able to fail, one thread at a time."""

    @functools.wraps(method)
    def run(fake: FakeType, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        fake.enter(method.__name__)
        with fake._lock:
            return method(fake, *args, **kwargs)

    return run
