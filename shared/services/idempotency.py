"""Calls with an idempotency key: executed once, and answered again from what is kept.

A row is the key's reservation before the call is sent, and its outcome afterwards. Who finds a
reservation whose time is over knows that its process died: nobody can tell what became of the call.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import chain, repeat
from typing import TYPE_CHECKING, Literal

from shared.domain.error_kinds import (
    ANSWER_TOO_LARGE,
    IDEMPOTENCY_IN_PROGRESS,
    IDEMPOTENCY_KEY_REUSED,
    OUTCOME_UNKNOWN,
    UPSTREAM_REDIRECT,
)
from shared.domain.errors import RETRY_AFTER_SECONDS, GatewayError
from shared.domain.events import log_event
from shared.domain.idempotency import RESERVATION_GRACE, CallRecord, StoredCall
from shared.domain.reply import Reply
from shared.services.answers import may_follow_execution, says_done
from shared.services.kept_answers import opened_answer
from shared.services.reservations import Reservations
from shared.services.sealing import BrokenSeal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from shared.ports import Clock, IdempotencyStore
    from shared.services.sealing import Sealer

_REPLAYED = {"Idempotency-Replayed": "true"}
_NO_BODY = {"X-Gateway-Warning": "The call was executed; its answer was too long to be kept"}
_NO_ANSWER = {"X-Gateway-Warning": "The call was executed; its answer is not known"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedCall:
    """A call with a key, as far as it matters whether it is the first one."""

    integration: str
    key_hash: str
    fingerprint: str
    changes_data: bool
    request_id: str
    deadline: datetime


class Idempotency:
    """Runs calls with a key at most once, whichever instances they come to."""

    def __init__(self, store: IdempotencyStore, sealer: Sealer, clock: Clock) -> None:
        """Keep reservations and outcomes in `store`, answers sealed."""
        self._store = store
        self._reservations = Reservations(store, sealer)
        self._sealer = sealer
        self._clock = clock

    def run(self, call: KeyedCall, execute: Callable[[], Reply]) -> Reply:
        """Return what `execute` returns, or what it returned to the first call with the key.

        Raises what it raises or raised; GatewayError `idempotency_key_reused`,
        `idempotency_in_progress` and `outcome_unknown`; StorageUnavailable and VaultUnavailable
        before anything is sent.
        """
        self._sealer.prepare()  # found missing after the call, it would cost the outcome
        own = self._reservation(call)
        found = self._reserve(call, own)
        if found.record.owner == own.record.owner:
            return self._first(call, found, execute)
        return self._replay(call, found)

    def _reservation(self, call: KeyedCall) -> StoredCall:
        record = CallRecord(
            fingerprint=call.fingerprint,
            owner=uuid.uuid4().hex,
            request_id=call.request_id,
            created_on=self._clock.now(),
            reserved_until=call.deadline + RESERVATION_GRACE,
        )
        return StoredCall(integration=call.integration, key_hash=call.key_hash, record=record)

    def _reserve(self, call: KeyedCall, own: StoredCall) -> StoredCall:
        """Return the own reservation, or another call that is not under way any more."""
        found: StoredCall | None = None
        pauses = _pauses()
        while True:
            now = self._clock.now()
            if found is None or found.record.expires_on <= now:
                if (reserved := self._reservations.claim(own, found)) is not None:
                    return reserved
            elif found.record.owner == own.record.owner:
                return found
            elif found.record.fingerprint != call.fingerprint:
                raise GatewayError(
                    IDEMPOTENCY_KEY_REUSED,
                    "The key came before with another method, URL, company, gw_all_pages, "
                    "If-Match or body.",
                )
            elif found.record.state_at(now) != "running":
                return found
            else:
                self._wait(next(pauses), until=call.deadline)
            found = self._store.get(call.integration, call.key_hash)

    def _wait(self, seconds: float, *, until: datetime) -> None:
        left = (until - self._clock.now()).total_seconds()
        if left <= 0:
            raise GatewayError(
                IDEMPOTENCY_IN_PROGRESS,
                "The first call took longer than this one could wait.",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        self._clock.sleep(min(seconds, left))

    def _first(self, call: KeyedCall, own: StoredCall, execute: Callable[[], Reply]) -> Reply:
        """Run the call; an unexpected error, like a crash, leaves the reservation to run out."""
        try:
            reply = execute()
        except GatewayError as error:
            state = _state_after(error, call)
            keeper = self._reservations
            error.headers |= keeper.keep(own, state, error) if state else keeper.free(own)
            raise
        if says_done(reply.status):
            warning = self._reservations.keep(own, "done", reply)
        else:
            warning = self._reservations.free(own)
        return replace(reply, headers=reply.headers | warning)

    def _replay(self, call: KeyedCall, found: StoredCall) -> Reply:
        record = found.record
        state = record.state_at(self._clock.now())
        log_event(
            "replayed",
            integration=call.integration,
            state=state,
            request_id=call.request_id,
            first_request_id=record.request_id,
        )
        answer = self._opened(found)
        if isinstance(answer, GatewayError):
            answer.headers |= _REPLAYED
            raise answer
        if state == "unknown":
            detail = "The gateway ended before it knew what became of the first call with this key."
            raise GatewayError(OUTCOME_UNKNOWN, detail, headers=dict(_REPLAYED))
        if answer is None:
            return Reply(HTTPStatus.NO_CONTENT, _REPLAYED | _NO_ANSWER, b"")
        warning = {} if record.is_body_kept else _NO_BODY
        return replace(answer, headers=answer.headers | _REPLAYED | warning)

    def _opened(self, found: StoredCall) -> Reply | GatewayError | None:
        """Return the answer; None where none is kept, or its key is lost."""
        if not found.sealed:
            return None
        try:
            return opened_answer(self._sealer, found.sealed)
        except BrokenSeal:
            log_event("kept_answer_lost", level=logging.ERROR, integration=found.integration,
                      request_id=found.record.request_id)  # fmt: skip
            return None


def _pauses() -> Iterator[float]:
    """Give how long to wait for a twin, each time: a short call is noticed soon."""
    return chain((0.05, 0.1, 0.2, 0.4), repeat(0.5))


def _state_after(error: GatewayError, call: KeyedCall) -> Literal["done", "unknown"] | None:
    """Return what is known of a call that ended so; None where it was not executed."""
    if error.kind is OUTCOME_UNKNOWN:
        return "unknown"
    if error.kind in (ANSWER_TOO_LARGE, UPSTREAM_REDIRECT) and call.changes_data and error.upstream:
        status = error.upstream["status"]
        if says_done(status):
            return "done"
        return "unknown" if may_follow_execution(status) else None
    return None
