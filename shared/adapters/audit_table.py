"""The port AuditStore, over Table Storage."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from shared.adapters.tables import KEYS, JsonTable, Row
from shared.domain.audit import AuditEntry

if TYPE_CHECKING:
    from azure.data.tables import TableServiceClient

# One for all: the list of all integrations is read in the order of time.
_PARTITION = "audit"
_ROWS_DELETED_TOGETHER = 100

_ENTRIES = msgspec.json.Decoder(AuditEntry)


class AuditTable:
    """Table `audit`: the entry's id is the row; columns beside it tell what it is about."""

    def __init__(self, service: TableServiceClient) -> None:
        """Keep the rows at `service`."""
        self._table = JsonTable(service, "audit")

    def write(self, entry: AuditEntry) -> None:
        """Store it, over what is there under its id."""
        about = {"integration": entry.integration, "endpoint": entry.endpoint}
        row = Row(
            partition=_PARTITION,
            key=entry.id,
            body=msgspec.json.encode(entry).decode(),
            columns={name: code for name, code in about.items() if code is not None},
        )
        self._table.upsert([row])

    def list(
        self, *, after: str, limit: int, integration: str | None, endpoint: str | None
    ) -> list[AuditEntry]:
        """Return up to `limit` readable entries whose ids come after `after`, in order."""
        condition = "PartitionKey eq @partition and RowKey gt @after"
        values = {"partition": _PARTITION, "after": after}
        for name, code in (("integration", integration), ("endpoint", endpoint)):
            if code is not None:
                condition += f" and {name} eq @{name}"
                values[name] = code
        rows = self._table.rows(condition, values, page_size=limit)
        read = self._table.readable(rows, lambda row: self._table.body(row, _ENTRIES))
        return list(islice(read, limit))

    def delete_for(self, integration: str) -> None:
        """Remove every one of the integration."""
        rows = self._table.rows(
            "PartitionKey eq @partition and integration eq @integration",
            {"partition": _PARTITION, "integration": integration},
            select=KEYS,
        )
        while together := list(islice(rows, _ROWS_DELETED_TOGETHER)):
            self._table.delete_together(together)
