"""Build the URL of a call, from definitions and the caller's query. Pure.

The forms are Business Central's (learn.microsoft.com/dynamics365/business-central/dev-itpro/
webservices/api-endpoint-structure); literals follow OData 4.0 URL Conventions 5.1.1.6.2. Whatever
the caller sends, the result keeps the integration's host, base path, company and tenant.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus

from shared.domain.errors import (
    COMPANY_NOT_ALLOWED,
    COMPANY_NOT_FOUND,
    INVALID_PARAMETER,
    QUERY_NOT_ALLOWED,
    GatewayError,
)
from shared.domain.paths import company_problem, control_problem, is_guid, path_problem
from shared.domain.templates import BUILT_IN, PLACEHOLDER, template_problem

if TYPE_CHECKING:
    from shared.domain.endpoint import Endpoint, ParameterType
    from shared.domain.integration import Integration

_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
# What RFC 3986 allows in a path besides letters and digits; a percent sign was checked before.
_PATH_SAFE = "/%:$&'()*+,;=!~@"
_QUERY_SAFE = _PATH_SAFE + "?[]"
_ALWAYS_RESERVED = frozenset({"company", "tenant"})


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


@dataclass(frozen=True, slots=True)
class _Pair:
    """One `name=value` of the caller's query, as it came and as it is compared."""

    raw: str
    name: str
    value: str


def choose_company(integration: Integration, endpoint: Endpoint, query: str = "") -> Company:
    """Return the company that the call is for; GatewayError `company_not_allowed`."""
    choices = [pair.value for pair in _pairs(query) if pair.name == "gw_company"]
    own = Company(name=integration.company or None, id=integration.company_id)
    if endpoint.company:
        own = Company.parse(endpoint.company)
    if not choices:
        return own
    choice = choices[0]
    if len(choices) > 1 or endpoint.company or not choice:
        raise GatewayError(COMPANY_NOT_ALLOWED, "This endpoint's company cannot be chosen.")
    if choice in {own.name, own.id}:
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
    if endpoint.kind == "api" and not company.id:
        raise GatewayError(COMPANY_NOT_FOUND, "No id is known for the company of this call.")
    pairs = [pair for pair in _pairs(query) if not _is_gateway_name(pair.name)]
    path = _endpoint_path(endpoint, pairs)
    values = _values(integration, endpoint, company=company, path=path)
    path_template, _, query_template = template.partition("?")
    fixed = _fixed_query(integration, endpoint, query_template, values)
    rest = _rest_of_query(endpoint, pairs, {_canonical(name) for name in fixed})
    pieces = [f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in fixed.items()]
    url = _render_path(path_template, values)
    return "?".join(filter(None, (url, "&".join(pieces + rest))))


def companies_url(integration: Integration) -> str:
    """Return the URL that lists the companies of the integration's environment."""
    values = {name: getattr(integration, name) for name in ("api_version", "tenant_id")}
    values |= {"base_url": integration.base_url, "environment": integration.environment}
    return _render_path(BUILT_IN["companies"], {k: _segment(k, v) for k, v in values.items()})


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
    plain = {
        "base_url": integration.base_url,
        "api_version": integration.api_version,
        "tenant_id": integration.tenant_id,
        "environment": integration.environment,
        "service_name": integration.service_name,
        "company": company.name or company.id or "",
        "company_id": company.id or "",
        "company_id_or_name": company.id or company.name or "",
    }
    values = {name: _segment(name, value) for name, value in plain.items()}
    key = f"Id={company.id}" if company.id else _string_literal(company.name or "")
    values["company_key"] = f"Company({key})" if company.id or company.name else ""
    values["operation"] = "_".join(filter(None, (values["service_name"], path)))
    values["api_route"] = endpoint.api_route
    values["endpoint"] = path
    return values


def _segment(name: str, value: str) -> str:
    return value if name == "base_url" else quote(value, safe="")


def _endpoint_path(endpoint: Endpoint, pairs: list[_Pair]) -> str:
    """Fill the parameters of `api_url` with the caller's values, which `pairs` then lacks."""
    if problem := path_problem(PLACEHOLDER.sub("x", endpoint.api_url)):
        raise GatewayError(INVALID_PARAMETER, f"The endpoint's api_url {problem}.")
    literals = {}
    for name, kind in endpoint.parameters.items():
        given = [pair for pair in pairs if pair.name == _canonical(name)]
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
    if kind == "string" and not control_problem(value) and not company_problem(value):
        return _string_literal(value)
    raise GatewayError(INVALID_PARAMETER, f"The parameter {name} is not a valid {kind}.")


def _string_literal(text: str) -> str:
    return f"'{quote(text.replace(chr(39), chr(39) * 2), safe='')}'"


def _fixed_query(
    integration: Integration, endpoint: Endpoint, query_template: str, values: dict[str, str]
) -> dict[str, str]:
    """Return the parameters that the gateway sets; what is nearer to the call wins."""
    fixed: dict[str, str] = {}
    for pair in filter(None, query_template.split("&")):
        name, _, value = pair.partition("=")
        rendered = PLACEHOLDER.sub(lambda match: values[match[1]], value)
        if rendered or not PLACEHOLDER.search(value):
            fixed[name] = unquote_plus(rendered)
    for stored in (integration.query, endpoint.query):
        for name, value in stored.items():
            same = next((other for other in fixed if _canonical(other) == _canonical(name)), name)
            fixed[same] = value
    return fixed


def _rest_of_query(endpoint: Endpoint, pairs: list[_Pair], fixed: set[str]) -> list[str]:
    allowed = endpoint.allowed_query
    names = None if allowed is None else {_canonical(name) for name in allowed}
    for pair in pairs:
        if pair.name in fixed | _ALWAYS_RESERVED or (names is not None and pair.name not in names):
            shown = pair.raw.partition("=")[0][:80]
            raise GatewayError(QUERY_NOT_ALLOWED, f"The query parameter {shown} is not allowed.")
    # Only what no URL may hold is encoded; everything else goes on byte for byte.
    return [quote(pair.raw, safe=_QUERY_SAFE) for pair in pairs]


def _pairs(query: str) -> list[_Pair]:
    pairs = []
    for raw in filter(None, query.split("&")):
        name, _, value = raw.partition("=")
        pairs.append(_Pair(raw=raw, name=_canonical(unquote_plus(name)), value=unquote_plus(value)))
    return pairs


def _canonical(name: str) -> str:
    # Servers ignore case and OData 4.01 the dollar sign of system options; some trim spaces.
    return unicodedata.normalize("NFKC", name).casefold().strip().lstrip("$")


def _is_gateway_name(name: str) -> bool:
    return name == "code" or name.startswith("gw_")


def _same_company(choice: str, company: str) -> bool:
    if is_guid(choice):
        return choice.lower() == company.lower()
    return choice == company  # names are case-sensitive in Business Central


def _render_path(template: str, values: dict[str, str]) -> str:
    segments = []
    for segment in template.split("/"):
        names = PLACEHOLDER.findall(segment)
        if all(values[name] for name in names):
            segments.append(PLACEHOLDER.sub(lambda match: values[match[1]], segment))
    return "/".join(segments)
