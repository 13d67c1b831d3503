"""Which headers travel between caller and upstream, in both directions, and how they are read."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.domain.error_kinds import INVALID_PARAMETER
from shared.domain.errors import GatewayError
from shared.domain.paths import control_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

_TO_UPSTREAM = frozenset(
    {
        "accept", "accept-language", "content-type", "if-match", "if-none-match", "prefer",
        "isolation", "data-access-intent",
    }
)  # fmt: skip
_TO_CALLER = {
    name.lower(): name
    for name in (
        "Content-Type", "Content-Disposition", "Content-Language", "ETag", "Last-Modified",
        "Location", "Retry-After", "Preference-Applied", "OData-Version", "OData-EntityId",
        "request-id", "ms-correlation-x",
    )
}  # fmt: skip
_LONGEST_WAIT_SECONDS = 24 * 3600
_MOST_DIGITS = 20  # Python reads no number of thousands of digits


def for_upstream(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's headers that go along, with names in lower case.

    Raises GatewayError `invalid_parameter` for a value that HTTP does not allow.
    """
    chosen = {}
    for name, value in headers.items():
        lowered = name.lower()
        if lowered in _TO_UPSTREAM or lowered.startswith("odata-"):
            if not _is_plain(value):
                raise GatewayError(INVALID_PARAMETER, f"The header {name} must be plain ASCII.")
            chosen[lowered] = value
    return chosen


def for_caller(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the upstream's headers that come back, but for values that HTTP does not allow."""
    return {
        _TO_CALLER[name]: value
        for name, value in headers.items()
        if name in _TO_CALLER and _is_plain(value)
    }


def retry_after_seconds(value: str | None, now: datetime) -> int | None:
    """Read Retry-After in both of its forms (RFC 9110 section 10.2.3); None if it says nothing."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:_MOST_DIGITS]), _LONGEST_WAIT_SECONDS)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, min(int((moment - now).total_seconds()), _LONGEST_WAIT_SECONDS))


def is_json(content_type: str) -> bool:
    """Tell whether a Content-Type announces JSON."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _is_plain(value: str) -> bool:
    return value.isascii() and control_problem(value) is None
