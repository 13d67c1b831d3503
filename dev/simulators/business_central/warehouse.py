"""Procedures of the codeunit that pick and post warehouse shipments; records keep the state.

A shipment can be posted once its picks are registered. A pick registers what its lines have
under "quantity to handle" and stays open while something of it is outstanding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev.simulators.business_central.edm import Edm, is_json_value
from dev.simulators.business_central.errors import ODataError, al_error, record_not_found
from dev.simulators.business_central.odata import from_json, to_json

if TYPE_CHECKING:
    from dev.simulators.business_central.actions import Session
    from dev.simulators.business_central.database import Database, Row

SHIPMENT_COLUMNS = ("no", "locationCode", "status", "shipmentDate")
SHIPMENT_LINE_COLUMNS = (
    "lineNo",
    "itemNo",
    "description",
    "quantity",
    "qtyPicked",
    "unitOfMeasureCode",
)
PICK_COLUMNS = ("no", "shipmentNo", "status")
PICK_LINE_COLUMNS = (
    "lineNo",
    "shipmentLineNo",
    "itemNo",
    "description",
    "binCode",
    "quantity",
    "qtyToHandle",
    "qtyHandled",
    "unitOfMeasureCode",
)


def get_shipment_list(session: Session) -> str:
    """List the open shipments with their lines, as JSON in a text."""
    return _text([_shipment(session.database, row) for row in session.database.select("shipments")])


def get_picks(session: Session, shipment_no: str) -> str:
    """List the picks of a shipment with their lines, as JSON in a text."""
    _find_shipment(session.database, shipment_no)
    picks = session.database.select("picks", shipmentNo=shipment_no)
    return _text([_pick(session.database, row) for row in picks])


def get_pick(session: Session, pick_no: str) -> str:
    """Return one pick with its lines, as JSON in a text."""
    return _text(_pick(session.database, _find_pick(session.database, pick_no)))


def update_pick(session: Session, pick_no: str, lines_json: str) -> str:
    """Set the quantities to handle from a JSON array of `{lineNo, qtyToHandle}`."""
    database = session.database
    with database.transaction():
        pick = _find_open_pick(database, pick_no)
        for change in _read_changes(lines_json):
            line_no, quantity = change["lineNo"], change["qtyToHandle"]
            line = database.find("pickLines", pickNo=pick_no, lineNo=line_no)
            if line is None:
                raise record_not_found(
                    "Warehouse Activity Line",
                    f"Activity Type='Pick',No.='{pick_no}',Line No.='{line_no}'",
                )
            outstanding = line["quantity"] - line["qtyHandled"]
            if not 0 <= quantity <= outstanding:
                raise al_error(
                    f"Line {line_no} of pick {pick_no} can handle 0 to {outstanding}, "
                    f"not {quantity}."
                )
            database.change("pickLines", line, {"qtyToHandle": quantity})
        return _text(_pick(database, pick))


def register_pick(session: Session, pick_no: str) -> str:
    """Move the quantities to handle to the shipment; return the pick as it stands then."""
    database = session.database
    with database.transaction():
        pick = _find_open_pick(database, pick_no)
        lines = database.select("pickLines", pickNo=pick_no)
        if not any(line["qtyToHandle"] for line in lines):
            raise ODataError(
                400,
                "Application_FieldValidationException",
                "Qty. to Handle must have a value in Warehouse Activity Line: "
                f"Activity Type=Pick, No.={pick_no}. It cannot be zero or empty.",
            )
        for line in lines:
            _register_line(database, line)
        lines = database.select("pickLines", pickNo=pick_no)
        if all(line["qtyHandled"] == line["quantity"] for line in lines):
            pick = database.change("picks", pick, {"status": "Registered"})
        return _text(_pick(database, pick))


def post_shipment(session: Session, shipment_no: str) -> str:
    """Post a shipment whose picks are all registered; it is gone afterwards."""
    database = session.database
    with database.transaction():
        shipment = _find_shipment(database, shipment_no)
        open_picks = [
            pick["no"]
            for pick in database.select("picks", shipmentNo=shipment_no)
            if pick["status"] != "Registered"
        ]
        if open_picks:
            raise al_error(
                f"Warehouse shipment {shipment_no} cannot be posted because these picks are not "
                f"registered: {', '.join(open_picks)}."
            )
        posted_no = database.next_number("S-SHPT")
        for line in database.select("shipmentLines", shipmentNo=shipment_no):
            database.delete("shipmentLines", line)
        database.delete("shipments", shipment)
        return _text({"shipmentNo": shipment_no, "postedShipmentNo": posted_no})


def get_next_sales_order_no(session: Session) -> str:
    """Draw the next number of the sales orders' series."""
    with session.database.transaction():
        return session.database.next_number("S-ORD")


def get_shipment_id(session: Session, shipment_no: str) -> str:
    """Return the system id of a shipment."""
    return str(_find_shipment(session.database, shipment_no)["id"])


def is_pick_registered(session: Session, pick_no: str) -> bool:
    """Tell whether a pick is registered in full."""
    return bool(_find_pick(session.database, pick_no)["status"] == "Registered")


def _register_line(database: Database, line: Row) -> None:
    quantity = line["qtyToHandle"]
    shipment_line = database.select(
        "shipmentLines", shipmentNo=line["shipmentNo"], lineNo=line["shipmentLineNo"]
    )[0]
    picked = shipment_line["qtyPicked"] + quantity
    database.change("shipmentLines", shipment_line, {"qtyPicked": picked})
    handled = line["qtyHandled"] + quantity
    database.change("pickLines", line, {"qtyToHandle": 0, "qtyHandled": handled})


def _read_changes(lines_json: str) -> list[dict[str, Any]]:
    problem = al_error("The lines are no JSON array of {lineNo, qtyToHandle}.")
    try:
        changes = from_json(lines_json)
    except ValueError as error:
        raise problem from error
    if not isinstance(changes, list) or not all(_is_change(change) for change in changes):
        raise problem
    return changes


def _is_change(change: Any) -> bool:
    return (
        isinstance(change, dict)
        and is_json_value(Edm.INT32, change.get("lineNo"))
        and is_json_value(Edm.DECIMAL, change.get("qtyToHandle"))
    )


def _find_shipment(database: Database, shipment_no: str) -> Row:
    shipment = database.find("shipments", no=shipment_no)
    if shipment is None:
        raise record_not_found("Warehouse Shipment Header", f"No.='{shipment_no}'")
    return shipment


def _find_pick(database: Database, pick_no: str) -> Row:
    pick = database.find("picks", no=pick_no)
    if pick is None:
        raise record_not_found("Warehouse Activity Header", f"Type='Pick',No.='{pick_no}'")
    return pick


def _find_open_pick(database: Database, pick_no: str) -> Row:
    pick = _find_pick(database, pick_no)
    if pick["status"] == "Registered":
        raise al_error(f"Pick {pick_no} has already been registered.")
    return pick


def _shipment(database: Database, shipment: Row) -> dict[str, Any]:
    lines = database.select("shipmentLines", shipmentNo=shipment["no"])
    return _with_lines(shipment, SHIPMENT_COLUMNS, lines, SHIPMENT_LINE_COLUMNS)


def _pick(database: Database, pick: Row) -> dict[str, Any]:
    lines = database.select("pickLines", pickNo=pick["no"])
    return _with_lines(pick, PICK_COLUMNS, lines, PICK_LINE_COLUMNS)


def _with_lines(
    header: Row, columns: tuple[str, ...], lines: list[Row], line_columns: tuple[str, ...]
) -> dict[str, Any]:
    return {column: header[column] for column in columns} | {
        "lines": [{column: line[column] for column in line_columns} for line in lines]
    }


def _text(document: object) -> str:
    return to_json(document).decode()
