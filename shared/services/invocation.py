"""Run an endpoint: find it, build its URL, send it with a valid token, and judge the answer."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.bc_urls import build_url, page_link
from shared.domain.error_kinds import METHOD_NOT_ALLOWED
from shared.domain.errors import GatewayError
from shared.domain.events import log_event
from shared.domain.headers import for_caller, is_json
from shared.domain.json_schema import schema_problems
from shared.domain.payloads import decode_value
from shared.services.answers import judge
from shared.services.request_body import request_body
from shared.services.upstream import UpstreamCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.domain.endpoint import Endpoint
    from shared.domain.records import StoredIntegration
    from shared.domain.transport import OutboundAnswer
    from shared.ports import Clock
    from shared.services.catalogue import Catalogue
    from shared.services.companies import Companies
    from shared.services.paging import Paging
    from shared.services.upstream import Upstream

_FLOW_RUN = re.compile(r"[0-9A-Za-z_\-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
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
        paging: Paging,
        max_payload_bytes: int,
        clock: Clock,
    ) -> None:
        """Refuse payloads above `max_payload_bytes`."""
        self._catalogue = catalogue
        self._companies = companies
        self._upstream = upstream
        self._paging = paging
        self._max_payload_bytes = max_payload_bytes
        self._clock = clock

    def run(self, call: Call) -> Reply:
        """Return the upstream's answer; GatewayError for all that the contract's table names."""
        started_on = self._clock.now()
        try:
            reply = self._run(call, started_on)
        except GatewayError as error:
            self._log(call, started_on, status=error.kind.status, code=error.kind.code)
            raise
        self._log(call, started_on, status=reply.status)
        return reply

    def _run(self, call: Call, started_on: datetime) -> Reply:
        record = self._catalogue.integration(call.integration)
        endpoint = self._catalogue.enabled_endpoint(record.code, call.endpoint)
        _check_method(call, endpoint)
        deadline = started_on + timedelta(seconds=endpoint.timeout_seconds)
        request = self._request(call, record, endpoint, deadline)
        answer = self._upstream.send(request)
        judge(record, request.endpoint, answer)
        _check_answer(record, endpoint, answer)
        body = decode_value(answer.body) if endpoint.decode_value else answer.body
        body = self._paging.seal_next_link(
            record,
            request.endpoint,
            url=request.url,
            prefer=request.caller_headers.get("prefer"),
            body=body,
        )
        return Reply(answer.status, for_caller(answer.headers) | _warnings(call, endpoint), body)

    def _request(
        self, call: Call, record: StoredIntegration, endpoint: Endpoint, deadline: datetime
    ) -> UpstreamCall:
        """Return what to send: the endpoint's own request, or the continuation of a list."""
        body = request_body(
            endpoint,
            call.body,
            content_type=call.headers.get("content-type", ""),
            was_lost=call.has_lost_body,
            max_bytes=self._max_payload_bytes,
        )
        headers = call.headers
        sealed = page_link(call.query)
        if sealed is not None:
            page = self._paging.open(record, endpoint, sealed)
            url, body = page.url, None
            endpoint = msgspec.structs.replace(endpoint, method="GET")
            headers = ({"prefer": page.prefer} if page.prefer else {}) | dict(headers)
        else:
            company = self._companies.resolve(
                record,
                endpoint,
                query=call.query,
                request_id=call.request_id,
                deadline=deadline,
            )
            url = build_url(record.definition, endpoint, company=company, query=call.query)
        return UpstreamCall(
            record=record,
            endpoint=endpoint,
            url=url,
            caller_headers=headers,
            body=body,
            request_id=call.request_id,
            deadline=deadline,
        )

    def _log(
        self, call: Call, started_on: datetime, *, status: int, code: str | None = None
    ) -> None:
        log_event(
            "invoked",
            integration=call.integration[:50].upper(),
            endpoint=call.endpoint[:50].upper(),
            status=status,
            code=code,
            milliseconds=int((self._clock.now() - started_on).total_seconds() * 1000),
            request_id=call.request_id,
            flow_run=_flow_run(call.headers.get("x-ms-workflow-run-id", "")),
        )


def _flow_run(header: str) -> str | None:
    return header if _FLOW_RUN.fullmatch(header) else None


def _warnings(call: Call, endpoint: Endpoint) -> dict[str, str]:
    """Return what a caller must not believe: one with a key relies on it when it resends."""
    if endpoint.changes_data and "idempotency-key" in call.headers:
        return {
            "X-Gateway-Warning": "This version keeps no idempotency keys; look before resending"
        }
    return {}


def _check_method(call: Call, endpoint: Endpoint) -> None:
    allowed = sorted({"POST", endpoint.method})
    if call.method not in allowed:
        raise GatewayError(
            METHOD_NOT_ALLOWED,
            f"{endpoint.code} is run by {' or '.join(allowed)}.",
            headers={"Allow": ", ".join(allowed)},
        )


def _check_answer(record: StoredIntegration, endpoint: Endpoint, answer: OutboundAnswer) -> None:
    """Log where an answer does not fit its schema; the caller gets it all the same."""
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
