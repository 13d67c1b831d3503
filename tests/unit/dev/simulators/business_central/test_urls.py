"""URL forms: environment, company, service, and the errors of each."""

from __future__ import annotations

import pytest

from dev import sample

OTHER_NAME = "O%27%27Brien%20%26%20Sons%2C%20Ltd."
COMPANY_ID = next(iter(sample.COMPANIES.values()))


@pytest.mark.parametrize(
    "base",
    [
        f"/v2.0/{sample.TENANT_ID}/Production",
        f"/v2.0/{sample.TENANT_ID.upper()}/production",
        "/v2.0/cronus.example/Sandbox",
        "/v2.0/Production",
        "/v2.0/PRODUCTION",
    ],
)
def test_base_forms_lead_to_the_service(bc, base):
    """The tenant may be an id, a domain or absent; the environment's case does not matter."""
    response = bc.get(f"{base}/api/v2.0/companies")

    assert [company["name"] for company in response.json["value"]] == list(sample.COMPANIES)
    assert response.json["@odata.context"] == f"{bc.origin}{base}/api/v2.0/$metadata#companies"


@pytest.mark.parametrize(
    "path",
    [
        f"/v2.0/{sample.TENANT_ID}/Nowhere/api/v2.0/companies",
        "/v2.0/Nowhere/ODataV4",
        f"/v2.0/Production/{sample.TENANT_ID}/ODataV4",
        "/v2.0/Production",
    ],
)
def test_unknown_environment_is_xml(bc, path):
    """The layer in front of the server answers XML to a caller that takes anything."""
    response = bc.get(path, headers={"Accept": "*/*"})

    assert response.status_code == 404
    assert response.mimetype == "application/xml"
    assert "<code>NoEnvironment</code><message>Environment does not exist.</message>" in (
        response.text
    )


def test_unknown_environment_is_json_on_request(bc):
    """An explicit Accept gets JSON, without a correlation id."""
    response = bc.get("/v2.0/Nowhere/ODataV4", headers={"Accept": "application/json"})

    assert response.json == {
        "error": {"code": "NoEnvironment", "message": "Environment does not exist."}
    }


def test_url_outside_the_scheme_is_refused_in_front(bc):
    """A path that is none of Business Central's is malformed to the front end."""
    response = bc.get("/v1.0/x", headers={"Accept": "application/json"})

    assert response.status_code == 400
    assert response.json["error"]["code"] == "RequestDataInvalid"


def test_environments_are_discovered(bc):
    """The list says what to call, and where."""
    response = bc.get("/environments/v1.2")

    assert [(row["name"], row["webServiceUrl"]) for row in response.json["value"]] == [
        (name, bc.origin) for name in sample.ENVIRONMENTS
    ]


@pytest.mark.parametrize(
    "path",
    [
        "ODataV4/Company('CRONUS%20USA%2C%20Inc.')/Customer",
        "ODataV4/Company(%27CRONUS%20USA,%20Inc.%27)/Customer",
        f"ODataV4/Company('{COMPANY_ID}')/Customer",
        f"ODataV4/Company(Id={COMPANY_ID})/Customer",
        f"ODataV4/Company('{OTHER_NAME}')/Customer",
        "ODataV4/Customer?company=CRONUS%20USA%2C%20Inc.",
        "ODataV4/Customer?company='CRONUS%20USA%2C%20Inc.'",
        "ODataV4/Customer?Company=O%27Brien%20%26%20Sons%2C%20Ltd.",
        f"ODataV4/Customer?company=%27{OTHER_NAME}%27",
        f"ODataV4/Customer?company={COMPANY_ID}",
        f"api/v2.0/customers?company={COMPANY_ID}",
        f"api/v2.0/companies({COMPANY_ID.upper()})/customers",
        f"api/cronus/warehouse/v1.0/companies({COMPANY_ID})/shipments",
        f"API/Cronus/Warehouse/v1.0/shipments?company={COMPANY_ID}",
    ],
)
def test_company_forms_lead_to_its_records(bc, path):
    """A company is chosen by name or id, in the path or in the query, quoted or not."""
    response = bc.get(path)

    assert response.status_code == 200
    assert response.json["value"]


@pytest.mark.parametrize(
    "path",
    [
        "ODataV4/Company('cronus%20usa%2C%20inc.')/Customer",
        "ODataV4/Customer?company=cronus%20usa%2C%20inc.",
        f"api/v2.0/companies({sample.TENANT_ID})/customers",
        "ODataV4/Customer?company=O%27Brien%20&%20Sons%2C%20Ltd.",
        "ODataV4/Customer",
        "api/v2.0/customers?company=",
    ],
)
def test_wrong_or_missing_company_is_not_found(bc, path):
    """Case matters, an unencoded ampersand cuts the name, and there is no default."""
    response = bc.get(path)

    assert response.status_code == 404
    assert response.json["error"]["code"] == "Internal_CompanyNotFound"


@pytest.mark.parametrize(
    "path",
    [
        "api/v2.0/companies(name='x')/customers",
        "api/v2.0/companies('x')",
        "ODataV4/Company(x)",
        "ODataV4/Company(Id=x)",
    ],
)
def test_unreadable_company_key_is_a_bad_query(bc, path):
    """A key of the wrong form is refused before it is looked up."""
    response = bc.get(path)

    assert response.status_code == 400
    assert response.json["error"]["code"] == "BadRequest_NotFound"


@pytest.mark.parametrize("key", ["'CRONUS%20USA%2C%20Inc.'", f"Id={COMPANY_ID}", f"'{COMPANY_ID}'"])
def test_one_company_is_an_entity(bc, key):
    """A company can be read by each of its keys."""
    response = bc.get(f"ODataV4/Company({key})")

    assert response.json["Id"] == COMPANY_ID
    assert response.json["@odata.context"].endswith("/ODataV4/$metadata#Company/$entity")


def test_companies_are_read_only(bc):
    """Creating a company is not allowed."""
    response = bc.post("api/v2.0/companies", {})

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET"
    assert response.json["error"]["message"].startswith(
        "'POST' requests for 'companies' of EdmType 'Entity' are not allowed within "
        "Dynamics 365 Business Central OData web services.  CorrelationId:  "
    )


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"api/v2.0/companies({COMPANY_ID})/contact", "BadRequest_ResourceNotFound"),
        (f"api/v2.0/companies({COMPANY_ID})/customers/x", "BadRequest_ResourceNotFound"),
        (f"api/v2.0/companies({COMPANY_ID})/customers(x", "BadRequest_ResourceNotFound"),
        (f"ODataV4/customer?company={COMPANY_ID}", "BadRequest_NotFound"),
        (f"api/v9.0/companies({COMPANY_ID})", "BadRequest_NotFound"),
        (f"ODataV4/Company(Id={COMPANY_ID})/APICodeunits_Ping", "BadRequest_NotFound"),
    ],
)
def test_unknown_resource_is_not_found(bc, path, code):
    """An unknown set, route or service has a code of its own; set names are exact."""
    response = bc.get(path)

    assert response.status_code == 404
    assert response.json["error"]["code"] == code


def test_contexts_name_the_company_as_called(bc):
    """A context repeats the company's segment."""
    path = "Company('CRONUS%20USA%2C%20Inc.')/Customer"

    assert bc.get(f"ODataV4/{path}").json["@odata.context"] == (
        f"{bc.origin}{bc.base}/ODataV4/$metadata#{path}"
    )


def test_answers_carry_the_headers_of_the_service(bc):
    """Success and error name a request, a correlation and the protocol."""
    for path in ("api/v2.0/companies", "api/v2.0/customers"):
        response = bc.get(path)

        assert response.headers["OData-Version"] == "4.0"
        assert len(response.headers["request-id"]) == 36
        assert response.content_type == (
            "application/json; odata.metadata=minimal; odata.streaming=true"
        )
        correlation = response.headers["ms-correlation-x"]
        assert len(correlation) == 36
    assert response.json["error"]["message"].endswith(f"  CorrelationId:  {correlation}.")


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("application/json;odata.metadata=none", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/xml", "application/xml"),
    ],
)
def test_errors_follow_accept(bc, accept, mimetype):
    """An error is XML only where the caller excludes JSON."""
    response = bc.get("api/v2.0/customers", headers={"Accept": accept})

    assert response.mimetype == mimetype
    assert "Internal_CompanyNotFound" in response.text


def test_long_answers_are_compressed_on_request(bc, api):
    """Gzip is used where the caller takes it and the body is worth it."""
    plain = bc.get(f"{api}/customers")
    packed = bc.get(f"{api}/customers", headers={"Accept-Encoding": "gzip"})
    short = bc.get(f"{api}/customers/$count", headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data)
    assert "Content-Encoding" not in short.headers
