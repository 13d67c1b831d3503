"""The companies that a service has: to choose from, and their ids for URLs that need them.

An id is looked up once where only the name is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from shared.bc_urls import build_url, companies_url, needs_company_id
from shared.domain.bc_errors import next_step
from shared.domain.endpoint import Endpoint
from shared.domain.error_kinds import (
    COMPANY_NOT_FOUND,
    UPSTREAM_TIMEOUT,
    UPSTREAM_UNAUTHORIZED,
    UPSTREAM_UNREACHABLE,
)
from shared.domain.errors import GatewayError
from shared.domain.payloads import NotReadable, read_json
from shared.services.answers import shown
from shared.services.upstream import UpstreamCall

if TYPE_CHECKING:
    from shared.bc_urls import Company
    from shared.domain.records import StoredIntegration
    from shared.domain.transport import OutboundAnswer
    from shared.ports import Clock
    from shared.services.upstream import Upstream

_LOOKUP_TIME = timedelta(seconds=30)
# A person waits for the list, and can type the name as well.
_LISTING_SECONDS = 10
# An id changes when a company is deleted and made anew; a missing name may be one just made.
_FOUND_COUNTS = timedelta(hours=1)
_MISSING_COUNTS = timedelta(seconds=30)
_MOST_KEPT = 5000
# Whoever gets no answer may try again: nothing was sent but the question for the companies.
_AS_FOR_ANY_CALL = (UPSTREAM_UNAUTHORIZED, UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT)
_LOOKUP = Endpoint(code="COMPANIES", method="GET", kind="api", api_url="companies")


class ListedCompany(msgspec.Struct, frozen=True, rename="camel"):
    """A company as Business Central lists it."""

    id: str
    name: str
    display_name: str = ""


class _Companies(msgspec.Struct, frozen=True):
    value: list[ListedCompany]


class _LookupFailed(Exception):
    """The service does not list its companies; the text is a sentence about it."""

    def __init__(self, detail: str, answer: OutboundAnswer | None = None) -> None:
        super().__init__(detail)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class _Kept:
    id: str | None
    until: datetime


class Companies:
    """Knows the ids of companies, and keeps them for a while."""

    def __init__(self, upstream: Upstream, clock: Clock) -> None:
        """Look ids up through `upstream`."""
        self._upstream = upstream
        self._clock = clock
        self._kept: dict[tuple[str, str], _Kept] = {}

    def locate(self, call: UpstreamCall, company: Company, query: str) -> UpstreamCall:
        """Return the call with the company's id in its URL where that needs one; `query` is raw.

        Raises GatewayError `company_not_found`, `upstream_unauthorized`, `upstream_unreachable`,
        `upstream_timeout`, and what TokenService.for_call raises.
        """
        definition = call.record.definition
        if company.id or not company.name or not needs_company_id(definition, call.endpoint):
            return call
        located = replace(company, id=self._found(company.name, call))
        return replace(call, url=build_url(definition, call.endpoint, company=located, query=query))

    def names(self, record: StoredIntegration, *, request_id: str) -> list[ListedCompany]:
        """Return the companies to choose from, in the order of the service, within ten seconds.

        Raises as `locate`; `company_not_found` where the service does not list its companies.
        """
        deadline = self._clock.now() + timedelta(seconds=_LISTING_SECONDS)
        try:
            return self._listed(_lookup(record, _LISTING_SECONDS, request_id, deadline))
        except _LookupFailed as error:
            raise _not_found(error) from error

    def _found(self, name: str, call: UpstreamCall) -> str:
        lookup = _lookup(
            call.record,
            # The share of its time that an attempt needs is that of the call itself.
            call.endpoint.timeout_seconds,
            call.request_id,
            min(call.deadline, self._clock.now() + _LOOKUP_TIME),
        )
        try:
            found = self._id(name, lookup)
        except _LookupFailed as error:
            raise _not_found(error) from error
        if found is None:
            raise GatewayError(COMPANY_NOT_FOUND, f"The service lists no company named {name}.")
        return found

    def _id(self, name: str, lookup: UpstreamCall) -> str | None:
        kept = self._kept.get((lookup.url, name))
        if kept is None or kept.until <= self._clock.now():
            listed = {company.name: company.id for company in self._listed(lookup)}
            now = self._clock.now()
            for each, found in ({name: None} | listed).items():
                self._keep((lookup.url, each), found, now)
            return listed.get(name)
        return kept.id

    def _keep(self, key: tuple[str, str], found: str | None, now: datetime) -> None:
        if key not in self._kept and len(self._kept) >= _MOST_KEPT:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[key] = _Kept(found, now + (_FOUND_COUNTS if found else _MISSING_COUNTS))

    def _listed(self, lookup: UpstreamCall) -> list[ListedCompany]:
        try:
            answer = self._upstream.send(lookup)
        except GatewayError as error:
            if error.kind.source != "upstream" or error.kind in _AS_FOR_ANY_CALL:
                raise
            raise _LookupFailed(f"The companies cannot be listed. {error.kind.title}.") from error
        if answer.status != HTTPStatus.OK:
            detail = f"The list of companies was answered with {answer.status}."
            raise _LookupFailed(detail, answer)
        try:
            listed: _Companies = read_json(answer.body, _Companies)
        except NotReadable as error:
            raise _LookupFailed("The service does not list its companies.") from error
        return listed.value


def _lookup(
    record: StoredIntegration, timeout_seconds: int, request_id: str, deadline: datetime
) -> UpstreamCall:
    return UpstreamCall(
        record=record,
        endpoint=msgspec.structs.replace(_LOOKUP, timeout_seconds=timeout_seconds),
        url=companies_url(record.definition),
        caller_headers={},
        body=None,
        request_id=request_id,
        deadline=deadline,
    )


def _not_found(error: _LookupFailed) -> GatewayError:
    """Return the error for a lookup that failed, with what the service's answer says about it."""
    answer = error.answer
    if answer is None:
        return GatewayError(COMPANY_NOT_FOUND, str(error))
    hint = next_step(answer.status, answer.body)
    return GatewayError(COMPANY_NOT_FOUND, str(error), hint=hint, upstream=shown(answer))
