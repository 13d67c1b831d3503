"""The ports IntegrationStore and EndpointStore, over Table Storage."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from shared.adapters.tables import JsonTable, Row
from shared.domain.endpoint import Endpoint
from shared.domain.integration import Integration
from shared.domain.records import StoredEndpoint, StoredIntegration

if TYPE_CHECKING:
    from azure.data.tables import TableServiceClient

_DEFINITION = "definition"


class _IntegrationBody(msgspec.Struct, frozen=True, kw_only=True):
    definition: Integration
    client_secret_version: str | None
    created_on: datetime
    updated_on: datetime


class _EndpointBody(msgspec.Struct, frozen=True, kw_only=True):
    definition: Endpoint
    created_on: datetime
    updated_on: datetime


_INTEGRATIONS = msgspec.json.Decoder(_IntegrationBody)
_ENDPOINTS = msgspec.json.Decoder(_EndpointBody)


class IntegrationTable:
    """Table `integrations`: one partition and one row for each."""

    def __init__(self, service: TableServiceClient) -> None:
        """Keep the rows at `service`."""
        self._table = JsonTable(service, "integrations")

    def get(self, code: str) -> StoredIntegration | None:
        """Return the integration, or None."""
        row = self._table.get(code, _DEFINITION)
        return self._read(row) if row else None

    def list(self, *, after: str, limit: int) -> list[StoredIntegration]:
        """Return up to `limit` readable integrations whose codes come after `after`, in order."""
        rows = self._table.rows("PartitionKey gt @after", {"after": after}, page_size=limit)
        return list(islice(self._table.readable(rows, self._read), limit))

    def insert(self, record: StoredIntegration) -> StoredIntegration:
        """Store a new integration; raise Conflict if it exists."""
        return replace(record, etag=self._table.insert(_integration_row(record)))

    def replace(self, record: StoredIntegration) -> StoredIntegration:
        """Store it over the row that still has its ETag; raise Conflict otherwise."""
        return replace(record, etag=self._table.replace(_integration_row(record)))

    def delete(self, record: StoredIntegration) -> None:
        """Remove the row that still has its ETag; raise Conflict if it changed."""
        self._table.delete(record.code, _DEFINITION, etag=record.etag)

    def ping(self) -> None:
        """Return if the storage answers; StorageUnavailable otherwise."""
        self._table.ping()

    def _read(self, row: Row) -> StoredIntegration:
        body = self._table.body(row, _INTEGRATIONS)
        return StoredIntegration(
            definition=body.definition,
            client_secret_version=body.client_secret_version,
            created_on=body.created_on,
            updated_on=body.updated_on,
            etag=row.etag,
        )


class EndpointTable:
    """Table `endpoints`: the integration's code is the partition."""

    def __init__(self, service: TableServiceClient) -> None:
        """Keep the rows at `service`."""
        self._table = JsonTable(service, "endpoints")

    def get(self, integration: str, code: str) -> StoredEndpoint | None:
        """Return the endpoint, or None."""
        row = self._table.get(integration, code)
        return self._read(row) if row else None

    def list(self, integration: str, *, after: str, limit: int) -> list[StoredEndpoint]:
        """Return up to `limit` readable endpoints whose codes come after `after`, in order."""
        condition = "PartitionKey eq @integration and RowKey gt @after"
        values = {"integration": integration, "after": after}
        rows = self._table.rows(condition, values, page_size=limit)
        return list(islice(self._table.readable(rows, self._read), limit))

    def insert(self, record: StoredEndpoint) -> StoredEndpoint:
        """Store a new endpoint; raise Conflict if it exists."""
        return replace(record, etag=self._table.insert(_endpoint_row(record)))

    def replace(self, record: StoredEndpoint) -> StoredEndpoint:
        """Store it over the row that still has its ETag; raise Conflict otherwise."""
        return replace(record, etag=self._table.replace(_endpoint_row(record)))

    def delete(self, record: StoredEndpoint) -> None:
        """Remove the row that still has its ETag; raise Conflict if it changed."""
        self._table.delete(record.integration, record.definition.code, etag=record.etag)

    def delete_all(self, integration: str) -> None:
        """Remove every endpoint of the integration."""
        self._table.delete_where("PartitionKey eq @integration", {"integration": integration})

    def _read(self, row: Row) -> StoredEndpoint:
        body = self._table.body(row, _ENDPOINTS)
        return StoredEndpoint(
            integration=row.partition,
            definition=body.definition,
            created_on=body.created_on,
            updated_on=body.updated_on,
            etag=row.etag,
        )


def _integration_row(record: StoredIntegration) -> Row:
    body = _IntegrationBody(
        definition=record.definition,
        client_secret_version=record.client_secret_version,
        created_on=record.created_on,
        updated_on=record.updated_on,
    )
    text = msgspec.json.encode(body).decode()
    return Row(partition=record.code, key=_DEFINITION, body=text, etag=record.etag)


def _endpoint_row(record: StoredEndpoint) -> Row:
    body = _EndpointBody(
        definition=record.definition, created_on=record.created_on, updated_on=record.updated_on
    )
    text = msgspec.json.encode(body).decode()
    return Row(
        partition=record.integration, key=record.definition.code, body=text, etag=record.etag
    )
