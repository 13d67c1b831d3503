"""The main job over HTTP: what the caller sent goes along, and what the service said comes back."""

from __future__ import annotations

import pytest

from shared.domain.transport import OutboundAnswer
from tests.fakes import json_answer
from tests.scenes import BC
from tests.support import PUBLIC_URL
from tests.unit.functions.test_every_answer import INVOKE, Gateway

PAGE = "/api/invoke/CRONUS/PAGE"


@pytest.fixture
def gateway(monkeypatch):
    """Return a gateway with a codeunit's procedure and a page, and somebody signed in."""
    gateway = Gateway(monkeypatch)
    gateway.scene.http.on(BC, json_answer({"value": "done"}))
    gateway.scene.integrate()
    gateway.scene.offer()
    gateway.scene.offer(code="PAGE", kind="odata", method="GET", api_url="Items")
    gateway.scene.sign_in()
    return gateway


def sent(gateway):
    """Return the one request that Business Central got."""
    (request,) = gateway.scene.http.sent_to(BC)
    return request


@pytest.mark.parametrize(
    "query",
    [
        "$filter=Name%20eq%20%27a+b%27&$top=5",
        "%24top=5&%24filter=No%20eq%20'1'",
        "a=1&a=2&b=",
        "b=&a&c==&d=%3d",
        "x=%c3%a9&y=%C3%A9&z=%E2%82%AC",
        "plus=+&percent=%25&slash=%2F/&colon=:",
        "$expand=lines($filter=qty gt 1)".replace(" ", "%20"),
    ],
)
def test_query_goes_along_byte_for_byte(gateway, query):
    """What the host's own reading would lose (case, order, repeats, empty values) is all there."""
    answer = gateway.call("GET", f"{PAGE}?{query}")

    assert answer.status_code == 200
    assert sent(gateway).url.partition("?")[2] == query


@pytest.mark.parametrize(
    "query", ["code=a-key&$top=5", "$top=5&CODE=a-key", "gw_anything=1&$top=5&code=a-key"]
)
def test_key_and_own_parameters_stay_here(gateway, query):
    """The service learns neither the caller's key nor what is meant for the gateway."""
    gateway.call("GET", f"{PAGE}?{query}", headers={"x-functions-key": "a-key"})

    request = sent(gateway)
    assert request.url.partition("?")[2] == "$top=5"
    assert "a-key" not in repr((request.url, request.headers, request.body))


@pytest.mark.parametrize("body", [b'{"price": 1.10, "n": 12345678901234567890}', b"", b"\xff\x00"])
def test_body_goes_along_byte_for_byte(gateway, body):
    """Numbers are never reformatted, and what is no JSON is nobody's business."""
    gateway.call("POST", INVOKE, body=body)

    assert (sent(gateway).method, sent(gateway).body or b"") == ("POST", body)


def test_post_runs_the_stored_method(gateway):
    """Power Automate always posts, and always posts something."""
    assert gateway.call("POST", PAGE, {"ignored": True}).status_code == 200

    assert (sent(gateway).method, sent(gateway).body) == ("GET", None)


@pytest.mark.parametrize("status", [200, 201, 202, 400, 403, 404, 409, 412, 429])
def test_answer_comes_back_as_it_is(gateway, status):
    """Status, body and the headers worth having; those of the connection stay here."""
    body = '{ "value":1.10, "name":"\u00e9" }'.encode()
    headers = {
        "content-type": "application/json; odata.metadata=minimal",
        "etag": 'W/"its-etag"',
        "location": "https://api.businesscentral.dynamics.com/somewhere",
        "retry-after": "7",
        "request-id": "their-id",
        "connection": "close",
        "server": "theirs",
        "content-encoding": "gzip",
    }
    gateway.scene.http.on(BC, OutboundAnswer(status, headers, body))

    answer = gateway.call("POST", INVOKE)

    shared = ("Content-Type", "ETag", "Location", "Retry-After", "request-id")
    assert (answer.status_code, answer.data) == (status, body)
    assert {name: answer.headers[name] for name in shared} == {
        name: headers[name.lower()] for name in shared
    }
    assert not {"Connection", "Server", "Content-Encoding"} & set(answer.headers.keys())


def test_request_id_goes_along(gateway):
    """An administrator finds the call in Business Central's telemetry."""
    answer = gateway.call("POST", INVOKE)

    request_id = answer.headers["X-Gateway-Request-Id"]
    assert sent(gateway).headers["client-request-id"] == request_id


def test_list_goes_on_through_the_gateway(gateway):
    """The continuation is a link of ours that a caller follows with the same key."""
    next_link = f"{BC}/v2.0/elsewhere/Items?$skiptoken=2"
    gateway.scene.http.on(
        BC,
        json_answer({"value": [1], "@odata.nextLink": next_link}),
        json_answer({"value": [2]}),
    )

    first = gateway.call("GET", PAGE)
    link = first.json["@odata.nextLink"]
    second = gateway.call("GET", f"{link}&code=a-key")

    assert link.startswith(f"{PUBLIC_URL}{PAGE}?gw_page=")
    assert (first.json["value"], second.json) == ([1], {"value": [2]})
    assert gateway.scene.http.sent_to(BC)[1].url == next_link
