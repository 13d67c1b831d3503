"""The codeunit web service: procedures as typed unbound actions (bc-api.md section 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dev.simulators.business_central import diagnostics, warehouse
from dev.simulators.business_central.edm import Edm, is_json_value
from dev.simulators.business_central.errors import bad_request, method_not_allowed, uri_not_found
from dev.simulators.business_central.odata import empty_response, json_object, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Response

    from dev.simulators.business_central.call import Call
    from dev.simulators.business_central.database import Database
    from dev.simulators.business_central.settings import Settings

SERVICE_NAME = "APICodeunits"


@dataclass(frozen=True, slots=True)
class Session:
    """What a procedure runs in: a company's records and the server around it."""

    database: Database
    settings: Settings
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Procedure:
    """An AL procedure: scalar parameters in order, names starting in lower case, one result."""

    run: Callable[..., Any]
    parameters: Mapping[str, Edm] = field(default_factory=dict)
    returns: Edm | None = None


SHIPMENT_NO = {"shipmentNo": Edm.STRING}
PICK_NO = {"pickNo": Edm.STRING}
PROCEDURES = {
    "GetWhseShipmentList": Procedure(warehouse.get_shipment_list, {}, Edm.STRING),
    "GetWhseShipmentId": Procedure(warehouse.get_shipment_id, SHIPMENT_NO, Edm.GUID),
    "GetWhsePicks": Procedure(warehouse.get_picks, SHIPMENT_NO, Edm.STRING),
    "GetWhsePick": Procedure(warehouse.get_pick, PICK_NO, Edm.STRING),
    "UpdateWhsePick": Procedure(
        warehouse.update_pick, PICK_NO | {"linesJson": Edm.STRING}, Edm.STRING
    ),
    "RegisterWhsePick": Procedure(warehouse.register_pick, PICK_NO, Edm.STRING),
    "IsWhsePickRegistered": Procedure(warehouse.is_pick_registered, PICK_NO, Edm.BOOLEAN),
    "PostWhseShipment": Procedure(warehouse.post_shipment, SHIPMENT_NO, Edm.STRING),
    "GetNextSalesOrderNo": Procedure(warehouse.get_next_sales_order_no, {}, Edm.STRING),
    "Ping": Procedure(diagnostics.ping, {"input": Edm.INT32}, Edm.INT32),
    "Echo": Procedure(diagnostics.echo, {"text": Edm.STRING}, Edm.STRING),
    "GetDecimal": Procedure(diagnostics.get_decimal, {}, Edm.DECIMAL),
    "Delay": Procedure(diagnostics.delay, {"delayMilliseconds": Edm.INT32}),
    "RaiseError": Procedure(diagnostics.raise_error, {"message": Edm.STRING}),
}
OPERATIONS = {f"{SERVICE_NAME}_{name}": procedure for name, procedure in PROCEDURES.items()}


def is_action(name: str) -> bool:
    """Tell whether a path segment addresses the codeunit."""
    return name.startswith(f"{SERVICE_NAME}_")


def answer(call: Call, operation: str) -> Response:
    """Run a procedure in the company of the query; 204 if it returns nothing (assumed)."""
    procedure = OPERATIONS.get(operation)
    if procedure is None:
        raise uri_not_found(call.url())
    if call.request.method != "POST":
        raise method_not_allowed(call.request.method, operation, "POST", "Action")
    company = call.environment.company_by_option(call.target.option("company"))
    arguments = _arguments(operation, procedure, json_object(call.request))
    result = procedure.run(Session(company.database, call.settings, call.sleep), *arguments)
    if procedure.returns is None:
        return empty_response()
    return json_response({"@odata.context": call.context(procedure.returns.value), "value": result})


def _arguments(operation: str, procedure: Procedure, document: dict[str, Any]) -> list[Any]:
    """Check the body against the parameters; what is said of a missing one is assumed."""
    for name, value in document.items():
        edm = procedure.parameters.get(name)
        if edm is None:
            raise bad_request(
                f"The parameter '{name}' in the request payload is not a valid parameter for the "
                f"operation '{operation}'."
            )
        if isinstance(value, dict | list):
            node = "StartObject" if isinstance(value, dict) else "StartArray"
            raise bad_request(
                f"An unexpected '{node}' node was found when reading from the JSON reader. "
                "A 'PrimitiveValue' node was expected."
            )
        if not is_json_value(edm, value):
            message = f"The value of the parameter '{name}' is not of the type '{edm.value}'."
            raise bad_request(message)
    missing = [name for name in procedure.parameters if name not in document]
    if missing:
        raise bad_request(
            f"The parameter '{missing[0]}' of the operation '{operation}' is missing from the "
            "request payload."
        )
    return [document[name] for name in procedure.parameters]
