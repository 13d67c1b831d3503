"""The timer's round on the real stack, beside a provider that hangs and a row that is damaged."""

import socket
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import UpdateMode

from dev.demo.warehouse_definitions import integration
from dev.stack.app_settings import storage_connection
from dev.stack.ports import HOST
from shared.adapters.definition_tables import IntegrationTable
from shared.adapters.tables import open_tables
from shared.adapters.token_tables import TokenStateTable
from shared.domain.secret import Secret
from shared.domain.tokens import TokenState
from tests.e2e.gateway import problem
from tests.e2e.processes import wait_until


@pytest.fixture(scope="module")
def tables(stack):
    """Return the client of the stack's tables."""
    connection = Secret(storage_connection(stack.ports))
    with open_tables(url=None, connection=connection, credential=pytest.fail) as client:
        yield client


@pytest.fixture(scope="module")
def states(tables):
    """Return the token states as the instances share them."""
    return TokenStateTable(tables)


@pytest.fixture
def due(gateway, tables, states, code):
    """Return a function that stores an app whose token is in use and due, and gives its code."""
    stored = []

    def store(name, **changes):
        app = {"code": f"{code}_{name}", "grant_type": "client_credentials"} | changes
        gateway.store(integration(gateway.ports) | app)
        stored.append(app["code"])
        now = datetime.now(UTC)
        state = TokenState(
            status="authorized",
            generation=1,
            binding=IntegrationTable(tables).get(app["code"]).binding,
            obtained_on=now - timedelta(hours=1),
            expires_on=now + timedelta(minutes=1),
            last_used_on=now,
        )
        states.put(app["code"], state, etag=None)
        return app["code"]

    yield store
    for each in stored:
        gateway.manage("DELETE", f"integrations/{each}")


@pytest.fixture
def hanging(due):
    """Return the code of an app whose provider takes connections and never answers."""
    with socket.create_server((HOST, 0), backlog=64) as listener:
        yield due("HANGING", token_url=f"http://{HOST}:{listener.getsockname()[1]}/token")


@pytest.fixture
def damaged(due, tables, states):
    """Return the code of an app whose token state cannot be read."""
    code = due("DAMAGED")
    client = tables.get_table_client("tokenstate")
    row = client.get_entity(code, "state")
    client.update_entity(row | {"body": '{"status":"canary'}, mode=UpdateMode.REPLACE)
    yield code
    states.delete(code)


def wait_until_renewed(states, codes):
    """Wait for the second tokens of all these."""
    wait_until(
        lambda: all(states.get(code).state.generation == 2 for code in codes), 20, "all are renewed"
    )


def test_hanging_provider_delays_no_other(gateway, states, due, hanging):
    """All others are renewed while the call to it still waits."""
    others = [due(f"OTHER_{number}") for number in range(12)]

    gateway.run_timer()

    wait_until_renewed(states, others)
    assert states.get(hanging).state.is_leased(datetime.now(UTC))
    assert states.get(hanging).state.generation == 1


def test_damaged_row_keeps_no_other_from_its_renewal(gateway, stack, states, due, damaged):
    """The log names it for an administrator, and nothing of what is in it."""
    others = [due("BEFORE"), due("NEXT")]

    gateway.run_timer()

    wait_until_renewed(states, others)
    log = (stack.folder / "logs" / "host-1.log").read_text(encoding="utf-8")
    assert f'"event":"row_unreadable","table":"tokenstate","partition":"{damaged}"' in log
    assert "canary" not in log


def test_call_with_a_damaged_token_state_tells_the_remedy(gateway, damaged):
    """No resending helps: an administrator has to repair the row."""
    answer = gateway.call("GET", f"integrations/{damaged}/status")

    assert "tokenstate" in problem(answer, 424, "gateway_misconfigured")["detail"]
