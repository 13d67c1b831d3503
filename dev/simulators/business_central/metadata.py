"""`$metadata` and service documents, written from the declarations (bc-api.md section 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from dev.simulators.business_central.actions import OPERATIONS
from dev.simulators.business_central.odata import json_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.simulators.business_central.call import Call
    from dev.simulators.business_central.schema import EntitySet, Service


def answer_service_document(call: Call) -> Response:
    """List the entity sets; actions are not listed."""
    sets: list[dict[str, Any]] = [
        {"name": entity_set.name, "kind": "EntitySet", "url": entity_set.name}
        for entity_set in _published(call.service)
    ]
    return json_response({"@odata.context": f"{call.service_url}/$metadata", "value": sets})


def answer_metadata(call: Call) -> Response:
    """Describe the service in CSDL."""
    body = "\n".join(_document(call.service))
    return Response(body, content_type="application/xml")


def _published(service: Service) -> tuple[EntitySet, ...]:
    return (service.companies, *service.sets)


def _document(service: Service) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    yield "<edmx:DataServices>"
    yield f'<Schema Namespace="{service.namespace}" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
    yield from _entity_type(service.companies, service.sets)
    for entity_set in service.sets:
        lines = (entity_set.lines.entity_set,) if entity_set.lines else ()
        yield from _entity_type(entity_set, lines)
        for nested in lines:
            yield from _entity_type(nested, ())
        yield from _bound_actions(entity_set)
    if service.has_codeunits:
        yield from _unbound_actions()
    yield from _container(service)
    yield "</Schema></edmx:DataServices></edmx:Edmx>"


def _entity_type(entity_set: EntitySet, nested: tuple[EntitySet, ...]) -> Iterator[str]:
    yield f'<EntityType Name="{entity_set.entity.rpartition(".")[2]}">'
    yield f'<Key><PropertyRef Name="{entity_set.key}"/></Key>'
    for field in entity_set.fields:
        nullable = ' Nullable="false"' if field.name == entity_set.key else ""
        scale = ' Scale="Variable"' if field.edm.value == "Edm.Decimal" else ""
        yield f'<Property Name="{field.name}" Type="{field.edm.value}"{nullable}{scale}/>'
    for target in nested:
        yield (
            f'<NavigationProperty Name="{target.name}" Type="Collection({target.entity})" '
            'ContainsTarget="true"/>'
        )
    yield "</EntityType>"


def _bound_actions(entity_set: EntitySet) -> Iterator[str]:
    for action in entity_set.actions:
        yield f'<Action Name="{action}" IsBound="true">'
        yield f'<Parameter Name="bindingParameter" Type="{entity_set.entity}"/>'
        yield "</Action>"


def _unbound_actions() -> Iterator[str]:
    """Describe the codeunit; the facets of real parameters are not documented."""
    for operation, procedure in OPERATIONS.items():
        yield f'<Action Name="{operation}">'
        for name, edm in procedure.parameters.items():
            yield f'<Parameter Name="{name}" Type="{edm.value}" Nullable="false"/>'
        if procedure.returns is not None:
            yield f'<ReturnType Type="{procedure.returns.value}" Nullable="false"/>'
        yield "</Action>"


def _container(service: Service) -> Iterator[str]:
    yield '<EntityContainer Name="NAV">'
    for entity_set in _published(service):
        yield f'<EntitySet Name="{entity_set.name}" EntityType="{entity_set.entity}"/>'
    for operation in OPERATIONS if service.has_codeunits else ():
        yield f'<ActionImport Name="{operation}" Action="{service.namespace}.{operation}"/>'
    yield "</EntityContainer>"
