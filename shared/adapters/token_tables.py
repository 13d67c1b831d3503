"""The ports TokenStateStore and SignInStore, over Table Storage."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from shared.adapters.tables import JsonTable, Row
from shared.domain.records import SignIn, StoredTokenState
from shared.domain.tokens import TokenState
from shared.ports import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.data.tables import TableServiceClient

_STATE = "state"
_SIGN_IN = "sign-in"
_STATES = msgspec.json.Decoder(TokenState)


class TokenStateTable:
    """Table `tokenstate`: one partition and one row for each integration."""

    def __init__(self, service: TableServiceClient) -> None:
        """Keep the rows at `service`."""
        self._table = JsonTable(service, "tokenstate")

    def get(self, integration: str) -> StoredTokenState | None:
        """Return the state, or None where nothing was ever stored."""
        row = self._table.get(integration, _STATE)
        return self._read(row) if row else None

    def between(self, first: str, last: str) -> dict[str, TokenState]:
        """Return the readable states of the integrations from `first` to `last`, by code."""
        condition = "PartitionKey ge @first and PartitionKey le @last"
        rows = self._table.rows(condition, {"first": first, "last": last})
        found = self._table.readable(rows, self._read)
        return {stored.integration: stored.state for stored in found}

    def put(self, integration: str, state: TokenState, *, etag: str | None) -> StoredTokenState:
        """Store the state over the row with `etag`, or as a new row for None; raise Conflict."""
        body = msgspec.json.encode(state).decode()
        row = Row(partition=integration, key=_STATE, body=body, etag=etag or "")
        written = self._table.insert(row) if etag is None else self._table.replace(row)
        return StoredTokenState(integration=integration, state=state, etag=written)

    def delete(self, integration: str) -> None:
        """Remove the row, if there is one."""
        self._table.delete(integration, _STATE)

    def _read(self, row: Row) -> StoredTokenState:
        state = self._table.body(row, _STATES)
        return StoredTokenState(integration=row.partition, state=state, etag=row.etag)


class _SignInBody(msgspec.Struct, frozen=True, kw_only=True):
    integration: str
    binding: str
    expires_on: datetime
    is_taken: bool = False


_SIGN_INS = msgspec.json.Decoder(_SignInBody)


class SignInTable:
    """Table `signins`: the key's hash is the partition."""

    def __init__(self, service: TableServiceClient) -> None:
        """Keep the rows at `service`."""
        self._table = JsonTable(service, "signins")

    def insert(self, sign_in: SignIn) -> None:
        """Store it."""
        body = _SignInBody(
            integration=sign_in.integration,
            binding=sign_in.binding,
            expires_on=sign_in.expires_on,
        )
        self._table.insert(_sign_in_row(sign_in.key, body))

    def take(self, key: str) -> SignIn | None:
        """Return it and make sure that nobody gets it again; None if gone."""
        row = self._table.get(key, _SIGN_IN)
        if row is None:
            return None
        body = self._table.body(row, _SIGN_INS)
        if body.is_taken:
            return None
        taken = msgspec.structs.replace(body, is_taken=True)
        try:
            # A conditional update: a conditional delete would succeed on a row that is gone.
            self._table.replace(_sign_in_row(key, taken, etag=row.etag))
        except Conflict:
            return None
        self._table.delete(key, _SIGN_IN)
        return SignIn(
            key=key,
            integration=body.integration,
            binding=body.binding,
            expires_on=body.expires_on,
        )

    def delete_for(self, integration: str) -> None:
        """Remove every one of the integration."""
        self._delete_if(lambda body: body.integration == integration)

    def delete_expired(self, now: datetime) -> None:
        """Remove those whose time is over."""
        self._delete_if(lambda body: body.expires_on <= now)

    def _delete_if(self, condition: Callable[[_SignInBody], bool]) -> None:
        def read(row: Row) -> tuple[Row, _SignInBody]:
            return row, self._table.body(row, _SIGN_INS)

        for row, body in list(self._table.readable(self._table.rows(), read)):
            if condition(body):
                self._table.delete(row.partition, row.key)


def _sign_in_row(key: str, body: _SignInBody, etag: str = "") -> Row:
    text = msgspec.json.encode(body).decode()
    return Row(partition=key, key=_SIGN_IN, body=text, etag=etag)
