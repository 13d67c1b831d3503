"""A cache that keeps the warm path free of storage calls and survives a storage outage."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from shared.domain.errors import StorageUnavailable
from shared.domain.events import log_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.ports import Background, Clock

Key = TypeVar("Key")
Value = TypeVar("Value")

_RETRY_AFTER = timedelta(seconds=5)
# So long after a failure nobody waits for the storage who can be served without it.
_IN_TROUBLE_FOR = timedelta(seconds=60)
_PATIENCE_SECONDS = 2


@dataclass(slots=True)
class _Entry(Generic[Value]):
    value: Value
    read_on: datetime
    try_again_on: datetime
    trouble_until: datetime | None = None


class ReadThroughCache(Generic[Key, Value]):
    """Values read through `load`, none served older than `lifetime` while the storage answers.

    In the second half of its lifetime a value is read again in the background; a value past it is
    read before it is served: by one caller, for whom the others wait a moment. While the storage is
    down, the last value is served at once. What `load` does not find is never kept, so that
    something new counts at once.
    """

    def __init__(
        self,
        load: Callable[[Key], Value | None],
        *,
        lifetime: timedelta,
        clock: Clock,
        background: Background,
        capacity: int = 20_000,
        what: str = "value",
    ) -> None:
        """Read through `load`, which may raise StorageUnavailable; `what` is for the log."""
        self._load = load
        self._what = what
        self._lifetime = lifetime
        self._clock = clock
        self._background = background
        self._capacity = capacity
        self._entries: dict[Key, _Entry[Value]] = {}
        self._reading: dict[Key, threading.Event] = {}
        self._reading_ahead: set[Key] = set()
        self._forgotten = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """Return the value, or None; StorageUnavailable if it cannot be read and is not kept."""
        entry = self._entries.get(key)
        if entry is None:
            return self._read(key)
        now = self._clock.now()
        if now < entry.try_again_on:
            return entry.value
        is_in_trouble = entry.trouble_until is not None and now < entry.trouble_until
        if now < entry.read_on + self._lifetime or is_in_trouble:
            self._read_in_background(key, entry)
            return entry.value
        return self._read_in_turn(key, entry)

    def put(self, key: Key, value: Value) -> None:
        """Keep a value that was just written."""
        with self._lock:
            self._forgotten += 1
            self._keep(key, value, self._clock.now())

    def forget(self, key: Key) -> None:
        """Drop the value, so that the next `get` reads it, also if a read is under way."""
        with self._lock:
            self._forgotten += 1
            self._entries.pop(key, None)

    def _read(self, key: Key) -> Value | None:
        started_on = self._clock.now()
        seen = self._forgotten
        value = self._load(key)
        with self._lock:
            if seen == self._forgotten:
                if value is None:
                    self._entries.pop(key, None)
                else:
                    self._keep(key, value, started_on)
        return value

    def _read_or_keep(self, key: Key, entry: _Entry[Value]) -> Value | None:
        try:
            return self._read(key)
        except StorageUnavailable as error:
            now = self._clock.now()
            entry.try_again_on = now + _RETRY_AFTER
            entry.trouble_until = now + _IN_TROUBLE_FOR
            log_event("stale_served", level=logging.WARNING, what=self._what, key=key,
                      reason=error.detail)  # fmt: skip
            return entry.value

    def _read_in_turn(self, key: Key, entry: _Entry[Value]) -> Value | None:
        """Read, or wait for the caller who does; not long, for the storage may be black-holed."""
        with self._lock:
            others = self._reading.get(key)
            if others is None:
                mine = self._reading[key] = threading.Event()
        if others is None:
            try:
                return self._read_or_keep(key, entry)
            finally:
                del self._reading[key]
                mine.set()
        if not others.wait(_PATIENCE_SECONDS):
            entry.trouble_until = self._clock.now() + _IN_TROUBLE_FOR
            return entry.value
        kept = self._entries.get(key)
        return kept.value if kept is not None else self._read(key)

    def _read_in_background(self, key: Key, entry: _Entry[Value]) -> None:
        with self._lock:
            if key in self._reading_ahead:
                return
            self._reading_ahead.add(key)

        def work() -> None:
            try:
                self._read_or_keep(key, entry)
            finally:
                self._reading_ahead.discard(key)

        self._background.submit(work)

    def _keep(self, key: Key, value: Value, read_on: datetime) -> None:
        if key not in self._entries and len(self._entries) >= self._capacity:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = _Entry(value, read_on, read_on + self._lifetime / 2)
