"""No definition that was stored and no caller's query leads away from the integration."""

import random
import re
import unicodedata
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from shared.bc_urls import build_url, choose_company
from shared.domain.endpoint import read_endpoint
from shared.domain.errors import GatewayError
from tests.builders import COMPANY, COMPANY_ID, endpoint_document, make_integration
from tests.urls import api, custom, odata, refusal

GUID = "5d115c9c-44e3-ea11-bb43-000d3a2feca1"

BAD_VALUES = [
    ("missing", "guid", "$top=1"),
    ("twice", "guid", f"p={GUID}&p={GUID}"),
    ("twice, spelled otherwise", "guid", f"p={GUID}&%50={GUID}"),
    ("no guid", "guid", "p=1"),
    ("guid in braces", "guid", f"p={{{GUID}}}"),
    ("guid and more", "guid", f"p={GUID})/x("),
    ("guid and a line break", "guid", f"p={GUID}%0A"),
    ("word as number", "number", "p=ten"),
    ("exponent", "number", "p=1e5"),
    ("digits of another script", "number", "p=%D9%A1"),
    ("empty number", "number", "p="),
    ("number and more", "number", "p=1%2Fx"),
    ("line break", "string", "p=a%0D%0Ab"),
    ("NUL", "string", "p=a%00"),
    ("dots", "string", "p=%2F..%2Fx"),
    ("dots encoded twice", "string", "p=%252f%252e%252e%252fx"),
    ("full-width dots", "string", "p=%2F%EF%BC%8E%EF%BC%8E%2Fx"),
    ("backslash", "string", "p=..%5C..%5C"),
]


@pytest.mark.parametrize(
    ("kind", "query"), [row[1:] for row in BAD_VALUES], ids=[row[0] for row in BAD_VALUES]
)
def test_hostile_or_missing_value_is_refused(kind, query):
    """A value that is not of its type never reaches the URL."""
    endpoint = odata("Item({p})", parameters={"p": kind})
    assert refusal(endpoint=endpoint, query=query) == (400, "invalid_parameter")


HOSTILE_PATHS = [
    "https://evil.example/x",
    "//evil.example/x",
    "/x",
    "a//b",
    "../../x",
    "a/../../x",
    "a/%2e%2e/x",
    "a/%252e%252e/x",
    "a%2f..%2fx",
    "a\\b",
    "a%5cb",
    "@evil.example/x",
    "a?company=Other",
    "a#b",
    "a\r\nHost: evil.example",
    "{undeclared}",
    "a{",
    "$batch",
]


@pytest.mark.parametrize("api_url", HOSTILE_PATHS)
def test_hostile_path_is_refused_when_used_too(api_url):
    """A definition that came into the store past the rules makes no URL."""
    for endpoint in (odata(api_url), api(api_url), custom(api_url)):
        assert refusal({"company_id": COMPANY_ID}, endpoint) == (400, "invalid_parameter")


HOSTILE_TEMPLATES = [
    "https://evil.example/{endpoint}",
    "{base_url}.evil.example/{endpoint}",
    "{base_url}@evil.example/{endpoint}",
    "{base_url}:8443/{endpoint}",
    "{base_url}//evil.example/{endpoint}",
    "{base_url}/../{endpoint}",
    "{base_url}/{secret}/{endpoint}",
]


@pytest.mark.parametrize("template", HOSTILE_TEMPLATES)
def test_hostile_template_is_refused_when_used_too(template):
    """The same holds for the integration's template and the endpoint's route."""
    assert refusal({"url_template": template}, custom()) == (400, "invalid_parameter")
    assert refusal({}, odata("Items", api_route="../..")) == (400, "invalid_parameter")


BASES = ("https://api.businesscentral.dynamics.com", "https://erp.contoso.example:7048/BC230/a")
TEMPLATES = (
    None,
    "{base_url}/{environment}/{company}/{endpoint}",
    "{base_url}/x?Company={company}&call={endpoint}",
)
PATH_PIECES = [
    *("a", "Item", "x('1')", "Company('y')", "{id}", "{no}", "{n}", "evil.com", "$batch"),
    *(
        "/",
        "/",
        "/",
        "/",
        "//",
        ".",
        "..",
        "...",
        "\\",
        "@",
        ":",
        ";",
        "?",
        "#",
        "&",
        "=",
        "+",
        "~",
    ),
    *("%2e", "%2E%2e", "%2f", "%252f", "%5c", "%00", "%0d%0a", "%20", "%c3%a9", "http:", "{", "}"),
    *("%c0%ae%c0%ae", "%c0%af", "%ef%bc%8f", "%ef%bc%8e", "%e2%88%95", "%e2%80%a5", " ", "\t"),
    *("\u2024\u2024", "\u2025", "\uff0f", "\uff0e\uff0e", "\u2215", "\u2216", "\u00e9", "\u00bd"),
    *("\r\n", "\0", "\u2028"),
]
QUERY_PIECES = [
    *("id=", "no=", "n=", "gw_company=", "company=", "$company=", "%63ompany=", "tenant="),
    *("code=", "gw_page=", "$top=", "x=", GUID, "10", "CRONUS", "A%2FS", "&", "&", "&", ";", "="),
    *("..", "%2e%2e", "%252e%252e", "/", "%2f", "%252f", "%5c", "\\", "#", "?", "+", "@", "'"),
    *("%00", "%0d%0a", "%27", "%25", "//evil.com", "\uff0f", "\u2025", "\u00e9", "\0", "\r\n"),
]


def test_nothing_leads_off_the_base_path():
    """Whatever the rules let pass, the URL keeps host and base path, and the caller no company."""
    chance, built = random.Random(20240131), 0  # noqa: S311 - a test that repeats itself
    for _ in range(4000):
        endpoint = random_endpoint(chance)
        if endpoint is None:
            continue
        integration = make_integration(
            base_url=chance.choice(BASES),
            url_template=chance.choice(TEMPLATES),
            company_id=chance.choice((None, COMPANY_ID)),
            allowed_companies=chance.choice(([], ["*"])),
        )
        for _ in range(4):
            query = "".join(chance.choices(QUERY_PIECES, k=chance.randint(0, 6)))
            query += f"&id={GUID}&n=-1.5&no={chance.choice(QUERY_PIECES)}"
            try:
                company = choose_company(integration, endpoint, query)
                url = build_url(integration, endpoint, company=company, query=query)
            except GatewayError:
                continue
            built += 1
            assert_stays(url, integration.base_url)
    assert built > 1000


def random_endpoint(chance):
    """Return an endpoint with a random path, or None where the rules refuse it."""
    api_url = "".join(chance.choices(PATH_PIECES, k=chance.randint(1, 3)))
    kinds = {"id": "guid", "no": "string", "n": "number"}
    endpoint, _ = read_endpoint(
        endpoint_document(
            kind=chance.choice(("codeunit", "odata", "api", "custom")),
            api_url=api_url,
            parameters={name: kinds[name] for name in kinds if f"{{{name}}}" in api_url},
        )
    )
    return endpoint


def assert_stays(url, base_url):
    """Check by the standard library and by hand that the URL lies below the base."""
    assert url.isascii()
    assert url.isprintable()
    assert not set(url) & set(' #\\"<>')
    assert url.startswith((f"{base_url}/", f"{base_url}?"))
    assert re.match(r"https://([^/]*)", url)[1] == re.match(r"https://([^/]*)", base_url)[1]
    parts, base = urlsplit(url), urlsplit(base_url)
    assert (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
    assert (parts.hostname, parts.port, parts.username) == (base.hostname, base.port, None)
    path = parts.path
    assert "//" not in path
    for _ in range(3):
        segments = re.split(r"[/\\]", unicodedata.normalize("NFKC", path))
        assert not {"..", "."} & {segment.strip() for segment in segments}
        path = unquote(path)
    names = [name.casefold().lstrip("$") for name, _ in parse_qsl(parts.query)]
    assert names.count("company") <= 1
    assert not {"tenant", "code", "gw_page", "gw_company"} & set(names)


def test_company_of_the_url_is_the_chosen_one():
    """No query makes the company parameter say anything but the company that was chosen."""
    chance = random.Random(7)  # noqa: S311 - a test that repeats itself
    integration, built = make_integration(), 0
    endpoint, _ = read_endpoint(endpoint_document())
    for _ in range(2000):
        query = "".join(chance.choices(QUERY_PIECES, k=chance.randint(0, 6)))
        try:
            company = choose_company(integration, endpoint, query)
            url = build_url(integration, endpoint, company=company, query=query)
        except GatewayError:
            continue
        built += 1
        assert parse_qsl(urlsplit(url).query)[0] == ("company", COMPANY)
    assert built > 500
