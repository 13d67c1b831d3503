"""The URL of a call, for every kind of endpoint, company and parameter."""

import pytest

from shared.bc_urls import Company, build_url, companies_url, needs_company_id, provisional_url
from tests.builders import COMPANY_ID, TENANT_ID, make_endpoint, make_integration
from tests.urls import ACTION, API, CRONUS, HOST, PAGE, ROOT, api, custom, odata, refusal, url

GUID = "5d115c9c-44e3-ea11-bb43-000d3a2feca1"
OTHER_ID = "9e1b6ea7-0000-4000-8000-000000000002"

ON_PREMISES = {
    "base_url": "https://erp.contoso.example:7048/BC230",
    "api_version": "",
    "tenant_id": "",
    "environment": "",
}
WITH_ID = {"company_id": COMPANY_ID}
NO_COMPANY = {"company": None}

NO_VERSION = ACTION.replace("/v2.0/", "/")
FORMS = [
    ("codeunit", {}, {}, f"{ACTION}?company={CRONUS}"),
    ("codeunit, company by id", WITH_ID, {}, f"{ACTION}?company={COMPANY_ID}"),
    ("codeunit, no company", NO_COMPANY, {}, ACTION),
    ("codeunit, empty company", {"company": ""}, {}, ACTION),
    ("codeunit, no service name", {"service_name": "", **NO_COMPANY}, {},
     f"{ROOT}/ODataV4/GetWhseShipmentList"),
    ("codeunit, no api version", {"api_version": "", **NO_COMPANY}, {}, NO_VERSION),
    ("codeunit, sandbox", {"environment": "UAT 2", **NO_COMPANY}, {},
     ACTION.replace("Production", "UAT%202")),
    ("codeunit, tenant by domain", {"tenant_id": "cronus.onmicrosoft.com", **NO_COMPANY}, {},
     ACTION.replace(TENANT_ID, "cronus.onmicrosoft.com")),
    ("codeunit, umlauts", {"service_name": "Über", **NO_COMPANY}, {"api_url": "Prüfe"},
     f"{ROOT}/ODataV4/%C3%9Cber_Pr%C3%BCfe"),
    ("page", {}, odata("Sales_Order"), f"{PAGE}/Sales_Order"),
    ("page, company by id", WITH_ID, odata("Sales_Order"),
     f"{ROOT}/ODataV4/Company(Id={COMPANY_ID})/Sales_Order"),
    ("page, no company", NO_COMPANY, odata("Company"), f"{ROOT}/ODataV4/Company"),
    ("page with a space", {}, odata("Item Card"), f"{PAGE}/Item%20Card"),
    ("page with a key", {}, odata("Customer('10000')"), f"{PAGE}/Customer('10000')"),
    ("page with a composite key", {}, odata("SalesOrder(Document_Type='Order',No='101001')"),
     f"{PAGE}/SalesOrder(Document_Type='Order',No='101001')"),
    ("page with a bound action", {}, odata("Vendor('V 1')/NAV.Block", method="POST"),
     f"{PAGE}/Vendor('V%201')/NAV.Block"),
    ("page with umlauts", {}, odata("Bücher"), f"{PAGE}/B%C3%BCcher"),
    ("page, encoded already", {}, odata("Item%20Card"), f"{PAGE}/Item%20Card"),
    ("metadata", NO_COMPANY, odata("$metadata"), f"{ROOT}/ODataV4/$metadata"),
    ("api", WITH_ID, api("customers"), f"{API}/customers"),
    ("api, company by id in company", {"company": COMPANY_ID}, api("customers"),
     f"{API}/customers"),
    ("api, company of the endpoint", {}, api("items", company=COMPANY_ID), f"{API}/items"),
    ("api, custom route", WITH_ID, api("routes", api_route="contoso/app1/v1.0"),
     f"{API}/routes".replace("api/v2.0", "api/contoso/app1/v1.0")),
    ("api, automation route", WITH_ID, api("users", api_route="microsoft/automation/v2.0"),
     f"{API}/users".replace("api/v2.0", "api/microsoft/automation/v2.0")),
    ("api, beta", WITH_ID, api("items", api_route="beta"),
     f"{API}/items".replace("api/v2.0", "api/beta")),
    ("api, count", WITH_ID, api("customers/$count"), f"{API}/customers/$count"),
    ("api, batch", WITH_ID, api("$batch", method="POST", unrestricted=True), f"{API}/$batch"),
    ("on-premises codeunit", {**ON_PREMISES, **NO_COMPANY}, {},
     "https://erp.contoso.example:7048/BC230/ODataV4/APICodeunits_GetWhseShipmentList"),
    ("on-premises tenant", {**ON_PREMISES, **NO_COMPANY, "query": {"tenant": "t 1"}}, {},
     "https://erp.contoso.example:7048/BC230/ODataV4/APICodeunits_GetWhseShipmentList?tenant=t%201"),
    ("on-premises page", ON_PREMISES, odata("Items"),
     f"https://erp.contoso.example:7048/BC230/ODataV4/Company('{CRONUS}')/Items"),
    ("on-premises api", ON_PREMISES | WITH_ID, api("items"),
     f"https://erp.contoso.example:7048/BC230/api/v2.0/companies({COMPANY_ID})/items"),
]  # fmt: skip

SWAPPED = (
    "{base_url}/{api_version}/{environment}/{tenant_id}/APICodeunits_{endpoint}?Company={company}"
)
TEMPLATES = [
    ("swapped layout", SWAPPED, {}, "GetList",
     f"v2.0/Production/{TENANT_ID}/APICodeunits_GetList?Company={CRONUS}"),
    ("plain layout", "{base_url}/{endpoint}", {}, "a/b", "a/b"),
    ("no template", None, {}, "a/b", "a/b"),
    ("empty fields drop out", "{base_url}/{environment}/x/{endpoint}", {"environment": ""}, "a",
     "x/a"),
    ("empty parameters drop out", "{base_url}/{endpoint}?c='{company}'&v=1", NO_COMPANY, "a",
     "a?v=1"),
    ("id where only it is known", "{base_url}/{company}/{endpoint}", WITH_ID | NO_COMPANY, "a",
     f"{COMPANY_ID}/a"),
    ("id", "{base_url}/c({company_id})/{endpoint}", WITH_ID, "a", f"c({COMPANY_ID})/a"),
    ("endpoint in the query", "{base_url}/run?action={endpoint}", {}, "a+b&c=d",
     "run?action=a%2Bb%26c%3Dd"),
    ("base path", "{base_url}/{endpoint}", {"base_url": f"{HOST}/rest/v3"}, "o", "rest/v3/o"),
    ("route and service", "{base_url}/{api_route}/{service_name}/{endpoint}", {}, "o",
     "v2.0/APICodeunits/o"),
    ("trailing slash", "{base_url}/{endpoint}/", {}, "o", "o/"),
]  # fmt: skip

COMPANIES = [
    ("O'Brien & Sons, Ltd.", "O%27%27Brien%20%26%20Sons%2C%20Ltd."),
    ("CRONUS Danmark A/S", "CRONUS%20Danmark%20A%2FS"),
    ("Müller & Söhne GmbH", "M%C3%BCller%20%26%20S%C3%B6hne%20GmbH"),
    ("100% Bio + Co. #1?", "100%25%20Bio%20%2B%20Co.%20%231%3F"),
    ("株式会社", "%E6%A0%AA%E5%BC%8F%E4%BC%9A%E7%A4%BE"),
    ("a=b;c", "a%3Db%3Bc"),
]


@pytest.mark.parametrize(
    ("integration", "endpoint", "expected"), [row[1:] for row in FORMS], ids=[r[0] for r in FORMS]
)
def test_each_kind_has_its_form(integration, endpoint, expected):
    """The URL has the form that Business Central documents for the kind."""
    assert url(integration, endpoint) == expected


@pytest.mark.parametrize(
    ("template", "integration", "api_url", "expected"),
    [row[1:] for row in TEMPLATES],
    ids=[row[0] for row in TEMPLATES],
)
def test_template_is_filled(template, integration, api_url, expected):
    """A custom template takes the integration's fields, and what is empty drops out."""
    assert url({"url_template": template, **integration}, custom(api_url)) == f"{HOST}/{expected}"


@pytest.mark.parametrize(("name", "literal"), COMPANIES, ids=[row[0] for row in COMPANIES])
def test_company_name_is_encoded_for_its_place(name, literal):
    """A name is an OData literal in a path, and plain text in a query: no doubled apostrophe."""
    assert url({"company": name}, odata("Items")) == f"{ROOT}/ODataV4/Company('{literal}')/Items"
    assert url({"company": name}) == f"{ACTION}?company={literal.replace('%27%27', '%27')}"


BY_NAME = f"{ACTION}?company=O%27Brien"
CHOICES = [
    ("own name", {}, "CRONUS+USA,+Inc.", f"{ACTION}?company={CRONUS}"),
    ("own name keeps the id", WITH_ID, "CRONUS%20USA,%20Inc.", f"{ACTION}?company={COMPANY_ID}"),
    ("own id in capitals", WITH_ID, COMPANY_ID.upper(), f"{ACTION}?company={COMPANY_ID}"),
    ("listed name", {"allowed_companies": ["O'Brien"]}, "O%27Brien", BY_NAME),
    ("listed id", {"allowed_companies": [OTHER_ID.upper()]}, OTHER_ID,
     f"{ACTION}?company={OTHER_ID}"),
    ("any", {"allowed_companies": ["*"]}, "O'Brien", BY_NAME),
    ("any with a slash", {"allowed_companies": ["*"]}, "A%2FS", f"{ACTION}?company=A%2FS"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("integration", "choice", "expected"), [row[1:] for row in CHOICES], ids=[r[0] for r in CHOICES]
)
def test_allowed_company_can_be_chosen(integration, choice, expected):
    """gw_company chooses the company, however its name is spelled, and stays at the gateway."""
    for name in ("gw_company", "GW_Company", "%67w%5fcompany"):
        assert url(integration, query=f"{name}={choice}") == expected


ANY = {"allowed_companies": ["*"]}
NOT_CHOOSABLE = [
    ("not listed", {}, {}, "gw_company=Other"),
    ("other case", {"allowed_companies": ["Other"]}, {}, "gw_company=OTHER"),
    ("name of a listed id", {"allowed_companies": [OTHER_ID]}, {}, "gw_company=Other"),
    ("empty", ANY, {}, "gw_company="),
    ("twice", ANY, {}, "gw_company=A&gw_company=A"),
    ("twice, spelled otherwise", ANY, {}, "gw_company=A&GW%5FCOMPANY=B"),
    ("endpoint has its own", ANY, {"company": "Mine"}, "gw_company=Other"),
    ("endpoint's own", ANY, {"company": "Mine"}, "gw_company=Mine"),
    ("way out of the path", ANY, {}, "gw_company=..%2F..%2Fx"),
    ("way out, encoded twice", ANY, {}, "gw_company=x%252f%252e%252e%252fy"),
    ("backslash", ANY, {}, "gw_company=..%5Cx"),
    ("line break", ANY, {}, "gw_company=A%0D%0AHost:x"),
    ("star", {}, {}, "gw_company=*"),
]


@pytest.mark.parametrize(
    ("integration", "endpoint", "query"),
    [row[1:] for row in NOT_CHOOSABLE],
    ids=[row[0] for row in NOT_CHOOSABLE],
)
def test_other_company_cannot_be_chosen(integration, endpoint, query):
    """Only what allowed_companies lists can be chosen, and never against the endpoint's own."""
    assert refusal(integration, endpoint, query) == (403, "company_not_allowed")


def test_endpoint_company_wins():
    """The endpoint's company stands before the integration's company and id."""
    assert url(WITH_ID, {"company": "O'Brien"}) == BY_NAME
    assert url(WITH_ID, {"company": OTHER_ID}) == f"{ACTION}?company={OTHER_ID}"


A_GUID = {"id": "guid"}
A_TEXT = {"no": "string"}
A_NUMBER = {"n": "number"}
PARAMETERS = [
    ("guid", "items({id})", A_GUID, f"id={GUID}", f"items({GUID})"),
    ("guid in capitals", "items({id})", A_GUID, f"ID={GUID.upper()}", f"items({GUID.upper()})"),
    ("bound action", "orders({id})/Microsoft.NAV.post", A_GUID, f"id={GUID}",
     f"orders({GUID})/Microsoft.NAV.post"),
    ("picture", "items({id})/picture/pictureContent", A_GUID, f"id={GUID}",
     f"items({GUID})/picture/pictureContent"),
    ("text", "Item({no})", A_TEXT, "no=1000", "Item('1000')"),
    ("text with an apostrophe", "Item({no})", A_TEXT, "no=O'Brien", "Item('O%27%27Brien')"),
    ("text that closes the key", "Item({no})", A_TEXT, "no=1')/x('",
     "Item('1%27%27%29%2Fx%28%27%27')"),
    ("text with plus and space", "Item({no})", A_TEXT, "no=a+b%2Bc", "Item('a%20b%2Bc')"),
    ("text with a slash", "Item({no})", A_TEXT, "no=1896%2FS", "Item('1896%2FS')"),
    ("text with marks", "Item({no})", A_TEXT, "no=%25%3F%23%3B%40", "Item('%25%3F%23%3B%40')"),
    ("empty text", "Item({no})", A_TEXT, "no=", "Item('')"),
    ("text in umlauts", "Item({no})", A_TEXT, "no=%C3%BC", "Item('%C3%BC')"),
    ("number", "Line({n})", A_NUMBER, "n=10000", "Line(10000)"),
    ("negative fraction", "Line({n})", A_NUMBER, "n=-1.50", "Line(-1.50)"),
    ("two", "Order(No={no},Line={n})", A_TEXT | A_NUMBER, "n=1&no=A", "Order(No='A',Line=1)"),
    ("one in two places", "Item({no})/x({no})", A_TEXT, "no=A", "Item('A')/x('A')"),
    ("rest of the query stays", "Item({no})", A_TEXT, "$top=1&no=A&x=2", "Item('A')?$top=1&x=2"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("api_url", "parameters", "query", "expected"),
    [row[1:] for row in PARAMETERS],
    ids=[row[0] for row in PARAMETERS],
)
def test_parameter_becomes_a_literal(api_url, parameters, query, expected):
    """A parameter leaves the query and stands in the path as an OData literal of its type."""
    endpoint = odata(api_url, parameters=parameters)
    assert url(endpoint=endpoint, query=query) == f"{PAGE}/{expected}"


def test_id_is_needed_only_where_the_url_names_it():
    """Only API pages, and templates that say so, make the gateway look the id up."""
    by_id = make_integration(url_template="{base_url}/{company_id}/{endpoint}")
    assert needs_company_id(make_integration(), make_endpoint(**api("items")))
    assert needs_company_id(by_id, make_endpoint(**custom()))
    assert not needs_company_id(by_id, make_endpoint())
    assert not needs_company_id(make_integration(), make_endpoint(**odata("Items")))


def test_unknown_id_never_means_the_default_company():
    """Where the URL names the company by id and none is known, there is no URL."""
    by_id = {"url_template": "{base_url}/{company_id}/{endpoint}"}
    assert refusal({}, api("items")) == (424, "company_not_found")
    assert refusal(NO_COMPANY, api("items")) == (424, "company_not_found")
    assert refusal(by_id, custom()) == (424, "company_not_found")
    assert url(by_id | NO_COMPANY, custom()) == f"{HOST}/orders"


def test_name_stands_provisionally_for_an_unknown_id():
    """And for no id that is known, nor where the URL can do without."""
    owner, by_name = make_integration(), Company(name="CRONUS USA, Inc.")
    by_both = Company(name="CRONUS USA, Inc.", id=COMPANY_ID)
    needing, other = make_endpoint(**api("items")), make_endpoint(**odata("items"))

    assert (
        provisional_url(owner, needing, company=by_name)
        == API.replace(COMPANY_ID, CRONUS) + "/items"
    )
    assert provisional_url(owner, needing, company=by_both) == f"{API}/items"
    assert provisional_url(owner, other, company=by_name) == f"{PAGE}/items"


def test_looked_up_id_goes_beside_the_name():
    """An id that was looked up serves as well as a stored one."""
    company = Company(name="CRONUS USA, Inc.", id=COMPANY_ID)
    built = build_url(make_integration(), make_endpoint(**api("items")), company=company)
    assert built == f"{API}/items"


def test_companies_are_listed_where_the_integration_is():
    """The list of companies takes the integration's root and its fixed query."""
    on_premises = make_integration(**ON_PREMISES, query={"tenant": "t1"})
    assert companies_url(make_integration()) == f"{ROOT}/api/v2.0/companies"
    assert (
        companies_url(on_premises)
        == "https://erp.contoso.example:7048/BC230/api/v2.0/companies?tenant=t1"
    )
