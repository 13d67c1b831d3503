"""The port IdempotencyStore, over Table Storage.

A sealed answer is cut into binary columns: a column holds 64 KiB, a row 1 MiB.
(learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model)
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import count, islice, takewhile
from typing import TYPE_CHECKING

import msgspec

from shared.adapters.tables import KEYS, JsonTable, Row
from shared.domain.idempotency import CallRecord, StoredCall
from shared.ports import Conflict

if TYPE_CHECKING:
    from datetime import datetime

    from azure.data.tables import TableServiceClient

_COLUMN_BYTES = 64 * 1024
_EXPIRES_ON = "expires_on"

_RECORDS = msgspec.json.Decoder(CallRecord)


class IdempotencyTable:
    """Table `idempotency`: the integration's code is the partition, the key's hash the row."""

    def __init__(self, service: TableServiceClient) -> None:
        """Keep the rows at `service`."""
        self._table = JsonTable(service, "idempotency")

    def get(self, integration: str, key_hash: str) -> StoredCall | None:
        """Return the call, or None."""
        row = self._table.get(integration, key_hash)
        return self._read(row) if row else None

    def insert(self, call: StoredCall) -> StoredCall:
        """Store a new call; raise Conflict if the key is taken."""
        return replace(call, etag=self._table.insert(_row(call)))

    def replace(self, call: StoredCall) -> StoredCall:
        """Store it over the row that still has its ETag; raise Conflict otherwise."""
        return replace(call, etag=self._table.replace(_row(call)))

    def delete(self, call: StoredCall) -> None:
        """Remove the row that still has its ETag; raise Conflict if it changed."""
        self._table.delete(call.integration, call.key_hash, etag=call.etag)

    def delete_for(self, integration: str) -> None:
        """Remove every call of the integration."""
        self._table.delete_where("PartitionKey eq @integration", {"integration": integration})

    def delete_expired(self, now: datetime, *, limit: int) -> None:
        """Remove up to `limit` of those whose time is over."""
        rows = self._table.rows(f"{_EXPIRES_ON} le @now", {"now": _sortable(now)}, select=KEYS)
        for row in islice(rows, limit):
            with suppress(Conflict):  # a new call has just taken the key
                self._table.delete(row.partition, row.key, etag=row.etag)

    def _read(self, row: Row) -> StoredCall:
        names = takewhile(row.columns.__contains__, map(_column, count()))
        return StoredCall(
            integration=row.partition,
            key_hash=row.key,
            record=self._table.body(row, _RECORDS),
            sealed=b"".join(row.columns[name] for name in names),
            etag=row.etag,
        )


def _row(call: StoredCall) -> Row:
    starts = range(0, len(call.sealed), _COLUMN_BYTES)
    chunks = [call.sealed[start : start + _COLUMN_BYTES] for start in starts]
    return Row(
        partition=call.integration,
        key=call.key_hash,
        body=msgspec.json.encode(call.record).decode(),
        etag=call.etag,
        columns={_column(number): chunk for number, chunk in enumerate(chunks)}
        | {_EXPIRES_ON: _sortable(call.record.expires_on)},
    )


def _sortable(moment: datetime) -> str:
    """Return a moment in UTC as text in the order of time; a date column may be rounded."""
    return moment.isoformat(timespec="microseconds")


def _column(number: int) -> str:
    return f"sealed_{number:02}"
