"""The caller's query: what reaches the service, byte for byte, and what is refused or dropped."""

import pytest

from tests.builders import COMPANY_ID
from tests.urls import ACTION, API, HOST, PAGE, ROOT, api, custom, odata, refusal, url

WITH_ID = {"company_id": COMPANY_ID}

UNTOUCHED = [
    ("one option", "$top=5"),
    ("order", "$top=5&$filter=a&$skip=2&$select=b"),
    ("order the other way", "$select=b&$skip=2&$filter=a&$top=5"),
    ("same name twice", "$filter=a&$filter=b"),
    ("encoded in lower case", "$filter=name%20eq%20%27caf%c3%a9%27"),
    ("encoded in upper case", "$filter=name%20eq%20%27caf%C3%A9%27"),
    ("plus", "$filter=name+eq+'a'"),
    ("plus, encoded", "$filter=a%2Bb"),
    ("parentheses and quotes", "$filter=contains(name,'O''Brien')"),
    ("expand", "$expand=salesOrderLines($select=no;$top=5),customer"),
    ("encoded dollar sign", "%24top=5"),
    ("no dollar sign", "top=5"),
    ("empty value", "$filter="),
    ("no value", "flag"),
    ("no name", "=x"),
    ("equals sign in the value", "$filter=a=b"),
    ("colon, slash, question mark", "u=http://x/y?z"),
    ("brackets", "f[a]=1"),
    ("percent sign that encodes nothing", "$filter=100%"),
    ("encoded fragment", "x=%23y"),
    ("encoded line break in a value", "x=a%0D%0Ab"),
    ("encoded twice", "x=%2526"),
    ("bytes that are no UTF-8", "x=%ff%fe"),
    ("skip token", "aid=FIN&$skiptoken=5de545bc-f6f9-ef11-9344-6045bdc8c234"),
    ("names that only resemble", "companyName=x&codes=1&mycompany=y&tenants=2&gwx=1&agw_=2"),
    ("reserved word as a value", "$select=company,tenant&x=company=y"),
]

CLEANED = [
    ("space", "$filter=a eq b", "$filter=a%20eq%20b"),
    ("letters beyond ASCII", "x=café", "x=caf%C3%A9"),
    ("fragment", "x=1#y", "x=1%23y"),
    ("line break", "x=1\r\nHost: evil", "x=1%0D%0AHost:%20evil"),
    ("NUL and tab", "x=\0\t", "x=%00%09"),
    ("quotes and angles", 'x="<>"', "x=%22%3C%3E%22"),
    ("backslash and braces", "x=\\{}|^`", "x=%5C%7B%7D%7C%5E%60"),
    ("empty pairs", "&&a=1&&b=2&", "a=1&b=2"),
    ("question mark before it", "?a=1", "?a=1"),
]

DROPPED = [
    ("key", "code=dev-key"),
    ("key in capitals", "CODE=dev-key"),
    ("key, encoded", "%63o%64e=dev-key"),
    ("key, encoded twice", "%2563ode=dev-key"),
    ("key, full-width", "%EF%BD%83ode=dev-key"),
    ("key without a value", "code"),
    ("key twice", "code=a&code=b"),
    ("page", "gw_page=abc"),
    ("unknown of the gateway", "gw_anything=1"),
    ("gateway's in capitals", "GW_X=1"),
    ("gateway's, encoded", "g%77_x=1"),
]

RESERVED = [
    ("company", "company=Other"),
    ("capitals", "COMPANY=Other"),
    ("mixed case", "CompanY=Other"),
    ("encoded", "%63ompany=Other"),
    ("encoded wholly", "%63%6f%6d%70%61%6e%79=Other"),
    ("encoded twice", "%2563ompany=Other"),
    ("full-width", "\uff43ompany=Other"),
    ("full-width, encoded", "%EF%BD%83ompany=Other"),
    ("space before", "%20company=Other"),
    ("plus before", "+company=Other"),
    ("space after", "company%20=Other"),
    ("no-break space", "company%C2%A0=Other"),
    ("tab", "%09company=Other"),
    ("dollar sign", "$company=Other"),
    ("encoded dollar sign", "%24company=Other"),
    ("dollar sign and space", "$%20company=Other"),
    ("question mark", "?company=Other"),
    ("NUL after", "company%00x=Other"),
    ("line break after", "company%0d%0a=Other"),
    ("without a value", "company"),
    ("empty", "company="),
    ("second in the query", "$top=1&company=Other"),
    ("after a semicolon", "x=1;company=Other"),
    ("after an escaped ampersand", "x=1&amp;company=Other"),
    ("tenant", "tenant=t2"),
    ("tenant, encoded", "%74enant=t2"),
    ("tenant, dollar sign", "$Tenant=t2"),
]


def ids(table):
    """Return the first column, which names the cases."""
    return [row[0] for row in table]


@pytest.mark.parametrize("query", [row[1] for row in UNTOUCHED], ids=ids(UNTOUCHED))
def test_query_goes_on_byte_for_byte(query):
    """Order, encoding and even empty values stay as the caller wrote them."""
    assert url(WITH_ID, api("customers"), query) == f"{API}/customers?{query}"
    assert url(WITH_ID, {}, query) == f"{ACTION}?company={COMPANY_ID}&{query}"


@pytest.mark.parametrize(("query", "expected"), [row[1:] for row in CLEANED], ids=ids(CLEANED))
def test_what_no_url_may_hold_is_encoded(query, expected):
    """A character that would end the query, or the request line, is encoded."""
    assert url(WITH_ID, api("customers"), query) == f"{API}/customers?{expected}"


@pytest.mark.parametrize("query", [row[1] for row in DROPPED], ids=ids(DROPPED))
def test_gateway_parameters_stay_at_the_gateway(query):
    """The function key and all gw_ names never reach the service, nor break its allow list."""
    assert url({}, odata("Items"), query) == f"{PAGE}/Items"
    assert url({}, odata("Items", allowed_query=["$top"]), f"{query}&$top=1&{query}") == (
        f"{PAGE}/Items?$top=1"
    )


@pytest.mark.parametrize("query", [row[1] for row in RESERVED], ids=ids(RESERVED))
def test_company_and_tenant_are_never_the_callers(query):
    """However it is spelled, the caller cannot name company or tenant, not even where allowed."""
    for endpoint in (
        {},
        odata("Items"),
        odata("Items", allowed_query=["company", "$company", "tenant"]),
        custom(),
    ):
        assert refusal({}, endpoint, query) == (400, "query_not_allowed")


FIXED_BY = [
    ("integration", {"query": {"$schemaversion": "2.1"}}, {}, "$schemaversion=2.0"),
    ("integration, no dollar sign", {"query": {"$schemaversion": "2.1"}}, {}, "schemaVersion=2.0"),
    ("endpoint", {}, {"query": {"$filter": "no eq '1'"}}, "$filter=true"),
    ("endpoint, encoded", {}, {"query": {"$filter": "no eq '1'"}}, "%24Filter=true"),
    ("empty value", {}, {"query": {"$filter": ""}}, "$filter=true"),
    ("behind a semicolon", {}, {"query": {"$filter": "no eq '1'"}}, "x=1;%24filter=true"),
    ("inside $expand", {}, {"query": {"$filter": "a"}}, "$expand=lines($select=no;$filter=true)"),
]


@pytest.mark.parametrize(
    ("integration", "endpoint", "query"), [row[1:] for row in FIXED_BY], ids=ids(FIXED_BY)
)
def test_stored_query_cannot_be_overridden(integration, endpoint, query):
    """What a definition fixes, no caller sets again."""
    assert refusal(integration, odata("Items", **endpoint), query) == (400, "query_not_allowed")


def test_stored_query_stands_first_and_is_encoded():
    """Fixed parameters come before the caller's; the endpoint's win over the integration's."""
    owner = {"query": {"$schemaversion": "2.0", "tenant": "a&b"}}
    endpoint = odata("Items", query={"$SchemaVersion": "2.1", "x": "é+ '", "empty": ""})
    assert url(owner, endpoint, "$top=1") == (
        f"{PAGE}/Items?$schemaversion=2.1&tenant=a%26b&x=%C3%A9%2B%20%27&empty=&$top=1"
    )


def test_name_in_the_template_stays_reserved_when_it_drops_out():
    """A caller cannot fill the company's parameter where the integration has no company."""
    owner = {"url_template": "{base_url}/{endpoint}?firm={company}", "company": None}
    assert url(owner, custom()) == f"{HOST}/orders"
    assert refusal(owner, custom(), "firm=Other") == (400, "query_not_allowed")
    assert refusal(owner, custom(), "%46IRM=Other") == (400, "query_not_allowed")


ALLOWED = [
    ("null allows any", None, "$top=1&anything=2", True),
    ("listed", ["$top", "$filter"], "$filter=a&$top=1", True),
    ("listed, other case", ["$top"], "$TOP=1", True),
    ("listed with dollar sign, sent without", ["$top"], "top=1", True),
    ("listed without dollar sign, sent with", ["top"], "%24top=1", True),
    ("not listed", ["$top"], "$filter=a", False),
    ("one of two", ["$top"], "$top=1&$filter=a", False),
    ("empty list", [], "$top=1", False),
    ("nameless", ["$top"], "=1", False),
]


@pytest.mark.parametrize(
    ("allowed_query", "query", "is_allowed"), [row[1:] for row in ALLOWED], ids=ids(ALLOWED)
)
def test_allowed_query_bounds_what_callers_send(allowed_query, query, is_allowed):
    """With a list, only its names pass; without one, all but the reserved ones."""
    endpoint = odata("Items", allowed_query=allowed_query)
    if is_allowed:
        assert url({}, endpoint, query) == f"{PAGE}/Items?{query}"
    else:
        assert refusal({}, endpoint, query) == (400, "query_not_allowed")


def test_refusal_names_the_parameter_and_not_its_value():
    """The caller learns which parameter to leave out; a value may be confidential."""
    with pytest.raises(Exception, match=r"parameter company is not allowed") as caught:
        url({}, odata("Items"), "company=confidential")
    assert "confidential" not in str(caught.value)


def test_no_query_leaves_no_question_mark():
    """A URL without parameters ends with its path."""
    assert url({"company": None}, odata("Items")) == f"{ROOT}/ODataV4/Items"


@pytest.mark.parametrize(
    ("allowed", "query", "is_taken"),
    [
        (["$expand"], "$expand=lines($select=no;$top=5)", False),
        (["$expand", "$top"], "$expand=lines($select=no;$top=5)", True),
        (["x"], "x=1;y=2", False),
        (["x"], "x=1;X=2;", True),
        (None, "$expand=lines($select=no;$top=5)", True),
    ],
)
def test_parts_between_semicolons_are_names_too(allowed, query, is_taken):
    """Some servers split a query there: an allow list holds for them as well."""
    endpoint = odata("Items", allowed_query=allowed)

    if is_taken:
        assert url({}, endpoint, query) == f"{PAGE}/Items?{query}"
    else:
        assert refusal({}, endpoint, query) == (400, "query_not_allowed")


@pytest.mark.parametrize("name", ["gw_compny", "gw_companys", "GW_Compani", "gw_pages"])
def test_misspelt_name_of_the_gateway_is_refused(name):
    """A call that names another company in vain would go to the wrong one."""
    assert refusal(endpoint=odata("X"), query=f"{name}=x") == (400, "query_not_allowed")


def test_other_names_of_the_gateway_are_dropped():
    """Names that begin with gw_ never reach the service."""
    assert "gw_" not in url(endpoint=odata("X"), query="gw_trace=1&gw_x=2")
