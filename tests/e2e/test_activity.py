"""The activity on the real stack: written soon, lost by the second only, and never a secret."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableServiceClient

from dev import sample
from dev.stack.app_settings import storage_connection
from shared.adapters.activity_table import ActivityTable
from shared.domain.activity import CallEntry
from tests.e2e.foreign.server import Reply
from tests.e2e.foreign.shop import CLIENT_SECRET, endpoint
from tests.e2e.foreign.upstream import JSON
from tests.e2e.gateway import problem
from tests.e2e.processes import wait_until

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
# The second that entries are gathered for, and the write itself beside everything else here.
SOON_SECONDS = 2


@pytest.fixture(scope="module")
def service(stack):
    """Return Microsoft's client of the stack's tables."""
    connection = storage_connection(stack.ports)
    with TableServiceClient.from_connection_string(connection) as client:
        yield client


@pytest.fixture
def entries(service):
    """Return a function that reads what is written of a partition, by request id."""
    table = ActivityTable(service)

    def read(partition):
        batches = table.batches(partition, since=BEGINNING)
        calls = [each for batch in batches for each in batch.entries if isinstance(each, CallEntry)]
        return {each.request_id: each for each in calls}

    return read


@pytest.fixture
def orders(gateway, shop):
    """Return the path of an endpoint that makes an order, its app signed in by itself."""
    gateway.store(shop.for_app(), endpoint("NEW_ORDER", method="POST"))
    shop.upstream.replies["/orders"] = Reply(201, b'{"no": "canary-of-the-answer"}', JSON)
    return f"{shop.code}/NEW_ORDER"


def request_id(answer):
    """Return the id under which a call is found."""
    return answer.headers["X-Gateway-Request-Id"]


def test_calls_are_written_soon(gateway, shop, orders, entries):
    """Of every instance, with all that an administrator looks for."""
    run = {"x-ms-workflow-run-id": "08585-run"}
    answers = [gateway.invoke(orders, {}, instance=1, headers=run)]
    answers += [gateway.invoke(orders, {}, instance=2, method="PUT")]

    wait_until(lambda: len(entries(shop.code)) == 2, SOON_SECONDS, "both calls are written")

    made, refused = (entries(shop.code)[request_id(answer)] for answer in answers)
    assert (made.status, made.code, made.flow_run) == (201, None, "08585-run")
    assert (refused.status, refused.code, refused.flow_run) == (405, "method_not_allowed", None)
    for entry in (made, refused):
        assert (entry.integration, entry.endpoint, entry.method) == (shop.code, "NEW_ORDER", "POST")
        assert entry.caller is None
        assert 0 <= entry.milliseconds < 10_000


def test_calls_to_nothing_are_written_under_nobody(gateway, service, code, entries):
    """Whoever types names makes no partitions."""
    answer = gateway.invoke(f"{code}/{'X' * 80}")
    problem(answer, 404, "integration_not_found")

    wait_until(lambda: request_id(answer) in entries("_"), SOON_SECONDS, "the call is written")

    entry = entries("_")[request_id(answer)]
    assert (entry.integration, entry.endpoint) == (code, "X" * 50)
    assert code not in {row["PartitionKey"] for row in rows(service)}


def test_killed_process_takes_the_last_second_with_it(gateway, stack, shop, orders, entries):
    """SIGKILL amid calls: all that were answered before are there."""
    answered = {}
    ends = time.monotonic() + 4
    while time.monotonic() < ends:
        answer = gateway.invoke(orders, {}, instance=2)
        answered[request_id(answer)] = datetime.now(UTC)
    killed_on = datetime.now(UTC)
    stack.kill(2)
    stack.start(2)

    found = entries(shop.code).keys()

    lost = [killed_on - moment for name, moment in answered.items() if name not in found]
    assert len(answered) > 20
    assert max(lost, default=timedelta(0)) < timedelta(seconds=SOON_SECONDS)


def test_nothing_that_a_caller_or_a_service_sends_is_written(gateway, service, shop, orders):
    """Payload, query, headers, key and answer, of calls that succeed and that are refused."""
    headers = {
        "Authorization": "Bearer canary-of-a-token",
        "Cookie": "canary=of-a-cookie",
        "Idempotency-Key": "canary-of-an-idempotency-key",
        "X-MS-CLIENT-PRINCIPAL": "canary-of-a-principal",
        "x-ms-workflow-run-id": "canary of a header that is no run id",
    }
    query = f"code={sample.INVOKE_KEY}&filter=canary-of-the-query"
    body = {"no": "canary-of-the-payload"}
    answers = [
        gateway.invoke(f"{path}?{query}", body, headers=headers, key=None)
        for path in (orders, f"{shop.code}/NOPE", "NOPE/NOPE")
    ]
    shop.upstream.replies["/orders"] = Reply(503, b'{"error": {"message": "canary-of-an-error"}}')
    other = headers | {"Idempotency-Key": "canary-of-another-key"}
    answers.append(gateway.invoke(f"{orders}?{query}", body, headers=other, key=None))
    assert [answer.status_code for answer in answers] == [201, 404, 404, 409]

    wait_until(
        lambda: all(request_id(answer) in str(rows(service)) for answer in answers),
        SOON_SECONDS,
        "all calls are written",
    )

    written = str(rows(service)).lower()
    assert "canary" not in written
    assert sample.INVOKE_KEY not in written
    assert CLIENT_SECRET not in written


def rows(service):
    """Return everything that the table of the activity holds."""
    return list(service.get_table_client("activity").list_entities())
