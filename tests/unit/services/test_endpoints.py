"""Administration of endpoints."""

from __future__ import annotations

import json

import msgspec
import pytest

from shared.services.editing import Precondition
from tests.builders import endpoint_document
from tests.scenes import CODE, LISTING, UNCONDITIONAL, failure


@pytest.fixture
def administration(scene):
    """Return the service, with an integration to work on."""
    scene.integrate()
    return scene.services.endpoints


def pointers(error) -> set[str]:
    """Return the places that an error names."""
    assert (error.kind.code, error.kind.status) == ("invalid_definition", 422)
    return {problem.pointer for problem in error.errors}


def stored(scene, code=LISTING):
    """Return the endpoint as it is stored."""
    return scene.endpoints.rows[CODE, code]


def test_create_answers_with_the_document(administration):
    """What was left out has its default."""
    saved = administration.create(CODE, endpoint_document())

    assert saved.is_new
    assert saved.etag
    expected = endpoint_document() | {
        "method": "POST",
        "kind": "codeunit",
        "is_enabled": True,
        "timeout_seconds": 100,
        "allowed_query": None,
    }
    assert saved.document | expected == saved.document


def test_codes_and_methods_are_folded(administration):
    """Lower case is accepted in bodies and URLs alike."""
    document = endpoint_document(code="items", kind="api", method="get", api_url="items")
    administration.create("cronus", document)

    shown = administration.get("Cronus", "Items").document

    assert (shown["code"], shown["method"]) == ("ITEMS", "GET")


def test_all_problems_are_named_at_once(scene, administration):
    """Unknown fields, wrong types and broken rules come in one answer, and nothing is stored."""
    document = endpoint_document(
        code="1st",
        colour="red",
        method="TRACE",
        api_url="../x",
        timeout_seconds=221,
        headers={"Authorization": "x", "Fine": 5},
        query={"company": "x"},
        request_schema={"type": "nonsense"},
        allowed_roles=["Gateway User"],
    )

    error = failure(lambda: administration.create(CODE, document))

    assert pointers(error) == {
        "/code", "/colour", "/method", "/api_url", "/timeout_seconds", "/headers/Fine",
        "/query/company", "/request_schema", "/allowed_roles/0",
    }  # fmt: skip
    assert not scene.endpoints.rows


@pytest.mark.parametrize("method", ["list", "get", "create", "put", "patch", "delete"])
def test_unknown_integration_is_not_found(administration, method):
    """No endpoint is stored for an integration that does not exist."""
    document = endpoint_document()
    acts = {
        "list": lambda: administration.list("NOPE", after="", limit=1),
        "get": lambda: administration.get("NOPE", LISTING),
        "create": lambda: administration.create("NOPE", document),
        "put": lambda: administration.put("NOPE", LISTING, document, UNCONDITIONAL),
        "patch": lambda: administration.patch("NOPE", LISTING, {}, UNCONDITIONAL),
        "delete": lambda: administration.delete("NOPE", LISTING, UNCONDITIONAL),
    }

    assert failure(acts[method]).kind.code == "integration_not_found"


@pytest.mark.parametrize("code", ["NOPE", "a-b", ""])
@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_unknown_endpoint_is_not_found(administration, method, code):
    """Only PUT makes an endpoint where there was none."""
    arguments = {"get": [], "patch": [{}, UNCONDITIONAL], "delete": [UNCONDITIONAL]}[method]

    error = failure(lambda: getattr(administration, method)(CODE, code, *arguments))

    assert (error.kind.code, error.kind.status) == ("endpoint_not_found", 404)


def test_taken_code_is_refused(scene, administration):
    """POST never overwrites, whatever the case of the code."""
    scene.offer()
    before = stored(scene)

    error = failure(lambda: scene.offer(code=LISTING.lower(), name="Another"))

    assert (error.kind.code, error.kind.status) == ("already_exists", 409)
    assert stored(scene) == before
    assert administration.get(CODE, LISTING).etag == before.etag


def test_same_code_in_two_integrations_is_two_endpoints(scene, administration):
    """An endpoint's code is unique within its integration only."""
    scene.integrate(code="OTHER")
    scene.offer(name="one")
    scene.offer("OTHER", name="two")

    assert administration.get(CODE, LISTING).document["name"] == "one"
    assert administration.get("OTHER", LISTING).document["name"] == "two"


def test_put_creates_and_replaces(administration):
    """PUT stores the whole document: what it leaves out goes back to its default."""
    first = endpoint_document(description="Long")
    created = administration.put(CODE, LISTING, first, UNCONDITIONAL)
    replaced = administration.put(CODE, LISTING.lower(), endpoint_document(), UNCONDITIONAL)

    assert (created.is_new, replaced.is_new) == (True, False)
    assert replaced.document["description"] == ""
    assert replaced.document["created_on"] == created.document["created_on"]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_code_that_disagrees_with_the_url_is_refused(scene, administration, method):
    """Nothing is renamed by accident."""
    scene.offer()
    document = endpoint_document(code="OTHER")

    error = failure(lambda: getattr(administration, method)(CODE, LISTING, document, UNCONDITIONAL))

    assert pointers(error) == {"/code"}


def test_what_get_gave_can_be_put(scene, administration):
    """A round trip changes nothing but the time of the change."""
    scene.offer(
        kind="odata",
        method="PATCH",
        api_url="Items({id})",
        parameters={"id": "guid"},
        allowed_query=["$select"],
        headers={"Prefer": "return=minimal"},
        request_schema={"type": "object"},
    )
    before = json.loads(msgspec.json.encode(administration.get(CODE, LISTING).document))
    scene.clock.advance(seconds=60)

    saved = administration.put(CODE, LISTING, before, UNCONDITIONAL)

    after = json.loads(msgspec.json.encode(saved.document))
    assert after == before | {"updated_on": after["updated_on"]}
    assert after["updated_on"] > before["updated_on"]


@pytest.mark.parametrize(
    ("patch", "field", "expected"),
    [
        ({"is_enabled": False}, "is_enabled", False),
        ({"company": "Other"}, "company", "Other"),
        ({"headers": {"B": "2"}}, "headers", {"A": "1", "B": "2"}),
        ({"headers": {"A": None}}, "headers", {}),
        ({"allowed_query": None}, "allowed_query", None),
        ({"allowed_query": ["$top", "$skip"]}, "allowed_query", ["$top", "$skip"]),
        ({"method": "post"}, "method", "POST"),
        ({"created_on": None, "updated_on": "x"}, "name", "Get Warehouse Shipment Lines"),
    ],
    ids=["set", "null-to-value", "merge", "remove", "null", "replace", "fold", "read-only"],
)
def test_patch_is_a_merge_patch(scene, administration, patch, field, expected):
    """RFC 7396: objects merge, null removes, the rest replaces."""
    scene.offer(headers={"A": "1"}, allowed_query=["$select"])

    shown = administration.patch(CODE, LISTING, patch, UNCONDITIONAL).document

    assert shown[field] == expected


def test_refused_patch_changes_nothing(scene, administration):
    """The endpoint goes on as it was."""
    scene.offer()
    before = stored(scene)

    error = failure(
        lambda: administration.patch(CODE, LISTING, {"api_url": None, "x": 1}, UNCONDITIONAL)
    )

    assert pointers(error) == {"/api_url", "/x"}
    assert stored(scene) == before


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_stale_etag_is_refused(scene, administration, method):
    """Who changes what somebody else has changed meanwhile is told so."""
    scene.offer()
    old = Precondition(stored(scene).etag)
    administration.patch(CODE, LISTING, {"name": "Changed"}, UNCONDITIONAL)
    before = stored(scene)
    arguments = [] if method == "delete" else [endpoint_document()]

    error = failure(lambda: getattr(administration, method)(CODE, LISTING, *arguments, old))

    assert (error.kind.code, error.kind.status) == ("changed_meanwhile", 412)
    assert stored(scene) == before


@pytest.mark.parametrize("method", ["put", "patch"])
def test_current_etag_is_accepted(scene, administration, method):
    """The ETag that GET gave opens the way, and the answer brings the next one."""
    scene.offer()
    current = administration.get(CODE, LISTING).etag
    change = getattr(administration, method)

    saved = change(CODE, LISTING, endpoint_document(name="Changed"), Precondition(current))

    assert saved.document["name"] == "Changed"
    assert saved.etag == stored(scene).etag != current


def test_delete_removes_the_endpoint(scene, administration):
    """With the current ETag as without one."""
    scene.offer()
    scene.offer(code="SECOND")

    administration.delete(CODE, LISTING, Precondition(stored(scene).etag))
    administration.delete(CODE, "second", UNCONDITIONAL)

    assert not scene.endpoints.rows


def test_if_none_match_lets_put_only_create(scene, administration):
    """The second PUT with If-None-Match: * changes nothing."""
    only_new = Precondition(if_none_match="*")
    administration.put(CODE, LISTING, endpoint_document(), only_new)
    before = stored(scene)

    error = failure(lambda: administration.put(CODE, LISTING, endpoint_document(), only_new))

    assert error.kind.code == "changed_meanwhile"
    assert stored(scene) == before


@pytest.mark.parametrize(
    ("step", "write"),
    [
        ("replace", lambda it: it.put(CODE, LISTING, endpoint_document(), UNCONDITIONAL)),
        ("replace", lambda it: it.patch(CODE, LISTING, {"name": "Slow"}, UNCONDITIONAL)),
        ("delete", lambda it: it.delete(CODE, LISTING, UNCONDITIONAL)),
    ],
    ids=["put", "patch", "delete"],
)
def test_change_at_the_same_moment_is_refused(scene, administration, step, write):
    """Between reading and writing, somebody else was faster: 412, also without If-Match."""
    scene.offer()
    faster = {"name": "Fast"}
    scene.endpoints.before(step, lambda: administration.patch(CODE, LISTING, faster, UNCONDITIONAL))

    error = failure(lambda: write(administration))

    assert error.kind.code == "changed_meanwhile"
    assert stored(scene).definition.name == "Fast"


def test_code_taken_at_the_same_moment_is_refused(scene, administration):
    """Of two that create the same code, one wins."""
    scene.endpoints.before("insert", lambda: scene.offer(name="Fast"))

    error = failure(lambda: administration.create(CODE, endpoint_document(name="Slow")))

    assert error.kind.code == "already_exists"
    assert stored(scene).definition.name == "Fast"


def test_list_goes_page_by_page(scene, administration):
    """Codes come in order, and those of other integrations do not."""
    scene.integrate(code="OTHER")
    scene.offer("OTHER", code="X")
    for code in ("C", "A", "B"):
        scene.offer(code=code)

    first = administration.list(CODE, after="", limit=2)
    second = administration.list(CODE, after="B", limit=2)

    assert [document["code"] for document in first.documents] == ["A", "B"]
    assert [document["code"] for document in second.documents] == ["C"]
    assert (first.next_after, second.next_after) == ("B", None)


def test_changed_endpoint_counts_at_once_where_it_was_changed(signed_in):
    """The instance that stored the change does not serve what it knew before."""
    signed_in.invoke()
    changes = {"api_url": "GetWhsePickList"}

    signed_in.services.endpoints.patch(CODE, LISTING, changes, UNCONDITIONAL)
    signed_in.invoke()

    assert "_GetWhsePickList?" in signed_in.http.sent[-1].url
