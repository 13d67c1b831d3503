"""The main job against the whole stack: define, sign in, call by name, change at run time."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from requests.cookies import RequestsCookieJar

from dev import sample
from dev.demo.browser import Browser
from dev.demo.warehouse_definitions import CUSTOMERS, ENDPOINTS, integration
from tests.e2e.gateway import consent, problem
from tests.e2e.processes import CACHE_SECONDS, INSTANCES, wait_until

SHIPMENT, PICK = "SH000001", "PI000001"
# The time that the contract gives, and some more for a machine that is busy.
PROPAGATION_SECONDS = CACHE_SECONDS + 1


@pytest.fixture
def bc(gateway, code, control):
    """Return the code of an integration with the warehouse's endpoints, nobody signed in."""
    control("business_central", "POST", "reset")
    yield gateway.store(integration(gateway.ports) | {"code": code}, *ENDPOINTS)
    control("entra", "POST", "settings", {"access_token_seconds": 3600})


def refreshes(control):
    """Return how often Entra was asked for a refresh."""
    return control("entra", "GET", "counters")["token"].get("refresh_token", 0)


def seconds_left(gateway, integration):
    """Return how long the access token of an integration lives on."""
    return gateway.status(integration)["access_token"]["expires_in_seconds"]


def on_every_instance(gateway, path, expected, **options):
    """Return whether every instance answers a call with the expected status."""
    calls = [gateway.invoke(path, instance=number, **options) for number in INSTANCES]
    return all(call.status_code == expected for call in calls)


def test_warehouse_flow_by_name_on_alternating_instances_posts_the_shipment(gateway, bc):
    """A caller posts a shipment by names and a key alone, whichever instance answers."""
    page = gateway.sign_in(bc)
    assert (page.status, page.texts[1]) == (200, "Signed in")

    def run(endpoint, instance, **body):
        answer = gateway.invoke(f"{bc}/{endpoint}", body, instance=instance)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    shipments = run("GET_WHSE_SHPT_LINES", 1)
    assert run("GET_WHSE_SHPT_LINES", 2) == shipments
    assert SHIPMENT in [shipment["no"] for shipment in shipments]
    pick = run("GET_WHSE_PICK", 2, pickNo=PICK)
    lines = [{"lineNo": line["lineNo"], "qtyToHandle": line["quantity"]} for line in pick["lines"]]
    run("UPDATE_WHSE_PICK", 1, pickNo=PICK, linesJson=lines)
    assert run("REGISTER_WHSE_PICK", 2, pickNo=PICK)["status"] == "Registered"
    assert run("POST_WHSE_SHPT", 1, shipmentNo=SHIPMENT)["postedShipmentNo"]

    again = gateway.invoke(f"{bc}/REGISTER_WHSE_PICK", {"pickNo": PICK}, instance=1)
    assert again.status_code == 400
    assert "already been registered" in again.json()["error"]["message"]
    assert again.headers["X-Gateway-Source"] == "upstream"


@pytest.mark.parametrize("key", [sample.HOST_KEY, sample.INVOKE_KEY], ids=["host", "invoke"])
@pytest.mark.parametrize("place", ["header", "query"])
def test_call_with_a_key_in_header_or_query_is_served(gateway, signed_in, key, place):
    """Both keys open `invoke`, in the header and in the query."""
    path = f"{signed_in}/GET_WHSE_SHPT_LINES"
    for instance in INSTANCES:
        if place == "header":
            answer = gateway.invoke(path, key=key, instance=instance)
        else:
            answer = gateway.invoke(f"{path}?code={key}", key=None, instance=instance)
        assert answer.status_code == 200


@pytest.fixture
def signed_in(gateway, bc):
    """Return the code of the integration after somebody has signed in."""
    gateway.sign_in(bc)
    return bc


def test_endpoint_changes_at_run_time_take_effect_on_both_instances(gateway, signed_in):
    """Adding, changing, disabling and deleting count within the cache's time, without restart."""
    place = f"integrations/{signed_in}/endpoints/GET_CUSTOMERS"
    path = f"{signed_in}/GET_CUSTOMERS"
    assert on_every_instance(gateway, path, 404)

    def customers(instance):
        return gateway.invoke(f"{path}?$top=2", method="GET", instance=instance)

    gateway.manage("PUT", place, CUSTOMERS)
    assert [len(customers(instance).json()["value"]) for instance in INSTANCES] == [2, 2]

    def takes_effect(what, is_new):
        assert is_new(customers(1)), f"{what}: not at once where it was made"
        wait_until(lambda: is_new(customers(2)), PROPAGATION_SECONDS, what)

    gateway.manage("PATCH", place, {"query": {"$select": "number"}})
    takes_effect("changed", lambda answer: "city" not in answer.json()["value"][0])
    gateway.manage("PATCH", place, {"is_enabled": False})
    takes_effect("disabled", lambda answer: answer.status_code == 404)
    problem(customers(2), 404, "endpoint_disabled")
    gateway.manage("PATCH", place, {"is_enabled": True})
    takes_effect("enabled", lambda answer: answer.status_code == 200)
    gateway.manage("DELETE", place)
    takes_effect("deleted", lambda answer: answer.status_code == 404)
    problem(customers(2), 404, "endpoint_not_found")


def test_deauthorize_ends_calls_on_both_instances_until_a_link_signs_in_again(gateway, signed_in):
    """Calls answer 424 soon after a deauthorization; a one-time link opens them again, once."""
    path = f"{signed_in}/GET_WHSE_SHPT_LINES"
    assert on_every_instance(gateway, path, 200)
    ended = gateway.manage("POST", f"deauthorize/{signed_in}")
    assert ended == {"integration": signed_in, "revoked": False, "status": "not_authorized"}
    problem(gateway.invoke(path), 424, "sign_in_required")
    wait_until(lambda: on_every_instance(gateway, path, 424), PROPAGATION_SECONDS, "deauthorized")
    problem(gateway.invoke(path, instance=2), 424, "sign_in_required")
    assert gateway.status(signed_in, instance=2)["status"] == "not_authorized"

    link = gateway.manage("POST", f"integrations/{signed_in}/signin-link", instance=2)["url"]
    browser = Browser(RequestsCookieJar())
    page = consent(browser, browser.open(link))
    assert page.texts[1] == "Signed in"
    wait_until(lambda: on_every_instance(gateway, path, 200), PROPAGATION_SECONDS, "signed in")
    refused = browser.open(link)
    assert (refused.status, "was used before" in refused.texts[2]) == (400, True)


def test_expired_token_is_refreshed_once_for_all_callers(gateway, bc, control):
    """Calls at the same time on both instances share one refresh, and all are served."""
    control("entra", "POST", "settings", {"access_token_seconds": 1})
    gateway.sign_in(bc)
    path = f"{bc}/GET_WHSE_SHPT_LINES"
    assert on_every_instance(gateway, path, 200)
    control("entra", "POST", "settings", {"access_token_seconds": 3600})
    time.sleep(1)
    before = refreshes(control)
    with ThreadPoolExecutor(8) as callers:
        calls = [callers.submit(gateway.invoke, path, instance=1 + n % 2) for n in range(8)]
        assert [call.result().status_code for call in calls] == [200] * 8
    assert refreshes(control) - before == 1


def test_token_that_is_used_is_refreshed_ahead_of_its_end(gateway, bc, control):
    """In the second half of its life a token is renewed behind the callers' backs."""
    control("entra", "POST", "settings", {"access_token_seconds": 2})
    gateway.sign_in(bc)
    path = f"{bc}/GET_WHSE_SHPT_LINES"
    control("entra", "POST", "settings", {"access_token_seconds": 3600})
    before = refreshes(control)
    assert gateway.invoke(path).status_code == 200
    assert refreshes(control) == before
    time.sleep(1)
    assert gateway.invoke(path).status_code == 200
    wait_until(lambda: refreshes(control) - before == 1, 2, "refreshed")
    assert seconds_left(gateway, bc) > 3500


def test_timer_renews_a_token_that_is_due_without_any_call(gateway, bc, control):
    """The timer keeps tokens fresh, so that the first caller of the day does not wait."""
    control("entra", "POST", "settings", {"access_token_seconds": 2})
    gateway.sign_in(bc)
    control("entra", "POST", "settings", {"access_token_seconds": 3600})
    time.sleep(1)
    gateway.run_timer()
    wait_until(lambda: seconds_left(gateway, bc) > 3500, 3, "renewed")
    assert gateway.invoke(f"{bc}/GET_WHSE_SHPT_LINES", instance=2).status_code == 200


def test_token_that_bc_rejects_is_refreshed_once_and_the_call_resent(gateway, signed_in, control):
    """A 401 costs one refresh and one resend; the other instance takes over the new token."""
    path = f"{signed_in}/GET_WHSE_SHPT_LINES"
    assert on_every_instance(gateway, path, 200)
    rejected = control("business_central", "GET", "log")[-1]["token_id"]
    control("business_central", "POST", "reject_tokens", {"jti": rejected})
    control("business_central", "DELETE", "log")
    before = refreshes(control)
    assert on_every_instance(gateway, path, 200)
    log = control("business_central", "GET", "log")
    statuses = [entry["status"] for entry in log]
    assert statuses[:2] == [401, 200]
    assert statuses[2:] in ([200], [401, 200])
    assert rejected not in [entry["token_id"] for entry in log if entry["status"] == 200]
    assert refreshes(control) - before == 1


def test_tokens_survive_the_restart_of_an_instance(gateway, signed_in, control, stack):
    """An instance that starts with an empty memory serves calls without a new sign-in."""
    path = f"{signed_in}/GET_WHSE_SHPT_LINES"
    before = control("entra", "GET", "counters")
    stack.stop(2)
    stack.start(2)
    answer = gateway.invoke(path, instance=2)
    assert answer.status_code == 200
    assert control("entra", "GET", "counters") == before
