"""Records as the stores keep them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.domain.idempotency import CallRecord, StoredCall
from shared.domain.records import SignIn, StoredEndpoint, StoredIntegration
from tests.builders import make_endpoint, make_integration

# To the microsecond: a store must not round.
NOW = datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=UTC)
# As ordered by character: digits, letters, the underscore.
CODES = ("A", "AB", "A_B", "B", "B1", "Z")
AWKWARD_TEXT = 'O\'Brien "& Sons" <Ærø> \\ 東京 😀 %27 \u2028'
SIGN_IN_KEY = "5f" * 32
KEY_HASH = "a1" * 32
RUNNING = CallRecord(
    fingerprint="f" * 64,
    owner="o" * 32,
    request_id="r" * 36,
    created_on=NOW,
    reserved_until=NOW + timedelta(seconds=160),
)


def integration_record(code: str = "CRONUS", **changes: object) -> StoredIntegration:
    """Return a record that is not stored yet; `changes` are the definition's."""
    return StoredIntegration(
        definition=make_integration(code=code, **changes),
        client_secret_version="v1",
        created_on=NOW,
        updated_on=NOW,
    )


def endpoint_record(
    integration: str = "CRONUS", code: str = "GET_LINES", **changes: object
) -> StoredEndpoint:
    """Return a record that is not stored yet; `changes` are the definition's."""
    return StoredEndpoint(
        integration=integration,
        definition=make_endpoint(code=code, **changes),
        created_on=NOW,
        updated_on=NOW,
    )


def sign_in(
    key: str = SIGN_IN_KEY,
    *,
    integration: str = "CRONUS",
    expires_on: datetime = NOW + timedelta(days=1),
) -> SignIn:
    """Return a sign-in that is still valid."""
    return SignIn(key=key, integration=integration, binding="b" * 64, expires_on=expires_on)


def keyed_call(
    key_hash: str = KEY_HASH,
    *,
    integration: str = "CRONUS",
    record: CallRecord = RUNNING,
    sealed: bytes = b"",
) -> StoredCall:
    """Return a call that is not stored yet."""
    return StoredCall(integration=integration, key_hash=key_hash, record=record, sealed=sealed)
