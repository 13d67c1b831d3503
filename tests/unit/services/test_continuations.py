"""Calls with `gw_page`: reads, whatever their endpoint asks of a call without it."""

from __future__ import annotations

import json

import pytest

from tests.fakes import json_answer
from tests.scenes import BC, failure, serving

FLOW = {"x-ms-workflow-run-id": "run-1", "x-ms-action-tracking-id": "action-1"}
JSON = {"content-type": "application/json"}
NEXT = f"{BC}/v2.0/next"


def begun(headers=JSON, **endpoint):
    """Return a gateway that answered the first of two pages, and the query of the second."""
    scene = serving(json_answer({"value": [1], "@odata.nextLink": NEXT}), **endpoint)
    first = scene.invoke(body=b"{}", headers=headers)
    scene.http.on(BC, json_answer({"value": [2]}))
    return scene, json.loads(first.body)["@odata.nextLink"].partition("?")[2]


@pytest.mark.parametrize("endpoint", [{"read_only": True}, {}], ids=["read", "write"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("body", [b"", b"{}", b" {}\n"], ids=["none", "empty", "spaced"])
def test_link_is_followed_by_get_and_by_post(endpoint, method, body):
    """Also where the payload of the first call has a schema: the link has none."""
    scene, query = begun(request_schema={"type": "object"}, **endpoint)

    reply = scene.invoke(method=method, query=query, body=body, headers=JSON)

    assert json.loads(reply.body) == {"value": [2]}
    sent = scene.http.sent_to(BC)[-1]
    assert (sent.method, sent.url, sent.body) == ("GET", NEXT, None)


def test_link_is_followed_by_the_method_of_its_endpoint():
    """And by no other one, of which the answer tells."""
    scene, query = begun(kind="custom", api_url="items", method="PATCH")

    assert scene.invoke(method="PATCH", query=query).status == 200
    error = failure(lambda: scene.invoke(method="PUT", query=query))

    assert (error.kind.status, error.headers["Allow"]) == (405, "GET, PATCH, POST")


def test_payload_beside_a_link_is_refused():
    """Its sender means a change, of which nothing would come."""
    scene, query = begun()

    error = failure(lambda: scene.invoke(query=query, body=b'{"no": "2"}', headers=JSON))

    assert (error.kind.status, error.kind.code) == (400, "invalid_payload")
    assert "without gw_page" in error.hint
    assert len(scene.http.sent_to(BC)) == 1


def test_lost_payload_beside_a_link_is_refused():
    """Nobody knows whether it was empty."""
    scene, query = begun()

    error = failure(lambda: scene.invoke(query=query, has_lost_body=True))

    assert error.kind.code == "length_required"


@pytest.mark.parametrize("key", [FLOW, {"idempotency-key": "list-1"}], ids=["derived", "given"])
def test_continuation_takes_no_idempotency_key(key):
    """A flow sends the same headers with each page; each is read as it is now."""
    scene, query = begun(headers=JSON | key, read_only=True, derive_idempotency_key=True)

    pages = [scene.invoke(query=query, headers=headers) for headers in (key, key, {})]

    assert [json.loads(each.body) for each in pages] == [{"value": [2]}] * 3
    assert len(scene.http.sent_to(BC)) == 4
    assert not {"X-Gateway-Warning", "Idempotency-Replayed"} & pages[-1].headers.keys()
