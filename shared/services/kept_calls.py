"""Administration of idempotency keys: show what is kept of a call, and settle an unknown outcome.

A key that nobody gave is shown and settled with the two headers that it was derived from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from shared.domain.audit import KEY_HOLDER, FieldChange
from shared.domain.codes import fold
from shared.domain.documents import pointer
from shared.domain.error_kinds import (
    IDEMPOTENCY_KEY_NOT_FOUND,
    INVALID_IDEMPOTENCY_KEY,
    NOTHING_TO_SETTLE,
)
from shared.domain.errors import GatewayError
from shared.domain.events import log_event
from shared.domain.idempotency import hash_of, key_of
from shared.services.editing import conflicts_told
from shared.services.reservations import store_outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.domain.idempotency import StoredCall
    from shared.ports import Clock, IdempotencyStore
    from shared.services.audit import Audit
    from shared.services.endpoints import EndpointAdministration


class KeptCalls:
    """Shows and settles calls with a key."""

    def __init__(
        self,
        store: IdempotencyStore,
        endpoints: EndpointAdministration,
        audit: Audit,
        clock: Clock,
    ) -> None:
        """Read from `store`; every call checks first that the endpoint exists."""
        self._store = store
        self._endpoints = endpoints
        self._audit = audit
        self._clock = clock

    def show(self, integration: str, endpoint: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return what is known of the call; GatewayError `idempotency_key_not_found`."""
        return self._view(self._find(integration, endpoint, headers))

    def settle(
        self,
        integration: str,
        endpoint: str,
        headers: Mapping[str, str],
        outcome: Literal["done", "not_done"],
        *,
        by: str = KEY_HOLDER,
    ) -> dict[str, Any] | None:
        """Record what somebody found out; return what is known now, None for a key that is free.

        Raises GatewayError `idempotency_key_not_found`, `nothing_to_settle`, `changed_meanwhile`.
        """
        found = self._find(integration, endpoint, headers)
        state = found.record.state_at(self._clock.now())
        if state != "unknown":
            raise GatewayError(NOTHING_TO_SETTLE, f"The call with this key is {state}.")
        record = msgspec.structs.replace(found.record, state="done", status=None)
        settled = replace(found, record=record, sealed=b"")
        with conflicts_told(found.key_hash):
            if outcome == "done":
                store_outcome(self._store, settled)
            else:
                self._store.delete(found)
        log_event(
            "key_settled",
            integration=found.integration,
            outcome=outcome,
            request_id=found.record.request_id,
        )
        place = pointer("calls", found.record.request_id, "outcome")
        change = FieldChange(field=place, old="unknown", new=outcome)
        self._audit.note("key_settled", found.integration, fold(endpoint), by=by, changes=(change,))
        return self._view(settled) if outcome == "done" else None

    def _find(self, integration: str, endpoint: str, headers: Mapping[str, str]) -> StoredCall:
        stored = self._endpoints.find(integration, endpoint)
        key = key_of(headers, derives=True)
        if key is None:
            raise GatewayError(INVALID_IDEMPOTENCY_KEY, "The header Idempotency-Key is missing.")
        key_hash = hash_of(key, endpoint=stored.definition.code)
        found = self._store.get(stored.integration, key_hash)
        if found is None or found.record.expires_on <= self._clock.now():
            raise GatewayError(
                IDEMPOTENCY_KEY_NOT_FOUND, f"{stored.definition.code} knows no call with this key."
            )
        return found

    def _view(self, found: StoredCall) -> dict[str, Any]:
        record = found.record
        return {
            "state": record.state_at(self._clock.now()),
            "status": record.status,
            "created_on": record.created_on,
            "expires_on": record.expires_on,
            "request_id": record.request_id,
            "is_body_kept": record.is_body_kept,
        }
