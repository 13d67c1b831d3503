"""Rows of one Azure table, each a JSON text with its schema version; the stores build on this.

Facts: learn.microsoft.com/rest/api/storageservices. A property holds 64 KiB of UTF-16, or of bytes.
`delete_entity` with an ETag succeeds silently on a row that is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableServiceClient, TableTransactionError, UpdateMode

from shared.domain.errors import StorageUnavailable, missing_role
from shared.domain.events import log_event
from shared.ports import Conflict

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableClient, TableEntity

    from shared.domain.secret import Secret

Result = TypeVar("Result")
Body = TypeVar("Body")

SCHEMA_VERSION = 1
KEYS = ["PartitionKey", "RowKey"]
_OWN_COLUMNS = {*KEYS, "schema_version", "body"}
_REPAIR = (
    "Deploy the version of the gateway that wrote it; if it is damaged, delete the row with Azure "
    "Storage Explorer, then store the definition or sign in again."
)
_ROLE = "Storage Table Data Contributor"
# A caller waits behind these; the cache serves what it knows when they are exhausted.
_CLIENT_OPTIONS: dict[str, Any] = {"connection_timeout": 3, "read_timeout": 5, "retry_total": 1}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the stores see it; `columns` are those that a store has beside the body."""

    partition: str
    key: str
    body: str
    etag: str = ""
    version: int = SCHEMA_VERSION
    columns: Mapping[str, Any] = field(default_factory=dict)


class UnreadableRow(StorageUnavailable):
    """A row is damaged, or another version of the gateway wrote it; `partition` says which."""

    def __init__(self, table: str, partition: str) -> None:
        """Name the row and not its content, which may be anything."""
        super().__init__(f"The row {partition} in {table} cannot be read.", remedy=_REPAIR)
        self.partition = partition


def open_tables(
    *, url: str | None, connection: Secret | None, credential: Callable[[], TokenCredential]
) -> TableServiceClient:
    """Return the service's client, by identity where a URL is set, else by connection string."""
    if url is not None:
        return TableServiceClient(url, credential=credential(), **_CLIENT_OPTIONS)
    assert connection is not None  # noqa: S101 - the settings demand one of both
    return TableServiceClient.from_connection_string(connection.reveal(), **_CLIENT_OPTIONS)


class JsonTable:
    """One table; it is created when the first row is written."""

    def __init__(self, service: TableServiceClient, name: str) -> None:
        """Work on the table `name`."""
        self._client: TableClient = service.get_table_client(name)

    def get(self, partition: str, key: str) -> Row | None:
        """Return the row, or None."""
        with _storage_errors():
            try:
                return _row(self._client.get_entity(partition, key))
            except ResourceNotFoundError:
                return None

    def rows(
        self,
        condition: str | None = None,
        values: dict[str, Any] | None = None,
        *,
        page_size: int | None = None,
        select: list[str] | None = None,
    ) -> Iterator[Row]:
        """Give the rows that meet an OData condition, by partition and key, page by page.

        Of the columns only those in `select` are read, where it is given.
        """
        options: dict[str, Any] = {"results_per_page": page_size, "select": select}
        if condition is None:
            found = self._client.list_entities(**options)
        else:
            found = self._client.query_entities(condition, parameters=values, **options)
        pages = found.by_page()
        while True:
            with _storage_errors():
                try:
                    page = [_row(entity) for entity in next(pages)]
                except (StopIteration, ResourceNotFoundError):
                    return
            yield from page

    def body(self, row: Row, decoder: msgspec.json.Decoder[Body]) -> Body:
        """Return what the row holds; raise UnreadableRow.

        Decoders are made while a module is imported: msgspec completes a type at its first use, and
        crashes the process if two threads are the first.
        """
        if row.version != SCHEMA_VERSION:
            raise UnreadableRow(self._client.table_name, row.partition)
        try:
            return decoder.decode(row.body)
        except msgspec.MsgspecError:
            raise UnreadableRow(self._client.table_name, row.partition) from None

    def readable(self, rows: Iterable[Row], read: Callable[[Row], Result]) -> Iterator[Result]:
        """Give what `read` makes of the rows; log those that it cannot read, and leave them out."""
        for row in rows:
            try:
                result = read(row)
            except UnreadableRow as error:
                log_event(
                    "row_unreadable",
                    level=logging.ERROR,
                    table=self._client.table_name,
                    partition=error.partition,
                )
            else:
                yield result

    def insert(self, row: Row) -> str:
        """Add a row and return its ETag; raise Conflict if there is one."""
        with _storage_errors():
            try:
                return str(self._creating(lambda: self._client.create_entity(_entity(row)))["etag"])
            except ResourceExistsError:
                raise Conflict(row.key) from None

    def replace(self, row: Row) -> str:
        """Write over the row that has `row.etag` and return its new ETag; raise Conflict."""
        with _storage_errors():
            try:
                written = self._client.update_entity(
                    _entity(row),
                    mode=UpdateMode.REPLACE,
                    etag=row.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except (ResourceModifiedError, ResourceNotFoundError):
                raise Conflict(row.key) from None
            return str(written["etag"])

    def delete(self, partition: str, key: str, *, etag: str | None = None) -> None:
        """Remove a row, if it is there and (where given) has the ETag; raise Conflict."""
        condition = MatchConditions.IfNotModified if etag else None
        with _storage_errors():
            try:
                self._client.delete_entity(partition, key, etag=etag, match_condition=condition)
            except ResourceModifiedError:
                raise Conflict(key) from None
            except ResourceNotFoundError:
                return  # the table itself is missing

    def upsert(self, rows: Sequence[Row]) -> None:
        """Write rows of one partition, all or none of them, over whatever is there.

        A transaction holds 100 rows and 4 MiB. While the process ends there are none: azure-core
        prepares them in threads, which can no longer be started; then rows are written one by one.
        """
        writes = [("upsert", _entity(row), {"mode": UpdateMode.REPLACE}) for row in rows]
        with _storage_errors():
            try:
                self._creating(lambda: self._client.submit_transaction(writes))
            except RuntimeError:
                for _, entity, mode in writes:
                    self._creating(partial(self._client.upsert_entity, entity, **mode))

    def delete_together(self, rows: Sequence[Row]) -> None:
        """Remove up to 100 rows of one partition, if they are there."""
        keys = [{"PartitionKey": row.partition, "RowKey": row.key} for row in rows]
        with _storage_errors():
            try:
                self._client.submit_transaction([("delete", key) for key in keys])
            except TableTransactionError as error:
                if error.status_code != HTTPStatus.NOT_FOUND:
                    raise
                for row in rows:  # somebody else removes them, too
                    self.delete(row.partition, row.key)

    def delete_where(self, condition: str, values: dict[str, str]) -> None:
        """Remove all rows that meet an OData condition."""
        for row in self.rows(condition, values, select=KEYS):
            self.delete(row.partition, row.key)

    def ping(self) -> None:
        """Return if the storage answers; StorageUnavailable otherwise."""
        self.get("ping", "ping")

    def _creating(self, write: Callable[[], Result]) -> Result:
        try:
            return write()
        except (ResourceNotFoundError, TableTransactionError) as error:
            if error.status_code != HTTPStatus.NOT_FOUND:
                raise
            with suppress(ResourceExistsError):
                self._client.create_table()
            return write()


def _entity(row: Row) -> dict[str, Any]:
    return {
        **row.columns,
        "PartitionKey": row.partition,
        "RowKey": row.key,
        "schema_version": SCHEMA_VERSION,
        "body": row.body,
    }


def _row(entity: TableEntity) -> Row:
    return Row(
        partition=entity["PartitionKey"],
        key=entity["RowKey"],
        body=str(entity.get("body")),
        etag=str(entity.metadata["etag"]),
        version=entity.get("schema_version", 0),
        columns={name: value for name, value in entity.items() if name not in _OWN_COLUMNS},
    )


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Tell an outage by its port's error; the SDK's own text may hold addresses and headers."""
    try:
        yield
    except AzureError as error:
        status = getattr(error, "status_code", None)
        if status in {401, 403}:
            remedy = missing_role(_ROLE)
            raise StorageUnavailable("Table Storage refuses the app.", remedy=remedy) from None
        what = f"answered with status {status}" if status else "cannot be reached"
        raise StorageUnavailable(f"Table Storage {what}.") from None
