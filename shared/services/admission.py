"""Fair use: how many calls of one integration may be at the service, and how many here at all.

Business Central runs five requests of a user at once, queues some more and refuses the rest
(learn.microsoft.com/dynamics365/business-central/dev-itpro/administration/operational-limits-online).
So the calls that would only queue there wait here, first come first served; and however slow one
integration's service is, its calls never hold more than a part of this process's threads.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.domain.error_kinds import INTEGRATION_BUSY
from shared.domain.errors import RETRY_AFTER_SECONDS, GatewayError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shared.ports import Clock


@dataclass(slots=True)
class _Lane:
    """The calls of one integration; whoever waits is let in by setting its event."""

    limit: int = 0
    inside: int = 0
    running: int = 0
    waiting: deque[threading.Event] = field(default_factory=deque)

    def let_in(self) -> None:
        """Let in who has waited longest, as long as there is a free slot."""
        while self.waiting and self.running < self.limit:
            self.waiting.popleft().set()
            self.running += 1

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing has to be known of it any more."""
        return not (self.inside or self.running or self.waiting)


class Admission:
    """Lets calls in, for each integration by itself; what it knows lasts as long as they do."""

    def __init__(self, *, most_inside: int, clock: Clock) -> None:
        """Have at most so many calls of one integration inside, whatever they wait for."""
        self._most_inside = most_inside
        self._clock = clock
        self._lanes: defaultdict[str, _Lane] = defaultdict(_Lane)
        self._lock = threading.Lock()

    @contextmanager
    def enter(self, code: str) -> Iterator[None]:
        """Count a call of the integration as inside; GatewayError `integration_busy` if full."""
        with self._lock:
            lane = self._lanes[code]
            if lane.inside >= self._most_inside:
                raise _busy(f"{lane.inside} calls of {code} are under way or waiting already.")
            lane.inside += 1
        try:
            yield
        finally:
            with self._lock:
                lane.inside -= 1
                self._tidy(code, lane)

    @contextmanager
    def slot(self, code: str, *, limit: int, deadline: datetime) -> Iterator[None]:
        """Hold one of `limit` slots while the block runs, after waiting for it in turn.

        The limit of the latest call counts for all: it may change at any time.
        Raises GatewayError `integration_busy` at the deadline.
        """
        turn = threading.Event()
        with self._lock:
            lane = self._lanes[code]
            lane.limit = limit
            lane.waiting.append(turn)
            lane.let_in()
        try:
            if not turn.is_set():
                left = (deadline - self._clock.now()).total_seconds()
                if not turn.wait(max(left, 0)):
                    raise _busy(f"The call waited for one of {limit} slots of {code} in vain.")
            yield
        finally:
            with self._lock:
                # Its turn may have come just when it gave up.
                if turn.is_set():
                    lane.running -= 1
                else:
                    lane.waiting.remove(turn)
                lane.let_in()
                self._tidy(code, lane)

    def _tidy(self, code: str, lane: _Lane) -> None:
        if lane.is_empty:
            del self._lanes[code]


def _busy(detail: str) -> GatewayError:
    return GatewayError(INTEGRATION_BUSY, detail, retry_after_seconds=RETRY_AFTER_SECONDS)
