"""The company of a call; its id is looked up once where only the name is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.bc_urls import Company, choose_company, companies_url, needs_company_id
from shared.domain.endpoint import Endpoint
from shared.domain.errors import COMPANY_NOT_FOUND, GatewayError
from shared.services.upstream import UpstreamCall

if TYPE_CHECKING:
    from shared.domain.records import StoredIntegration
    from shared.ports import Clock
    from shared.services.upstream import Upstream

_LOOKUP_SECONDS = 30
_LOOKUP = Endpoint(code="COMPANIES", method="GET", kind="api", api_url="companies")


class _Listed(msgspec.Struct, frozen=True):
    id: str
    name: str


class _Companies(msgspec.Struct, frozen=True):
    value: list[_Listed]


class Companies:
    """Knows the ids of companies; an id never changes, so that it is kept for good."""

    def __init__(self, upstream: Upstream, clock: Clock) -> None:
        """Look ids up through `upstream`."""
        self._upstream = upstream
        self._clock = clock
        self._ids: dict[tuple[str, str], str] = {}

    def resolve(
        self, record: StoredIntegration, endpoint: Endpoint, *, query: str, request_id: str
    ) -> Company:
        """Return the company that the call is for, with its id where the URL needs it.

        Raises GatewayError `company_not_allowed`, `company_not_found`, and what a call may raise.
        """
        company = choose_company(record.definition, endpoint, query)
        if company.id or not company.name or not needs_company_id(record.definition, endpoint):
            return company
        key = (companies_url(record.definition), company.name)
        if key not in self._ids:
            self._ids.update(self._listed(record, request_id))
        found = self._ids.get(key)
        if found is None and endpoint.kind == "api":
            raise GatewayError(
                COMPANY_NOT_FOUND, f"The service lists no company named {company.name}."
            )
        return replace(company, id=found)

    def _listed(self, record: StoredIntegration, request_id: str) -> dict[tuple[str, str], str]:
        url = companies_url(record.definition)
        deadline = self._clock.now() + timedelta(seconds=_LOOKUP_SECONDS)
        answer = self._upstream.send(
            UpstreamCall(
                record=record,
                endpoint=_LOOKUP,
                url=url,
                caller_headers={},
                body=None,
                request_id=request_id,
                deadline=deadline,
            )
        )
        try:
            listed = msgspec.json.decode(answer.body, type=_Companies).value
        except msgspec.DecodeError:
            return {}  # not Business Central, or an error that the call itself will meet
        return {(url, company.name): company.id for company in listed}
