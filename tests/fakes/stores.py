"""Table Storage in memory."""

# ruff: noqa: D102 - the ports describe their methods

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from shared.domain.errors import StorageUnavailable
from shared.domain.records import SignIn, StoredEndpoint, StoredIntegration, StoredTokenState
from shared.ports import Conflict
from tests.fakes.base import Fake, call

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from shared.domain.idempotency import StoredCall
    from shared.domain.tokens import TokenState

Record = TypeVar("Record", StoredIntegration, StoredEndpoint)
Key = tuple[str, str]


class _FakeTable(Fake):
    """A table; the rows of the partitions in `spoiled` cannot be read."""

    outage = StorageUnavailable

    def __init__(self) -> None:
        super().__init__()
        self.spoiled: set[str] = set()
        self._numbers = itertools.count(1)

    def _require_readable(self, partition: str) -> None:
        if partition in self.spoiled:
            raise StorageUnavailable("The row cannot be read.", remedy="Repair it.")

    def _new_etag(self) -> str:
        return f'W/"{next(self._numbers)}"'


class _Definitions(_FakeTable, Generic[Record]):
    """What both stores of definitions have in common."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[Key, Record] = {}

    @call
    def insert(self, record: Record) -> Record:
        if _key(record) in self.rows:
            raise Conflict(_key(record))
        return self._keep(record)

    @call
    def replace(self, record: Record) -> Record:
        if self._etag(record) != record.etag:
            raise Conflict(_key(record))
        return self._keep(record)

    @call
    def delete(self, record: Record) -> None:
        if self._etag(record) not in {None, record.etag}:
            raise Conflict(_key(record))
        self.rows.pop(_key(record), None)

    def _etag(self, record: Record) -> str | None:
        kept = self.rows.get(_key(record))
        return kept.etag if kept else None

    def _keep(self, record: Record) -> Record:
        self.rows[_key(record)] = kept = replace(record, etag=self._new_etag())
        return kept

    def _page(self, is_meant: Callable[[Key], bool], limit: int) -> list[Record]:
        keys = (key for key in sorted(self.rows) if is_meant(key) and key[0] not in self.spoiled)
        return [self.rows[key] for key in itertools.islice(keys, limit)]


def _key(record: StoredIntegration | StoredEndpoint) -> Key:
    if isinstance(record, StoredIntegration):
        return record.code, ""
    return record.integration, record.definition.code


class FakeIntegrationStore(_Definitions[StoredIntegration]):
    """The port IntegrationStore, and its Probe."""

    @call
    def get(self, code: str) -> StoredIntegration | None:
        self._require_readable(code)
        return self.rows.get((code, ""))

    @call
    def list(self, *, after: str, limit: int) -> list[StoredIntegration]:
        return self._page(lambda key: key[0] > after, limit)

    @call
    def ping(self) -> None:
        pass


class FakeEndpointStore(_Definitions[StoredEndpoint]):
    """The port EndpointStore."""

    @call
    def get(self, integration: str, code: str) -> StoredEndpoint | None:
        self._require_readable(integration)
        return self.rows.get((integration, code))

    @call
    def list(self, integration: str, *, after: str, limit: int) -> list[StoredEndpoint]:
        return self._page(lambda key: key[0] == integration and key[1] > after, limit)

    @call
    def delete_all(self, integration: str) -> None:
        self.rows = {key: row for key, row in self.rows.items() if key[0] != integration}


class FakeTokenStateStore(_FakeTable):
    """The port TokenStateStore."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, StoredTokenState] = {}

    @call
    def get(self, integration: str) -> StoredTokenState | None:
        self._require_readable(integration)
        return self.rows.get(integration)

    @call
    def between(self, first: str, last: str) -> dict[str, TokenState]:
        return {
            code: row.state
            for code, row in self.rows.items()
            if first <= code <= last and code not in self.spoiled
        }

    @call
    def put(self, integration: str, state: TokenState, *, etag: str | None) -> StoredTokenState:
        kept = self.rows.get(integration)
        if (kept.etag if kept else None) != etag:
            raise Conflict(integration)
        row = StoredTokenState(integration=integration, state=state, etag=self._new_etag())
        self.rows[integration] = row
        return row

    @call
    def delete(self, integration: str) -> None:
        self.rows.pop(integration, None)
        self.spoiled.discard(integration)


class FakeSignInStore(_FakeTable):
    """The port SignInStore."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, SignIn] = {}

    @call
    def insert(self, sign_in: SignIn) -> None:
        self.rows[sign_in.key] = sign_in

    @call
    def take(self, key: str) -> SignIn | None:
        return self.rows.pop(key, None)

    @call
    def delete_for(self, integration: str) -> None:
        self._keep_those(lambda row: row.integration != integration)

    @call
    def delete_expired(self, now: datetime) -> None:
        self._keep_those(lambda row: row.expires_on > now)

    def _keep_those(self, condition: Callable[[SignIn], bool]) -> None:
        self.rows = {key: row for key, row in self.rows.items() if condition(row)}


class FakeIdempotencyStore(_FakeTable):
    """The port IdempotencyStore."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[Key, StoredCall] = {}

    @call
    def get(self, integration: str, key_hash: str) -> StoredCall | None:
        self._require_readable(integration)
        return self.rows.get((integration, key_hash))

    @call
    def insert(self, call: StoredCall) -> StoredCall:
        if (call.integration, call.key_hash) in self.rows:
            raise Conflict(call.key_hash)
        return self._keep(call)

    @call
    def replace(self, call: StoredCall) -> StoredCall:
        if self._etag(call) != call.etag:
            raise Conflict(call.key_hash)
        return self._keep(call)

    @call
    def delete(self, call: StoredCall) -> None:
        if self._etag(call) not in {None, call.etag}:
            raise Conflict(call.key_hash)
        self.rows.pop((call.integration, call.key_hash), None)

    @call
    def delete_for(self, integration: str) -> None:
        self.rows = {key: row for key, row in self.rows.items() if key[0] != integration}

    @call
    def delete_expired(self, now: datetime, *, limit: int) -> None:
        over = [key for key, row in self.rows.items() if row.record.expires_on <= now]
        for key in over[:limit]:
            del self.rows[key]

    def _etag(self, call: StoredCall) -> str | None:
        kept = self.rows.get((call.integration, call.key_hash))
        return kept.etag if kept else None

    def _keep(self, call: StoredCall) -> StoredCall:
        kept = replace(call, etag=self._new_etag())
        self.rows[call.integration, call.key_hash] = kept
        return kept
