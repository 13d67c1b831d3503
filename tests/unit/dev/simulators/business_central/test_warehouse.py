"""The warehouse flow: from the list of shipments to a posted one."""

from __future__ import annotations

import json

import pytest


def text(response):
    """Return the JSON that a procedure returned in a text."""
    assert response.status_code == 200, response.text
    return json.loads(response.json["value"])


def error(response):
    """Return status, code and the message without the correlation id."""
    body = response.json["error"]
    return response.status_code, body["code"], body["message"].partition("  CorrelationId:")[0]


def handle(bc, pick_no, *quantities):
    """Set the quantities to handle of a pick's lines."""
    lines = [
        {"lineNo": index * 10000, "qtyToHandle": quantity}
        for index, quantity in enumerate(quantities, start=1)
    ]
    return bc.call("UpdateWhsePick", {"pickNo": pick_no, "linesJson": json.dumps(lines)})


def shipment_numbers(bc, **options):
    """Return the numbers of the open shipments."""
    return [shipment["no"] for shipment in text(bc.call("GetWhseShipmentList", **options))]


def test_shipments_are_listed_with_lines(bc):
    """The list holds what a scanner shows."""
    first = text(bc.call("GetWhseShipmentList"))[0]

    assert (first["no"], first["status"]) == ("SH000001", "Released")
    assert [(line["itemNo"], line["quantity"], line["qtyPicked"]) for line in first["lines"]] == [
        ("1896-S", 3, 0),
        ("1928-S", 12, 0),
    ]


def test_shipment_is_picked_and_posted(bc):
    """The whole flow leads to a posted shipment, and the open one is gone."""
    picks = text(bc.call("GetWhsePicks", {"shipmentNo": "SH000001"}))
    assert [pick["no"] for pick in picks] == ["PI000001"]
    assert [line["qtyToHandle"] for line in text(handle(bc, "PI000001", 3, 12))["lines"]] == [3, 12]

    registered = text(bc.call("RegisterWhsePick", {"pickNo": "PI000001"}))
    picked = text(bc.call("GetWhseShipmentList"))[0]["lines"]
    posted = text(bc.call("PostWhseShipment", {"shipmentNo": "SH000001"}))

    assert registered["status"] == "Registered"
    assert [line["qtyPicked"] for line in picked] == [3, 12]
    assert posted == {"shipmentNo": "SH000001", "postedShipmentNo": "SS102001"}
    assert "SH000001" not in shipment_numbers(bc)


def test_posting_twice_finds_nothing(bc):
    """A posted shipment is gone, so that a repeated call shows."""
    handle(bc, "PI000001", 3, 12)
    bc.call("RegisterWhsePick", {"pickNo": "PI000001"})
    bc.call("PostWhseShipment", {"shipmentNo": "SH000001"})

    assert error(bc.call("PostWhseShipment", {"shipmentNo": "SH000001"})) == (
        404,
        "Internal_RecordNotFound",
        (
            "The Warehouse Shipment Header does not exist. "
            "Identification fields and values: No.='SH000001'"
        ),
    )


def test_posting_before_registering_is_refused(bc):
    """Every pick has to be registered first."""
    handle(bc, "PI000002", 6)
    bc.call("RegisterWhsePick", {"pickNo": "PI000002"})

    assert error(bc.call("PostWhseShipment", {"shipmentNo": "SH000002"})) == (
        400,
        "Application_DialogException",
        (
            "Warehouse shipment SH000002 cannot be posted because these picks are not registered: "
            "PI000003."
        ),
    )
    assert "SH000002" in shipment_numbers(bc)


def test_registering_twice_is_refused(bc):
    """The error names the pick."""
    handle(bc, "PI000002", 6)
    bc.call("RegisterWhsePick", {"pickNo": "PI000002"})

    assert error(bc.call("RegisterWhsePick", {"pickNo": "PI000002"})) == (
        400,
        "Application_DialogException",
        "Pick PI000002 has already been registered.",
    )


def test_registering_nothing_is_refused(bc):
    """Some line has to have a quantity to handle."""
    status, code, message = error(bc.call("RegisterWhsePick", {"pickNo": "PI000001"}))

    assert (status, code) == (400, "Application_FieldValidationException")
    assert "No.=PI000001" in message


def test_part_of_a_pick_leaves_it_open(bc):
    """What is outstanding can be handled later."""
    handle(bc, "PI000002", 2.5)
    pick = text(bc.call("RegisterWhsePick", {"pickNo": "PI000002"}))
    assert (pick["status"], pick["lines"][0]["qtyHandled"]) == ("Open", 2.5)

    assert error(handle(bc, "PI000002", 4))[1] == "Application_DialogException"
    handle(bc, "PI000002", 3.5)
    pick = text(bc.call("RegisterWhsePick", {"pickNo": "PI000002"}))

    assert (pick["status"], pick["lines"][0]["qtyHandled"]) == ("Registered", 6.0)


def test_failed_update_changes_nothing(bc):
    """A call is one transaction: the good line of a bad update is rolled back."""
    response = handle(bc, "PI000001", 3, 99)

    assert error(response) == (
        400,
        "Application_DialogException",
        "Line 20000 of pick PI000001 can handle 0 to 12, not 99.",
    )
    pick = text(bc.call("GetWhsePick", {"pickNo": "PI000001"}))
    assert [line["qtyToHandle"] for line in pick["lines"]] == [0, 0]


@pytest.mark.parametrize(
    "lines_json",
    ["", "{}", "[1]", '[{"lineNo": 10000}]', '[{"lineNo": "10000", "qtyToHandle": 1}]'],
)
def test_unreadable_lines_are_refused(bc, lines_json):
    """The text has to hold a JSON array of changes."""
    response = bc.call("UpdateWhsePick", {"pickNo": "PI000001", "linesJson": lines_json})

    assert error(response)[:2] == (400, "Application_DialogException")


@pytest.mark.parametrize(
    ("procedure", "arguments"),
    [
        ("GetWhsePick", {"pickNo": "PI999999"}),
        ("GetWhsePicks", {"shipmentNo": "SH999999"}),
        ("RegisterWhsePick", {"pickNo": "PI999999"}),
        (
            "UpdateWhsePick",
            {"pickNo": "PI000001", "linesJson": '[{"lineNo": 1, "qtyToHandle": 1}]'},
        ),
    ],
)
def test_unknown_record_is_not_found(bc, procedure, arguments):
    """A number that leads nowhere is 404."""
    assert error(bc.call(procedure, arguments))[:2] == (404, "Internal_RecordNotFound")


def test_numbers_are_drawn_once(bc):
    """Each call gets the next number."""
    numbers = [bc.call("GetNextSalesOrderNo").json["value"] for _ in range(2)]

    assert numbers == ["S-ORD101002", "S-ORD101003"]


def test_companies_and_environments_are_apart(bc):
    """Posting in one company leaves the others alone."""
    handle(bc, "PI000001", 3, 12)
    bc.call("RegisterWhsePick", {"pickNo": "PI000001"})
    bc.call("PostWhseShipment", {"shipmentNo": "SH000001"})

    sandbox = bc.post(
        f"/v2.0/Sandbox/ODataV4/APICodeunits_GetWhseShipmentList?company={bc.company_id}"
    )

    assert "SH000001" in shipment_numbers(bc, company=bc.other_company)
    assert "SH000001" in [shipment["no"] for shipment in text(sandbox)]


def test_custom_api_and_page_show_the_same_state(bc):
    """What the codeunit changes, the read-only views show."""
    handle(bc, "PI000002", 6)
    bc.call("RegisterWhsePick", {"pickNo": "PI000002"})

    custom = bc.get(
        f"api/cronus/warehouse/v1.0/companies({bc.company_id})/shipments"
        "?$filter=number eq 'SH000002'&$expand=shipmentLines"
    ).json["value"]
    page = bc.get(f"ODataV4/Company(Id={bc.company_id})/WarehouseShipments('SH000002')").json

    assert [line["quantityPicked"] for line in custom[0]["shipmentLines"]] == [6, 0]
    assert (page["No"], page["Location_Code"]) == ("SH000002", "WHITE")


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_custom_api_is_read_only(bc, method):
    """Shipments change through the codeunit alone."""
    root = f"api/cronus/warehouse/v1.0/companies({bc.company_id})/shipments"
    entity = bc.get(root).json["value"][0]["id"]

    path = root if method == "POST" else f"{root}({entity})"

    assert bc.send(method, path, json={}).status_code == 405
