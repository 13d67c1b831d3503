"""Records as the stores keep them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.domain.records import SignIn, StoredEndpoint, StoredIntegration
from tests.builders import make_endpoint, make_integration

# To the microsecond: a store must not round.
NOW = datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=UTC)
# As ordered by character: digits, letters, the underscore.
CODES = ("A", "AB", "A_B", "B", "B1", "Z")
AWKWARD_TEXT = 'O\'Brien "& Sons" <Ærø> \\ 東京 😀 %27 \u2028'
SIGN_IN_KEY = "5f" * 32


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
