"""Sales orders: a head, its lines and a bound action."""

from __future__ import annotations

import pytest


def test_document_is_created_with_its_lines(bc, api):
    """Deep insert creates head and lines; `$expand` shows both."""
    response = bc.post(
        f"{api}/salesOrders",
        {
            "customerNumber": "10000",
            "salesOrderLines": [
                {"lineType": "Item", "lineObjectNumber": "1896-S", "quantity": 2.50},
                {"lineType": "Item", "lineObjectNumber": "1928-S", "quantity": 1},
            ],
        },
    )

    assert response.status_code == 201
    order = bc.get(f"{api}/salesOrders({response.json['id']})?$expand=salesOrderLines").json
    assert [
        (line["sequence"], line["lineObjectNumber"], line["quantity"])
        for line in order["salesOrderLines"]
    ] == [(10000, "1896-S", 2.5), (20000, "1928-S", 1)]


def test_document_with_a_bad_line_leaves_nothing(bc, api):
    """Deep insert is one transaction, its number included."""
    before = bc.get(f"{api}/salesOrders/$count").text

    response = bc.post(
        f"{api}/salesOrders",
        {"customerNumber": "10000", "salesOrderLines": [{"lineObjectNumber": "nothing"}]},
    )

    assert bc.error(response) == (400, "Internal_InvalidTableRelation")
    assert bc.get(f"{api}/salesOrders/$count").text == before
    assert bc.call("GetNextSalesOrderNo").json["value"] == "S-ORD101002"


@pytest.mark.parametrize("lines", [{}, ["x"]])
def test_nested_lines_must_be_objects(bc, api, lines):
    """What is nested has to be an array of entities."""
    response = bc.post(f"{api}/salesOrders", {"salesOrderLines": lines})

    assert bc.error(response) == (400, "BadRequest")


def test_line_is_added_by_the_nested_path(bc, api):
    """A line posted to a document gets the next sequence."""
    lines = f"{api}/salesOrders({bc.first(f'{api}/salesOrders')['id']})/salesOrderLines"

    response = bc.post(lines, {"lineType": "Item", "lineObjectNumber": "1900-S", "quantity": 1})

    assert response.json["sequence"] == 20000
    assert response.headers["Location"].endswith(f"/salesOrderLines({response.json['id']})")
    assert bc.get(f"{lines}/$count").text == "2"


def test_deleted_document_takes_its_lines_along(bc, api):
    """A line does not outlive its document."""
    order = f"{api}/salesOrders({bc.first(f'{api}/salesOrders')['id']})"

    assert bc.send("DELETE", order).status_code == 204
    assert bc.get(f"{order}/salesOrderLines").status_code == 404


@pytest.mark.parametrize(
    ("date", "status"), [("2026-12-24", 201), ("24.12.2026", 400), ("2026-02-30", 400)]
)
def test_dates_are_checked(bc, api, date, status):
    """A date is a text in ISO form."""
    document = {"customerNumber": "10000", "orderDate": date}

    assert bc.post(f"{api}/salesOrders", document).status_code == status


def test_bound_action_posts_the_order(bc, api):
    """The action answers 204, and the order and its lines are gone."""
    order = f"{api}/salesOrders({bc.first(f'{api}/salesOrders')['id']})"

    response = bc.post(f"{order}/Microsoft.NAV.shipAndInvoice")

    assert (response.status_code, response.content_type) == (204, None)
    assert bc.error(bc.post(f"{order}/Microsoft.NAV.shipAndInvoice")) == (
        404,
        "Internal_RecordNotFound",
    )


@pytest.mark.parametrize(
    ("method", "action", "expected"),
    [
        ("POST", "Microsoft.NAV.other", (404, "BadRequest_ResourceNotFound")),
        ("POST", "NAV.shipAndInvoice", (404, "BadRequest_ResourceNotFound")),
        ("GET", "Microsoft.NAV.shipAndInvoice", (405, "BadRequest_MethodNotAllowed")),
    ],
)
def test_bound_action_is_exact(bc, api, method, action, expected):
    """Namespace, name and method have to be right."""
    order = f"{api}/salesOrders({bc.first(f'{api}/salesOrders')['id']})"

    assert bc.error(bc.send(method, f"{order}/{action}")) == expected


def test_order_without_lines_cannot_be_posted(bc, api):
    """AL refuses to post nothing."""
    order = bc.post(f"{api}/salesOrders", {"customerNumber": "10000"}).json

    response = bc.post(f"{api}/salesOrders({order['id']})/Microsoft.NAV.shipAndInvoice")

    assert bc.error(response) == (400, "Application_DialogException")
