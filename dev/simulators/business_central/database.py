"""Tables of records, with transactions and row versions: one database for each company."""

from __future__ import annotations

import re
import threading
import zlib
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    # Rows are replaced, never changed in place, so that a copy of the index is a snapshot.
    Row = Mapping[str, Any]

NUMBER_SERIES = "numberSeries"


class Database:
    """Tables of rows, each row with an `id` and a `version` that grows with every change."""

    def __init__(self, name: str, now: Callable[[], datetime]) -> None:
        self._now = now
        self._stamp = zlib.crc32(name.encode()) & 0xFFFF
        self._version = 0
        self._tables: defaultdict[str, dict[str, Row]] = defaultdict(dict)
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write alone, and leave nothing behind if the block fails (bc-api.md section 2)."""
        with self._lock:
            before = {name: dict(rows) for name, rows in self._tables.items()}
            try:
                yield
            except BaseException:
                self._tables = defaultdict(dict, before)
                raise

    def select(self, table: str, **values: Any) -> list[Row]:
        """Return the rows that hold all these values, in the order of their creation."""
        return [
            row
            for row in list(self._tables.get(table, {}).values())
            if all(row.get(column) == value for column, value in values.items())
        ]

    def find(self, table: str, **values: Any) -> Row | None:
        """Return the first row that holds all these values."""
        return next(iter(self.select(table, **values)), None)

    def insert(self, table: str, values: Row) -> Row:
        """Add a row; an id counts up, as Business Central's sequential GUIDs do."""
        version = self._next_version()
        row_id = f"{version:08x}-{self._stamp:04x}-4000-8000-6045bdc8c234"
        return self._store(table, {"id": row_id, **values}, version)

    def change(self, table: str, row: Row, values: Row) -> Row:
        """Replace some values of a row."""
        return self._store(table, {**row, **values}, self._next_version())

    def delete(self, table: str, row: Row) -> None:
        """Remove a row."""
        del self._tables[table][row["id"]]

    def next_number(self, series: str) -> str:
        """Draw the next number of a series, counting as the AL function `IncStr` does."""
        row = self.select(NUMBER_SERIES, code=series)[0]
        number = re.sub(
            r"\d+$", lambda digits: f"{int(digits[0]) + 1:0{len(digits[0])}}", row["lastNumber"]
        )
        self.change(NUMBER_SERIES, row, {"lastNumber": number})
        return number

    def _store(self, table: str, row: Row, version: int) -> Row:
        modified = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        stored = {**row, "version": version, "lastModifiedDateTime": modified}
        self._tables[table][row["id"]] = stored
        return stored

    def _next_version(self) -> int:
        with self._lock:
            self._version += 1
            return self._version
