"""Names that resolve to private addresses: a whole call ends at the door, and says so."""

from __future__ import annotations

import pytest

from shared.domain.egress import EgressPolicy
from shared.domain.transport import NotSent, OutboundRequest
from tests.builders import endpoint_document
from tests.integration.outbound import make_client, resolve_to
from tests.integration.raw_server import RawServer, answer
from tests.scenes import Scene, failure

PRIVATE = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "100.64.0.1", "169.254.169.254", "168.63.129.16", "192.0.2.1", "198.18.0.1"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%1", "fc00::1", "fd12::1"),
    *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:a00:1::", "ff02::1"),
]


def calling(url):
    """Return a gateway whose service has this URL; only the token comes from elsewhere."""
    scene = Scene()
    client = make_client(EgressPolicy())
    scene.http.script(url, lambda request: client.send(request, timeout_seconds=5, max_bytes=1000))
    scene.integrate(base_url=url)
    scene.services.endpoints.create("CRONUS", endpoint_document())
    scene.sign_in()
    return scene


@pytest.mark.parametrize("address", PRIVATE)
def test_call_to_a_name_that_points_inside_is_refused(monkeypatch, address):
    """With ALLOW_INSECURE_UPSTREAMS off; the definition was good when it was stored."""
    with RawServer(answer()) as server:
        scene = calling(f"https://erp.example:{server.port}")
        resolve_to(monkeypatch, address)

        error = failure(scene.invoke)

    assert (error.kind.status, error.kind.code) == (424, "upstream_not_allowed")
    assert server.accepted == 0
    assert "ALLOWED_PRIVATE_HOSTS" in error.hint


def test_url_that_was_stored_when_clear_text_was_allowed_is_refused():
    """The setting counts at each call, not only when a definition is stored."""
    with RawServer(answer()) as server:
        url = f"http://public.example:{server.port}"
        client = make_client(EgressPolicy(private_hosts=frozenset({"public.example"})))
        request = OutboundRequest("POST", url, {"authorization": "Bearer x"}, b"{}")

        with pytest.raises(NotSent) as refused:
            client.send(request, timeout_seconds=5, max_bytes=1000)

    assert refused.value.is_forbidden
    assert server.accepted == 0
