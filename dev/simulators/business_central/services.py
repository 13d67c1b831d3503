"""Lead a call to what its path names within one of the published services."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dev.simulators.business_central import actions, entities, metadata
from dev.simulators.business_central.collection import Collection
from dev.simulators.business_central.errors import (
    method_not_allowed,
    resource_not_found,
    uri_not_found,
)
from dev.simulators.business_central.odata import empty_response
from dev.simulators.business_central.standard_api import STANDARD_API
from dev.simulators.business_central.warehouse_api import WAREHOUSE_API
from dev.simulators.business_central.web_services import WEB_SERVICES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response

    from dev.simulators.business_central.call import Call
    from dev.simulators.business_central.companies import Company
    from dev.simulators.business_central.schema import Service
    from dev.simulators.business_central.target import Segment

SERVICES = (STANDARD_API, WEB_SERVICES, WAREHOUSE_API)


def find_service(segments: Sequence[Segment]) -> Service | None:
    """Find the service whose root the segments start with."""
    names = [segment.name.lower() for segment in segments]
    for service in SERVICES:
        root = service.root.lower().split("/")
        if names[: len(root)] == root:
            return service
    return None


def answer(call: Call) -> Response:
    """Answer a call to a service."""
    service, segments = call.service, call.segments
    names = [segment.name for segment in segments]
    if names in ([], ["$metadata"]):
        if call.request.method != "GET":
            raise method_not_allowed(call.request.method, service.root, "GET")
        return metadata.answer_metadata(call) if names else metadata.answer_service_document(call)
    if names[0] == service.companies.name:
        return _answer_company(call, segments)
    if service.has_codeunits and actions.is_action(names[0]):
        return actions.answer(call, names[0])
    company = call.environment.company_by_option(call.target.option("company"))
    companies = _companies(call)
    row = companies.database.select("companies", id=company.id)[0]
    return _answer_entities(call, company, companies.entity_path(row), segments)


def _answer_company(call: Call, segments: Sequence[Segment]) -> Response:
    """Answer for the set of companies, one company, or what lies within it."""
    companies = _companies(call)
    head, *rest = segments
    if head.key is None:
        return entities.answer(call, companies, segments)
    company = call.environment.company_by_key(companies.entity_set.key_field.edm, head.key)
    if not rest:
        row = companies.database.select("companies", id=company.id)[0]
        return entities.answer(call, companies, [replace(head, key=companies.key(row))])
    if rest[0].name == "$metadata":
        return empty_response(404)
    return _answer_entities(call, company, head.text, rest)


def _answer_entities(
    call: Call, company: Company, company_path: str, segments: Sequence[Segment]
) -> Response:
    name = segments[0].name
    entity_set = call.service.find_set(name)
    if entity_set is None:
        raise uri_not_found(call.url()) if call.service.has_codeunits else resource_not_found(name)
    collection = Collection(entity_set, company.database, f"{company_path}/{name}")
    return entities.answer(call, collection, segments)


def _companies(call: Call) -> Collection:
    entity_set = call.service.companies
    return Collection(entity_set, call.environment.database, entity_set.name)
