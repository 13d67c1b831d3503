"""Record what happens, off the caller's path: entries wait in memory for a second at most.

A crash loses that second, and an outage of the storage nothing: entries wait until it is over, as
many as there is room for.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from shared.domain.activity import BATCH_SPAN, NO_INTEGRATION, Batch, Entry, TokenEntry
from shared.domain.errors import StorageUnavailable
from shared.domain.events import log_event
from shared.services.activity_counts import ActivityCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.domain.activity_tally import RollUp
    from shared.ports import ActivityStore, Background, Clock

MOST_WAITING = 10_000
_LONGEST_REASON = 500
_GATHERING_SECONDS = 1
_FIRST_PAUSE_SECONDS = 1
_LONGEST_PAUSE_SECONDS = 30
_ENDING_SECONDS = 2
# How soon a pause notices that the process ends.
_STEP_SECONDS = 0.25


class ActivityLog:
    """Takes entries in, and writes them in batches: one writer, while there is something to write.

    The host forwards the log lines of callers' threads only, so the writer logs nothing.
    """

    def __init__(self, store: ActivityStore, clock: Clock, recording: Background) -> None:
        """Write to `store` in `recording`, whose work does not keep the process from ending."""
        self._store = store
        self._clock = clock
        self._recording = recording
        self._counts = ActivityCounts()
        self._waiting: list[tuple[str, Entry]] = []
        self._unwritten = 0
        self._dropped = 0
        self._is_writing = False
        self._is_ending = False
        self._changed = threading.Condition()

    def record(self, entry: Entry, *, is_known: bool = True) -> None:
        """Take an entry in; `is_known` tells whether its integration exists."""
        partition = entry.integration if is_known else NO_INTEGRATION
        with self._changed:
            if self._unwritten >= MOST_WAITING:
                self._dropped += 1
                return
            self._waiting.append((partition, entry))
            self._unwritten += 1
            dropped, self._dropped = self._dropped, 0
            is_first, self._is_writing = not self._is_writing, True
        if dropped:
            log_event("activity_dropped", level=logging.WARNING, entries=dropped)
        if is_first:
            self._start_writing()

    def token_event(
        self, integration: str, event: str, *, code: str | None = None, reason: str | None = None
    ) -> None:
        """Take in what happened to an integration's sign-in; the reason is in our own words."""
        self.record(
            TokenEntry(
                moment=self._clock.now(),
                integration=integration,
                event=event,
                code=code,
                reason=reason and reason[:_LONGEST_REASON],
            )
        )

    def close(self) -> None:
        """Have written what waits, in two seconds at most: the process ends."""
        self._is_ending = True
        with self._changed:
            self._changed.wait_for(lambda: not self._is_writing, _ENDING_SECONDS)

    def _start_writing(self) -> None:
        try:
            self._recording.submit(self._write_all)
        except RuntimeError:
            self._stop_writing()  # no thread can be had now: the next entry tries again

    def _write_all(self) -> None:
        """Write what waits, and what comes meanwhile, until a second has brought nothing."""
        try:
            while taken := self._gather():
                self._write_taken(taken)
        except BaseException:
            self._stop_writing()
            raise

    def _gather(self) -> list[tuple[str, Entry]]:
        """Return what has come after a second; where there is nothing, the writer has ended."""
        self._pause(_GATHERING_SECONDS)
        with self._changed:
            taken, self._waiting = self._waiting, []
            if not taken:
                self._is_writing = False
                self._changed.notify_all()
        return taken

    def _write_taken(self, taken: list[tuple[str, Entry]]) -> None:
        partitions: defaultdict[str, list[Entry]] = defaultdict(list)
        for partition, entry in sorted(taken, key=lambda each: each[1].moment):
            partitions[partition].append(entry)
        try:
            for partition, entries in partitions.items():
                self._write(
                    partition, list(_batches(entries)), self._counts.add(partition, entries)
                )
            self._counts.forget_before(max(entry.moment for _, entry in taken))
        finally:
            with self._changed:
                self._unwritten -= len(taken)

    def _write(self, partition: str, batches: list[Batch], roll_ups: list[RollUp]) -> None:
        """Write until it has worked: to write the same again changes nothing."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                self._store.write(partition, batches, roll_ups)
            except StorageUnavailable:
                if self._is_ending:
                    return
                self._pause(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                return

    def _pause(self, seconds: int) -> None:
        for _ in range(round(seconds / _STEP_SECONDS)):
            if self._is_ending:
                return
            self._clock.sleep(_STEP_SECONDS)

    def _stop_writing(self) -> None:
        with self._changed:
            self._is_writing = False
            self._changed.notify_all()


def _batches(entries: Iterable[Entry]) -> Iterator[Batch]:
    """Give entries in the order of time as batches, none of which spans more than it may."""
    batch: list[Entry] = []
    for entry in entries:
        if batch and entry.moment - batch[0].moment > BATCH_SPAN:
            yield _batch(batch)
            batch = []
        batch.append(entry)
    yield _batch(batch)


def _batch(entries: list[Entry]) -> Batch:
    return Batch(id=secrets.token_hex(8), entries=tuple(entries))
