"""Run an endpoint: find it, build its URL, send it with a valid token, and judge the answer.

With an idempotency key all that follows the building of the request happens once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.bc_urls import build_url, choose_company
from shared.domain.bc_errors import hint_header
from shared.domain.error_kinds import ANSWER_TOO_LARGE, METHOD_NOT_ALLOWED, OUTCOME_UNKNOWN
from shared.domain.errors import GatewayError
from shared.domain.events import log_event
from shared.domain.headers import for_caller
from shared.domain.idempotency import fingerprint, hash_of, key_of
from shared.domain.own_parameters import page_link, wants_all_pages
from shared.domain.reply import Reply
from shared.services.all_pages import Listing, read_all_pages
from shared.services.answers import judge
from shared.services.idempotency import KeyedCall
from shared.services.request_body import check_no_body, request_body
from shared.services.response_body import response_body
from shared.services.upstream import UpstreamCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.bc_urls import Company
    from shared.domain.endpoint import Endpoint
    from shared.domain.records import StoredIntegration
    from shared.ports import Clock
    from shared.services.admission import Admission
    from shared.services.callers import Callers
    from shared.services.catalogue import Catalogue
    from shared.services.companies import Companies
    from shared.services.idempotency import Idempotency
    from shared.services.paging import PageTarget, Paging
    from shared.services.upstream import Upstream

# An administrator relies on a key here that this caller's headers do not give.
_NO_KEY = {"X-Gateway-Warning": "No idempotency key was given, and none could be derived"}
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


class Invocation:
    """Runs calls."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        callers: Callers,
        admission: Admission,
        companies: Companies,
        upstream: Upstream,
        paging: Paging,
        idempotency: Idempotency,
        max_payload_bytes: int,
        max_answer_bytes: int,
        clock: Clock,
    ) -> None:
        """Refuse payloads and answers above so many bytes."""
        self._catalogue = catalogue
        self._callers = callers
        self._admission = admission
        self._companies = companies
        self._upstream = upstream
        self._paging = paging
        self._idempotency = idempotency
        self._max_payload_bytes = max_payload_bytes
        self._max_answer_bytes = max_answer_bytes
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
        self._callers.check(endpoint, call.headers)
        sealed_page = page_link(call.query)
        _check_method(call, endpoint, continues=sealed_page is not None)
        deadline = started_on + timedelta(seconds=endpoint.timeout_seconds)
        with self._admission.enter(record.code):
            if sealed_page is not None:  # a read, whatever came before: no key is needed
                page = self._paging.open(record, endpoint, sealed_page)
                return self._execute(_continuation(call, record, endpoint, page, deadline))
            key = key_of(call.headers, derives=endpoint.derive_idempotency_key)
            # Inside, since the id of a company may have to be looked up at the service.
            request = self._request(call, record, endpoint, deadline)
            if key is None:
                return self._execute_without_key(request)
            keyed = _keyed(request, key, choose_company(record.definition, endpoint, call.query))
            return self._idempotency.run(keyed, lambda: self._execute(request))

    def _execute_without_key(self, request: UpstreamCall) -> Reply:
        """Execute, and warn whoever relies on a key; above all where the outcome is unknown."""
        warning = _NO_KEY if request.endpoint.derive_idempotency_key else {}
        try:
            reply = self._execute(request)
        except GatewayError as error:
            # No other means that a change may be made; and an error of sign-in is shared.
            if error.kind in (OUTCOME_UNKNOWN, ANSWER_TOO_LARGE):
                error.headers |= warning
            raise
        return replace(reply, headers=reply.headers | warning)

    def _execute(self, request: UpstreamCall) -> Reply:
        """Send the request, and make of the answer what the caller gets."""
        record, endpoint = request.record, request.endpoint
        listing = self._send(request)
        answer = listing.answer
        judge(record, endpoint, answer)
        body = self._paging.seal_next_link(
            record,
            endpoint,
            url=request.url,
            prefer=request.caller_headers.get("prefer"),
            all_pages=request.all_pages,
            body=response_body(record, endpoint, answer),
        )
        headers = for_caller(answer.headers) | hint_header(answer.status, answer.body)
        if listing.cut_off_by is not None:
            headers["X-Gateway-Truncated"] = listing.cut_off_by
        return Reply(answer.status, headers, body)

    def _send(self, request: UpstreamCall) -> Listing:
        if not request.all_pages:
            return Listing(self._upstream.send(request))
        return read_all_pages(
            request, self._upstream.send, max_bytes=self._max_answer_bytes, clock=self._clock
        )

    def _request(
        self, call: Call, record: StoredIntegration, endpoint: Endpoint, deadline: datetime
    ) -> UpstreamCall:
        """Return what to send: the endpoint's own request."""
        body = request_body(
            endpoint,
            call.body,
            headers=call.headers,
            was_lost=call.has_lost_body,
            max_bytes=self._max_payload_bytes,
        )
        all_pages = wants_all_pages(endpoint, call.query)
        company = self._companies.resolve(
            record, endpoint, query=call.query, request_id=call.request_id, deadline=deadline
        )
        return UpstreamCall(
            record=record,
            endpoint=endpoint,
            url=build_url(record.definition, endpoint, company=company, query=call.query),
            caller_headers=call.headers,
            body=body,
            request_id=call.request_id,
            deadline=deadline,
            all_pages=all_pages,
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


def _continuation(
    call: Call, record: StoredIntegration, endpoint: Endpoint, page: PageTarget, deadline: datetime
) -> UpstreamCall:
    check_no_body(call.body, was_lost=call.has_lost_body)
    preference = {"prefer": page.prefer} if page.prefer else {}
    return UpstreamCall(
        record=record,
        endpoint=msgspec.structs.replace(endpoint, method="GET"),
        url=page.url,
        caller_headers=preference | dict(call.headers),
        body=None,
        request_id=call.request_id,
        deadline=deadline,
        all_pages=page.all_pages,
    )


def _keyed(request: UpstreamCall, key: str, company: Company) -> KeyedCall:
    return KeyedCall(
        integration=request.record.code,
        key_hash=hash_of(key, endpoint=request.endpoint.code),
        fingerprint=fingerprint(
            method=request.endpoint.method,
            url=request.url,
            company=company.id or company.name,
            if_match=request.caller_headers.get("if-match"),
            all_pages=request.all_pages,
            body=request.body,
        ),
        changes_data=request.endpoint.changes_data,
        request_id=request.request_id,
        deadline=request.deadline,
    )


def _flow_run(header: str) -> str | None:
    return header if _FLOW_RUN.fullmatch(header) else None


def _check_method(call: Call, endpoint: Endpoint, *, continues: bool) -> None:
    allowed = sorted({"POST", endpoint.method} | ({"GET"} if continues else set()))
    if call.method not in allowed:
        raise GatewayError(
            METHOD_NOT_ALLOWED,
            f"{endpoint.code} is run by {' or '.join(allowed)}.",
            headers={"Allow": ", ".join(allowed)},
        )
