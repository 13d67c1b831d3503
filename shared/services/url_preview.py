"""The URL of a call as an administrator sees it while defining the endpoint.

It is built as for a call, with stand-ins for what only a call knows: the caller's parameters, and
an id that the gateway looks up. In the result each stand-in is replaced by its name.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from shared.bc_urls import build_url, choose_company, needs_company_id
from shared.domain.endpoint import read_endpoint
from shared.domain.errors import FieldProblem, GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.domain.endpoint import Endpoint, ParameterType
    from shared.domain.integration import Integration

# The fields of an endpoint that decide on its URL; the rest may be unfinished.
URL_FIELDS = frozenset(
    {"kind", "api_url", "api_route", "company", "parameters", "query", "unrestricted"}
)
_MOST_DIGITS = 30


@dataclass(frozen=True, slots=True)
class UrlPreview:
    """The URL with `{name}` where a caller's value goes, or what keeps it from being built."""

    url: str | None = None
    problems: tuple[FieldProblem, ...] = ()


def preview_url(integration: Integration, document: Mapping[str, Any]) -> UrlPreview:
    """Return the URL of the endpoint that the document describes, or all that is in its way."""
    known = {name: value for name, value in document.items() if name in URL_FIELDS}
    endpoint, problems = read_endpoint({"code": "PREVIEW"} | known)
    if endpoint is None:
        return UrlPreview(problems=tuple(problems))
    try:
        return UrlPreview(_url(integration, endpoint))
    except GatewayError as error:
        return UrlPreview(problems=(FieldProblem("", error.detail),))


def _url(integration: Integration, endpoint: Endpoint) -> str:
    shown_as: dict[str, str] = {}
    company = choose_company(integration, endpoint)
    if company.name and not company.id and needs_company_id(integration, endpoint):
        company_id = _stand_in("guid")
        company = replace(company, id=company_id)
        shown_as[company_id] = f"<id of {company.name}>"
    query = {}
    for name, kind in endpoint.parameters.items():
        query[name] = _stand_in(kind)
        shown_as[query[name]] = f"{{{name}}}"
    url = build_url(integration, endpoint, company=company, query=urlencode(query))
    for stand_in, name in shown_as.items():
        url = url.replace(stand_in, name)
    return url


def _stand_in(kind: ParameterType) -> str:
    """Return a value of the type that stands nowhere else in the URL."""
    if kind == "guid":
        return str(uuid.uuid4())
    return f"{secrets.randbelow(10**_MOST_DIGITS):0{_MOST_DIGITS}}"
