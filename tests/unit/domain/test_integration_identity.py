"""Identity providers: which URLs are accepted, and what a change of them voids."""

import msgspec
import pytest

from shared.domain.egress import EgressPolicy
from shared.domain.integration import Integration, read_integration
from tests.builders import integration_document, make_integration

PUBLIC = EgressPolicy()
IDP = "https://idp.example.com"
ENTRA = "https://login.microsoftonline.com"


def problems(policy=PUBLIC, **changes):
    """Return what is wrong, by pointer."""
    _, found = read_integration(integration_document(**changes), policy)
    return {problem.pointer: problem.message for problem in found}


PROVIDERS = [
    ("Google", "https://accounts.google.com/o/oauth2/v2/auth?access_type=offline&prompt=consent",
     "https://oauth2.googleapis.com/token", "https://oauth2.googleapis.com/revoke"),
    ("Okta", "https://contoso.okta.com/oauth2/default/v1/authorize",
     "https://contoso.okta.com/oauth2/default/v1/token",
     "https://contoso.okta.com/oauth2/default/v1/revoke"),
    ("Auth0", "https://contoso.eu.auth0.com/authorize?audience=https://api.contoso.com/",
     "https://contoso.eu.auth0.com/oauth/token", None),
    ("Keycloak", "https://sso.contoso.com:8443/realms/my-realm/protocol/openid-connect/auth",
     "https://sso.contoso.com:8443/realms/my%20realm/protocol/openid-connect/token",
     "https://sso.contoso.com:8443/realms/my-realm/protocol/openid-connect/revoke"),
    ("B2C", "https://contoso.b2clogin.com/contoso.onmicrosoft.com/oauth2/v2.0/authorize?p=B2C_1_in",
     "https://contoso.b2clogin.com/contoso.onmicrosoft.com/oauth2/v2.0/token?p=B2C_1_in", None),
    ("B2C by path", "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_in/oauth2/v2.0/authorize",
     "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_in/oauth2/v2.0/token", None),
    ("Entra with a hint", f"{ENTRA}/organizations/oauth2/v2.0/authorize?domain_hint=contoso.com",
     f"{ENTRA}/organizations/oauth2/v2.0/token", None),
    ("AD FS", "https://adfs.contoso.com/adfs/oauth2/authorize?resource=urn%3abc",
     "https://adfs.contoso.com/adfs/oauth2/token/", None),
    ("Ping", "https://auth.pingone.eu/5d115c9c-44e3-ea11-bb43-000d3a2feca1/as/authorization.oauth2",
     "https://auth.pingone.eu/5d115c9c-44e3-ea11-bb43-000d3a2feca1/as/token.oauth2", None),
    ("Cognito", "https://x.auth.eu-west-1.amazoncognito.com/oauth2/authorize",
     "https://x.auth.eu-west-1.amazoncognito.com/oauth2/token", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("authorize_url", "token_url", "revocation_url"),
    [row[1:] for row in PROVIDERS],
    ids=[row[0] for row in PROVIDERS],
)
def test_real_providers_are_accepted(authorize_url, token_url, revocation_url):
    """The endpoints that providers document pass as they are, and need no tenant."""
    urls = {"authorize_url": authorize_url, "token_url": token_url}
    assert problems(tenant_id="", revocation_url=revocation_url, **urls) == {}


HOSTILE_URLS = [
    ("no URL", "idp.example.com/token"),
    ("no scheme", "//idp.example.com/token"),
    ("other scheme", "file:///etc/passwd"),
    ("script", "javascript:alert(1)"),
    ("unencrypted", "http://idp.example.com/token"),
    ("no host", "https:///token"),
    ("user", "https://idp.example.com@evil.example/token"),
    ("user and password", "https://a:b@evil.example/"),
    ("encoded at sign", "https://idp.example.com%40evil.example/"),
    ("backslash", "https://idp.example.com\\@evil.example/"),
    ("fragment", "https://idp.example.com/token#x"),
    ("line break", "https://idp.example.com/token\r\nHost: evil.example"),
    ("tab", "https://idp.example.com/\ttoken"),
    ("NUL", "https://idp.example.com/token\0"),
    ("space before", " https://idp.example.com/token"),
    ("space", "https://idp.example.com/to ken"),
    ("double slash", "https://idp.example.com//evil.example"),
    ("dots", "https://idp.example.com/a/../token"),
    ("encoded dots", "https://idp.example.com/%2e%2e/token"),
    ("encoded twice", "https://idp.example.com/%252e%252e/token"),
    ("encoded slash", "https://idp.example.com/a%2fb"),
    ("semicolon", "https://idp.example.com/a/..;/token"),
    ("braces", "https://idp.example.com/{tenant}/token"),
    ("umlaut host", "https://idp.exämple.com/token"),
    ("full-width host", "https://idp\uff0eexample.com/token"),
    ("look-alike slash", "https://evil.example\u2215.example.com/token"),
    ("port 0", "https://idp.example.com:0/token"),
    ("port too high", "https://idp.example.com:99999/token"),
    ("port no number", "https://idp.example.com:+1/token"),
    ("port empty", "https://idp.example.com:/token"),
    ("two ports", "https://idp.example.com:443:80/token"),
    ("bracket after name", "https://evil.example[::1]/token"),
    ("name after bracket", "https://[2606:4700::1111]evil.example/token"),
    ("bracket not closed", "https://[::1/token"),
    ("no address in brackets", "https://[v1.x]/token"),
    ("empty label", "https://idp..example.com/token"),
    ("metadata service", "https://169.254.169.254/token"),
    ("local name", "https://localhost/token"),
]


@pytest.mark.parametrize("url", [row[1] for row in HOSTILE_URLS], ids=[r[0] for r in HOSTILE_URLS])
@pytest.mark.parametrize(
    "field", ["base_url", "authorize_url", "token_url", "revocation_url", "redirect_uri"]
)
def test_hostile_url_is_refused(field, url):
    """Every URL of an integration obeys the same rules, whatever client_auth is."""
    assert list(problems(**{field: url})) == [f"/{field}"]
    assert f"/{field}" in problems(client_auth="managed_identity", **{field: url})


QUERIES = [
    "redirect_uri=https://evil.example", "client_id=x", "state=1", "code_challenge=x", "scope=x",
    "p=1&SCOPE=x", "p=1&%73tate=x", "p=1&%2573tate=x", "response_mode=fragment", "nonce=",
    "client_secret=x", "grant_type=password", "p=a b", "p=a#b", "p=a\r\nb", "p=\u00e9",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES, ids=ascii)
@pytest.mark.parametrize("field", ["authorize_url", "token_url"])
def test_query_of_an_identity_url_sets_nothing_that_the_gateway_sets(field, query):
    """A parameter given twice would leave to the provider which one counts."""
    assert list(problems(**{field: f"{IDP}/x?{query}"})) == [f"/{field}"]


@pytest.mark.parametrize("field", ["base_url", "revocation_url", "redirect_uri"])
def test_other_urls_have_no_query(field):
    """Only the authorization and the token endpoint may have one."""
    assert list(problems(**{field: f"{IDP}/x?a=b"})) == [f"/{field}"]


CREDENTIALS = [
    ("tenant", {"tenant_id": ""}, "/tenant_id"),
    ("tenant, only a token URL", {"tenant_id": "", "token_url": f"{IDP}/t"}, "/tenant_id"),
    ("no tenant for the app's own grant",
     {"tenant_id": "", "token_url": f"{IDP}/t", "grant_type": "client_credentials"}, None),
    ("client", {"client_id": ""}, "/client_id"),
    ("certificate", {"client_auth": "certificate"}, "/certificate_name"),
    ("managed identity", {"client_auth": "managed_identity"}, None),
    ("managed identity in a national cloud",
     {"client_auth": "managed_identity",
      "token_url": "https://login.microsoftonline.us/t/oauth2/v2.0/token"}, None),
    ("managed identity elsewhere",
     {"client_auth": "managed_identity", "token_url": f"{IDP}/t"}, "/token_url"),
    ("managed identity at a look-alike",
     {"client_auth": "managed_identity",
      "token_url": "https://login.microsoftonline.com.evil.example/t"}, "/token_url"),
    ("managed identity at another port",
     {"client_auth": "managed_identity", "token_url": f"{ENTRA}:8443/t"}, "/token_url"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "pointer"), [row[1:] for row in CREDENTIALS], ids=[row[0] for row in CREDENTIALS]
)
def test_credentials_are_complete_and_stay_at_home(changes, pointer):
    """What the chosen way to sign in needs is there, and no assertion goes to a stranger."""
    assert list(problems(**changes)) == ([pointer] if pointer else [])


def test_local_stack_may_use_its_own_provider():
    """ALLOW_INSECURE_UPSTREAMS opens plain http and local hosts."""
    here = "http://127.0.0.1:7091"
    urls = {"base_url": here, "authorize_url": f"{here}/a", "token_url": f"{here}/t"}
    policy = EgressPolicy(allow_insecure=True)
    assert problems(policy, client_auth="managed_identity", **urls) == {}


BINDING = {
    "grant_type": "client_credentials",
    "tenant_id": "contoso.com",
    "client_id": "another",
    "base_url": "https://api.evil.example",
    "authorize_url": f"{IDP}/authorize",
    "token_url": f"{IDP}/token",
    "revocation_url": f"{IDP}/revoke",
}
SAME_ORIGIN = {
    "base_url": "HTTPS://API.businesscentral.dynamics.com.:443/v3",
    "authorize_url": f"{ENTRA}/common/oauth2/v2.0/authorize?p=x",
    "token_url": f"{ENTRA}:443/common/oauth2/v2.0/token",
}
FREE = {
    "code": "OTHER", "name": "Other", "api_version": "v3.0", "environment": "UAT", "company": "X",
    "company_id": "9e1b6ea7-0000-4000-8000-000000000002", "service_name": "Other", "scope": "x",
    "redirect_uri": "https://gateway.example.com/api/callback", "client_auth": "certificate",
    "url_template": "{base_url}/{endpoint}", "allowed_companies": ["*"], "query": {"a": "b"},
    "certificate_name": "c", "client_secret_expires_on": None, "max_in_flight": 1,
}  # fmt: skip


@pytest.mark.parametrize("field", BINDING)
def test_binding_changes_with_what_a_secret_was_entrusted_to(field):
    """Another tenant, client, grant or origin voids secret and tokens."""
    assert make_integration(**{field: BINDING[field]}).binding != make_integration().binding


@pytest.mark.parametrize("scheme_or_port", ["http://api.x.example", "https://api.x.example:8443"])
def test_binding_knows_scheme_and_port(scheme_or_port):
    """The same host by another scheme or port is another origin."""
    default = make_integration(base_url="https://api.x.example")
    assert make_integration(base_url=scheme_or_port).binding != default.binding


@pytest.mark.parametrize("changes", [{k: v} for k, v in (FREE | SAME_ORIGIN).items()], ids=str)
def test_binding_stays_with_everything_else(changes):
    """A secret need not be given again for what leaves it with the same parties."""
    assert make_integration(**changes).binding == make_integration().binding


def test_every_field_is_bound_or_free():
    """A new field has to be put into one of the two tables."""
    assert {field.name for field in msgspec.structs.fields(Integration)} == set(BINDING | FREE)
