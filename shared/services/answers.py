"""Judge how a call ended: what goes back as it is, and what the caller must not misread."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from shared.domain.bc_errors import with_next_step
from shared.domain.error_kinds import (
    ANSWER_TOO_LARGE,
    OUTCOME_UNKNOWN,
    UPSTREAM_NOT_ALLOWED,
    UPSTREAM_REDIRECT,
    UPSTREAM_TIMEOUT,
    UPSTREAM_UNREACHABLE,
)
from shared.domain.errors import RETRY_AFTER_SECONDS, GatewayError
from shared.domain.payloads import NotReadable, read_json
from shared.domain.retry_policy import leaves_open
from shared.domain.transport import AnswerTooLarge, NotSent, TimedOut

if TYPE_CHECKING:
    from shared.domain.endpoint import Endpoint
    from shared.domain.records import StoredIntegration
    from shared.domain.transport import OutboundAnswer, SendError

# What an error shows is stored and logged elsewhere: a document of this size is no message.
_LONGEST_DOCUMENT_BYTES = 16 * 1024
_LONGEST_TEXT = 4000
# The usual answers to a POST that was processed (RFC 9110, sections 15.4.2 to 15.4.4); 307 and 308
# ask for the same request elsewhere, which was therefore not executed here.
_AFTER_PROCESSING = frozenset(
    {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}
)
_CORRELATION_ID = re.compile(rb"CorrelationId:\s+([0-9A-Fa-f-]{36})")


def judge(record: StoredIntegration, endpoint: Endpoint, answer: OutboundAnswer) -> None:
    """Raise GatewayError where the answer must not go back as it is."""
    if endpoint.changes_data and leaves_open(answer.status):
        raise GatewayError(
            OUTCOME_UNKNOWN,
            f"The service answered a change with status {answer.status}, which leaves open "
            "whether the change was made.",
            hint=with_next_step(OUTCOME_UNKNOWN.hint, answer.status, answer.body),
            upstream=shown(answer),
        )
    is_redirect = 300 <= answer.status < 400  # noqa: PLR2004
    if is_redirect and answer.status != HTTPStatus.NOT_MODIFIED:
        raise GatewayError(
            UPSTREAM_REDIRECT,
            f"{record.definition.name or record.code} answered with status {answer.status}.",
            upstream={"status": answer.status},
        )


def says_done(status: int) -> bool:
    """Tell whether an answer's status says that the call was executed."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def may_follow_execution(status: int) -> bool:
    """Tell whether a redirect may be the answer to a change that was made."""
    return status in _AFTER_PROCESSING


def without_answer(error: SendError, endpoint: Endpoint) -> GatewayError:
    """Return what the caller is told where there is no answer to judge."""
    if isinstance(error, NotSent):
        return _not_sent(error)
    if isinstance(error, AnswerTooLarge):
        return _too_large(error, endpoint)
    is_late = isinstance(error, TimedOut)
    what = "did not answer in time" if is_late else "broke the connection off"
    if endpoint.changes_data:
        return GatewayError(OUTCOME_UNKNOWN, f"The service {what} after the change was sent.")
    if is_late:
        detail = f"The service {what} (timeout_seconds is {endpoint.timeout_seconds})."
        return GatewayError(UPSTREAM_TIMEOUT, detail)
    return _unreachable(f"The service {what}.")


def shown(answer: OutboundAnswer) -> dict[str, Any]:
    """Return an answer in the form in which an error tells it, with all ids that support asks for.

    Business Central repeats its correlation id in the text of its messages.
    """
    told: dict[str, Any] = {"status": answer.status}
    for header in ("request-id", "ms-correlation-x"):
        if value := answer.headers.get(header):
            told[header.replace("-", "_")] = value
    if found := _CORRELATION_ID.search(answer.body, 0, _LONGEST_DOCUMENT_BYTES):
        told["correlation_id"] = found[1].decode()
    told["body"] = _shown_body(answer.body)
    return told


def _shown_body(body: bytes) -> msgspec.Raw | str:
    """Return JSON as it is, anything else (XML, a proxy's page) or too much of it as text."""
    if len(body) <= _LONGEST_DOCUMENT_BYTES:
        try:
            document: msgspec.Raw = read_json(body, msgspec.Raw)
        except NotReadable:
            pass
        else:
            return document
    return body[:_LONGEST_TEXT].decode("utf-8-sig", errors="replace")


def _not_sent(error: NotSent) -> GatewayError:
    if error.is_forbidden:
        return GatewayError(UPSTREAM_NOT_ALLOWED, "The address of the service may not be called.")
    return _unreachable(f"The call could not be sent: {error}.")


def _unreachable(detail: str) -> GatewayError:
    return GatewayError(UPSTREAM_UNREACHABLE, detail, retry_after_seconds=RETRY_AFTER_SECONDS)


def _too_large(error: AnswerTooLarge, endpoint: Endpoint) -> GatewayError:
    kind = ANSWER_TOO_LARGE
    detail = f"The answer (status {error.status}) is larger than MAX_ANSWER_BYTES."
    if endpoint.changes_data:
        if leaves_open(error.status):
            kind = OUTCOME_UNKNOWN
        elif says_done(error.status):
            detail += " The change was executed: do not send it again."
        elif not may_follow_execution(error.status):
            detail += f" The change was refused with status {error.status}."
    return GatewayError(kind, detail, upstream={"status": error.status})
