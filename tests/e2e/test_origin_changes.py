"""What an integration is entrusted with stays with whom it was entrusted to.

A changed identity or origin asks for the secret again and drops the tokens; what would lead to
another origin under the name of the old one is never stored.
"""

import pytest

from tests.e2e.foreign.shop import endpoint
from tests.e2e.gateway import problem, refused_at

ATTACKERS_SECRET = "of-the-attacker"

CHANGES = {
    "base_url": "EVIL",
    "base_url-other-name": {"base_url": "http://localhost:1"},
    "authorize_url": "EVIL/authorize",
    "token_url": "EVIL/token",
    "revocation_url": "EVIL/revoke",
    "revocation_url-removed": {"revocation_url": None},
    "tenant_id": "other.example",
    "client_id": "other",
    "grant_type": "client_credentials",
}


@pytest.fixture
def signed_in(gateway, shop):
    """Return the shop with somebody signed in."""
    gateway.store(shop.for_person(), endpoint())
    gateway.sign_in(shop.code)
    return shop


def changed(name, shop, evil):
    """Return a change of CHANGES as a patch."""
    change = CHANGES[name] if isinstance(CHANGES[name], dict) else {name: CHANGES[name]}
    return evil.filled(change, shop)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_changed_identity_asks_for_the_secret(gateway, signed_in, evil, method):
    """Each change is 422 at /client_secret by every route that writes, and leaves all as it was."""
    path = f"integrations/{signed_in.code}"
    before = gateway.manage("GET", path)
    for name in CHANGES:
        patch = changed(name, signed_in, evil)
        answer = gateway.call(method, path, before | patch if method == "PUT" else patch)
        assert refused_at(answer) == ["/client_secret"], name
    assert gateway.manage("GET", path) == before
    assert gateway.invoke(f"{signed_in.code}/ORDERS").status_code == 200


@pytest.mark.parametrize("name", CHANGES)
def test_changed_identity_drops_the_tokens(gateway, signed_in, evil, name):
    """With the secret given again the change is made, and changing back brings no token back."""
    path = f"integrations/{signed_in.code}"
    before = gateway.manage("GET", path)
    patch = changed(name, signed_in, evil) | {"client_secret": ATTACKERS_SECRET}
    stored = gateway.manage("PATCH", path, patch)
    assert (stored["status"], stored["signed_in_as"]) == ("not_authorized", None)
    assert gateway.status(signed_in.code, instance=2)["status"] == "not_authorized"
    gateway.manage("PUT", path, before | {"client_secret": ATTACKERS_SECRET})
    problem(gateway.invoke(f"{signed_in.code}/ORDERS"), 424, "sign_in_required")


ADDRESSES = (
    *("SERVICE@EVIL_HOST", "SERVICE\\@EVIL_HOST", "SERVICE#@EVIL_HOST", "SERVICE @EVIL_HOST"),
    *("SERVICE\t@EVIL_HOST", "SERVICE\r\nHost: EVIL_HOST", "SERVICE//EVIL_HOST/..", "SERVICE/.."),
    *("SERVICE/%2e%2e", "SERVICE/{endpoint}", "SERVICE.evil.example", "//EVIL_HOST", "EVIL_HOST"),
    *("http:EVIL_HOST", "http:/EVIL_HOST", "http:\\\\EVIL_HOST", "ftp://EVIL_HOST", "EVIL\n"),
    *("http://0x7f.1:80", "http://2130706433", "http://\uff11\uff12\uff17.0.0.1", "javascript:1"),
)
TEMPLATES = (
    *("EVIL/{endpoint}", "{endpoint}", "{base_url}@EVIL_HOST/{endpoint}", " {base_url}/{endpoint}"),
    *("{base_url}.EVIL_HOST/{endpoint}", "{base_url}:80/{endpoint}", "{base_url}{endpoint}"),
    *("{base_url}{company}/{endpoint}", "{base_url}\\{endpoint}", "{base_url}/../{endpoint}"),
    *("{base_url}/{endpoint}{base_url}", "{base_url}#{endpoint}", "{base_url}/{token}"),
    *(
        "{base_url}/x?code={client_secret}",
        "{base_url}/x\r\nHost: EVIL_HOST",
        "{base_url}//{endpoint}",
    ),
)


@pytest.mark.parametrize(
    ("field", "texts"),
    [("base_url", ADDRESSES), ("token_url", ADDRESSES), ("url_template", TEMPLATES)],
)
def test_address_that_readers_disagree_about_is_refused(gateway, shop, evil, field, texts):
    """What one reader takes for the old host and another for a new one is never stored."""
    gateway.store(shop.for_person())
    for text in texts:
        body = evil.filled({field: text, "client_secret": "x"}, shop)
        answer = gateway.call("PATCH", f"integrations/{shop.code}", body)
        assert refused_at(answer) == [f"/{field}"], text


@pytest.mark.parametrize("kind", ["codeunit", "odata", "api", "custom"])
def test_api_url_that_would_leave_the_host_is_refused(gateway, shop, evil, kind):
    """No api_url, of whatever kind, leads to another host or out of the base path."""
    gateway.store(shop.for_app())
    path = f"integrations/{shop.code}/endpoints"
    for api_url in (
        *("EVIL/x", "//EVIL_HOST/x", "/x", "../x", "x/../../y", "x/%2e%2e/y", "@EVIL_HOST"),
        *("\\\\EVIL_HOST", "x\\..\\y", "x%2f..%2fy", "x%5cy", "x#y", "x?company=y", "x%3fy"),
        *("x\r\nHost: EVIL_HOST", "x%0d%0ay", "\uff0f\uff0fEVIL_HOST", "x/\u2025/y", "{base_url}"),
    ):
        body = {"code": "X", "kind": kind, "method": "POST", "api_url": api_url}
        answer = gateway.call("POST", path, evil.filled(body, shop))
        assert refused_at(answer) == ["/api_url"], api_url
    assert gateway.manage("GET", path)["value"] == []


def test_credential_or_other_host_in_stored_values_is_refused(gateway, shop, evil):
    """Neither headers, nor queries, nor the vault's other secrets are a way around."""
    gateway.store(shop.for_app(), endpoint())
    refused = [
        ("/endpoints/ORDERS", {"headers": {"Host": "EVIL_HOST"}}, "/headers/Host"),
        ("/endpoints/ORDERS", {"headers": {"X-Forwarded-Host": "x"}}, "/headers/X-Forwarded-Host"),
        ("/endpoints/ORDERS", {"headers": {"X-A": "1\r\nHost: EVIL_HOST"}}, "/headers/X-A"),
        ("/endpoints/ORDERS", {"query": {"x": "1 HTTP/1.1\r\nHost: x"}}, "/query/x"),
        ("", {"query": {"access_token": "x"}}, "/query/access_token"),
    ]
    for name in ("CODE-client-secret", "CODE-tokens", "gateway-seal-key", "x/../y", "x?y"):
        patch = {"client_auth": "certificate", "certificate_name": name}
        refused.append(("", patch, "/certificate_name"))
    for below, patch, pointer in refused:
        path = f"integrations/{shop.code}{below}"
        answer = gateway.call("PATCH", path, evil.filled(patch, shop))
        assert refused_at(answer) == [pointer], patch
