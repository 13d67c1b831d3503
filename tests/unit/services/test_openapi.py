"""The OpenAPI document: whole, true to the code, and nothing confidential."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from shared.domain import error_kinds
from shared.domain.endpoint import Endpoint, read_endpoint
from shared.domain.error_kinds import ErrorKind
from shared.domain.integration import READ_ONLY_FIELDS, Integration
from shared.services.openapi.document import document
from tests.builders import endpoint_document, integration_document
from tests.unit.functions.test_every_answer import functions

KINDS = [value for value in vars(error_kinds).values() if isinstance(value, ErrorKind)]


@functools.cache
def served() -> dict[str, Any]:
    """Return the document as a client reads it."""
    return json.loads(json.dumps(document()))


def operations():
    """Return every operation with its path and method."""
    return [
        (path, method.upper(), operation)
        for path, methods in served()["paths"].items()
        for method, operation in methods.items()
    ]


def documented_codes(operation):
    """Return the codes of errors by status."""
    return {
        int(status): set(content["schema"]["allOf"][1]["properties"]["code"]["enum"])
        for status, response in operation["responses"].items()
        if (content := response.get("content", {}).get("application/problem+json"))
    }


def validator(name):
    """Return what checks a document against a schema of the document."""
    components = served()["components"]
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components})


def test_references_lead_somewhere():
    """Every $ref names something that is there, and nothing is there in vain."""
    text = json.dumps(served())
    named = set(re.findall(r'"#/components/(\w+/[\w-]+)"', text))
    components = served()["components"]
    there = {f"{group}/{name}" for group in ("schemas", "headers") for name in components[group]}

    assert named == there


def test_every_route_is_described_with_its_methods_and_its_keys():
    """What the host serves is what the document says, and no more."""
    described = {(path, method, bool(each["security"])) for path, method, each in operations()}

    optional = re.compile(r"/\{(\w+)\?\}")
    served_by_host = {
        (f"/api/{path}", method, function.trigger["authLevel"] == "FUNCTION")
        for function in functions()
        if function.is_http
        for route in [function.trigger["route"]]
        if not route.startswith("panel/")  # its pages are for people
        for path in (optional.sub("", route), optional.sub(r"/{\1}", route))
        for method in function.trigger["methods"]
    }
    # One function serves a collection and its members, and answers 405 itself.
    refused = {
        (path, method, True)
        for path, methods in {
            "/api/integrations": {"PUT", "PATCH", "DELETE"},
            "/api/integrations/{integration}": {"POST"},
            "/api/integrations/{integration}/endpoints": {"PUT", "PATCH", "DELETE"},
            "/api/integrations/{integration}/endpoints/{endpoint}": {"POST"},
        }.items()
        for method in methods
    }
    assert described == served_by_host - refused


def test_operation_ids_are_unique():
    """Tools make the names of functions from them."""
    ids = [each["operationId"] for _, _, each in operations()]

    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.code}-{kind.status}")
def test_every_error_is_documented_somewhere(kind):
    """An error that no operation knows is one that no client expects."""
    assert any(
        kind.code in documented_codes(each).get(kind.status, ()) for _, _, each in operations()
    )


@pytest.mark.parametrize(
    ("name", "model", "read_only"),
    [
        ("Integration", Integration, READ_ONLY_FIELDS),
        ("Endpoint", Endpoint, {"created_on", "updated_on"}),
    ],
)
def test_definition_has_every_field_of_its_model(name, model, read_only):
    """All three forms follow the model; the secret goes in and never comes out."""
    secret = {"client_secret"} if name == "Integration" else set()
    fields = set(model.__struct_fields__)
    schemas = served()["components"]["schemas"]

    assert schemas[name]["properties"].keys() == fields | read_only
    assert set(schemas[name]["required"]) == fields | read_only
    for form in ("Definition", "Patch"):
        written = schemas[f"{name}{form}"]
        assert written["properties"].keys() == fields | read_only | secret
        assert not written["additionalProperties"]
        shown_only = {
            field for field, schema in written["properties"].items() if schema.get("readOnly")
        }
        assert shown_only == read_only


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("IntegrationDefinition", integration_document(client_secret="x")),
        ("IntegrationPatch", {"company": None, "client_secret": None, "max_in_flight": None}),
        ("EndpointDefinition", endpoint_document()),
        ("EndpointDefinition", {"api_url": "items", "kind": "api", "method": "GET"}),
        ("EndpointPatch", {"timeout_seconds": 20, "request_schema": None, "code": "X"}),
    ],
)
def test_good_body_fits_its_schema(name, body):
    """What the gateway takes, the document allows."""
    validator(name).validate(body)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("EndpointDefinition", endpoint_document(timeout_seconds=221)),
        ("EndpointDefinition", endpoint_document(method="BREW")),
        ("EndpointDefinition", endpoint_document(colour="red")),
        ("EndpointDefinition", {"code": "X"}),
        ("IntegrationDefinition", integration_document(max_in_flight=0)),
        ("IntegrationPatch", {"code": "1X"}),
    ],
)
def test_bad_body_fits_no_schema(name, body):
    """What the document forbids, the gateway refuses too."""
    assert not validator(name).is_valid(body)
    if name == "EndpointDefinition":
        assert read_endpoint(body)[0] is None
