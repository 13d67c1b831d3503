"""Look through what happened: entries page by page, newest first, and the numbers of a chart."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush, merge
from typing import TYPE_CHECKING, NamedTuple

from shared.domain.activity import BATCH_SPAN, NO_INTEGRATION, ActivityFilter, Batch, Entry
from shared.domain.activity_tally import SLOT, Slot, Tally, slot_of
from shared.domain.codes import fold, is_code
from shared.domain.error_kinds import INVALID_PARAMETER
from shared.domain.errors import GatewayError
from shared.services.catalogue import integration_not_found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shared.ports import ActivityStore, Clock, IntegrationStore

# What one page may cost: so many batches are read, those of all integrations together.
MOST_BATCHES = 500
# Each costs a query, also where all are asked for together.
MOST_INTEGRATIONS = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"([0-9]{1,16})-([0-9a-f]{1,40})-([0-9]{1,6})")
_NO_FILTER = ActivityFilter()


class _Place(NamedTuple):
    """Where an entry stands in the order: newest first, and no two at the same place."""

    time_left: int  # negative microseconds since the epoch
    batch: str
    index_left: int

    def __str__(self) -> str:
        return f"{-self.time_left}-{self.batch}-{-self.index_left}"


class _Placed(NamedTuple):
    place: _Place
    entry: Entry


class Source(NamedTuple):
    """What is read: a partition of the store, which counts from that moment on."""

    partition: str
    began_on: datetime
    name: str = ""


# The calls to integrations that do not exist.
NOBODY = Source(NO_INTEGRATION, _EPOCH)


class _Enough(Exception):
    """A page has cost what it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """Entries, newest first; what is older follows with `before`, unless that is None.

    It `is_cut` where it was given up on before it was full: older entries may match all the same.
    """

    entries: tuple[Entry, ...]
    before: str | None = None
    is_cut: bool = False


class ActivityReport:
    """Reads what the instances have recorded."""

    def __init__(self, store: ActivityStore, integrations: IntegrationStore, clock: Clock) -> None:
        """Read from `store`, nothing of an integration from before it was created."""
        self._store = store
        self._integrations = integrations
        self._clock = clock

    def source(self, integration: str) -> Source:
        """Return what is read of an integration; GatewayError `integration_not_found`."""
        code = fold(integration)
        record = self._integrations.get(code) if is_code(code) else None
        if record is None:
            raise integration_not_found(integration)
        return Source(code, record.created_on, record.definition.name)

    def sources(self) -> list[Source]:
        """Return what is read of the first hundred integrations, in the order of their codes."""
        records = self._integrations.list(after="", limit=MOST_INTEGRATIONS)
        return [Source(each.code, each.created_on, each.definition.name) for each in records]

    def entries(
        self,
        sources: Sequence[Source],
        *,
        wanted: ActivityFilter = _NO_FILTER,
        within: timedelta | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> ActivityPage:
        """Return up to `limit` entries of the sources together, those of the last time `within`.

        Raises GatewayError `invalid_parameter` for a bad `before`.
        """
        start = _read_place(before) if before is not None else None
        if within is not None:
            wanted = replace(wanted, since=self._clock.now() - within)
        until = _earliest(_moment(start) if start else None, wanted.until)
        scan = _Scan(start)
        streams = [
            scan.in_order(
                self._store.batches(
                    partition,
                    since=max(began_on, wanted.since or _EPOCH),
                    until=until and until + BATCH_SPAN,
                )
            )
            for partition, began_on, _ in sources
        ]
        return _page(merge(*streams), start=start, wanted=wanted, limit=limit)

    def chart(self, sources: Sequence[Source], *, hours: int = 24) -> list[Slot]:
        """Return the slots of the last hours in the order of time, those without a call as well."""
        last = slot_of(self._clock.now())
        first = last + SLOT - timedelta(hours=hours)
        tallies = {first + SLOT * n: Tally() for n in range((last - first) // SLOT + 1)}
        for partition, began_on, _ in sources:
            for roll_up in self._store.roll_ups(partition, since=max(first, slot_of(began_on))):
                if roll_up.began_on in tallies:  # else of an instance whose clock is ahead
                    tallies[roll_up.began_on].merge(roll_up.tally)
        return [
            Slot(began_on=began_on, calls=tally.calls, errors=tally.errors, p95_ms=tally.p95_ms)
            for began_on, tally in tallies.items()
        ]


class _Scan:
    """What one page reads, and when that is enough."""

    def __init__(self, start: _Place | None) -> None:
        self._start = start
        self._left = MOST_BATCHES

    def in_order(self, batches: Iterable[Batch]) -> Iterator[_Placed]:
        """Give the entries newest first: batches come by their newest one, and may overlap."""
        held: list[_Placed] = []
        for batch in batches:
            newest = _time_left(batch.newest)
            # What only overlaps with the page before is not counted: every page gets on.
            if self._start is None or newest > self._start.time_left:
                self._left -= 1
            if self._left < 0:
                raise _Enough
            while held and held[0].place.time_left < newest:
                yield heappop(held)
            for index, entry in enumerate(batch.entries):
                place = _Place(_time_left(entry.moment), batch.id, -index)
                heappush(held, _Placed(place, entry))
        while held:
            yield heappop(held)


def _page(
    found: Iterator[_Placed], *, start: _Place | None, wanted: ActivityFilter, limit: int
) -> ActivityPage:
    entries: list[Entry] = []
    last = start
    try:
        for place, entry in found:
            if start is not None and place <= start:
                continue
            if wanted.matches(entry):
                if len(entries) == limit:
                    return ActivityPage(entries=tuple(entries), before=str(last))
                entries.append(entry)
            last = place
    except _Enough:
        return ActivityPage(entries=tuple(entries), before=last and str(last), is_cut=True)
    return ActivityPage(entries=tuple(entries))


def _read_place(text: str) -> _Place:
    parts = _PLACE.fullmatch(text)
    if parts is None:
        hint = "Begin with the latest entries again."
        raise GatewayError(INVALID_PARAMETER, "The place to go on from is not one.", hint=hint)
    return _Place(-int(parts[1]), parts[2], -int(parts[3]))


def _time_left(moment: datetime) -> int:
    return -((moment - _EPOCH) // timedelta(microseconds=1))


def _moment(place: _Place) -> datetime:
    return _EPOCH - timedelta(microseconds=place.time_left)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
