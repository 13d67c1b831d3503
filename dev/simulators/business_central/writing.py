"""Answers that write entities, each in one transaction (bc-api.md section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev.simulators.business_central.edm import is_json_value
from dev.simulators.business_central.errors import ODataError, bad_request
from dev.simulators.business_central.odata import check_etag, empty_response, json_object
from dev.simulators.business_central.reading import answer_entity

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from dev.simulators.business_central.call import Call
    from dev.simulators.business_central.collection import Collection
    from dev.simulators.business_central.database import Row


def create(call: Call, collection: Collection) -> Response:
    """Insert an entity, with its lines if the body nests them (deep insert)."""
    document = json_object(call.request)
    with collection.database.transaction():
        row = _insert_document(collection, document)
    location = f"{call.service_url}/{collection.entity_path(row)}"
    return answer_entity(call, collection, row, status=201, location=location)


def modify(call: Call, collection: Collection, key: str) -> Response:
    """Change an entity; `If-Match` is required."""
    document = json_object(call.request)
    with collection.database.transaction():
        row = collection.row(key)
        check_etag(call.request, row, is_required=True)
        values = _columns(collection, document)
        if values.get("no", row.get("no")) != row.get("no"):
            _refuse_duplicate(collection, values["no"])
        row = collection.database.change(collection.entity_set.table, row, values)
    return answer_entity(call, collection, row)


def delete(call: Call, collection: Collection, key: str) -> Response:
    """Remove an entity and its lines; `If-Match` is checked if it is there."""
    with collection.database.transaction():
        row = collection.row(key)
        check_etag(call.request, row, is_required=False)
        lines = collection.lines(row)
        if lines is not None:
            for line in lines.rows():
                collection.database.delete(lines.entity_set.table, line)
        collection.database.delete(collection.entity_set.table, row)
    return empty_response()


def run_bound_action(call: Call, collection: Collection, key: str, action: str) -> Response:
    """Run an action on an entity, such as `Microsoft.NAV.shipAndInvoice`: 204."""
    json_object(call.request)
    with collection.database.transaction():
        collection.entity_set.actions[action](collection.database, collection.row(key))
    return empty_response()


def _insert_document(collection: Collection, document: dict[str, Any]) -> Row:
    lines = collection.entity_set.lines
    nested = document.pop(lines.entity_set.name, []) if lines else []
    if not isinstance(nested, list) or not all(isinstance(line, dict) for line in nested):
        raise bad_request("Invalid Request Body")
    row = _insert(collection, document)
    inner = collection.lines(row)
    if inner is not None:
        for line in nested:
            _insert(inner, line)
    return row


def _insert(collection: Collection, document: dict[str, Any]) -> Row:
    entity_set, database = collection.entity_set, collection.database
    values = _columns(collection, document)
    if entity_set.number_series is not None:
        if not values.get("no"):
            values["no"] = database.next_number(entity_set.number_series)
        _refuse_duplicate(collection, values["no"])
    if entity_set.sequence is not None:
        last = max((line[entity_set.sequence] for line in collection.rows()), default=0)
        values[entity_set.sequence] = last + 10000
    return database.insert(entity_set.table, {**values, **collection.parent})


def _columns(collection: Collection, document: dict[str, Any]) -> dict[str, Any]:
    """Check the properties of a body and return the columns that they fill."""
    values = {}
    for name, value in document.items():
        if name.startswith("@odata."):
            continue
        field = next((field for field in collection.entity_set.fields if field.name == name), None)
        if field is None:
            raise bad_request(
                f"The property '{name}' does not exist on type '{collection.entity_set.entity}'."
            )
        if field.is_read_only:
            message = f"Control '{name}' is read-only"
            raise ODataError(400, "BadRequest_InvalidOperation", message)
        if not is_json_value(field.edm, value):
            raise bad_request(f"Cannot convert the value of '{name}' to '{field.edm.value}'.")
        if field.related and value and not collection.database.find(field.related, no=value):
            raise ODataError(
                400,
                "Internal_InvalidTableRelation",
                f"The field {name} of table {collection.entity_set.caption} contains a value "
                f"({value}) that cannot be found in the related table ({field.related}).",
            )
        values[field.source] = value
    return values


def _refuse_duplicate(collection: Collection, number: str) -> None:
    if collection.database.find(collection.entity_set.table, no=number):
        raise ODataError(
            400,
            "Internal_EntityWithSameKeyExists",
            f"The {collection.entity_set.caption} already exists. "
            f"Identification fields and values: No.='{number}'",
        )
