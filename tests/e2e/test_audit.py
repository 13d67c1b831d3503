"""The audit on the real stack: of every instance, and never a secret."""

from __future__ import annotations

from azure.data.tables import TableServiceClient

from dev.stack.app_settings import storage_connection
from tests.e2e.foreign.shop import CLIENT_SECRET, endpoint
from tests.e2e.gateway import problem, refused_at


def acts(page):
    """Return what the entries of a page tell: action, what it is about, and the fields."""
    return [
        (each["action"], each["endpoint"], [change["field"] for change in each["changes"]])
        for each in page["value"]
    ]


def test_changes_of_every_instance_are_listed_by_each(gateway, shop):
    """The latest first, with their values, page by page; a deletion leaves the one that tells."""
    path = f"integrations/{shop.code}"
    gateway.store(shop.for_person(), endpoint("ORDERS"))
    gateway.manage("PATCH", f"{path}/endpoints/ORDERS", {"api_url": "lines"}, instance=2)
    gateway.manage("PATCH", path, {"name": "", "client_secret": CLIENT_SECRET}, instance=1)
    gateway.manage("PATCH", path, {"name": ""}, instance=2)
    refused = gateway.call("PATCH", path, {"client_secret": CLIENT_SECRET, "colour": 1})
    assert refused_at(refused) == ["/colour"]

    wanted = f"audit?integration={shop.code}"
    first = gateway.manage("GET", f"{wanted}&limit=2", instance=2)
    cursor = first["value"][-1]["id"]
    rest = gateway.manage("GET", f"{wanted}&limit=2&after={cursor}", instance=1)

    assert acts(first) == [
        ("changed", None, ["/name", "/client_secret"]),
        ("changed", "ORDERS", ["/api_url"]),
    ]
    assert f"after={cursor}" in first["nextLink"]
    assert [each[:2] for each in acts(rest)] == [("created", "ORDERS"), ("created", None)]
    (change,) = first["value"][1]["changes"]
    assert (change["old"], change["new"]) == ("orders", "lines")
    assert {each["by"] for each in first["value"] + rest["value"]} == {"a key"}

    gateway.manage("DELETE", path, instance=2)

    assert [each[:2] for each in acts(gateway.manage("GET", wanted))] == [("deleted", None)]


def test_account_that_signed_in_is_named(gateway, stack, shop):
    """After whoever began the sign-in, and no secret of it all is in the table."""
    gateway.store(shop.for_person())
    gateway.sign_in(shop.code)
    gateway.manage("POST", f"deauthorize/{shop.code}", instance=2)

    page = gateway.manage("GET", f"audit?integration={shop.code}&limit=3")
    by = [(each["action"], each["by"]) for each in page["value"]]
    status = [name for name, _ in by]
    assert status == ["deauthorized", "signed_in", "sign_in_started"]
    assert [who == "a key" for _, who in by] == [True, False, True]
    with TableServiceClient.from_connection_string(storage_connection(stack.ports)) as service:
        rows = list(service.get_table_client("audit").list_entities())
    assert any(row["integration"] == shop.code for row in rows)
    assert CLIENT_SECRET not in str(rows)


def test_audit_needs_a_key(gateway):
    """Not that of callers, and a cursor that is one."""
    assert gateway.call("GET", "audit", key=None).status_code == 401
    problem(gateway.call("GET", "audit?after=x"), 400, "invalid_parameter")
