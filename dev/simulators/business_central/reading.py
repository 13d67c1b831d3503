"""Answers that read: pages of a collection, one entity, a count (bc-api.md section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from dev.simulators.business_central.errors import bad_request
from dev.simulators.business_central.odata import entity_json, json_response
from dev.simulators.business_central.paging import (
    preferred_page_size,
    select_rows,
    selected_fields,
    take_page,
)

if TYPE_CHECKING:
    from dev.simulators.business_central.call import Call
    from dev.simulators.business_central.collection import Collection
    from dev.simulators.business_central.database import Row


def answer_page(call: Call, collection: Collection) -> Response:
    """Answer with as many rows as the caller prefers and the server allows."""
    preferred = preferred_page_size(call.request.headers.get("Prefer"))
    size = min(preferred or call.settings.max_page_size, call.settings.max_page_size)
    page = take_page(collection.rows(), collection.entity_set, call.target, size)
    document: dict[str, Any] = {"@odata.context": call.context(collection.path)}
    if call.target.option("$count") == "true":
        document["@odata.count"] = page.total
    document["value"] = [_render(call, collection, row) for row in page.rows]
    if page.next_query is not None:
        document["@odata.nextLink"] = f"{call.url()}?{page.next_query}"
    applied = {"Preference-Applied": f"odata.maxpagesize={size}"} if preferred else {}
    return json_response(document, headers=applied)


def answer_count(call: Call, collection: Collection) -> Response:
    """Answer with a bare number as text."""
    rows = select_rows(collection.rows(), collection.entity_set, call.target)
    return Response(str(len(rows)), content_type="text/plain")


def answer_entity(
    call: Call, collection: Collection, row: Row, *, status: int = 200, location: str | None = None
) -> Response:
    """Answer with one entity."""
    context = {"@odata.context": call.context(f"{collection.path}/$entity")}
    headers = {} if location is None else {"Location": location}
    return json_response(context | _render(call, collection, row), status, headers)


def _render(call: Call, collection: Collection, row: Row) -> dict[str, Any]:
    document = entity_json(row, selected_fields(collection.entity_set, call.target))
    expand = call.target.option("$expand")
    if not expand:
        return document
    lines = collection.lines(row)
    if lines is None or expand != lines.entity_set.name:
        raise bad_request(
            f"Could not find a property named '{expand}' on type '{collection.entity_set.entity}'."
        )
    nested = [entity_json(line, lines.entity_set.fields) for line in lines.rows()]
    return document | {expand: nested}
