"""The port ActivityStore, over Table Storage.

Row keys count the time down, so that a partition begins with the latest: `e` and the moment of a
batch's newest entry, `c` and the beginning of a slot that was counted.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from shared.adapters.tables import KEYS, JsonTable, Row
from shared.domain.activity import Batch, Entry
from shared.domain.activity_tally import RollUp, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from azure.data.tables import TableServiceClient

_BATCH, _COUNT = "e", "c"
# Comes after what follows the time in a key.
_LAST = "~"
# A page of a list needs few of them, and each may be large.
_BATCHES_AT_A_TIME = 50
# A property holds 64 KiB of UTF-16 (learn.microsoft.com/rest/api/storageservices/
# understanding-the-table-service-data-model).
_BODY_BYTES = 60 * 1024
# A transaction holds 4 MiB; the client writes six bytes for every two that are not ASCII.
_ROWS_TOGETHER = 20
_ROWS_DELETED_TOGETHER = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = 10**16  # in microseconds since then, far beyond all times

_ENTRIES = msgspec.json.Decoder(tuple[Entry, ...])
_TALLIES = msgspec.json.Decoder(Tally)


class ActivityTable:
    """Table `activity`: the integration's code is the partition."""

    def __init__(self, service: TableServiceClient) -> None:
        """Keep the rows at `service`."""
        self._table = JsonTable(service, "activity")

    def write(self, partition: str, batches: Sequence[Batch], roll_ups: Sequence[RollUp]) -> None:
        """Store them, each over what is there under its id."""
        rows = [_count_row(partition, each) for each in roll_ups]
        rows += [row for batch in batches for row in _batch_rows(partition, batch)]
        for start in range(0, len(rows), _ROWS_TOGETHER):
            self._table.upsert(rows[start : start + _ROWS_TOGETHER])

    def batches(
        self, partition: str, *, since: datetime, until: datetime | None = None
    ) -> Iterator[Batch]:
        """Give the batches whose newest entries lie in between, those with the newest first."""
        first = f"{_BATCH}{_countdown(until) if until else ''}"
        last = f"{_BATCH}{_countdown(since)}{_LAST}"
        rows = self._rows(partition, first, last, page_size=_BATCHES_AT_A_TIME)
        return self._table.readable(rows, self._batch)

    def roll_ups(self, partition: str, *, since: datetime) -> Iterator[RollUp]:
        """Give those of the slots that began then or later."""
        rows = self._rows(partition, _COUNT, f"{_COUNT}{_countdown(since)}{_LAST}")
        return self._table.readable(rows, self._roll_up)

    def partitions(self, *, after: str, limit: int) -> list[str]:
        """Return up to `limit` partitions that hold something and come after `after`, in order."""
        found: list[str] = []
        while len(found) < limit:
            row = next(
                self._table.rows(
                    "PartitionKey gt @after", {"after": after}, page_size=1, select=KEYS
                ),
                None,
            )
            if row is None:
                break
            after = row.partition
            found.append(after)
        return found

    def delete_before(self, partition: str, moment: datetime, *, limit: int) -> int:
        """Remove up to `limit` rows of before then, of each kind; return how many there were."""
        deleted = 0
        for kind in (_BATCH, _COUNT):
            first = f"{kind}{_countdown(moment)}{_LAST}"
            rows = islice(self._rows(partition, first, f"{kind}{_LAST}", select=KEYS), limit)
            while together := list(islice(rows, _ROWS_DELETED_TOGETHER)):
                self._table.delete_together(together)
                deleted += len(together)
        return deleted

    def _rows(self, partition: str, first: str, last: str, **options: Any) -> Iterator[Row]:
        condition = "PartitionKey eq @partition and RowKey ge @first and RowKey le @last"
        values = {"partition": partition, "first": first, "last": last}
        return self._table.rows(condition, values, **options)

    def _batch(self, row: Row) -> Batch:
        return Batch(id=row.key.partition("-")[2], entries=self._table.body(row, _ENTRIES))

    def _roll_up(self, row: Row) -> RollUp:
        passed, _, its_id = row.key.removeprefix(_COUNT).partition("-")
        began_on = _EPOCH + timedelta(microseconds=_END - int(passed))
        return RollUp(id=its_id, began_on=began_on, tally=self._table.body(row, _TALLIES))


def _batch_rows(partition: str, batch: Batch) -> Iterator[Row]:
    for number, entries in enumerate(_parts(batch.entries)):
        key = f"{_BATCH}{_countdown(entries[-1].moment)}-{batch.id}{number:03}"
        body = msgspec.json.encode(entries).decode()
        yield Row(partition=partition, key=key, body=body)


def _parts(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Give the entries in parts that fit into a row each."""
    part: list[Entry] = []
    size = 0
    for entry in entries:
        needed = len(msgspec.json.encode(entry).decode().encode("utf-16-le")) + 2  # the comma
        if part and size + needed > _BODY_BYTES:
            yield part
            part, size = [], 0
        part.append(entry)
        size += needed
    yield part


def _count_row(partition: str, roll_up: RollUp) -> Row:
    key = f"{_COUNT}{_countdown(roll_up.began_on)}-{roll_up.id}"
    return Row(partition=partition, key=key, body=msgspec.json.encode(roll_up.tally).decode())


def _countdown(moment: datetime) -> str:
    """Return a text that comes the earlier, the later the moment is."""
    return f"{_END - (moment - _EPOCH) // timedelta(microseconds=1):016}"
