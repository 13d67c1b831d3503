"""Ways that take turns, so that whatever else the machine does meets them all."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.bench.report import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dev.bench.ways import Call


@dataclass(frozen=True, slots=True)
class Turn:
    """What one way did in one turn."""

    milliseconds: Sequence[float]
    seconds: float

    @property
    def p50(self) -> float:
        """The milliseconds of the call in the middle."""
        return percentile(self.milliseconds, 50)

    @property
    def rate(self) -> float:
        """The calls of a second."""
        return len(self.milliseconds) / self.seconds


def take_turns(
    ways: Mapping[str, Call], body: bytes, *, callers: int, rounds: int, seconds: float
) -> dict[str, list[Turn]]:
    """Let each way be called for so many seconds, one after the other, in so many rounds."""
    turns: dict[str, list[Turn]] = {name: [] for name in ways}
    with ThreadPoolExecutor(callers) as workers:
        for number in range(rounds + 1):
            for name, call in ways.items():
                turn = _turn(call, body, workers, callers=callers, seconds=seconds)
                if number > 0:  # the first round opens the connections
                    turns[name].append(turn)
    return turns


def median(turns: Sequence[Turn], of: Callable[[Turn], float]) -> float:
    """Return the median of a figure over the rounds."""
    return statistics.median(map(of, turns))


def ratio(turns: Sequence[Turn], others: Sequence[Turn], of: Callable[[Turn], float]) -> float:
    """Return the median of the ratios that a figure had in each round."""
    return statistics.median(of(a) / of(b) for a, b in zip(turns, others, strict=True))


def _turn(
    call: Call, body: bytes, workers: ThreadPoolExecutor, *, callers: int, seconds: float
) -> Turn:
    started = time.perf_counter()
    until = started + seconds

    def call_on(_: int) -> list[float]:
        taken: list[float] = []
        before = time.perf_counter()
        while not taken or before < until:
            call(body)
            after = time.perf_counter()
            taken.append((after - before) * 1000)
            before = after
        return taken

    milliseconds = [each for mine in workers.map(call_on, range(callers)) for each in mine]
    return Turn(milliseconds, time.perf_counter() - started)
