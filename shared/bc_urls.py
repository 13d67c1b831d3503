"""Build the URL of a call, from definitions and the caller's query. Pure.

The forms are Business Central's (learn.microsoft.com/dynamics365/business-central/dev-itpro/
webservices/api-endpoint-structure); literals follow OData 4.0 URL Conventions 5.1.1.6.2. Whatever
the caller sends, the result keeps the integration's host, base path, company and tenant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from shared.domain.endpoint import api_url_problem
from shared.domain.error_kinds import (
    COMPANY_NOT_ALLOWED,
    COMPANY_NOT_FOUND,
    INVALID_PARAMETER,
    QUERY_NOT_ALLOWED,
)
from shared.domain.errors import GatewayError
from shared.domain.own_parameters import COMPANY, is_for_gateway
from shared.domain.paths import company_problem, is_guid, route_problem
from shared.domain.queries import canonical_name, parse_query
from shared.domain.templates import BUILT_IN, PLACEHOLDER, template_problem

if TYPE_CHECKING:
    from shared.domain.endpoint import Endpoint, ParameterType
    from shared.domain.integration import Integration
    from shared.domain.queries import Pair

_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
# What RFC 3986 allows in a path besides letters and digits; a percent sign was checked before.
_PATH_SAFE = "/%:$&'()*+,;=!~@"
_QUERY_SAFE = _PATH_SAFE + "?[]"


@dataclass(frozen=True, slots=True)
class Company:
    """The company of a call, by name, by id, or by both."""

    name: str | None = None
    id: str | None = None

    @classmethod
    def parse(cls, text: str | None) -> Company:
        """Read a name or a GUID."""
        if not text:
            return cls()
        return cls(id=text) if is_guid(text) else cls(name=text)


def choose_company(integration: Integration, endpoint: Endpoint, query: str = "") -> Company:
    """Return the company that the call is for; GatewayError `company_not_allowed`."""
    choices = [pair.value for pair in parse_query(query) if pair.name == COMPANY]
    own = Company.parse(endpoint.company or integration.company)
    if integration.company_id and not endpoint.company:
        own = replace(own, id=integration.company_id)
    if not choices:
        return own
    choice = choices[0]
    if len(choices) > 1 or endpoint.company or not choice:
        raise GatewayError(COMPANY_NOT_ALLOWED, "This endpoint's company cannot be chosen.")
    if any(_same_company(choice, known) for known in (own.name, own.id) if known):
        return own
    allowed = integration.allowed_companies
    if "*" not in allowed and not any(_same_company(choice, company) for company in allowed):
        raise GatewayError(COMPANY_NOT_ALLOWED, "The company in gw_company is not allowed.")
    if problem := company_problem(choice):
        raise GatewayError(COMPANY_NOT_ALLOWED, f"The company in gw_company {problem}.")
    return Company.parse(choice)


def needs_company_id(integration: Integration, endpoint: Endpoint) -> bool:
    """Tell whether the URL of this endpoint names the company by its id."""
    return "{company_id}" in _template(integration, endpoint)


def build_url(
    integration: Integration, endpoint: Endpoint, *, company: Company, query: str = ""
) -> str:
    """Return the URL for a call with the caller's raw `query` (without its question mark).

    Raises GatewayError `invalid_parameter`, `query_not_allowed` or `company_not_found`.
    """
    template = _template(integration, endpoint)
    if not company.id and "{company_id}" in template and (company.name or endpoint.kind == "api"):
        # Without the segment the call would go to whatever company is the service's default.
        if not company.name:
            detail, hint = "The integration names no company.", "Set company or company_id of it."
            raise GatewayError(COMPANY_NOT_FOUND, detail, hint=hint)
        raise GatewayError(COMPANY_NOT_FOUND, "No id is known for the company of this call.")
    pairs = [pair for pair in parse_query(query) if not is_for_gateway(pair)]
    path = _endpoint_path(endpoint, pairs)
    values = _values(integration, endpoint, company=company, path=path)
    path_template, _, query_template = template.partition("?")
    fixed = _fixed_query(query_template, values, integration.query, endpoint.query)
    rest = _rest_of_query(endpoint, pairs, {canonical_name(name) for name in fixed})
    return _joined(_render_path(path_template, values), fixed, rest)


def provisional_url(
    integration: Integration, endpoint: Endpoint, *, company: Company, query: str = ""
) -> str:
    """Return the URL as far as it is known here: the company's name stands for an unknown id.

    Raises GatewayError as build_url does; it tells calls apart, and is not to be sent.
    """
    if needs_company_id(integration, endpoint):
        company = replace(company, id=company.id or company.name)
    return build_url(integration, endpoint, company=company, query=query)


def companies_url(integration: Integration) -> str:
    """Return the URL that lists the companies of the integration's environment."""
    path = _render_path(BUILT_IN["companies"], _integration_values(integration))
    return _joined(path, dict(integration.query), [])


def _template(integration: Integration, endpoint: Endpoint) -> str:
    if endpoint.kind != "custom":
        return BUILT_IN[endpoint.kind]
    template = integration.url_template or "{base_url}/{endpoint}"
    if problem := template_problem(template):
        raise GatewayError(INVALID_PARAMETER, f"The integration's url_template {problem}.")
    return template


def _values(
    integration: Integration, endpoint: Endpoint, *, company: Company, path: str
) -> dict[str, str]:
    """Return the placeholders' values, encoded for a path; `path` is encoded already."""
    values = _integration_values(integration)
    values["company"] = quote(company.name or company.id or "", safe="")
    values["company_id"] = quote(company.id or "", safe="")
    values["company_id_or_name"] = values["company_id"] or values["company"]
    key = f"Id={values['company_id']}" if company.id else _string_literal(company.name or "")
    values["company_key"] = f"Company({key})" if company.id or company.name else ""
    values["operation"] = "_".join(filter(None, (values["service_name"], path)))
    if problem := route_problem(endpoint.api_route):
        raise GatewayError(INVALID_PARAMETER, f"The endpoint's api_route {problem}.")
    values["api_route"] = endpoint.api_route
    values["endpoint"] = path
    return values


def _integration_values(integration: Integration) -> dict[str, str]:
    names = ("api_version", "tenant_id", "environment", "service_name")
    values = {name: quote(getattr(integration, name), safe="") for name in names}
    return values | {"base_url": integration.base_url}


def _endpoint_path(endpoint: Endpoint, pairs: list[Pair]) -> str:
    """Fill the parameters of `api_url` with the caller's values, which `pairs` then lacks."""
    if problem := api_url_problem(endpoint):
        raise GatewayError(INVALID_PARAMETER, f"The endpoint's api_url {problem}.")
    literals = {}
    for name, kind in endpoint.parameters.items():
        given = [pair for pair in pairs if pair.name == canonical_name(name)]
        if len(given) != 1:
            raise GatewayError(INVALID_PARAMETER, f"Give the parameter {name} once, in the query.")
        pairs.remove(given[0])
        literals[name] = _literal(name, kind, given[0].value)
    pieces = PLACEHOLDER.split(endpoint.api_url)  # text, name, text, name, ..., text
    for index, piece in enumerate(pieces):
        pieces[index] = literals[piece] if index % 2 else quote(piece, safe=_PATH_SAFE)
    return "".join(pieces)


def _literal(name: str, kind: ParameterType, value: str) -> str:
    """Encode a caller's value as an OData literal of its type."""
    if kind == "guid" and is_guid(value):
        return value
    if kind == "number" and _NUMBER.fullmatch(value):
        return value
    if kind == "string" and not company_problem(value):
        return _string_literal(value)
    raise GatewayError(INVALID_PARAMETER, f"The parameter {name} is not a valid {kind}.")


def _string_literal(text: str) -> str:
    return f"'{quote(text.replace(chr(39), chr(39) * 2), safe='')}'"


def _fixed_query(
    query_template: str, values: dict[str, str], *stored: dict[str, str]
) -> dict[str, str | None]:
    """Return the parameters that the gateway sets; what is nearer to the call wins.

    Those that drop out are None: their names stay the gateway's.
    """
    fixed: dict[str, str | None] = {}
    for pair in filter(None, query_template.split("&")):
        name, _, value = pair.partition("=")
        filled = _fill(value, values)
        fixed[name] = None if filled is None else unquote(filled)
    for name, value in (item for query in stored for item in query.items()):
        known = (other for other in fixed if canonical_name(other) == canonical_name(name))
        fixed[next(known, name)] = value
    return fixed


def _rest_of_query(endpoint: Endpoint, pairs: list[Pair], fixed: set[str]) -> list[str]:
    allowed = endpoint.allowed_query
    names = None if allowed is None else {canonical_name(name) for name in allowed}
    for pair in pairs:
        is_open = names is None or pair.names <= names
        if not is_open or pair.names & fixed or pair.is_reserved:
            shown = pair.raw.partition("=")[0][:80]
            raise GatewayError(QUERY_NOT_ALLOWED, f"The query parameter {shown} is not allowed.")
    # Only what no URL may hold is encoded; everything else goes on byte for byte.
    return [quote(pair.raw, safe=_QUERY_SAFE) for pair in pairs]


def _same_company(choice: str, company: str) -> bool:
    if is_guid(choice):
        return choice.lower() == company.lower()
    return choice == company  # names are case-sensitive in Business Central


def _render_path(template: str, values: dict[str, str]) -> str:
    filled = (_fill(segment, values) for segment in template.split("/"))
    return "/".join(segment for segment in filled if segment is not None)


def _fill(text: str, values: dict[str, str]) -> str | None:
    """Put the values in; None where one is empty, so that the whole part drops out."""
    if not all(values[name] for name in PLACEHOLDER.findall(text)):
        return None
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _joined(url: str, fixed: dict[str, str | None], rest: list[str]) -> str:
    pieces = [
        f"{quote(name, safe='$')}={quote(value, safe='')}"
        for name, value in fixed.items()
        if value is not None
    ]
    return "?".join(filter(None, (url, "&".join(pieces + rest))))
