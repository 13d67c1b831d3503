"""Where the gateway may connect to, as a real instance holds it: with ALLOW_INSECURE_UPSTREAMS off.

Names are checked when a definition is stored, the address that they lead to when connecting.
"""

from __future__ import annotations

import json

import pytest

from dev.options import StackOptions
from dev.stack.ports import HOST, free_block
from dev.stack.running import running_stack
from tests.e2e.foreign.names import Names
from tests.e2e.foreign.provider import Provider
from tests.e2e.foreign.shop import Shop, endpoint
from tests.e2e.foreign.tls import speak_tls
from tests.e2e.foreign.upstream import GREETING, Reply, Upstream
from tests.e2e.gateway import Gateway, problem, refused_at

# Names of a private network, which the settings vouch for, and one that anybody can register.
LOGIN, ERP, PUBLIC = "login.corp.example", "erp.corp.example", "erp.example"
METADATA_SERVICE = "169.254.169.254"
PRIVATE = [HOST, "10.1.2.3", "100.64.0.1", "168.63.129.16", METADATA_SERVICE, "::1", "fd12::1"]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """Return what says where names lead."""
    return Names(tmp_path_factory.mktemp("names"))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, names):
    """Return a gateway as it is deployed: it calls https and public addresses, and two names."""
    options = StackOptions(
        port=free_block(1).base,
        state=tmp_path_factory.mktemp("guarded"),
        is_empty=True,
        settings={
            "ALLOW_INSECURE_UPSTREAMS": "false",
            "ALLOWED_PRIVATE_HOSTS": f"{LOGIN},{ERP}",
            "REFRESH_SCHEDULE": "0 0 0 1 1 *",
            **names.settings,
        },
    )
    with running_stack(options) as stack:
        gateway = Gateway(stack.ports)
        yield stack, gateway
        gateway.close()


@pytest.fixture
def shop(guarded, names, code):
    """Return services in the private network, serving: connections end with each answer."""
    stack, gateway = guarded
    provider = Provider()
    upstream = Upstream(provider.grants.is_active)
    speak_tls(provider, stack, LOGIN)
    speak_tls(upstream, stack, ERP)
    greeting = json.dumps(GREETING).encode()
    upstream.replies["/orders"] = Reply(200, greeting, {"Connection": "close"})
    names.point({LOGIN: HOST, ERP: HOST})
    with provider, upstream:
        yield Shop(code, gateway.url("callback"), provider, upstream)


@pytest.fixture
def gateway(guarded):
    """Return that gateway, in the place of the one that the other tests share."""
    return guarded[1]


def refused(gateway, shop):
    """Call the service, which must be refused for its address."""
    document = problem(
        gateway.invoke(f"{shop.code}/ORDERS", method="GET"), 424, "upstream_not_allowed"
    )
    assert (document["source"], document["retryable"]) == ("gateway", False)
    assert "ALLOWED_PRIVATE_HOSTS" in document["hint"]
    return document


@pytest.mark.parametrize("address", PRIVATE)
def test_public_name_that_leads_inside_is_refused_when_it_is_called(gateway, shop, names, address):
    """The definition is good when it is stored; no connection is made, and the address not told."""
    port = shop.upstream.url.rpartition(":")[2]
    gateway.store(shop.for_app(base_url=f"https://{PUBLIC}:{port}"), endpoint())
    names.point({LOGIN: HOST, PUBLIC: address})

    document = refused(gateway, shop)

    assert address not in json.dumps(document)
    assert shop.upstream.seen == []
    assert gateway.status(shop.code)["status"] == "authorized"


def test_name_that_leads_elsewhere_later_is_refused_until_it_leads_back(gateway, shop, names):
    """A name that the settings vouch for may be private, but never the platform's own service."""
    gateway.store(shop.for_app(), endpoint())
    call = {"path": f"{shop.code}/ORDERS", "method": "GET"}

    assert gateway.invoke(**call).json() == GREETING
    names.point({LOGIN: HOST, ERP: METADATA_SERVICE})
    refused(gateway, shop)
    names.point({LOGIN: HOST, ERP: HOST})
    assert gateway.invoke(**call).json() == GREETING

    assert len(shop.upstream.seen) == 2
    assert len(shop.provider.calls("/token")) == 1


def test_provider_whose_name_leads_inside_gets_no_secret(gateway, shop, names):
    """Nothing is sent, and the administrator is told what has to be allowed."""
    gateway.store(shop.for_app(), endpoint())
    names.point({LOGIN: METADATA_SERVICE, ERP: HOST})

    document = problem(
        gateway.invoke(f"{shop.code}/ORDERS", method="GET"), 424, "identity_misconfigured"
    )

    assert "ALLOWED_PRIVATE_HOSTS" in document["hint"]
    assert shop.provider.seen == shop.upstream.seen == []


@pytest.mark.parametrize(
    "url", [f"http://{ERP}", f"https://{HOST}", f"https://{METADATA_SERVICE}", "https://localhost"]
)
def test_address_that_is_private_in_itself_is_not_stored(gateway, shop, url):
    """So that an administrator learns at once what a call would be refused for."""
    definition = shop.for_app(base_url=url)

    assert refused_at(gateway.call("PUT", f"integrations/{shop.code}", definition)) == ["/base_url"]
