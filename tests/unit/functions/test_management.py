"""The management API: documents with their ETags, where they are, and lists of them."""

from __future__ import annotations

import pytest

from tests.builders import endpoint_document, integration_document
from tests.scenes import CLIENT_SECRET, CODE
from tests.support import PUBLIC_URL
from tests.unit.functions.test_every_answer import ENDPOINT, INTEGRATION, Gateway

INTEGRATIONS = "/api/integrations"
ENDPOINTS = f"{INTEGRATION}/endpoints"


@pytest.fixture
def gateway(monkeypatch):
    """Return a gateway with an integration and an endpoint."""
    gateway = Gateway(monkeypatch)
    gateway.scene.integrate()
    gateway.scene.offer()
    return gateway


def pages(gateway, address):
    """Return the codes of each page of a list, as somebody who follows nextLink reads them."""
    read = []
    while address:
        page = gateway.manage("GET", address)
        assert set(page) == {"value", "nextLink"}
        read.append([document["code"] for document in page["value"]])
        address = page["nextLink"]
        assert address is None or address.startswith(f"{PUBLIC_URL}/api/")
        assert len(read) < 100, "the list never ends"
    return read


@pytest.mark.parametrize("limit", [1, 2, 6, 7, 8, 500])
def test_integrations_are_listed_page_by_page(gateway, limit):
    """Following nextLink reaches every one once, in the order of the codes."""
    codes = sorted([CODE, "A", "B_2", "B10", "Z", "ZZ", "Z_"])
    for code in codes:
        gateway.manage("PUT", f"{INTEGRATIONS}/{code}", integration_document(code=code))

    read = pages(gateway, f"{INTEGRATIONS}?limit={limit}")

    assert [code for page in read for code in page] == codes
    assert all(len(page) == limit for page in read[:-1])


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_endpoints_are_listed_page_by_page(gateway, limit):
    """The list holds those of its own integration, each once."""
    codes = ["A", "B", "C", "D"]
    for integration in ("EARLIER", "MIDDLE", "NEXT"):
        gateway.scene.integrate(code=integration)
        for code in codes:
            gateway.scene.offer(integration, code=code)

    read = pages(gateway, f"{INTEGRATIONS}/MIDDLE/endpoints?limit={limit}")

    assert [code for page in read for code in page] == codes


def test_list_has_pages_of_a_hundred(gateway):
    """Nobody gets a thousand documents without asking for so many."""
    for number in range(101):
        gateway.scene.offer(code=f"E{number:03}")

    read = pages(gateway, ENDPOINTS)

    assert [len(page) for page in read] == [100, 2]


def test_empty_list_ends_at_once(gateway):
    """A list without documents has its form all the same."""
    gateway.manage("DELETE", ENDPOINT)

    assert gateway.manage("GET", ENDPOINTS) == {"value": [], "nextLink": None}


def test_list_goes_on_after_a_document_that_is_gone(gateway):
    """A link rests on the last code, whether that is still there or not."""
    for code in ("A", "B", "C"):
        gateway.scene.offer(code=code)
    first = gateway.manage("GET", f"{ENDPOINTS}?limit=2")
    gateway.manage("DELETE", f"{ENDPOINTS}/B")

    rest = pages(gateway, first["nextLink"])

    assert rest == [["C", "GET_WHSE_SHPT_LINES"]]


def test_link_to_the_next_page_holds_no_key(gateway):
    """What a caller writes down or logs opens nothing."""
    gateway.scene.offer(code="A")

    page = gateway.manage("GET", f"{ENDPOINTS}?limit=1&code=a-function-key")

    assert "a-function-key" not in page["nextLink"]


@pytest.mark.parametrize("limit", ["0", "-1", "501", "ten", "1.5", "%D9%A1", "9" * 5000])
def test_limit_that_is_none_is_refused(gateway, limit):
    """A size of page that makes no sense is told as such."""
    answer = gateway.call("GET", f"{INTEGRATIONS}?limit={limit}")

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize("after", ["%C3%A9", "A%27B", "%00", "1A", "A" * 51, "A-B"])
@pytest.mark.parametrize("address", [INTEGRATIONS, ENDPOINTS])
def test_cursor_that_is_no_code_is_refused(gateway, address, after):
    """Before the storage is asked, which would refuse some of them in its own way."""
    gateway.scene.integrations.fail("list")

    answer = gateway.call("GET", f"{address}?after={after}")

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize(
    ("method", "address", "document", "location"),
    [
        ("POST", INTEGRATIONS, integration_document(code="NEW"), f"{INTEGRATIONS}/NEW"),
        ("POST", f"{INTEGRATIONS}/", integration_document(code="new"), f"{INTEGRATIONS}/NEW"),
        ("PUT", f"{INTEGRATIONS}/NEW", integration_document(code="NEW"), f"{INTEGRATIONS}/NEW"),
        ("POST", ENDPOINTS, endpoint_document(code="NEW"), f"{ENDPOINTS}/NEW"),
        ("PUT", f"{ENDPOINTS}/NEW", endpoint_document(code="NEW"), f"{ENDPOINTS}/NEW"),
    ],
)
def test_new_document_tells_where_it_is(gateway, method, address, document, location):
    """201 with the document, its address from outside, and its ETag."""
    answer = gateway.call(method, f"{address}?code=a-function-key", document)

    assert (answer.status_code, answer.headers["Location"]) == (201, PUBLIC_URL + location)
    shown = gateway.call("GET", answer.headers["Location"])
    assert (shown.json, shown.headers["ETag"]) == (answer.json, answer.headers["ETag"])


@pytest.mark.parametrize(
    ("address", "document"),
    [(INTEGRATION, integration_document(name="new")), (ENDPOINT, endpoint_document(name="new"))],
    ids=["integration", "endpoint"],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_changed_document_has_a_new_etag(gateway, method, address, document):
    """200 without Location: it was there before."""
    before = gateway.call("GET", address)

    answer = gateway.call(method, address, document)

    assert (answer.status_code, answer.json["name"]) == (200, "new")
    assert "Location" not in answer.headers
    assert answer.headers["ETag"] != before.headers["ETag"]
    assert answer.headers["ETag"] == gateway.call("GET", address).headers["ETag"]


@pytest.mark.parametrize("address", [INTEGRATION, ENDPOINT])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_write_that_rests_on_something_older_is_refused(gateway, method, address):
    """Nobody's change is overwritten by somebody who has not seen it."""
    read = gateway.call("GET", address)
    gateway.manage("PATCH", address, {"name": "changed meanwhile"})

    answer = gateway.call(
        method, address, {"name": "mine"}, headers={"If-Match": read.headers["ETag"]}
    )

    assert (answer.status_code, answer.json["code"]) == (412, "changed_meanwhile")
    assert gateway.manage("GET", address)["name"] == "changed meanwhile"


@pytest.mark.parametrize("address", [INTEGRATION, ENDPOINT])
@pytest.mark.parametrize(("method", "status"), [("PUT", 200), ("PATCH", 200), ("DELETE", 204)])
def test_write_that_rests_on_the_newest_is_taken(gateway, method, address, status):
    """The ETag of the last GET opens the way, and what GET gave can be PUT."""
    read = gateway.call("GET", address)

    answer = gateway.call(method, address, read.json, headers={"If-Match": read.headers["ETag"]})

    assert answer.status_code == status


@pytest.mark.parametrize("address", [INTEGRATION, ENDPOINT])
def test_if_none_match_only_creates(gateway, address):
    """A PUT that means to create replaces nothing."""
    answer = gateway.call("PUT", address, {}, headers={"If-None-Match": "*"})

    assert (answer.status_code, answer.json["code"]) == (412, "changed_meanwhile")


@pytest.mark.parametrize("address", [INTEGRATION, ENDPOINT])
def test_deleted_document_is_gone(gateway, address):
    """204 without a body, and 404 from then on."""
    answer = gateway.call("DELETE", address)

    assert (answer.status_code, answer.text) == (204, "")
    assert gateway.call("GET", address).status_code == 404


def test_lower_case_in_the_address_is_the_same_code(gateway):
    """A code is folded, in a URL too."""
    shown = gateway.manage("GET", ENDPOINT.replace("CRONUS", "cronus").replace("GET_", "get_"))

    assert shown == gateway.manage("GET", ENDPOINT)


def test_secret_is_never_shown(gateway):
    """An integration tells that it has one, whichever way it is asked."""
    document = integration_document(client_secret=CLIENT_SECRET)

    answers = [
        gateway.call("PUT", INTEGRATION, document),
        gateway.call("PATCH", INTEGRATION, {"client_secret": CLIENT_SECRET}),
        gateway.call("POST", INTEGRATIONS, document | {"code": "NEW"}),
        gateway.call("GET", INTEGRATION),
        gateway.call("GET", INTEGRATIONS),
        gateway.call("GET", f"{INTEGRATION}/status"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 201, 200, 200, 200]
    assert all('"has_client_secret":true' in answer.text for answer in answers)
    assert not [answer.text for answer in answers if CLIENT_SECRET in answer.text]
    assert not [answer.text for answer in answers if '"client_secret":' in answer.text]
