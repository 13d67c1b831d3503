"""Reading through the gateway: whole lists, versions of records, files, replicas, who may read."""

import base64
import json

import pytest

from dev.demo.gateway_client import http_session
from dev.demo.warehouse_definitions import CUSTOMERS, integration
from dev.host.easy_auth import ADMINISTRATOR_ROLE
from dev.stack.ports import url
from tests.e2e.foreign.server import Reply
from tests.e2e.foreign.shop import endpoint
from tests.e2e.foreign.upstream import JSON
from tests.e2e.gateway import problem, refused_at
from tests.e2e.standing import STANDING

LINK = "@odata.nextLink"
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
CUSTOMER = CUSTOMERS | {
    "code": "CUSTOMER",
    "api_url": "customers({id})",
    "parameters": {"id": "guid"},
}
RENAME = CUSTOMER | {"code": "RENAME", "method": "PATCH"}


def page(rows, then=None):
    """Return a page of rows that are given as JSON texts; `then` is the next page's link."""
    link = f', "{LINK}": {json.dumps(then)}' if then else ""
    return Reply(200, f'{{"value": [{",".join(rows)}]{link}}}'.encode(), JSON)


def read(gateway, code, query="", **options):
    """Read the endpoint of a shop, which must succeed."""
    answer = gateway.invoke(f"{code}/ORDERS?{query}", method="GET", **options)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.usefixtures("standing")
def test_all_pages_are_the_list_that_business_central_holds(gateway, control):
    """One call of a caller, as many of the gateway as there are pages, nothing lost or doubled."""
    path = f"{STANDING}/GET_CUSTOMERS"
    whole = gateway.invoke(path, method="GET").json()
    control("business_central", "DELETE", "log")
    seven = {"Prefer": "odata.maxpagesize=7"}

    answer = gateway.invoke(f"{path}?gw_all_pages=true", method="GET", headers=seven)

    assert (answer.status_code, answer.json()) == (200, whole)
    assert len(whole["value"]) > 7
    assert answer.headers["Preference-Applied"] == "odata.maxpagesize=7"
    assert "X-Gateway-Truncated" not in answer.headers
    asked = [each["target"] for each in control("business_central", "GET", "log")]
    assert len([target for target in asked if "/customers" in target]) == -(-30 // 7)


def test_list_over_the_limit_is_cut_off_and_goes_on_where_it_was(gateway, shop):
    """MAX_ANSWER_BYTES holds for the list; a link gives what is left, digit for digit."""
    gateway.store(shop.for_app(), endpoint())
    rows = [
        f'{{"n": {n}0000000000000000001, "p": 0.10, "t": "{"x" * 50_000}"}}' for n in range(1, 10)
    ]
    for number in range(3):
        then = f"/orders{number + 1}" if number < 2 else None
        path = f"/orders{number or ''}"
        shop.upstream.replies[path] = page(rows[number * 3 : number * 3 + 3], then)

    first = read(gateway, shop.code, "gw_all_pages=true")
    link = first.json()[LINK]
    second = gateway.call("GET", link.partition("/api/")[2])

    assert first.headers["X-Gateway-Truncated"] == "bytes"
    assert rows[0].encode() in first.content
    assert len(first.json()["value"]) == 3
    assert second.headers["X-Gateway-Truncated"] == "bytes"
    third = gateway.call("GET", second.json()[LINK].partition("/api/")[2])
    assert (third.json()["value"], LINK in third.json()) == (
        [json.loads(row) for row in rows[6:]],
        False,
    )
    assert "X-Gateway-Truncated" not in third.headers


def test_list_that_goes_round_in_circles_ends(gateway, shop):
    """A service that errs is told as that, and not asked until the time is up."""
    gateway.store(shop.for_app(), endpoint())
    shop.upstream.replies["/orders"] = page(["1"], "/more")
    shop.upstream.replies["/more"] = page(["2"], "/orders")

    answer = gateway.invoke(f"{shop.code}/ORDERS?gw_all_pages=true", method="GET")

    problem(answer, 424, "broken_next_link")
    assert [seen.path for seen in shop.upstream.seen] == ["/orders", "/more"]


def test_change_counts_only_for_the_version_that_was_read(gateway, code):
    """`@odata.etag` comes through, `If-Match` goes along, and a stale one changes nothing."""
    gateway.store(integration(gateway.ports) | {"code": code}, CUSTOMERS, CUSTOMER, RENAME)
    gateway.sign_in(code)
    customer = gateway.invoke(f"{code}/GET_CUSTOMERS?$top=1", method="GET").json()["value"][0]
    path = f"?id={customer['id']}"

    def rename(name, version):
        headers = {"If-Match": version}
        return gateway.invoke(f"{code}/RENAME{path}", {"displayName": name}, headers=headers)

    changed = rename("First", customer["@odata.etag"])
    stale = rename("Second", customer["@odata.etag"])
    shown = gateway.invoke(f"{code}/CUSTOMER{path}", method="GET")

    assert changed.status_code == 200, changed.text
    assert (stale.status_code, stale.headers["X-Gateway-Source"]) == (409, "upstream")
    assert stale.json()["error"]["code"] == "Request_EntityChanged"
    assert shown.json()["displayName"] == "First"
    assert shown.json()["@odata.etag"] == changed.json()["@odata.etag"] != customer["@odata.etag"]
    assert rename(customer["displayName"], "*").status_code == 200


def test_files_go_both_ways_byte_for_byte(gateway, shop):
    """A body that is no JSON is nobody's business but the service's."""
    kind = {"Content-Type": "image/png"}
    gateway.store(shop.for_app(), endpoint("PICTURE", method="PUT", api_url="picture"))
    shop.upstream.replies["/picture"] = Reply(200, IMAGE[::-1], kind)

    answer = gateway.call("PUT", f"invoke/{shop.code}/PICTURE", data=IMAGE, headers=kind)

    [seen] = shop.upstream.seen
    assert (seen.body, seen.header("Content-Type")) == (IMAGE, "image/png")
    assert (answer.content, answer.headers["Content-Type"]) == (IMAGE[::-1], "image/png")


def test_replica_is_asked_for_where_the_endpoint_says_so(gateway, shop):
    """By the header that Business Central knows."""
    gateway.store(shop.for_app(), endpoint(read_replica=True), endpoint("PLAIN"))

    read(gateway, shop.code)
    gateway.invoke(f"{shop.code}/PLAIN", method="GET")

    intents = [seen.header("Data-Access-Intent") for seen in shop.upstream.seen]
    assert intents == ["ReadOnly", ""]


def test_batch_is_for_unrestricted_endpoints_only(gateway, shop):
    """It opens the whole service: never by accident, but where an administrator means it."""
    gateway.store(shop.for_app())
    path = f"integrations/{shop.code}/endpoints"
    batch = endpoint("BATCH", method="POST", api_url="$batch")
    body = b"--b\r\nContent-Type: application/http\r\n\r\nGET /orders HTTP/1.1\r\n\r\n--b--"
    kind = {"Content-Type": "multipart/mixed; boundary=b"}

    assert refused_at(gateway.call("POST", path, batch)) == ["/api_url"]
    gateway.manage("POST", path, batch | {"unrestricted": True})
    answer = gateway.call("POST", f"invoke/{shop.code}/BATCH", data=body, headers=kind)

    [seen] = shop.upstream.seen
    assert answer.status_code == 200
    assert (seen.line, seen.body) == ("POST /$batch HTTP/1.1", body)
    assert seen.header("Content-Type") == kind["Content-Type"]


def test_endpoint_that_names_its_callers_is_shut_to_others(gateway, shop):
    """A key alone, a header of one's own, or a sign-in without the role: none of them is enough."""
    gateway.store(shop.for_app(), endpoint(allowed_roles=[ADMINISTRATOR_ROLE]))
    path = f"{shop.code}/ORDERS"
    claims = [{"typ": "roles", "val": ADMINISTRATOR_ROLE}]
    forged = base64.b64encode(json.dumps({"auth_typ": "aad", "claims": claims}).encode()).decode()

    problem(gateway.invoke(path), 403, "caller_not_allowed")
    for headers in ({"X-MS-CLIENT-PRINCIPAL": forged}, session(gateway, role="")):
        problem(gateway.invoke(path, headers=headers), 403, "caller_not_allowed")
    assert shop.upstream.seen == []
    read(gateway, shop.code, headers=session(gateway, role=ADMINISTRATOR_ROLE))
    [seen] = shop.upstream.seen
    assert not {"cookie", "x-ms-client-principal"} & seen.header_names


def session(gateway, *, role):
    """Sign somebody in to the app itself, and return the cookie as a header."""
    form = {"name": "Anna", "role": role}
    page = f"{url(gateway.ports.instance(1))}/.auth/login/aad"
    with http_session() as browser:
        browser.post(page, data=form, timeout=10, allow_redirects=False).raise_for_status()
        pairs = [f"{cookie.name}={cookie.value}" for cookie in browser.cookies]
    return {"Cookie": "; ".join(pairs)}
