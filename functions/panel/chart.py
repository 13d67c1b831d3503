"""The chart of calls, errors and durations: from numbers to places in an SVG."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from shared.domain.activity_tally import SLOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from shared.domain.activity_tally import Slot

WIDTH, BARS_HEIGHT, LINE_HEIGHT = 720, 120, 60
_TICKS = 6
# A label begins at its tick, and has to end within the picture.
_LABEL_WIDTH = 110
_BAR_SHARE = 0.8
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Tick:
    """A round moment on the axis of time."""

    x: float
    moment: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What the template draws, and the numbers that it tells in words.

    `well` and `failed` are paths: in a slot, the calls that went well stand on those that failed.
    """

    well: str
    failed: str
    lines: Sequence[str]
    ticks: Sequence[Tick]
    most_calls: int
    most_ms: int
    calls: int
    errors: int
    slots: Sequence[Slot]

    @property
    def is_empty(self) -> bool:
        """Tell whether there was no call at all."""
        return self.calls == 0


def draw(slots: Sequence[Slot]) -> Chart:
    """Return the chart of slots that follow each other."""
    step = WIDTH / len(slots)
    most_calls = _round_up(max(slot.calls for slot in slots))
    most_ms = _round_up(max(slot.p95_ms or 0 for slot in slots))
    unit = BARS_HEIGHT / most_calls
    return Chart(
        well=_bars([(slot.errors * unit, slot.calls * unit) for slot in slots], step),
        failed=_bars([(0, slot.errors * unit) for slot in slots], step),
        lines=list(_lines(slots, step, most_ms)),
        ticks=list(_ticks(slots, step)),
        most_calls=most_calls,
        most_ms=most_ms,
        calls=sum(slot.calls for slot in slots),
        errors=sum(slot.errors for slot in slots),
        slots=[slot for slot in slots if slot.calls],
    )


def _bars(heights: Sequence[tuple[float, float]], step: float) -> str:
    """Return the path of bars that reach from the first of their heights to the second."""
    margin = step * (1 - _BAR_SHARE) / 2
    return "".join(
        f"M{n * step + margin:.2f} {BARS_HEIGHT - lower:.2f}V{BARS_HEIGHT - upper:.2f}"
        f"H{(n + 1) * step - margin:.2f}V{BARS_HEIGHT - lower:.2f}z"
        for n, (lower, upper) in enumerate(heights)
        if upper > lower
    )


def _lines(slots: Sequence[Slot], step: float, most_ms: int) -> Iterator[str]:
    """Give the points of each line; a slot without calls is a gap, one alone a short dash."""
    for has_calls, group in groupby(enumerate(slots), lambda each: each[1].p95_ms is not None):
        if not has_calls:
            continue
        points = [
            ((n + 0.5) * step, LINE_HEIGHT * (1 - (slot.p95_ms or 0) / most_ms))
            for n, slot in group
        ]
        (first_x, first_y), (last_x, last_y) = points[0], points[-1]
        # From the beginning of the first slot to the end of the last.
        ends = [(first_x - step / 2, first_y), *points, (last_x + step / 2, last_y)]
        yield " ".join(f"{x:.2f},{y:.2f}" for x, y in ends)


def _ticks(slots: Sequence[Slot], step: float) -> Iterator[Tick]:
    apart = SLOT.seconds * max(1, len(slots) // _TICKS)
    for n, slot in enumerate(slots):
        if slot.began_on.timestamp() % apart == 0 and n * step <= WIDTH - _LABEL_WIDTH:
            yield Tick(round(n * step, 2), slot.began_on)


def _round_up(most: int) -> int:
    """Return the next number that reads well on an axis: 1, 2 or 5 with zeros."""
    scale = 1
    while True:
        for step in _STEPS:
            if step * scale >= most:
                return step * scale
        scale *= 10
