"""Numbers of calls in slots of five minutes: what a chart shows without reading a single call."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import msgspec

SLOT = timedelta(minutes=5)
# Eight to a decade, so that a percentile is told within two fifths; the longest call takes 220 s.
# Stored numbers refer to them: another choice is another schema.
BOUNDS_MS = tuple(sorted({round(10 ** (n / 8)) for n in range(44)}))
_PERCENT = 95


class Tally(msgspec.Struct, kw_only=True):
    """Calls, those answered with an error, and how many lasted up to each of the bounds."""

    calls: int = 0
    errors: int = 0
    lasted: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))

    def add(self, milliseconds: int, *, is_error: bool) -> None:
        """Count a call."""
        self.calls += 1
        self.errors += is_error
        self.lasted[bisect_left(BOUNDS_MS, milliseconds)] += 1

    def merge(self, other: Tally) -> None:
        """Count what another tally has counted."""
        self.calls += other.calls
        self.errors += other.errors
        self.lasted = [mine + its for mine, its in zip(self.lasted, other.lasted, strict=True)]

    @property
    def p95_ms(self) -> int | None:
        """The bound that 95 of 100 calls kept; None without calls."""
        if not self.calls:
            return None
        reached = accumulate(self.lasted)
        enough = _PERCENT * self.calls
        place = next(n for n, count in enumerate(reached) if count * 100 >= enough)
        return BOUNDS_MS[min(place, len(BOUNDS_MS) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUp:
    """What one instance has counted in the slot that began then; no other has the same id."""

    id: str
    began_on: datetime
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Five minutes of a chart."""

    began_on: datetime
    calls: int
    errors: int
    p95_ms: int | None


def slot_of(moment: datetime) -> datetime:
    """Return when the slot began that the moment lies in."""
    return datetime.fromtimestamp(moment.timestamp() // SLOT.seconds * SLOT.seconds, UTC)
