"""The preview of a URL is the URL that a call gets."""

from __future__ import annotations

import pytest

from shared.domain.endpoint import Endpoint
from shared.services.url_preview import URL_FIELDS, preview_url
from tests.builders import COMPANY, COMPANY_ID, endpoint_document, make_integration
from tests.urls import TENANT_ID, api, custom, odata, url

WITH_ID = {"company_id": COMPANY_ID}
TEMPLATE = "{base_url}/{company_id}/{endpoint}?c={company}&v=1"
GUID = "5d115c9c-44e3-ea11-bb43-000d3a2feca1"
AS_THEY_ARE = [
    ("codeunit", {}, {}),
    ("codeunit without company", {"company": None}, {}),
    ("codeunit of another company", {}, {"company": "O'Brien & Sons"}),
    ("fixed query", {"query": {"tenant": "t 1"}}, {"query": {"$schemaversion": "2"}}),
    ("page", {}, odata("Sales_Order")),
    ("page of a company by id", WITH_ID, odata("Sales_Order")),
    ("api", WITH_ID, api("customers")),
    ("custom api", WITH_ID, api("picks", api_route="contoso/warehouse/v1.0")),
    ("batch", WITH_ID, api("$batch", method="POST", unrestricted=True)),
    ("template", WITH_ID | {"url_template": TEMPLATE}, custom("orders")),
    ("no template", {}, custom("orders")),
]
WITH_PARAMETERS = [
    ("guid", "guid", "items({id})", GUID, GUID),
    ("number", "number", "items({id})", "-12.50", "-12.50"),
    ("text", "string", "items({id})", "a'b c", "'a%27%27b%20c'"),
    ("twice", "guid", "items({id})/lines({id})", GUID, GUID),
]


def preview(integration=None, endpoint=None):
    """Preview an endpoint with these changes."""
    document = endpoint_document(**(endpoint or {}))
    return preview_url(make_integration(**(integration or {})), document)


@pytest.mark.parametrize(
    ("integration", "endpoint"), [row[1:] for row in AS_THEY_ARE], ids=[r[0] for r in AS_THEY_ARE]
)
def test_preview_is_the_url_of_the_call(integration, endpoint):
    """What needs nothing of the caller is shown to the letter."""
    assert preview(integration, endpoint).url == url(integration, endpoint)


@pytest.mark.parametrize("form", [odata, api, custom])
@pytest.mark.parametrize(
    ("kind", "api_url", "value", "literal"),
    [row[1:] for row in WITH_PARAMETERS],
    ids=[row[0] for row in WITH_PARAMETERS],
)
def test_parameters_are_shown_by_name(form, kind, api_url, value, literal):
    """A caller's value in the place of the name makes it the URL of the call."""
    endpoint = form(api_url, parameters={"id": kind})

    shown = preview(WITH_ID, endpoint).url

    name = "'{id}'" if kind == "string" else "{id}"
    assert shown.count(name) == api_url.count("{id}")
    encoded = {"guid": value, "number": value, "string": "a%27b%20c"}[kind]
    assert shown.replace(name, literal) == url(WITH_ID, endpoint, f"id={encoded}")


@pytest.mark.parametrize(
    ("integration", "endpoint"),
    [({}, api("items")), ({"url_template": TEMPLATE}, custom("items"))],
    ids=["api", "template"],
)
def test_id_that_is_looked_up_is_shown_in_words(integration, endpoint):
    """With the id that the gateway finds for the company it is the URL of the call."""
    shown = preview(integration, endpoint).url

    words = f"<id of {COMPANY}>"
    assert shown.count(words) == 1
    assert shown.replace(words, COMPANY_ID) == url(WITH_ID | integration, endpoint)


@pytest.mark.parametrize(
    ("endpoint", "pointer", "part"),
    [
        ({"api_url": "../x"}, "/api_url", "must"),
        ({"api_url": ""}, "/api_url", "must not be empty"),
        (api("items({id})"), "/api_url", "{id}"),
        (odata("Items", parameters={"id": "guid"}), "/parameters/id", "holds no {id}"),
        (odata("Items", parameters="id"), "/parameters", "must be an object"),
        (api("items", api_route="/x"), "/api_route", "must be v2.0"),
        (odata("Items", company="a\nb"), "/company", "line breaks"),
        ({"query": {"company": "x"}}, "/query/company", "field company"),
        ({"kind": "soap"}, "/kind", "must be one of"),
    ],
)
def test_what_is_wrong_is_said_by_field(endpoint, pointer, part):
    """There is no URL then."""
    shown = preview({}, endpoint)

    assert shown.url is None
    assert [problem.pointer for problem in shown.problems] == [pointer]
    assert part in shown.problems[0].message


@pytest.mark.parametrize(
    ("integration", "endpoint", "part"),
    [
        ({"company": None}, api("items"), "names no company"),
        ({"url_template": "{base_url}/{colour}"}, custom("items"), "url_template"),
    ],
    ids=["no company", "broken template"],
)
def test_what_the_integration_lacks_is_said(integration, endpoint, part):
    """It is not the endpoint's fault, so no field of it is named."""
    (problem,) = preview(integration, endpoint).problems

    assert problem.pointer == ""
    assert part in problem.message


def test_other_fields_may_be_unfinished():
    """Only what decides on the URL is looked at."""
    unfinished = {name: object() for name in Endpoint.__struct_fields__ if name not in URL_FIELDS}

    shown = preview({}, unfinished)

    assert shown.url == url()
    assert TENANT_ID in shown.url
