"""Run an endpoint: find it, build its URL, send it with a valid token, and judge the answer.

With an idempotency key all that follows the building of the request happens once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.bc_urls import choose_company, provisional_url
from shared.domain.bc_errors import hint_header
from shared.domain.error_kinds import ANSWER_TOO_LARGE, METHOD_NOT_ALLOWED, OUTCOME_UNKNOWN
from shared.domain.errors import GatewayError
from shared.domain.headers import for_caller
from shared.domain.idempotency import fingerprint, hash_of, key_of
from shared.domain.own_parameters import page_link, wants_all_pages
from shared.domain.reply import Reply
from shared.services.all_pages import Listing, read_all_pages
from shared.services.answers import judge
from shared.services.call_notes import CallNote, CallNotes
from shared.services.idempotency import KeyedCall
from shared.services.request_body import check_no_body, request_body
from shared.services.response_body import response_body
from shared.services.upstream import UpstreamCall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    from shared.services.trace import Trace
    from shared.services.upstream import Upstream

# An administrator relies on a key here that this caller's headers do not give.
_NO_KEY = {"X-Gateway-Warning": "No idempotency key was given, and none could be derived"}


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
    trace: Trace | None = None


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
        notes: CallNotes,
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
        self._notes = notes
        self._clock = clock

    def run(self, call: Call) -> Reply:
        """Return the upstream's answer; GatewayError for all that the contract's table names."""
        note = CallNote(
            integration=call.integration,
            endpoint=call.endpoint,
            headers=call.headers,
            request_id=call.request_id,
            began_on=self._clock.now(),
        )
        try:
            reply = self._run(call, note)
        except GatewayError as error:
            self._notes.take(note, error.kind.status, error.kind.code)
            raise
        self._notes.take(note, reply.status)
        return reply

    def _run(self, call: Call, note: CallNote) -> Reply:
        record = note.record = self._catalogue.integration(call.integration)
        endpoint = note.definition = self._catalogue.enabled_endpoint(record.code, call.endpoint)
        self._callers.check(endpoint, call.headers)
        sealed_page = page_link(call.query)
        _check_method(call, endpoint, continues=sealed_page is not None)
        deadline = note.began_on + timedelta(seconds=endpoint.timeout_seconds)
        with self._admission.enter(record.code):
            if sealed_page is not None:  # a read, whatever came before: no key is needed
                page = self._paging.open(record, endpoint, sealed_page)
                return self._execute(_continuation(call, record, endpoint, page, deadline))
            key = key_of(call.headers, derives=endpoint.derive_idempotency_key)
            request, company = self._request(call, record, endpoint, deadline)

            def execute() -> Reply:
                # Only here: an answer that is kept needs no service, which may be down.
                return self._execute(self._companies.locate(request, company, call.query))

            if key is None:
                return _execute_without_key(endpoint, execute)
            return self._idempotency.run(_keyed(request, key, company), execute)

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
    ) -> tuple[UpstreamCall, Company]:
        """Return the endpoint's own request, and the company whose id its URL may still lack."""
        body = request_body(
            endpoint,
            call.body,
            headers=call.headers,
            was_lost=call.has_lost_body,
            max_bytes=self._max_payload_bytes,
        )
        all_pages = wants_all_pages(endpoint, call.query)
        company = choose_company(record.definition, endpoint, call.query)
        request = UpstreamCall(
            record=record,
            endpoint=endpoint,
            url=provisional_url(record.definition, endpoint, company=company, query=call.query),
            caller_headers=call.headers,
            body=body,
            request_id=call.request_id,
            deadline=deadline,
            all_pages=all_pages,
            trace=call.trace,
        )
        return request, company


def _execute_without_key(endpoint: Endpoint, execute: Callable[[], Reply]) -> Reply:
    """Execute, and warn whoever relies on a key; above all where the outcome is unknown."""
    warning = _NO_KEY if endpoint.derive_idempotency_key else {}
    try:
        reply = execute()
    except GatewayError as error:
        # No other means that a change may be made; and an error of sign-in is shared.
        if error.kind in (OUTCOME_UNKNOWN, ANSWER_TOO_LARGE):
            error.headers |= warning
        raise
    return replace(reply, headers=reply.headers | warning)


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
        trace=call.trace,
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


def _check_method(call: Call, endpoint: Endpoint, *, continues: bool) -> None:
    allowed = sorted({"POST", endpoint.method} | ({"GET"} if continues else set()))
    if call.method not in allowed:
        raise GatewayError(
            METHOD_NOT_ALLOWED,
            f"{endpoint.code} is run by {' or '.join(allowed)}.",
            headers={"Allow": ", ".join(allowed)},
        )
