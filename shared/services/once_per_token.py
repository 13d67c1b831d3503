"""Work that one token set calls for once, off the callers' path, however many of them see it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.ports import Background, Clock

_PAUSE_SECONDS = 5


@dataclass(slots=True)
class _Attempt:
    generation: int
    again_on: datetime | None = None  # None: under way, or done


class OncePerToken:
    """Starts such work in the background; one that failed is tried again after a pause."""

    def __init__(self, background: Background, clock: Clock) -> None:
        """Run the work in `background`."""
        self._background = background
        self._clock = clock
        self._attempts: dict[str, _Attempt] = {}
        self._lock = threading.Lock()

    def start(self, code: str, generation: int, work: Callable[[], object]) -> None:
        """Start the work for the token set, unless that was done, or failed a moment ago."""
        with self._lock:
            last = self._attempts.get(code)
            if last is not None and self._is_enough(last, generation):
                return
            attempt = self._attempts[code] = _Attempt(generation)

        def run() -> None:
            try:
                work()
            except GatewayError as error:
                # The caller has a valid token, and whoever failed has recorded it.
                pause = timedelta(seconds=error.retry_after_seconds or _PAUSE_SECONDS)
                attempt.again_on = self._clock.now() + pause

        self._background.submit(run)

    def forget(self, code: str) -> None:
        """Forget what was done for the integration."""
        with self._lock:
            self._attempts.pop(code, None)

    def _is_enough(self, last: _Attempt, generation: int) -> bool:
        if last.again_on is not None:
            return last.again_on > self._clock.now()
        return last.generation == generation
