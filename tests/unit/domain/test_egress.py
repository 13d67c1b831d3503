"""Which URLs may be stored, and which addresses may be connected to."""

import pytest

from shared.domain.egress import EgressPolicy, origin

PUBLIC = EgressPolicy()
ON_PREMISES = EgressPolicy(private_hosts=frozenset({"erp", "erp.contoso.local", "10.0.0.5", "::1"}))
LOCAL = EgressPolicy(allow_insecure=True)

PUBLIC_HOSTS = [
    "api.businesscentral.dynamics.com", "api.businesscentral.dynamics.com.", "a.b",
    "xn--bcher-kva.example", "nav_server.contoso.com", "1and1.com", "3com.4you", "8.8.8.8",
    "[2606:4700:4700::1111]", "erp.contoso.com:7048", "0x.example", "1.2.3.4.example",
]  # fmt: skip

# What a resolver or another parser would take for an address of the machine or its network.
PRIVATE_HOSTS = [
    "localhost", "LOCALHOST", "localhost.", "api.localhost", "erp", "erp.", "erp.local",
    "erp.LOCAL.", "127.0.0.1", "127.1", "127.0.1", "127.0.0.1.", "127.0.0.1..", "2130706433",
    "2130706433.", "0x7f000001", "0x7f.1", "0X7F.0.0.1", "0177.0.0.1", "017700000001",
    "0x7f.0x0.0x0.0x1", "0", "0x", "0.0.0.0", "10.0.0.5", "10.1", "172.16.0.1", "192.168.1.1",  # noqa: S104
    "192.168.257", "100.64.0.1", "169.254.169.254", "169.254.169.254.", "2852039166", "0xa9fea9fe",
    "0xa9.254.43518", "168.63.129.16", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "240.0.0.1", "999.1.1.1", "1.2.3.256", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]", "[fe80::1]", "[fec0::1]", "[fc00::1]", "[fd12::1]", "[ff02::1]",
    "[2001:db8::1]", "[2001::1]", "[100::1]", "[5f00::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", PUBLIC_HOSTS)
def test_public_host_may_be_stored(host):
    """A name in the public DNS, or a public address, by https."""
    assert PUBLIC.url_problem(f"https://{host}/path") is None


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_private_host_may_not_be_stored(host):
    """No spelling of a private, local or reserved address passes."""
    assert PUBLIC.url_problem(f"https://{host}/path") is not None
    assert PUBLIC.url_problem(f"https://{host}:8443") is not None


@pytest.mark.parametrize(
    "host", ["erp", "ERP", "erp.", "erp.contoso.local:7048", "10.0.0.5", "[::1]"]
)
def test_listed_private_host_may_be_stored(host):
    """ALLOWED_PRIVATE_HOSTS opens what it names, and still asks for https."""
    assert ON_PREMISES.url_problem(f"https://{host}/BC230") is None
    assert ON_PREMISES.url_problem(f"http://{host}/BC230") == "must begin with https://"


@pytest.mark.parametrize("host", ["erp2", "x.erp", "erp.contoso.local.example", "10.0.0.6"])
def test_list_of_private_hosts_opens_nothing_else(host):
    """Each name counts as a whole, and only for itself."""
    assert not ON_PREMISES.permits(host, "10.0.0.7")


@pytest.mark.parametrize("url", ["http://127.0.0.1:7092", "http://localhost:7092", "https://erp"])
def test_insecure_upstreams_are_open_on_request(url):
    """ALLOW_INSECURE_UPSTREAMS opens http and private hosts, for the local stack."""
    assert LOCAL.url_problem(url) is None
    assert PUBLIC.url_problem(url) is not None


FORBIDDEN_ALWAYS = [
    "169.254.169.254", "169.254.0.1", "168.63.129.16", "0.0.0.0", "224.0.0.1", "::", "fe80::1",  # noqa: S104
    "fe80::1%eth0", "ff02::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
]  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN_ALWAYS)
def test_platform_addresses_are_never_permitted(address):
    """Neither setting opens the platform's own services."""
    for policy in (PUBLIC, ON_PREMISES, LOCAL):
        assert not policy.permits("erp", address)
        assert not policy.permits("api.businesscentral.dynamics.com", address)


PRIVATE_ADDRESSES = [
    "127.0.0.1", "10.0.0.5", "172.31.255.255", "192.168.0.1", "100.64.0.1", "192.0.0.1",
    "198.19.0.1", "240.0.0.1", "255.255.255.255", "::1", "fc00::1", "fd00::1", "fec0::1",
    "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1",
    "2001:db8::1", "100::1", "4000::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE_ADDRESSES)
def test_private_address_is_permitted_for_listed_hosts_only(address):
    """A public name that resolves to a private address is a trap."""
    assert not PUBLIC.permits("api.businesscentral.dynamics.com", address)
    assert not ON_PREMISES.permits("rebound.example.com", address)
    assert ON_PREMISES.permits("erp", address)
    assert ON_PREMISES.permits("ERP.contoso.local.", address)
    assert LOCAL.permits("localhost", address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "20.50.2.1", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_address_is_permitted(address):
    """What everybody can reach may be reached, also where it is translated to IPv6."""
    assert PUBLIC.permits("api.businesscentral.dynamics.com", address)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example", "https://a.example:443"),
        ("https://a.example:443/x?y", "https://a.example:443"),
        ("HTTPS://A.Example./", "https://a.example:443"),
        ("http://a.example", "http://a.example:80"),
        ("https://a.example:8443", "https://a.example:8443"),
        ("https://[2606:4700::1]:8443/x", "https://2606:4700::1:8443"),
    ],
)
def test_origin_has_one_form(url, expected):
    """Scheme, host and port, whatever the spelling (RFC 6454)."""
    assert origin(url) == expected


MESSAGES = [
    ("http://a.example", "must begin with https://"),
    ("a.example", "must be an absolute URL such as https://api.businesscentral.dynamics.com"),
    ("https://u:p@a.example",
     "must not hold credentials, a query, a fragment, a backslash, a brace or a space"),
    ("https://login.example/{tenant}/token",
     "must not hold credentials, a query, a fragment, a backslash, a brace or a space"),
    ("https://bücher.example", "must be ASCII (use the xn-- form of an international host name)"),
    ("https://localhost", "must be a public host, or one that ALLOWED_PRIVATE_HOSTS names"),
    ("https://127.1", "must give an IP address in its usual form, such as 203.0.113.10"),
    ("https://10.0.0.1", "must not be a private, local or link-local address"),
    ("https://a.example:99999", "is not a valid URL"),
    ("https://a.example:0", "must name a valid host, and a port between 1 and 65535 if any"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "message"), MESSAGES, ids=[row[0] for row in MESSAGES])
def test_message_says_what_to_change(url, message):
    """The message tells an administrator what is wrong with the URL."""
    assert PUBLIC.url_problem(url) == message


def test_query_is_accepted_only_where_asked_for():
    """An authorization endpoint may have a query, a base URL may not."""
    assert PUBLIC.url_problem("https://a.example/x?p=1") is not None
    assert PUBLIC.url_problem("https://a.example/x?p=1", with_query=True) is None
    assert PUBLIC.url_problem("https://a.example/x?p=1#f", with_query=True) is not None
