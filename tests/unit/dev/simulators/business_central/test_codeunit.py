"""Unbound actions: parameters, results and errors."""

from __future__ import annotations

import re

import pytest


@pytest.mark.parametrize(
    ("procedure", "arguments", "edm", "value"),
    [
        ("Ping", {"input": -7}, "Edm.Int32", "-7"),
        ("Echo", {"text": 'Grüße "A"'}, "Edm.String", '"Grüße \\"A\\""'),
        ("Echo", {"text": ""}, "Edm.String", '""'),
        ("GetDecimal", {}, "Edm.Decimal", "1234567890.123456789"),
        ("IsWhsePickRegistered", {"pickNo": "PI000001"}, "Edm.Boolean", "false"),
        ("GetNextSalesOrderNo", {}, "Edm.String", '"S-ORD101002"'),
    ],
)
def test_result_is_typed(bc, procedure, arguments, edm, value):
    """A result stands under `value` as its type writes it, and the context names the type."""
    response = bc.call(procedure, arguments)

    assert response.text == (
        f'{{"@odata.context":"{bc.origin}{bc.base}/ODataV4/$metadata#{edm}","value":{value}}}'
    )


def test_guid_result_is_the_id_of_the_record(bc):
    """The id that the codeunit returns is the one that the API shows."""
    shipment_id = bc.call("GetWhseShipmentId", {"shipmentNo": "SH000001"}).json["value"]

    response = bc.get(
        f"api/cronus/warehouse/v1.0/companies({bc.company_id})/shipments({shipment_id})"
    )

    assert response.json["number"] == "SH000001"


def test_void_procedure_has_no_content(bc):
    """Nothing returned is 204."""
    response = bc.call("Delay", {"delayMilliseconds": 0})

    assert response.status_code == 204
    assert response.data == b""


def test_delay_waits(bc):
    """The given time passes before the answer."""
    waits = []
    bc.during_delay = waits.append

    bc.call("Delay", {"delayMilliseconds": 1500})

    assert waits == [1.5]


def test_delay_beyond_the_operation_timeout_is_cancelled(bc):
    """The server gives up at its limit."""
    waits = []
    bc.during_delay = waits.append

    response = bc.call("Delay", {"delayMilliseconds": 500_000})

    assert response.status_code == 408
    assert waits == [480]


def test_body_may_be_missing_without_parameters(bc):
    """No parameters, no body needed."""
    response = bc.post(f"ODataV4/APICodeunits_GetDecimal?company={bc.company_id}")

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"Input": 1},
            "The parameter 'Input' in the request payload is not a valid parameter for the "
            "operation 'APICodeunits_Ping'.",
            id="wrong case",
        ),
        pytest.param({}, "The parameter 'input' of the operation", id="missing"),
        pytest.param({"input": {}}, "An unexpected 'StartObject' node was found", id="object"),
        pytest.param({"input": [1]}, "An unexpected 'StartArray' node was found", id="array"),
        pytest.param({"input": "1"}, "is not of the type 'Edm.Int32'", id="text"),
        pytest.param({"input": 2**31}, "is not of the type 'Edm.Int32'", id="too large"),
        pytest.param({"input": True}, "is not of the type 'Edm.Int32'", id="boolean"),
        pytest.param({"input": None}, "is not of the type 'Edm.Int32'", id="null"),
        pytest.param({"input": 1.5}, "is not of the type 'Edm.Int32'", id="fraction"),
    ],
)
def test_unfit_arguments_are_refused(bc, arguments, message):
    """Names and types of arguments are exact."""
    response = bc.call("Ping", arguments)

    assert response.status_code == 400
    assert response.json["error"]["code"] == "BadRequest"
    assert message in response.json["error"]["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff"])
def test_unreadable_body_is_refused(bc, body):
    """A body has to be a JSON object."""
    response = bc.send(
        "POST",
        f"ODataV4/APICodeunits_Ping?company={bc.company_id}",
        data=body,
        content_type="application/json",
    )

    assert response.status_code == 400
    assert response.json["error"]["message"].startswith("Invalid Request Body")


def test_wrong_content_type_is_unsupported(bc):
    """A form is no JSON."""
    response = bc.send(
        "POST", f"ODataV4/APICodeunits_Ping?company={bc.company_id}", data={"input": "1"}
    )

    assert response.status_code == 415


def test_al_error_is_a_dialog_exception(bc):
    """The text of `Error` comes back with a correlation id behind two spaces."""
    response = bc.call("RaiseError", {"message": "Stop."})

    assert response.status_code == 400
    assert response.json["error"]["code"] == "Application_DialogException"
    assert re.fullmatch(
        r"Stop\.  CorrelationId:  [0-9a-f-]{36}\.", response.json["error"]["message"]
    )


def test_unknown_procedure_is_not_found(bc):
    """The message repeats the URL."""
    response = bc.call("Nothing")

    assert response.status_code == 404
    assert response.json["error"]["code"] == "BadRequest_NotFound"
    assert response.json["error"]["message"].startswith(
        "No HTTP resource was found that matches the request URI "
        f"'{bc.origin}{bc.base}/ODataV4/APICodeunits_Nothing'."
    )


def test_action_takes_post_only(bc):
    """Reading an action is not allowed."""
    response = bc.get(f"ODataV4/APICodeunits_Ping?company={bc.company_id}")

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


def test_company_is_needed(bc):
    """With several companies and none chosen there is no default."""
    response = bc.call("GetDecimal", company=None)

    assert response.json["error"]["code"] == "Internal_CompanyNotFound"
