"""A bounded number of threads, shared out so that providers that hang hold few of them.

Each provider begins with one thread. Every answer earns it one more, and every silence costs it
half of them (additive increase, multiplicative decrease, as RFC 5681 has it for congestion). So a
provider that answers has most threads after a few calls, and one that hangs keeps one waiting.
Those that have not answered yet hold half of all threads together, however many they are.
"""

from __future__ import annotations

import heapq
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

# One provider's 10,000 calls of 200 ms take less than three minutes on the most it may have.
WORKERS = 16
# A quarter is left to the others, also where a provider begins to hang after it has earned trust.
MOST_FOR_ONE = 12
MOST_ON_TRIAL = WORKERS // 2


@dataclass(slots=True)
class _Lane(Generic[Item]):
    """What one provider is to be asked for, in order, and how much of it at the same time."""

    waiting: deque[tuple[int, Item]] = field(default_factory=deque)
    running: int = 0
    allowed: int = 1
    is_offered: bool = False
    is_on_trial: bool = True  # until its first answer, and with one thread until then
    failed_trials: int = 0


@dataclass(frozen=True, slots=True, order=True)
class _Offer:
    """A provider with a thread to spare; those of failed trials come after those of none."""

    failed_trials: int
    place: int
    provider: str


class FairQueue(Generic[Item]):
    """Says which item may begin next: the first in order whose provider has a thread to spare."""

    def __init__(self, items: Iterable[tuple[str, Item]]) -> None:
        """Take the items in order, each with its provider."""
        self._lanes: dict[str, _Lane[Item]] = {}
        self._trusted: list[_Offer] = []  # heaps: of each provider its first item's place
        self._on_trial: list[_Offer] = []
        self._trials = 0
        for place, (provider, item) in enumerate(items):
            self._lanes.setdefault(provider, _Lane()).waiting.append((place, item))
        for provider in self._lanes:
            self._offer(provider)

    def take(self) -> tuple[str, Item] | None:
        """Return the item to begin now, with its provider; None if none may begin."""
        while (offers := self._open_offers()) is not None:
            provider = heapq.heappop(offers).provider
            lane = self._lanes[provider]
            lane.is_offered = False
            if lane.running < lane.allowed:  # it may have lost threads since it was offered
                _, item = lane.waiting.popleft()
                lane.running += 1
                self._trials += lane.is_on_trial
                self._offer(provider)
                return provider, item
        return None

    def give_back(self, provider: str, *, has_answered: bool | None) -> None:
        """Note that an item has ended, and whether its provider answered; None if not asked."""
        lane = self._lanes[provider]
        lane.running -= 1
        self._trials -= lane.is_on_trial
        if has_answered:
            lane.is_on_trial, lane.failed_trials = False, 0
            lane.allowed = min(lane.allowed + 1, MOST_FOR_ONE)
        elif has_answered is False:
            lane.failed_trials += lane.is_on_trial
            lane.allowed = max(lane.allowed // 2, 1)
        self._offer(provider)

    def _open_offers(self) -> list[_Offer] | None:
        """Return the heap whose first offer comes first in order, if any may be taken."""
        heaps = [self._trusted] if self._trusted else []
        if self._on_trial and self._trials < MOST_ON_TRIAL:
            heaps.append(self._on_trial)
        return min(heaps, key=lambda heap: heap[0].place, default=None)

    def _offer(self, provider: str) -> None:
        lane = self._lanes[provider]
        if lane.waiting and lane.running < lane.allowed and not lane.is_offered:
            offers = self._on_trial if lane.is_on_trial else self._trusted
            heapq.heappush(offers, _Offer(lane.failed_trials, lane.waiting[0][0], provider))
            lane.is_offered = True


def run_fairly(
    items: Iterable[tuple[str, Item]],
    work: Callable[[Item], Result],
    *,
    has_answered: Callable[[Result], bool | None],
    may_begin: Callable[[], bool],
) -> Iterator[Result]:
    """Do the work on each item, and give what comes of it as it ends, in the caller's thread.

    Begins nothing any more once `may_begin` says so, and ends when what has begun has ended.
    """
    queue = FairQueue(items)
    running: dict[Future[Result], str] = {}
    ended: SimpleQueue[Future[Result]] = SimpleQueue()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="fair") as threads:
        while True:
            while len(running) < WORKERS and may_begin() and (taken := queue.take()) is not None:
                provider, item = taken
                future = threads.submit(work, item)
                running[future] = provider
                future.add_done_callback(ended.put)
            if not running:
                return
            future = ended.get()
            result = future.result()
            queue.give_back(running.pop(future), has_answered=has_answered(result))
            yield result
