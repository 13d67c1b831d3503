"""The route of the audit, and what each writing route leaves in it."""

from __future__ import annotations

import pytest

from shared.domain.transport import TimedOut
from tests.builders import endpoint_document, integration_document
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING, PERSON, parameters
from tests.support import PUBLIC_URL
from tests.unit.functions.test_every_answer import ENDPOINT, INTEGRATION, INVOKE, Gateway
from tests.unit.services.test_openapi import validator

AUDIT = "/api/audit"
ENDPOINTS = f"{INTEGRATION}/endpoints"
KEY = {"Idempotency-Key": "order-4711"}
CANARY = "canary-8d41"

# Each writing route with the action, the field that it changes, and its old and new value.
WRITES = {
    "create-integration": (
        ("POST", "/api/integrations", integration_document(code="NEW", client_secret=CANARY)),
        ("created", "/environment", None, "Production"),
    ),
    "put-new-integration": (
        ("PUT", "/api/integrations/NEW", integration_document(code="NEW")),
        ("created", "/environment", None, "Production"),
    ),
    "put-integration": (
        ("PUT", INTEGRATION, integration_document(company="B", client_secret=CANARY)),
        ("changed", "/company", "CRONUS USA, Inc.", "B"),
    ),
    "patch-integration": (
        ("PATCH", INTEGRATION, {"company": "B", "client_secret": CANARY}),
        ("changed", "/company", "CRONUS USA, Inc.", "B"),
    ),
    "delete-integration": (
        ("DELETE", INTEGRATION, None),
        ("deleted", "/environment", "Production", None),
    ),
    "create-endpoint": (
        ("POST", ENDPOINTS, endpoint_document(code="NEW")),
        ("created", "/api_url", None, "GetWhseShipmentList"),
    ),
    "put-new-endpoint": (
        ("PUT", f"{ENDPOINTS}/NEW", endpoint_document(code="NEW")),
        ("created", "/api_url", None, "GetWhseShipmentList"),
    ),
    "put-endpoint": (
        ("PUT", ENDPOINT, endpoint_document(api_url="Other")),
        ("changed", "/api_url", "GetWhseShipmentList", "Other"),
    ),
    "patch-endpoint": (
        ("PATCH", ENDPOINT, {"is_enabled": False}),
        ("changed", "/is_enabled", True, False),
    ),
    "delete-endpoint": (
        ("DELETE", ENDPOINT, None),
        ("deleted", "/api_url", "GetWhseShipmentList", None),
    ),
}
ACTS = {
    "authorize": ("GET", f"/api/authorize/{CODE}", "sign_in_started"),
    "signin-link": ("POST", f"{INTEGRATION}/signin-link", "sign_in_link_created"),
    "deauthorize": ("POST", f"/api/deauthorize/{CODE}", "deauthorized"),
}


@pytest.fixture
def gateway(monkeypatch):
    """Return a gateway with an integration and an endpoint, of which nothing is noted yet."""
    gateway = Gateway(monkeypatch)
    gateway.scene.http.on(BC, json_answer({"value": "done"}))
    gateway.scene.integrate()
    gateway.scene.offer()
    gateway.scene.audit.rows.clear()
    return gateway


def listed(gateway, query=""):
    """Return the entries of the first page."""
    return gateway.manage("GET", f"{AUDIT}{query}")["value"]


def only(gateway):
    """Return the one entry that there is."""
    (entry,) = listed(gateway)
    return entry


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=ten",
        "after=x",
        f"after={CODE}",
        "after=%27%20or%201%20eq%201",
        f"after={'0' * 16}-{'g' * 16}",
        "integration=A-B",
        "integration=%27",
        "endpoint=%C3%A9",
        f"endpoint={'A' * 51}",
    ],
)
def test_parameter_that_makes_no_sense_is_refused(gateway, query):
    """Before the storage is asked, with what to do about it."""
    gateway.scene.audit.fail()

    answer = gateway.call("GET", f"{AUDIT}?{query}")

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_parameter")
    assert answer.json["detail"].startswith(query.partition("=")[0])


def test_storage_that_is_down_is_told(gateway):
    """Nobody is told that nothing has happened."""
    gateway.scene.audit.fail()

    answer = gateway.call("GET", AUDIT)

    assert (answer.status_code, answer.json["code"]) == (503, "storage_unavailable")


@pytest.mark.parametrize(("write", "told"), WRITES.values(), ids=WRITES)
def test_writing_route_leaves_one_entry(gateway, write, told):
    """With the old and the new value, in the form that the OpenAPI document promises."""
    gateway.manage(*write)

    entry = only(gateway)
    values = {change["field"]: (change["old"], change["new"]) for change in entry["changes"]}
    action, field, old, new = told
    assert (entry["by"], entry["action"], values[field]) == ("a key", action, (old, new))
    assert entry["moment"].endswith("Z")
    assert CANARY not in str(entry)
    validator("AuditEntry").validate(entry)


@pytest.mark.parametrize("write", [write for write, _ in WRITES.values()], ids=WRITES)
def test_writing_again_leaves_no_further_entry(gateway, write):
    """What changes nothing, and what is refused; a secret that is given counts as a new one."""
    method, address, document = write
    plain = document and {name: document[name] for name in document if name != "client_secret"}
    gateway.manage(method, address, plain)
    gateway.call(method, address, plain)

    assert len(listed(gateway)) == 1


@pytest.mark.parametrize(("method", "address", "action"), ACTS.values(), ids=ACTS)
def test_act_leaves_one_entry(gateway, method, address, action):
    """What an administrator does to a sign-in changes no field."""
    assert gateway.call(method, address).status_code < 400

    entry = only(gateway)
    told = (entry["action"], entry["by"], entry["integration"], entry["endpoint"], entry["changes"])
    assert told == (action, "a key", CODE, None, [])


def test_sign_in_leaves_an_entry_of_the_account(gateway):
    """The person is known by the token that the provider gave."""
    started = gateway.call("GET", f"/api/authorize/{CODE}")
    gateway.scene.audit.rows.clear()
    asked = parameters(started.headers["Location"])
    gateway.scene.provider.nonce = asked["nonce"]
    cookie = started.headers["Set-Cookie"].partition(";")[0]
    back = gateway.call(
        "GET", f"/api/callback?code=c&state={asked['state']}", headers={"Cookie": cookie}
    )

    assert back.status_code == 200
    assert (only(gateway)["action"], only(gateway)["by"]) == ("signed_in", PERSON)


@pytest.mark.parametrize("outcome", ["done", "not_done"])
def test_settled_key_leaves_an_entry(gateway, outcome):
    """And one that is settled already leaves none."""
    gateway.scene.sign_in()
    gateway.scene.http.on(BC, TimedOut("slow"))
    gateway.call("POST", INVOKE, {}, headers=KEY)
    gateway.scene.audit.rows.clear()
    for _ in range(2):
        gateway.call("POST", f"{ENDPOINT}/idempotency", {"outcome": outcome}, headers=KEY)

    entry = only(gateway)
    assert (entry["action"], entry["endpoint"]) == ("key_settled", LISTING)
    assert [each["new"] for each in entry["changes"]] == [outcome]


def test_change_is_answered_though_its_entry_is_lost(gateway):
    """The caller could do nothing about it; the log tells."""
    gateway.scene.audit.fail("write")

    assert gateway.manage("PATCH", INTEGRATION, {"company": "B"})["company"] == "B"


def test_long_list_comes_in_pages_of_the_same(gateway):
    """The latest first; the link repeats what was asked for, and holds no key."""
    for number in range(1, 6):
        gateway.scene.clock.advance(seconds=1)
        gateway.manage("PATCH", ENDPOINT, {"timeout_seconds": number})
        gateway.manage("PATCH", INTEGRATION, {"max_in_flight": number + 10})
    address, pages = f"{AUDIT}?limit=2&integration=cronus&endpoint={LISTING}&code=a-key", []
    while address:
        page = gateway.manage("GET", address)
        pages.append([each["changes"][0]["new"] for each in page["value"]])
        address = page["nextLink"]
        assert address is None or address.startswith(f"{PUBLIC_URL}{AUDIT}?integration=cronus&")
        assert "a-key" not in str(address)

    assert pages == [[5, 4], [3, 2], [1]]


def test_entries_are_found_by_what_they_are_about(gateway):
    """By integration and endpoint, in any case; what was left empty is not asked for."""
    gateway.manage("PATCH", ENDPOINT, {"timeout_seconds": 7})
    gateway.manage("PUT", "/api/integrations/OTHER", integration_document(code="OTHER"))

    assert len(listed(gateway, "?integration=&endpoint=")) == 2
    (other,) = listed(gateway, "?integration=other")
    assert (other["integration"], other["endpoint"]) == ("OTHER", None)
    assert len(listed(gateway, f"?endpoint={LISTING.lower()}")) == 1
    assert listed(gateway, f"?integration=other&endpoint={LISTING}") == []


def test_deletion_can_be_traced_by_the_code(gateway):
    """The integration is not there any more; its one entry is."""
    gateway.manage("PATCH", INTEGRATION, {"company": "B"})
    gateway.manage("DELETE", INTEGRATION)

    assert [each["action"] for each in listed(gateway, f"?integration={CODE}")] == ["deleted"]
