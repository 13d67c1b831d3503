"""What an integration may hold, and what a secret is bound to."""

import pytest

from shared.domain.documents import to_document
from shared.domain.egress import EgressPolicy
from shared.domain.integration import Integration, read_integration
from tests.builders import CLIENT_ID, COMPANY_ID, TENANT_ID, integration_document

PUBLIC = EgressPolicy()
IDP = "https://idp.example.com"


def problems(**changes):
    """Return what is wrong, by pointer."""
    _, found = read_integration(integration_document(**changes), PUBLIC)
    return {problem.pointer: problem.message for problem in found}


def read(**changes):
    """Return the integration, which must be accepted."""
    integration, found = read_integration(integration_document(**changes), PUBLIC)
    assert found == []
    return integration


def test_smallest_document_takes_defaults():
    """Only code, tenant and client are needed; the rest has Business Central's defaults."""
    document = {"code": "bc", "tenant_id": TENANT_ID, "client_id": CLIENT_ID}
    integration, found = read_integration(document, PUBLIC)
    assert found == []
    assert integration == Integration(code="BC", tenant_id=TENANT_ID, client_id=CLIENT_ID)
    assert integration.base_url == "https://api.businesscentral.dynamics.com"


def test_document_survives_a_round_trip():
    """What GET gives can be PUT."""
    integration = read(
        company_id=COMPANY_ID, client_secret_expires_on="2027-01-31", query={"a": "b"}
    )
    assert read_integration(to_document(integration), PUBLIC) == (integration, [])


def test_all_problems_are_named_at_once():
    """Unknown fields, wrong types and broken rules stand beside each other, in order."""
    found = problems(
        code="1st",
        color="red",
        base_url="https://a@b.example",
        environment="../Sandbox",
        grant_type="password",
        max_in_flight="5",
        allowed_companies=["CRONUS", 7, "../x"],
        query={"company": "x", "ok": "y", "n": 1},
        company_id="CRONUS",
        client_id="",
        token_url="http://idp.example.com/token",
    )
    assert list(found) == [
        "/allowed_companies/1",
        "/base_url",
        "/client_id",
        "/code",
        "/color",
        "/company_id",
        "/environment",
        "/grant_type",
        "/max_in_flight",
        "/query/n",
        "/token_url",
    ]


MESSAGES = [
    ("unknown field", {"colour": 1}, "/colour", "is not a field that the gateway knows"),
    ("number for text", {"name": 5}, "/name", "must be text, not a whole number"),
    ("null for text", {"base_url": None}, "/base_url", "must be text, not null"),
    ("number for text or null", {"company": 1.5}, "/company",
     "must be text or null, not a number with a fraction"),
    ("text for number", {"max_in_flight": "5"}, "/max_in_flight",
     "must be a whole number, not text"),
    ("too small", {"max_in_flight": 0}, "/max_in_flight", "must be at least 1"),
    ("too large", {"max_in_flight": 101}, "/max_in_flight", "must be at most 100"),
    ("too long", {"name": "x" * 201}, "/name", "must have at most 200 characters"),
    ("no choice", {"client_auth": "none"}, "/client_auth",
     "must be one of client_secret, client_secret_basic, certificate, managed_identity"),
    ("text for list", {"allowed_companies": "*"}, "/allowed_companies",
     "must be a list in brackets, not text"),
    ("list for object", {"query": []}, "/query",
     "must be an object in braces, not a list in brackets"),
    ("entry of an object", {"query": {"a/b": True}}, "/query/a~1b",
     "must be text, not true or false"),
    ("no date", {"client_secret_expires_on": "31.12.2026"}, "/client_secret_expires_on",
     "must be a date such as 2026-12-31"),
    ("code", {"code": "A-B"}, "/code",
     "must be a letter followed by up to 49 letters, digits or underscores"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "pointer", "message"), [row[1:] for row in MESSAGES], ids=[r[0] for r in MESSAGES]
)
def test_message_is_plain(changes, pointer, message):
    """A message names the place and the way out, in words that need no programmer."""
    assert problems(**changes) == {pointer: message}


def test_missing_fields_are_named():
    """An empty document says what an integration needs."""
    _, found = read_integration({}, PUBLIC)
    assert [problem.pointer for problem in found] == ["/client_id", "/code", "/tenant_id"]
    assert "is required" in found[1].message


@pytest.mark.parametrize(
    ("code", "stored"),
    [("cronus", "CRONUS"), ("Cronus_1", "CRONUS_1"), ("a", "A"), ("A" * 50, "A" * 50)],
)
def test_code_is_folded(code, stored):
    """Lower case is as good as upper case."""
    assert read(code=code).code == stored


@pytest.mark.parametrize(
    "code",
    ["", "1A", "_A", "A-B", "A B", "A\n", "Ä", "ß", "\u212a", "\uff21", "A" * 51, "A/B", "A."],
)
def test_malformed_code_is_refused(code):
    """Only ASCII letters, digits and underscores: codes become keys, URLs and secret names."""
    assert list(problems(code=code)) == ["/code"]


HOSTILE_SEGMENTS = [
    "..", ".", "../x", "a/b", "a\\b", "a%2fb", "%2e%2e", "%252e", "a?b", "a#b", "a@b", "a:b", "a;b",
    "a\r\nb", "a\0", "a\tb", " a", "a ", "a\u2028b", "a\u200bb", "\u2024\u2024", "\u2025",
    "a\uff0fb", "a\u2215b", "a\u2044b", "\uff0e\uff0e", "a\uff05b", "https://evil.example",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE_SEGMENTS, ids=ascii)
@pytest.mark.parametrize("field", ["tenant_id", "environment", "service_name", "api_version"])
def test_field_cannot_leave_its_segment(field, value):
    """A field that becomes a segment of the path holds nothing that ends or climbs it."""
    assert list(problems(**{field: value})) == [f"/{field}"]


REAL = [
    {"tenant_id": "contoso.onmicrosoft.com"},
    {"tenant_id": "common"},
    {"tenant_id": "tenant_1"},
    {"environment": "Sandbox-UAT_2"},
    {"environment": "UAT 2"},
    {"service_name": "Lager & Versand (neu)"},
    {"service_name": "Überweisung"},
    {"company": "CRONUS Danmark A/S"},
    {"company": "O'Brien & Sons, Ltd."},
    {"company": "Müller / Söhne #1 100% @home"},
    {"company": "株式会社Ａ"},
    {"company": ""},
    {"company": None, "company_id": None, "scope": None, "certificate_name": None},
    {"company": COMPANY_ID},
    {"allowed_companies": ["*"]},
    {"allowed_companies": ["CRONUS Danmark A/S", COMPANY_ID]},
    {"api_version": "", "environment": "", "base_url": "https://erp.contoso.com:7048/BC230/"},
    {"query": {"tenant": "default", "$schemaversion": "2.1", "sap-client": "100"}},
    {"client_id": "1234.apps.googleusercontent.com", "scope": "https://x.example/auth/y openid"},
    {"certificate_name": "BC-gateway-2027", "client_auth": "certificate"},
    {"certificate_name": "gateway-cert"},
    {"url_template": "{base_url}/{endpoint}"},
]


@pytest.mark.parametrize("changes", REAL, ids=ascii)
def test_real_names_are_accepted(changes):
    """What companies, environments and services are really called passes."""
    assert problems(**changes) == {}


REFUSED = [
    ("company", "x/../y"), ("company", "..\\y"), ("company", "a\nb"), ("company", "x%2f%2e%2e%2fy"),
    ("company", "x\u2215\uff0e\uff0e\u2215y"), ("company_id", "CRONUS"), ("company_id", ""),
    ("company_id", f"{{{COMPANY_ID}}}"), ("company_id", f"{COMPANY_ID}\n"), ("name", "a\r\nb"),
    ("client_id", "a\nb"), ("scope", "a\r\nb"), ("certificate_name", "../secrets/x"),
    ("certificate_name", "CRONUS-client-secret"), ("certificate_name", "cronus-TOKENS"),
    ("certificate_name", "gateway-seal-key"), ("certificate_name", "a_b"), ("url_template", ""),
    ("url_template", "https://evil.example/{endpoint}"), ("base_url", ""), ("token_url", ""),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), REFUSED, ids=ascii)
def test_hostile_value_is_refused(field, value):
    """Ways out of the path, line breaks and foreign secrets are refused, at their own field."""
    assert list(problems(**{field: value})) == [f"/{field}"]


def test_hostile_allowed_company_is_refused_by_its_place():
    """An entry of a list is named by its index."""
    assert list(problems(allowed_companies=["A", "../x"])) == ["/allowed_companies/1"]
    assert list(problems(query={"api_key": "x"})) == ["/query/api_key"]
