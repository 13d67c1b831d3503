"""The body of an answer: checked, and passed on untouched unless its endpoint asks for more."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shared.domain.events import log_event
from shared.domain.headers import is_json
from shared.domain.json_schema import schema_problems
from shared.domain.payloads import decode_value

if TYPE_CHECKING:
    from shared.domain.endpoint import Endpoint
    from shared.domain.records import StoredIntegration
    from shared.domain.transport import OutboundAnswer


def response_body(record: StoredIntegration, endpoint: Endpoint, answer: OutboundAnswer) -> bytes:
    """Return what the caller gets; where it does not fit its schema, the log tells."""
    _check_schema(record, endpoint, answer)
    return decode_value(answer.body) if endpoint.decode_value else answer.body


def _check_schema(record: StoredIntegration, endpoint: Endpoint, answer: OutboundAnswer) -> None:
    schema = endpoint.response_schema
    if schema is None or not answer.body or not is_json(answer.headers.get("content-type", "")):
        return
    if problems := schema_problems(schema, answer.body):
        log_event(
            "answer_against_schema",
            level=logging.WARNING,
            integration=record.code,
            endpoint=endpoint.code,
            places=[problem.pointer for problem in problems[:20]],
        )
