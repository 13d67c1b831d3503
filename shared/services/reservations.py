"""The rows of idempotency keys: a reservation before a call is sent, its outcome afterwards.

A write to the store may be executed although its answer is lost. The client then repeats it, which
ends in a Conflict with itself, or gives up; what the row holds tells.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import msgspec

from shared.domain.errors import GatewayError, StorageUnavailable
from shared.domain.events import log_event
from shared.domain.reply import Reply
from shared.ports import Conflict
from shared.services.kept_answers import is_short, sealed_answer

if TYPE_CHECKING:
    from shared.domain.idempotency import CallRecord, StoredCall
    from shared.ports import IdempotencyStore
    from shared.services.sealing import Sealer

_NOT_KEPT = "The outcome could not be stored; the same key gets outcome_unknown"
_NOT_FREED = "The key could not be freed; it gets outcome_unknown although nothing was changed"


class Reservations:
    """Claims keys for calls, and turns the claims into outcomes or gives them up."""

    def __init__(self, store: IdempotencyStore, sealer: Sealer) -> None:
        """Write to `store`, answers sealed."""
        self._store = store
        self._sealer = sealer

    def claim(self, own: StoredCall, expired: StoredCall | None) -> StoredCall | None:
        """Write the reservation; None if there is something else by now."""
        try:
            if expired is None:
                return self._store.insert(own)
            return self._store.replace(replace(own, etag=expired.etag))
        except Conflict:
            return None
        except StorageUnavailable:
            # Nothing was sent; a row that was written all the same would say that it may have been.
            with suppress(StorageUnavailable):
                self._withdraw(own)
            raise

    def keep(
        self, own: StoredCall, state: Literal["done", "unknown"], answer: Reply | GatewayError
    ) -> dict[str, str]:
        """Store the outcome; return the headers that warn the caller where that failed."""
        sealed = sealed_answer(self._sealer, answer)
        kept = replace(own, record=_ended(own.record, state, answer), sealed=sealed)
        try:
            store_outcome(self._store, kept)
        except Conflict:
            reason = "The key was settled or deleted meanwhile."
        except StorageUnavailable as error:
            reason = error.detail
        else:
            return {}
        return _warning("outcome_not_kept", _NOT_KEPT, own, reason)

    def free(self, own: StoredCall) -> dict[str, str]:
        """Let the key be used anew; return the headers that warn the caller where that failed."""
        try:
            with suppress(Conflict):  # settled meanwhile
                self._store.delete(own)
        except StorageUnavailable:
            try:
                self._withdraw(own)
            except StorageUnavailable as error:
                return _warning("key_not_freed", _NOT_FREED, own, error.detail)
        return {}

    def _withdraw(self, own: StoredCall) -> None:
        """Remove the reservation if it is there, and as it was made."""
        found = self._store.get(own.integration, own.key_hash)
        if found is not None and found.record == own.record:
            with suppress(Conflict):  # settled meanwhile
                self._store.delete(found)


def store_outcome(store: IdempotencyStore, call: StoredCall) -> None:
    """Store it over the row that has its ETag; raise Conflict if the row holds anything else."""
    try:
        store.replace(call)
    except Conflict:
        found = store.get(call.integration, call.key_hash)
        if found is None or found.record != call.record:
            raise


def _ended(
    record: CallRecord, state: Literal["done", "unknown"], answer: Reply | GatewayError
) -> CallRecord:
    if isinstance(answer, Reply):
        status, is_body_kept = answer.status, is_short(answer)
    else:
        status, is_body_kept = answer.kind.status, False
    return msgspec.structs.replace(record, state=state, status=status, is_body_kept=is_body_kept)


def _warning(event: str, text: str, own: StoredCall, reason: str) -> dict[str, str]:
    """Log that the reservation stays as it is, and return what tells the caller."""
    log_event(
        event,
        level=logging.ERROR,
        integration=own.integration,
        request_id=own.record.request_id,
        reason=reason,
    )
    return {"X-Gateway-Warning": text}
