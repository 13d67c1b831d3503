"""Calls with an idempotency key: what makes two calls the same, and what is kept of one.

The key is the caller's word that calls mean the same thing; the fingerprint is our proof of it.
(draft-ietf-httpapi-idempotency-key-header, sections 2.1 to 2.7.)
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from shared.domain.error_kinds import INVALID_IDEMPOTENCY_KEY
from shared.domain.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_LIFE = timedelta(hours=48)
# A call ends by its deadline; storing its outcome, retries included, ends well within this.
RESERVATION_GRACE = timedelta(seconds=60)
LONGEST_KEPT_BODY_BYTES = 512 * 1024

_KEY = re.compile(r"[ -~]{1,200}")
# No key that a caller gives holds this character, so none can look like a derived one.
_DERIVED = "\0"
# The flow's run, and in it the one execution of the action: the same whenever it is sent again.
_FLOW_HEADERS = ("x-ms-workflow-run-id", "x-ms-action-tracking-id")


class CallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about the call that holds a key; the key itself is kept nowhere."""

    fingerprint: str
    owner: str
    request_id: str
    created_on: datetime
    reserved_until: datetime
    state: Literal["running", "done", "unknown"] = "running"
    status: int | None = None
    is_body_kept: bool = False

    @property
    def expires_on(self) -> datetime:
        """When the key may be used anew."""
        return self.created_on + KEY_LIFE

    def state_at(self, now: datetime) -> Literal["running", "done", "unknown"]:
        """Return the state; a call that has not ended in its time died with its process."""
        if self.state == "running" and self.reserved_until <= now:
            return "unknown"
        return self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """A record in the store, with the sealed answer (empty: none); `key_hash` is its key's."""

    integration: str
    key_hash: str
    record: CallRecord
    sealed: bytes = b""
    etag: str = ""


def key_of(headers: Mapping[str, str], *, derives: bool) -> str | None:
    """Return the call's key: the one given, else, with `derives`, that of the flow's action.

    Raises GatewayError `invalid_idempotency_key`.
    """
    given = headers.get("idempotency-key")
    if given is not None:
        if not _KEY.fullmatch(given):
            raise GatewayError(INVALID_IDEMPOTENCY_KEY, "The Idempotency-Key is malformed.")
        return given
    run, action = (headers.get(name, "") for name in _FLOW_HEADERS)
    if derives and _KEY.fullmatch(run) and _KEY.fullmatch(action):
        return _DERIVED.join(("", run, action))
    return None


def hash_of(key: str, *, endpoint: str) -> str:
    """Return what a key is stored under; its scope is the endpoint."""
    return hashlib.sha256(f"{endpoint}\n{key}".encode()).hexdigest()


def fingerprint(
    *,
    method: str,
    url: str,
    company: str | None,
    if_match: str | None,
    all_pages: bool,
    body: bytes | None,
) -> str:
    """Return what is equal for equal calls alone."""
    parts = msgspec.json.encode([method, url, company, if_match, all_pages, body is None])
    return hashlib.sha256(parts + (body or b"")).hexdigest()
