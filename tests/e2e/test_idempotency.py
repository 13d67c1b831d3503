"""Idempotency keys against the whole stack: one effect, whatever is sent again, wherever."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
import requests
from azure.identity import DefaultAzureCredential

from dev.stack.app_settings import storage_connection
from shared.adapters.idempotency_table import IdempotencyTable
from shared.adapters.tables import open_tables
from shared.domain.idempotency import KEY_LIFE, hash_of
from shared.domain.secret import Secret
from tests.e2e.foreign.server import Reply
from tests.e2e.foreign.shop import endpoint
from tests.e2e.foreign.upstream import JSON, Upstream
from tests.e2e.gateway import problem
from tests.e2e.processes import INSTANCES, wait_until

KEY = {"Idempotency-Key": "order-4711"}
ORDER = {"no": "1002"}
COMPANIES = Reply(
    200, b'{"value":[{"id":"9e1b6ea7-0000-4000-8000-000000000001","name":"Shop"}]}', JSON
)
TIMEOUT_SECONDS = 2


@pytest.fixture
def calls(stack):
    """Return the table of calls as it lies in the storage, to look into it and to age it."""
    connection = Secret(storage_connection(stack.ports))
    with open_tables(url=None, connection=connection, credential=DefaultAzureCredential) as tables:
        yield IdempotencyTable(tables)


@pytest.fixture
def orders(gateway, shop):
    """Return the path of an endpoint that makes an order."""
    stored = endpoint("NEW_ORDER", method="POST", timeout_seconds=TIMEOUT_SECONDS)
    gateway.store(shop.for_app(), stored)
    shop.upstream.replies["/orders"] = Reply(201, b'{"no":"1002","total":1.10}', JSON)
    return f"{shop.code}/NEW_ORDER"


def keys(path):
    """Return the route that shows and settles keys."""
    code, name = path.split("/")
    return f"integrations/{code}/endpoints/{name}/idempotency"


def age(calls, shop, **times):
    """Let time pass for the call with the key."""
    stored = calls.get(shop.code, hash_of(KEY["Idempotency-Key"], endpoint="NEW_ORDER"))
    calls.replace(replace(stored, record=msgspec.structs.replace(stored.record, **times)))


def test_resends_to_every_instance_get_the_first_answer(gateway, shop, orders):
    """Eight resends, as Power Automate does them, make one order."""
    first = gateway.invoke(orders, ORDER, headers=KEY)
    again = [gateway.invoke(orders, ORDER, headers=KEY, instance=1 + n % 2) for n in range(8)]

    assert (first.status_code, first.content) == (201, b'{"no":"1002","total":1.10}')
    assert "Idempotency-Replayed" not in first.headers
    assert {(each.status_code, each.content) for each in again} == {(201, first.content)}
    assert {each.headers["Idempotency-Replayed"] for each in again} == {"true"}
    assert len(shop.upstream.seen) == 1


def test_resend_gets_the_first_answer_while_the_service_is_down(gateway, shop):
    """Even where the URL needs an id that the other instance has never looked up."""
    path = f"{shop.code}/NEW_ORDER"
    with Upstream(shop.provider.grants.is_active) as upstream:
        upstream.replies["/api/v2.0/companies"] = COMPANIES
        stored = endpoint("NEW_ORDER", kind="api", method="POST", timeout_seconds=TIMEOUT_SECONDS)
        gateway.store(shop.for_app(base_url=upstream.url, company="Shop"), stored)
        first = gateway.invoke(path, ORDER, headers=KEY)

    again = gateway.invoke(path, ORDER, headers=KEY, instance=2)
    another = gateway.invoke(path, ORDER, headers={"Idempotency-Key": "order-4712"}, instance=2)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (first.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    problem(another, 503, "upstream_unreachable")
    assert [each.method for each in upstream.seen] == ["GET", "POST"]


def test_twins_on_two_instances_make_one_order(gateway, shop, orders):
    """Those that come while the first one runs wait for its answer."""
    answer = shop.upstream.reply
    shop.upstream.reply = lambda request: threading.Event().wait(0.5) or answer(request)

    with ThreadPoolExecutor(8) as threads:
        made = [
            threads.submit(gateway.invoke, orders, ORDER, headers=KEY, instance=1 + n % 2)
            for n in range(8)
        ]
        answers = [each.result() for each in made]

    assert {(each.status_code, each.content) for each in answers} == {(201, answers[0].content)}
    assert sum("Idempotency-Replayed" not in each.headers for each in answers) == 1
    assert len(shop.upstream.seen) == 1


def test_answer_that_says_not_done_frees_the_key(gateway, shop, orders):
    """The repaired call is sent under the same key; another one then is refused."""
    shop.upstream.replies["/orders"] = Reply(400, b'{"error":{"code":"X"}}', JSON)
    assert gateway.invoke(orders, {"no": ""}, headers=KEY).status_code == 400
    shop.upstream.replies["/orders"] = Reply(201, b"{}", JSON)
    assert gateway.invoke(orders, ORDER, headers=KEY, instance=2).status_code == 201

    other = gateway.invoke(orders, {"no": "1003"}, headers=KEY)

    problem(other, 422, "idempotency_key_reused")
    assert len(shop.upstream.seen) == 2


def test_malformed_key_is_refused(gateway, shop, orders):
    """Nothing is sent."""
    problem(gateway.invoke(orders, ORDER, headers={"Idempotency-Key": "x" * 201}), 400,
            "invalid_idempotency_key")  # fmt: skip
    assert shop.upstream.seen == []


def test_key_of_a_call_that_died_with_its_process_is_unknown_until_it_is_settled(
    gateway, stack, shop, orders, calls
):
    """SIGKILL while the service works: never a second order, before somebody has looked."""
    may_answer, answer = threading.Event(), shop.upstream.reply
    shop.upstream.reply = lambda request: may_answer.wait(30) and answer(request)
    with ThreadPoolExecutor(1) as threads:
        dying = threads.submit(gateway.invoke, orders, ORDER, headers=KEY, instance=2)
        wait_until(lambda: shop.upstream.seen, 10, "the order has come")
        stack.kill(2)
        with pytest.raises(requests.RequestException):
            dying.result()
    may_answer.set()
    stack.start(2)

    waiting = gateway.invoke(orders, ORDER, headers=KEY)
    problem(waiting, 503, "idempotency_in_progress")
    assert int(waiting.headers["Retry-After"]) > 0
    refused = gateway.call("POST", keys(orders), {"outcome": "not_done"}, headers=KEY)
    problem(refused, 409, "nothing_to_settle")

    age(calls, shop, reserved_until=datetime.now(UTC))
    for number in INSTANCES:
        told = gateway.invoke(orders, ORDER, headers=KEY, instance=number)
        problem(told, 409, "outcome_unknown")
        assert told.headers["Idempotency-Replayed"] == "true"
    assert gateway.call("GET", keys(orders), headers=KEY).json()["state"] == "unknown"
    assert len(shop.upstream.seen) == 1

    freed = gateway.call("POST", keys(orders), {"outcome": "not_done"}, headers=KEY)
    assert freed.status_code == 204
    assert gateway.invoke(orders, ORDER, headers=KEY).status_code == 201
    assert len(shop.upstream.seen) == 2


def test_unknown_outcome_that_was_done_is_never_executed_again(gateway, shop, orders):
    """A timeout, then a person who looks and finds the order."""
    answer = shop.upstream.reply
    shop.upstream.reply = lambda request: threading.Event().wait(3) or answer(request)
    for number in INSTANCES:
        told = gateway.invoke(orders, ORDER, headers=KEY, instance=number)
        problem(told, 409, "outcome_unknown")

    settled = gateway.call("POST", keys(orders), {"outcome": "done"}, headers=KEY)
    again = gateway.invoke(orders, ORDER, headers=KEY, instance=2)

    assert (settled.status_code, settled.json()["state"]) == (200, "done")
    assert (again.status_code, again.content) == (204, b"")
    assert "X-Gateway-Warning" in again.headers
    assert len(shop.upstream.seen) == 1


def test_timer_and_deletion_clear_what_is_kept(gateway, shop, orders, calls):
    """The timer what is over, the deletion of an integration all that it has."""
    key_hash = hash_of(KEY["Idempotency-Key"], endpoint="NEW_ORDER")
    gateway.invoke(orders, ORDER, headers=KEY)
    age(calls, shop, created_on=datetime.now(UTC) - KEY_LIFE)
    gateway.run_timer()
    wait_until(lambda: calls.get(shop.code, key_hash) is None, 10, "the timer has tidied up")
    problem(gateway.call("GET", keys(orders), headers=KEY), 404, "idempotency_key_not_found")

    gateway.invoke(orders, ORDER, headers=KEY)
    assert calls.get(shop.code, key_hash) is not None
    gateway.manage("DELETE", f"integrations/{shop.code}")
    assert calls.get(shop.code, key_hash) is None
