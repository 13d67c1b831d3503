"""Hostile services: their answers lead nowhere else, stop nothing, and end as a clear 4xx."""

import gzip
import json

import pytest

from tests.e2e.foreign.evil import Evil
from tests.e2e.foreign.provider import Provider
from tests.e2e.foreign.server import Reply
from tests.e2e.foreign.shop import Shop, endpoint
from tests.e2e.foreign.upstream import JSON, Upstream
from tests.e2e.gateway import problem
from tests.e2e.hosts import HostLog
from tests.e2e.processes import INSTANCES

LINK = "@odata.nextLink"


@pytest.fixture(scope="module")
def elsewhere():
    """Return a server that nothing may ever come to."""
    with Evil() as evil:
        yield evil
    assert evil.seen == []


@pytest.fixture(scope="module")
def connected(gateway, stack):
    """Return a shop with a base path of its own; the app must come through unharmed."""
    logs = [HostLog(stack, instance) for instance in INSTANCES]
    with Provider() as provider, Upstream(provider.grants.is_active) as upstream:
        shop = Shop("ANSWERS", gateway.url("callback"), provider, upstream)
        base_url = f"{upstream.url}/base"
        change = endpoint("NEW", method="POST")
        gateway.store(shop.for_app(base_url=base_url), endpoint(), change)
        yield shop
    assert [log.errors() for log in logs] == [[], []]


FOREIGN = [
    *(
        "EVIL/base/orders",
        "//EVIL_HOST/base/orders",
        "HTTP://EVIL_HOST/base/",
        "///EVIL_HOST/base",
    ),
    *("SERVICE@EVIL_HOST/base/orders", "http://x:y@EVIL_HOST/base/", "SERVICE.evil.example/base/"),
    *("SERVICE/elsewhere", "/elsewhere", "SERVICE/basement", "SERVICE/base/../elsewhere"),
    *("SERVICE/base/%2e%2e/elsewhere", "SERVICE/base/..%2felsewhere", "../../../elsewhere"),
    *("SERVICE/base/%252e%252e/x", "SERVICE/base/..\\x", "SERVICE\\@EVIL_HOST/base/"),
    *("SERVICE/base/x\r\nX-Smuggled: 1", "SERVICE/base/\0", "SERVICE/base/\u2028", "http://[::1"),
    *("https://AT_HOST/base/orders", "ftp://AT_HOST/base/", "file:///base/orders"),
    *("javascript:alert(1)", "http://127.0.0.1:1/base/orders", "http://169.254.169.254/base/"),
    *("SERVICE/base/\uff0e\uff0e/x", "http://\u0131.example/base/", "SERVICE:1/base/"),
]


@pytest.mark.parametrize("link", FOREIGN, ids=ascii)
@pytest.mark.parametrize("query", ["", "?gw_all_pages=true"], ids=["page", "all"])
def test_list_that_continues_elsewhere_is_refused(gateway, connected, elsewhere, link, query):
    """The token would go there; so neither the gateway nor its caller ever does."""
    host = connected.upstream.url.removeprefix("http://")
    target = elsewhere.filled(link.replace("AT_HOST", host), connected)
    body = json.dumps({"value": [1], LINK: target}).encode()
    connected.upstream.replies["/base/orders"] = Reply(200, body, JSON)
    connected.upstream.seen.clear()

    answer = gateway.invoke(f"ANSWERS/ORDERS{query}", method="GET")

    problem(answer, 424, "foreign_next_link")
    assert [seen.path for seen in connected.upstream.seen] == ["/base/orders"]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308, 399])
@pytest.mark.parametrize(
    "location", ["EVIL/x", "//EVIL_HOST/x", "/base/other", "", "javascript:alert(1)"]
)
def test_redirect_is_neither_followed_nor_passed_on(
    gateway, connected, elsewhere, status, location
):
    """A client would follow it with the gateway's key."""
    headers = {"Location": elsewhere.filled(location, connected)}
    connected.upstream.replies["/base/orders"] = Reply(status, b"moved", headers)
    connected.upstream.seen.clear()

    for name in ("ORDERS", "NEW"):
        answer = gateway.invoke(f"ANSWERS/{name}")
        problem(answer, 424, "upstream_redirect")
        assert "Location" not in answer.headers

    assert [seen.method for seen in connected.upstream.seen] == ["GET", "POST"]


BODIES = [
    *(b"", b"\0", b"\xff\xfe", b"null", b"[" * 200_000, b'{"@odata.nextLink":', b'{"value": NaN}'),
    *(b'"@odata.nextLink"', b'{"@odata.nextLink": {}}', b'{"@odata.nextLink": "\\ud800"}'),
    *(b'{"value":' * 20_000, b'{"value": [1], "@odata.nextLink": null}', b"<script>1</script>"),
    b'{"error": {"code": "\\u0000", "message": "</script>"}}',
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: ascii(body[:30]))
@pytest.mark.parametrize("query", ["", "?gw_all_pages=true"], ids=["page", "all"])
def test_answer_that_makes_no_sense_comes_back_as_it_is(gateway, connected, body, query):
    """It is the service's answer, and nothing in it can run beside the panel."""
    connected.upstream.replies["/base/orders"] = Reply(200, body, {"Content-Type": "text/html"})

    answer = gateway.invoke(f"ANSWERS/ORDERS{query}", method="GET")

    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_small_answer_that_unpacks_to_a_large_one_is_refused(gateway, connected):
    """What counts is its real size (MAX_ANSWER_BYTES is 300,000 here)."""
    packed = gzip.compress(bytes(10_000_000))
    headers = JSON | {"Content-Encoding": "gzip"}
    connected.upstream.replies["/base/orders"] = Reply(200, packed, headers)

    problem(gateway.invoke("ANSWERS/ORDERS"), 424, "answer_too_large")
