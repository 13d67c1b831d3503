"""Service documents and `$metadata`."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


def schema(response):
    """Return the schema element of a CSDL document."""
    assert response.mimetype == "application/xml"
    return next(ET.fromstring(response.data).iter(f"{EDM}Schema"))  # noqa: S314


@pytest.mark.parametrize(
    ("root", "names"),
    [
        ("api/v2.0", ["companies", "customers", "items", "salesOrders"]),
        ("ODataV4", ["Company", "Customer", "Item", "WarehouseShipments"]),
        ("api/cronus/warehouse/v1.0", ["companies", "shipments"]),
    ],
)
def test_service_document_and_metadata_name_the_sets(bc, root, names):
    """Both list what is published; actions are not in the service document."""
    document = bc.get(root).json
    container = schema(bc.get(f"{root}/$metadata")).find(f"{EDM}EntityContainer")

    assert [entry["url"] for entry in document["value"]] == names
    assert document["@odata.context"] == f"{bc.origin}{bc.base}/{root}/$metadata"
    assert [entry.get("Name") for entry in container.iter(f"{EDM}EntitySet")] == names


def test_metadata_describes_the_codeunit(bc):
    """Each procedure is an action with typed parameters and an import."""
    document = schema(bc.get("ODataV4/$metadata"))
    actions = {action.get("Name"): action for action in document.iter(f"{EDM}Action")}
    imports = {entry.get("Action") for entry in document.iter(f"{EDM}ActionImport")}

    update = actions["APICodeunits_UpdateWhsePick"]
    assert [(p.get("Name"), p.get("Type")) for p in update.iter(f"{EDM}Parameter")] == [
        ("pickNo", "Edm.String"),
        ("linesJson", "Edm.String"),
    ]
    assert update.find(f"{EDM}ReturnType").get("Type") == "Edm.String"
    assert actions["APICodeunits_Delay"].find(f"{EDM}ReturnType") is None
    assert imports == {f"NAV.{name}" for name in actions}


def test_metadata_describes_bound_actions_and_lines(bc):
    """The API's document has its own namespace, the nested set and the bound action."""
    document = schema(bc.get("api/v2.0/$metadata"))
    action = document.find(f"{EDM}Action")
    types = {entry.get("Name"): entry for entry in document.iter(f"{EDM}EntityType")}
    navigation = types["salesOrder"].find(f"{EDM}NavigationProperty")

    assert document.get("Namespace") == "Microsoft.NAV"
    assert (action.get("Name"), action.get("IsBound")) == ("shipAndInvoice", "true")
    assert action.find(f"{EDM}Parameter").get("Type") == "Microsoft.NAV.salesOrder"
    assert navigation.get("Type") == "Collection(Microsoft.NAV.salesOrderLine)"
    assert "salesOrderLine" in types


def test_metadata_is_read_only(bc):
    """Documents are read."""
    assert bc.post("api/v2.0/$metadata").status_code == 405


def test_metadata_of_a_company_is_an_empty_404(bc):
    """The document belongs to the service, not to a company."""
    response = bc.get(f"ODataV4/Company(Id={bc.company_id})/$metadata")

    assert (response.status_code, response.data) == (404, b"")
