"""The OpenAPI document is true: fuzzed from it, the whole API does nothing that it does not say."""

from __future__ import annotations

from typing import get_args

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from dev import sample
from dev.demo.gateway_client import http_session
from dev.demo.warehouse_definitions import CUSTOMERS, integration
from shared.domain.endpoint import Method
from shared.services.openapi.document import document
from tests.e2e.gateway import TIMEOUT_SECONDS

CODE = "FUZZED"
API = schemathesis.openapi.from_dict(document())
OPERATIONS = [found.ok() for found in API.get_all_operations()]
# Where no parameter has a form, nothing can be sent in a bad one.
WITHOUT_BAD_FORM = {"GET /api/signin/{token}", "GET /api/health", "GET /api/openapi.json"}
# Of the examples of an ordinary test a twelfth: there are many operations, and each is a test.
EXAMPLES = settings().max_examples // 12
TRUTHS = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
]
# No random ETag, page or company fits: with them, nothing would ever be read or changed.
CONDITIONS = ("If-Match", "If-None-Match")
CHOICES = ("gw_page", "gw_company")
# All that the document knows; others come from the platform, or are the same on every answer.
HEADERS = document()["components"]["headers"]
# What the host answers before any function runs: a path that is none, a body it does not take.
BY_THE_HOST = {400, 401, 404}


def test_document_is_openapi():
    """It fits the meta-schema of OpenAPI 3.1, so that any tool can read it."""
    API.validate()


def test_both_instances_serve_the_document(gateway):
    """Anybody gets it, the same everywhere."""
    answers = [gateway.call("GET", "openapi.json", key=None, instance=each) for each in (1, 2)]

    assert [each.json() for each in answers] == [document()] * 2
    assert len({each.headers["ETag"] for each in answers}) == 1
    known = {"If-None-Match": answers[0].headers["ETag"]}
    assert gateway.call("GET", "openapi.json", key=None, headers=known).status_code == 304


@pytest.fixture
def fuzzed(gateway):
    """Return an integration that serves calls, for whatever happens to it."""
    definition = integration(gateway.ports) | {"code": CODE, "grant_type": "client_credentials"}
    before = {each["code"] for each in gateway.manage("GET", "integrations?limit=500")["value"]}
    endpoints = [
        CUSTOMERS | {"code": f"{method}_CUSTOMERS", "method": method} for method in get_args(Method)
    ]
    yield gateway.store(definition, *endpoints)
    for each in gateway.manage("GET", "integrations?limit=500")["value"]:
        if each["code"] not in before:
            gateway.manage("DELETE", f"integrations/{each['code']}")


@pytest.fixture(scope="module")
def session():
    """Return the connections that all requests share."""
    with http_session() as session:
        yield session


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_operation_answers_as_it_is_documented(gateway, fuzzed, session, operation):
    """Whatever comes, good or bad: no undocumented answer, and no failure of the server's own."""
    known = {"integration": fuzzed, "endpoint": f"{operation.method.upper()}_CUSTOMERS"}
    good = bad = operation.as_strategy(GenerationMode.POSITIVE)
    if operation.label not in WITHOUT_BAD_FORM:
        bad = operation.as_strategy(GenerationMode.NEGATIVE)

    @settings(
        max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(unaimed=bad, bad=bad, good=good)
    def fuzz(unaimed, bad, good):
        for case in (bad, good):
            names = case.path_parameters.keys() & known.keys()
            case.path_parameters |= {name: known[name] for name in names}
        for name in CONDITIONS:
            good.headers.pop(name, None)
        for name in CHOICES:
            good.query.pop(name, None)
        for case in (unaimed, bad, good):
            check(case)

    def check(case):
        answer = case.call(
            base_url=gateway.url("").removesuffix("/api/"),
            headers={"x-functions-key": sample.HOST_KEY},
            session=session,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
        if "x-gateway-source" not in answer.headers:
            assert answer.status_code in BY_THE_HOST
            assert not answer.content
        else:
            case.validate_response(answer, checks=TRUTHS)
            assert {name for name in HEADERS if name.lower() in answer.headers} <= documented(
                answer
            )

    def documented(answer):
        responses = operation.definition.raw["responses"]
        return responses.get(str(answer.status_code), responses.get("default"))["headers"].keys()

    fuzz()
