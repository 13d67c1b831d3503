"""Requests that no client library sends: whatever they smuggle never reaches the service."""

import pytest

from dev import sample
from tests.e2e import wire
from tests.e2e.foreign.provider import Provider
from tests.e2e.foreign.shop import Shop, endpoint
from tests.e2e.foreign.upstream import Upstream

TYPED = endpoint("TYPED", api_url="orders({no})", parameters={"no": "string"})
SMUGGLED = "X-Smuggled"


@pytest.fixture(scope="module")
def shop(gateway):
    """Return a shop, connected with a reading, a writing and a typed endpoint."""
    with Provider() as provider, Upstream(provider.grants.is_active) as upstream:
        connected = Shop("HOSTILE", gateway.url("callback"), provider, upstream)
        gateway.store(connected.for_app(), endpoint(), endpoint("NEW", method="POST"), TYPED)
        yield connected


@pytest.fixture
def connected(shop):
    """Return the shop, which has seen nothing yet."""
    shop.upstream.seen.clear()
    return shop


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("http://evil.example/api/invoke/{code}/ORDERS", {400}),
        ("//evil.example/api/invoke/{code}/ORDERS", {404}),
        ("/api/invoke/{code}/ORDERS/../../../../etc", {404}),
        ("/api/invoke/{code}/..%2f..%2fORDERS", {404}),
        ("/api/invoke/{code}/ORDERS%2fNEW", {404}),
        ("/api/invoke/{code}/ORDERS%00", {400, 404}),
        ("/api/invoke/{code}/ORDERS%0d%0aX-Smuggled:%201", {404}),
        ("/api/invoke/{code}/ORDERS;x=1", {404}),
        ("/api/invoke/{code}/ORDERS@evil.example", {404}),
        ("/api/invoke/{code}%0a/ORDERS", {404}),
        ("/api/invoke/{code}/%EF%BC%AFRDERS", {404}),
        ("/api/invoke/{code}/ORDERS#x", {404}),
        ("/api/invoke/{code}/ORDERS?x=a b", {400}),
        ("/api/invoke/{code}/ORDERS?x=\xe9", {400}),
        ("/api/invoke/{code}/ORDERS?x=1\t", {400}),
        ("*", {400}),
        ("/api/invoke/{code}/ORDERS?com%0apany=x", {400}),
        ("/api/invoke/{code}/ORDERS?company%00=x", {400}),
        ("/api/invoke/{code}/TYPED?no=..%2f..%2fadmin", {400}),
        ("/api/invoke/{code}/TYPED?no=%2e%2e", {400}),
        ("/api/invoke/{code}/TYPED?no=x%5c..%5cy", {400}),
        ("/api/invoke/{code}/TYPED?no=x%0d%0aX-Smuggled:%201", {400}),
        ("/api/invoke/{code}/TYPED?no=a&no=b", {400}),
        ("/api/invoke/{code}/TYPED", {400}),
    ],
)
def test_odd_target_is_refused_and_nothing_is_sent(gateway, connected, target, expected):
    """Whatever is no plain name of an endpoint, or no sound query, ends at the gateway."""
    answer = wire.send(gateway.ports.instance(1), target.replace("{code}", connected.code))
    assert answer.status in expected, answer.body
    assert connected.upstream.seen == []


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("ORDERS?x=%0d%0aX-Smuggled:%201", "/orders?x=%0d%0aX-Smuggled:%201"),
        ("ORDERS?x=%00&y=%e2%80%a8", "/orders?x=%00&y=%e2%80%a8"),
        ("ORDERS?x=//evil.example/@a?b", "/orders?x=//evil.example/@a?b"),
        ("TYPED?no=a/b", "/orders('a%2Fb')"),
        ("TYPED?no=O%27Brien)/x?y=%231", "/orders('O%27%27Brien%29%2Fx%3Fy%3D%231')"),
        ("TYPED?no=http://evil.example", "/orders('http%3A%2F%2Fevil.example')"),
    ],
)
def test_odd_value_stays_a_value(gateway, connected, sent, expected):
    """What is a value for the gateway arrives as one value, in its encoded form."""
    answer = wire.send(gateway.ports.instance(1), f"/api/invoke/{connected.code}/{sent}")
    assert answer.status == 200, answer.body
    [seen] = connected.upstream.seen
    assert seen.line == f"GET {expected} HTTP/1.1"
    assert SMUGGLED.lower() not in seen.header_names


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['If-Match: "a"\rX-Smuggled: 1'], {400}),
        (['If-Match: "a"\nX-Smuggled: 1'], {200, 400}),
        (['If-Match: "a"', " X-Smuggled: 1"], {400}),
        (["If-Match: a\0b"], {400}),
        (["Prefer: a\x0bb"], {400}),
        (["Prefer: a\x7fb"], {400}),
        (["Prefer: caf\xe9"], {400}),
        (["Prefer: caf\xc3\xa9"], {400}),
        (["OData-X\x00: 1"], {400}),
        (["Prefer : a"], {400}),
        (["Content-Length: 0", "Transfer-Encoding: chunked"], {400}),
        (["Content-Length: 0", "Content-Length: 5"], {400}),
        (["Host: evil.example"], {400}),
        (["Transfer-Encoding: chunked, identity"], {501}),
        (["Content-Length: -1"], {400}),
    ],
)
def test_smuggled_header_never_reaches_the_service(gateway, connected, lines, expected):
    """Control characters and doubled framing end before the gateway sends anything of them."""
    target = f"/api/invoke/{connected.code}/NEW"
    answer = wire.send(gateway.ports.instance(1), target, *lines, method="POST")
    assert answer.status in expected, answer.body
    assert all(SMUGGLED.lower() not in seen.header_names for seen in connected.upstream.seen)
    assert answer.status == 200 or connected.upstream.seen == []


def test_second_request_inside_a_body_is_part_of_the_body(gateway, connected):
    """A body that looks like a request is passed on as the body it is."""
    hidden = b"GET /admin HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    length = f"Content-Length: {len(hidden)}"
    target = f"/api/invoke/{connected.code}/NEW"
    answer = wire.send(
        gateway.ports.instance(1), target, length, "Content-Type: text/plain",
        method="POST", body=hidden,
    )  # fmt: skip
    assert answer.status == 200
    assert [(seen.line, seen.body) for seen in connected.upstream.seen] == [
        ("POST /orders HTTP/1.1", hidden)
    ]


def test_host_header_of_the_caller_changes_no_address(gateway, connected):
    """Neither the service's host nor the gateway's own links follow what a caller claims."""
    lines = ["X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"]
    sent = wire.send(gateway.ports.instance(1), f"/api/invoke/{connected.code}/ORDERS", *lines)
    assert sent.status == 200
    assert connected.upstream.seen[0].header("Host") == connected.upstream.url.removeprefix(
        "http://"
    )
    listed = wire.send(
        gateway.ports.instance(1), "/api/integrations?limit=1", *lines, key=sample.HOST_KEY
    )
    assert b"evil.example" not in listed.body
