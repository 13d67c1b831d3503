"""Judge an upstream's answer: what goes back as it is, and what the caller must not misread."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from shared.domain.error_kinds import OUTCOME_UNKNOWN, UPSTREAM_REDIRECT
from shared.domain.errors import GatewayError
from shared.domain.payloads import NotReadable, read_json

if TYPE_CHECKING:
    from shared.domain.endpoint import Endpoint
    from shared.domain.records import StoredIntegration
    from shared.domain.transport import OutboundAnswer

# After these a write may or may not have been executed (Business Central's operation timeout,
# its front end's, or a crash on the way back).
_UNKNOWN_AFTER_WRITE = frozenset({408, 500, 502, 503, 504})
_LONGEST_TEXT = 4000


def judge(record: StoredIntegration, endpoint: Endpoint, answer: OutboundAnswer) -> None:
    """Raise GatewayError where the answer must not go back as it is."""
    is_redirect = 300 <= answer.status < 400  # noqa: PLR2004
    if is_redirect and answer.status != HTTPStatus.NOT_MODIFIED:
        raise GatewayError(
            UPSTREAM_REDIRECT,
            f"{record.definition.name or record.code} answered with status {answer.status}.",
        )
    if endpoint.changes_data and answer.status in _UNKNOWN_AFTER_WRITE:
        raise GatewayError(
            OUTCOME_UNKNOWN,
            f"The service answered a change with status {answer.status}, which leaves open "
            "whether the change was made.",
            upstream=shown(answer),
        )


def shown(answer: OutboundAnswer) -> dict[str, Any]:
    """Return an answer in the form in which an error tells it."""
    told: dict[str, Any] = {"status": answer.status}
    request_id = answer.headers.get("request-id")
    if request_id:
        told["request_id"] = request_id
    try:
        told["body"] = read_json(answer.body, msgspec.Raw)
    except NotReadable:
        told["body"] = answer.body[:_LONGEST_TEXT].decode(errors="replace")
    return told
