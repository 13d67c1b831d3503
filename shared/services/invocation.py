"""Run an endpoint: find it, build its URL, send it with a valid token, and judge the answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.bc_urls import build_url
from shared.domain.errors import (
    INVALID_PAYLOAD,
    LENGTH_REQUIRED,
    METHOD_NOT_ALLOWED,
    PAYLOAD_AGAINST_SCHEMA,
    PAYLOAD_TOO_LARGE,
    GatewayError,
)
from shared.domain.events import log_event
from shared.domain.headers import for_caller, is_json
from shared.domain.json_schema import schema_problems
from shared.domain.payloads import check_json, decode_value, encode_parameters
from shared.services.answers import judge
from shared.services.upstream import UpstreamCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.domain.endpoint import Endpoint
    from shared.domain.records import StoredIntegration
    from shared.domain.transport import OutboundAnswer
    from shared.ports import Clock
    from shared.services.catalogue import Catalogue
    from shared.services.companies import Companies
    from shared.services.upstream import Upstream

_METHODS_WITHOUT_BODY = frozenset({"GET", "DELETE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a caller asks for; `query` is raw, and `headers` are the caller's own."""

    integration: str
    endpoint: str
    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    has_lost_body: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """The upstream's answer as the caller gets it."""

    status: int
    headers: dict[str, str]
    body: bytes


class Invocation:
    """Runs calls."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        companies: Companies,
        upstream: Upstream,
        max_payload_bytes: int,
        clock: Clock,
    ) -> None:
        """Refuse payloads above `max_payload_bytes`."""
        self._catalogue = catalogue
        self._companies = companies
        self._upstream = upstream
        self._max_payload_bytes = max_payload_bytes
        self._clock = clock

    def run(self, call: Call) -> Reply:
        """Return the upstream's answer; GatewayError for all that the contract's table names."""
        started_on = self._clock.now()
        record = self._catalogue.integration(call.integration)
        endpoint = self._catalogue.enabled_endpoint(record.code, call.endpoint)
        _check_method(call, endpoint)
        body = self._body(call, endpoint)
        deadline = started_on + timedelta(seconds=endpoint.timeout_seconds)
        answer = self._send(call, record, endpoint, body=body, deadline=deadline)
        judge(record, endpoint, answer)
        self._check_answer(record, endpoint, answer)
        decoded = decode_value(answer.body) if endpoint.decode_value else answer.body
        log_event(
            "invoked",
            integration=record.code,
            endpoint=endpoint.code,
            status=answer.status,
            milliseconds=int((self._clock.now() - started_on).total_seconds() * 1000),
            request_id=call.request_id,
            flow_run=call.headers.get("x-ms-workflow-run-id"),
        )
        return Reply(answer.status, for_caller(answer.headers), decoded)

    def _send(
        self,
        call: Call,
        record: StoredIntegration,
        endpoint: Endpoint,
        *,
        body: bytes | None,
        deadline: datetime,
    ) -> OutboundAnswer:
        company = self._companies.resolve(
            record, endpoint, query=call.query, request_id=call.request_id
        )
        url = build_url(record.definition, endpoint, company=company, query=call.query)
        return self._upstream.send(
            UpstreamCall(
                record=record,
                endpoint=endpoint,
                url=url,
                caller_headers=call.headers,
                body=body,
                request_id=call.request_id,
                deadline=deadline,
            )
        )

    def _body(self, call: Call, endpoint: Endpoint) -> bytes | None:
        """Return the body to send; it goes untouched unless the endpoint asks for more."""
        if call.has_lost_body:
            raise GatewayError(LENGTH_REQUIRED, "The body was announced, and did not arrive.")
        if len(call.body) > self._max_payload_bytes:
            raise GatewayError(
                PAYLOAD_TOO_LARGE,
                f"The payload has {len(call.body)} bytes; {self._max_payload_bytes} are allowed.",
            )
        announced = call.headers.get("content-type", "")
        if call.body and is_json(announced):
            check_json(call.body)
        if endpoint.method in _METHODS_WITHOUT_BODY:
            return None  # "run it" is a POST for Power Automate, which always sends a body
        if endpoint.request_schema is not None:
            _check_schema(endpoint, call.body)
        if endpoint.encode_parameters and call.body:
            return encode_parameters(call.body, endpoint.encode_parameters)
        return call.body

    def _check_answer(
        self, record: StoredIntegration, endpoint: Endpoint, answer: OutboundAnswer
    ) -> None:
        """Log where an answer does not fit its schema; the caller gets it all the same."""
        schema = endpoint.response_schema
        if schema is None or not answer.body or not is_json(answer.headers.get("content-type", "")):
            return
        try:
            problems = [problem.pointer for problem in schema_problems(schema, answer.body)]
        except ValueError:  # announced as JSON, and none
            problems = [""]
        if problems:
            log_event(
                "answer_against_schema",
                level=logging.WARNING,
                integration=record.code,
                endpoint=endpoint.code,
                places=problems[:20],
            )


def _check_method(call: Call, endpoint: Endpoint) -> None:
    allowed = sorted({"POST", endpoint.method})
    if call.method not in allowed:
        raise GatewayError(
            METHOD_NOT_ALLOWED,
            f"{endpoint.code} is run by POST, or by {endpoint.method}.",
            headers={"Allow": ", ".join(allowed)},
        )


def _check_schema(endpoint: Endpoint, body: bytes) -> None:
    assert endpoint.request_schema is not None  # noqa: S101 - the caller asked before
    if not body:
        raise GatewayError(INVALID_PAYLOAD, "The endpoint needs a JSON payload.")
    check_json(body)
    if problems := schema_problems(endpoint.request_schema, body):
        raise GatewayError(
            PAYLOAD_AGAINST_SCHEMA,
            "The payload does not fit the endpoint's request_schema.",
            errors=tuple(problems),
        )
