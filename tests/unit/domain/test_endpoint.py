"""What an endpoint may hold."""

import pytest

from shared.domain.documents import to_document
from shared.domain.endpoint import Endpoint, read_endpoint
from tests.builders import COMPANY_ID, endpoint_document, make_endpoint


def problems(**changes):
    """Return what is wrong, by pointer."""
    _, found = read_endpoint(endpoint_document(**changes))
    return {problem.pointer: problem.message for problem in found}


def path_problems(api_url, **changes):
    """Return what is wrong with an OData page of this path."""
    return problems(kind="odata", method="GET", api_url=api_url, **changes)


def test_smallest_document_takes_defaults():
    """A codeunit's procedure needs its code and its name, no more."""
    endpoint, found = read_endpoint({"code": "get_list", "api_url": "GetList"})
    assert found == []
    assert endpoint == Endpoint(code="GET_LIST", api_url="GetList")
    assert (endpoint.method, endpoint.kind, endpoint.timeout_seconds) == ("POST", "codeunit", 100)


def test_document_survives_a_round_trip():
    """What GET gives can be PUT."""
    document = endpoint_document(
        kind="api", method="patch", api_url="items({id})", parameters={"id": "guid"}, read_only=True
    )
    endpoint, _ = read_endpoint(document)
    assert endpoint.method == "PATCH"
    assert read_endpoint(to_document(endpoint)) == (endpoint, [])


def test_all_problems_are_named_at_once():
    """Unknown fields, wrong types and broken rules stand beside each other, in order."""
    found = problems(
        code=None,
        retries=3,
        method="GET",
        api_url="../x",
        api_route="/v2.0",
        company="a\nb",
        timeout_seconds=221,
        headers={"Authorization": "x", "X-Ok": 1},
        query={"company": "x", "$top": "1"},
        parameters={"id": "guid"},
        request_schema={"$ref": "https://evil.example/schema"},
        allowed_query=["$top", 1],
    )
    assert list(found) == [
        "/allowed_query/1",
        "/api_route",
        "/api_url",
        "/code",
        "/company",
        "/headers/X-Ok",
        "/method",
        "/parameters/id",
        "/query/company",
        "/request_schema",
        "/retries",
        "/timeout_seconds",
    ]


MESSAGES = [
    ("kind", {"kind": "soap", "api_url": "a/b"}, "/kind",
     "must be one of codeunit, odata, api, custom"),
    ("parameter type", {"kind": "api", "api_url": "items({id})", "parameters": {"id": "int"}},
     "/parameters/id", "must be one of guid, string, number"),
    ("method", {"method": "HEAD"}, "/method", "must be one of GET, POST, PATCH, PUT, DELETE"),
    ("empty path", {"api_url": ""}, "/api_url", "must not be empty"),
    ("text for yes or no", {"read_only": "yes"}, "/read_only", "must be true or false, not text"),
    ("fraction", {"timeout_seconds": 1.5}, "/timeout_seconds",
     "must be a whole number, not a number with a fraction"),
    ("null for object", {"parameters": None}, "/parameters",
     "must be an object in braces, not null"),
    ("entry of a list", {"encode_parameters": ["a", None]}, "/encode_parameters/1",
     "must be text, not null"),
    ("header", {"headers": {"X": "y" * 201}}, "/headers/X", "must have at most 200 characters"),
    ("codeunit by GET", {"method": "GET"}, "/method",
     "must be POST: Business Central runs a codeunit's procedure by POST only"),
    ("path for a codeunit", {"api_url": "a/b"}, "/api_url",
     "must be the name of a procedure, such as GetWhseShipmentList"),
    ("query in the path", {"kind": "odata", "api_url": "Items?$top=5"}, "/api_url",
     "must not hold a question mark: put fixed parameters into the field query"),
    ("undeclared", {"kind": "api", "api_url": "items({id})"}, "/api_url",
     'holds {id}: declare its type, as in "parameters": {"id": "guid"}'),
    ("not used", {"parameters": {"id": "guid"}}, "/parameters/id", "api_url holds no {id}"),
    ("quotes around text",
     {"kind": "api", "api_url": "Item('{no}')", "parameters": {"no": "string"}}, "/parameters/no",
     "is text: write {no} without quotes, the gateway adds them"),
    ("role with a space", {"allowed_roles": ["Orders.Read", "Sales Person"]}, "/allowed_roles/1",
     "must be an app role's value"),
    ("empty role", {"allowed_roles": [""]}, "/allowed_roles/0", "must be an app role's value"),
    ("client by its name", {"allowed_clients": ["web shop"]}, "/allowed_clients/0",
     "must be an application's client id"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "pointer", "message"), [row[1:] for row in MESSAGES], ids=[r[0] for r in MESSAGES]
)
def test_message_is_plain(changes, pointer, message):
    """One fault gives one message, in words that need no programmer."""
    assert problems(**changes) == {pointer: message}


REAL_PATHS = [
    "Item Card", "Sales_Order", "Customer('10000')", "Kundenübersicht", "Chart_of_Accounts_Excel",
    "SalesOrder(Document_Type='Order',No='101001')", "Company('CRONUS%20USA%2C%20Inc.')/Item",
    "Vendor('V 1')/NAV.Block", "customers/$count", "$metadata", "Items%20%26%20More",
    "companies(9e1b6ea7-0000-4000-8000-000000000001)/items", "Cust. Ledger Entries", "Bank (LCY)",
    "Item('O%27%27Brien')", "a-b_c~d!e", "caf%C3%A9", "v1.0/orders", "orders/", "x=1&y,z", "...",
]  # fmt: skip


@pytest.mark.parametrize("api_url", REAL_PATHS)
def test_real_path_is_accepted(api_url):
    """Pages, keys and actions are accepted as Business Central names them."""
    assert path_problems(api_url) == {}


@pytest.mark.parametrize(
    ("api_url", "parameters"),
    [
        ("salesInvoices({id})/Microsoft.NAV.post", {"id": "guid"}),
        ("items({id})/picture/pictureContent", {"id": "guid"}),
        ("Order(Type={type},No={no})", {"type": "string", "no": "string"}),
        ("Customer('{n}')", {"n": "number"}),
        ("{id}/{id}", {"id": "guid"}),
    ],
)
def test_declared_parameters_are_accepted(api_url, parameters):
    """A parameter may stand anywhere in the path, and more than once."""
    assert path_problems(api_url, parameters=parameters) == {}


HOSTILE_PATHS = [
    "https://evil.example/x", "HTTPS:evil.example", "//evil.example", "/x", "a//b", "///", "..",
    ".", "../x", "a/..", "a/../b", "a/./b", "a/.. /b", "a/%2e%2e/b", "a/.%2E/b", "a/%252e%252e/b",
    "a/..%2fb", "a%2Fb", "a%252fb", "a%5cb", "a\\b", "..\\b", "a/..;/b", "a;b", "a%3bb",
    "@evil.example", "a%40b", "a?company=x", "a%3fb", "a#b", "a%23b", "a\r\nb", "a%0d%0ab", "a\nb",
    "a\0b", "a%00", "a\tb", "a%09b", "a%7fb", "a%c2%85b", "a\u2028b", "a\u202eb", "a%e2%80%aeb",
    "a\ud800b", " a", "a ", "a%", "a%zz", "a%2", "a\uff0fb", "a\u2215b", "a\u2044b", "a\u29f8b",
    "a\u2216b", "a\uff3cb", "\u2024\u2024/b", "a/\u2025/b", "a/.\u2024/b", "\uff0e\uff0e/b",
    "a%ef%bc%8fb", "a/%e2%80%a5/b", "a/%e2%80%a4%e2%80%a4/b", "a%e2%88%95b", "%c0%ae%c0%ae%c0%afb",
    "a%c0%afb", "%e9", "a\uff05b", "a\uff20b", "a\u037eb", 'a"b', "a<b>", "a^b", "a`b", "a|b", "{",
    "a}b", "{}", "{base_url}", "{a b}",
]  # fmt: skip


@pytest.mark.parametrize("api_url", HOSTILE_PATHS, ids=ascii)
@pytest.mark.parametrize("kind", ["codeunit", "odata", "api", "custom"])
def test_hostile_path_is_refused(kind, api_url):
    """No spelling of a scheme, a host, a climb or a line break is stored."""
    assert list(problems(kind=kind, api_url=api_url)) == ["/api_url"]


BATCHES = [
    "$batch", "$BATCH", "$Batch/", "%24batch", "%24%62%61tch", "x/$batch", "$batch%20",
    "\uff04batch", "$\uff42atch", "%EF%BC%84batch", "$batch/x",
]  # fmt: skip


@pytest.mark.parametrize("api_url", BATCHES, ids=ascii)
def test_batch_needs_to_be_unrestricted(api_url):
    """$batch opens the whole service, however it is spelled."""
    assert list(path_problems(api_url)) == ["/api_url"]
    assert path_problems(api_url, unrestricted=True) == {}


@pytest.mark.parametrize(
    "name", ["gw_x", "GW_x", "code", "Company", "tenant", "\uff43\uff4f\uff44\uff45", "a-b", "1a"]
)
def test_reserved_or_malformed_parameter_is_refused(name):
    """A parameter cannot take a name that the gateway reads itself."""
    found = path_problems(f"Item({{{name}}})", parameters={name: "string"})
    assert list(found) == [f"/parameters/{name}"]


REAL_ROUTES = ["v2.0", "beta", "contoso/app1/v1.0", "microsoft/automation/v2.0"]


@pytest.mark.parametrize("route", REAL_ROUTES)
def test_real_api_route_is_accepted(route):
    """Standard and custom routes pass."""
    assert problems(kind="api", method="GET", api_url="items", api_route=route) == {}


HOSTILE_ROUTES = [
    "", "/v2.0", "v2.0/", "a//b", "..", "a/../b", "a/./b", "a/b/c/d/e", "a b", "a%2fb", "a\\b",
    "v2.0\n", "a?b", "a@b", "a:b", "\uff0e\uff0e", "{company}", "https://evil.example",
]  # fmt: skip


@pytest.mark.parametrize("route", HOSTILE_ROUTES, ids=ascii)
def test_hostile_api_route_is_refused(route):
    """A route is a few plain segments."""
    assert list(problems(api_route=route)) == ["/api_route"]


@pytest.mark.parametrize(
    "company", [None, "", "CRONUS Danmark A/S", "O'Brien & Sons, Ltd.", COMPANY_ID]
)
def test_real_company_is_accepted(company):
    """A name or an id, or none."""
    assert problems(company=company) == {}


@pytest.mark.parametrize(
    "company", ["../x", "a/../b", "a\\b", "a\r\nb", "%2e%2e", "a\0"], ids=ascii
)
def test_hostile_company_is_refused(company):
    """A company's name cannot climb out of the path."""
    assert list(problems(company=company)) == ["/company"]


@pytest.mark.parametrize(
    ("method", "read_only", "expected"),
    [("GET", False, False), ("POST", False, True), ("POST", True, False), ("DELETE", False, True)],
)
def test_changes_data_unless_reading(method, read_only, expected):
    """A call changes data unless it is a GET, or said to be read only."""
    assert make_endpoint(method=method, read_only=read_only).changes_data is expected


def test_api_url_is_checked_beside_an_unknown_kind():
    """A mistake in one field does not hide those of another."""
    document = endpoint_document(kind="API", api_url="/customers")

    _, problems = read_endpoint(document)

    assert {problem.pointer for problem in problems} == {"/kind", "/api_url"}
