"""Find what the rest of a path names and what the method does to it (bc-api.md 1.2)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from dev.simulators.business_central import reading, writing
from dev.simulators.business_central.errors import method_not_allowed, resource_not_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev.simulators.business_central.call import Call
    from dev.simulators.business_central.collection import Collection
    from dev.simulators.business_central.target import Segment

# One pixel; the content type of a real picture is not documented.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def answer(call: Call, collection: Collection, segments: Sequence[Segment]) -> Response:
    """Answer for what `segments` name, the first of them being the collection itself."""
    head, *rest = segments
    names = [segment.name for segment in rest]
    if head.key is None:
        return _answer_collection(call, collection, names)
    if not rest:
        return _answer_entity(call, collection, head.key)
    lines = collection.lines(collection.row(head.key))
    if lines is not None and names[0] == lines.entity_set.name:
        return answer(call, lines, rest)
    for action in collection.entity_set.actions:
        if names == [f"{call.service.namespace}.{action}"]:
            _allow(call, names[0], "POST")
            return writing.run_bound_action(call, collection, head.key, action)
    if collection.entity_set.has_picture and names == ["picture", "pictureContent"]:
        _allow(call, names[1], "GET")
        return Response(PICTURE, content_type="application/octet-stream")
    raise resource_not_found(names[0])


def _answer_collection(call: Call, collection: Collection, names: list[str]) -> Response:
    name = collection.entity_set.name
    if names == ["$count"]:
        _allow(call, name, "GET")
        return reading.answer_count(call, collection)
    if names:
        raise resource_not_found(names[0])
    _allow(call, name, "GET", *(() if collection.entity_set.is_read_only else ("POST",)))
    if call.request.method == "GET":
        return reading.answer_page(call, collection)
    return writing.create(call, collection)


def _answer_entity(call: Call, collection: Collection, key: str) -> Response:
    entity_set = collection.entity_set
    _allow(call, entity_set.name, "GET", *(() if entity_set.is_read_only else ("PATCH", "DELETE")))
    match call.request.method:
        case "PATCH":
            return writing.modify(call, collection, key)
        case "DELETE":
            return writing.delete(call, collection, key)
        case _:
            return reading.answer_entity(call, collection, collection.row(key))


def _allow(call: Call, name: str, *methods: str) -> None:
    if call.request.method not in methods:
        raise method_not_allowed(call.request.method, name, ", ".join(methods))
