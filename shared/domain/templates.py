"""URL templates: how a definition's fields make up a URL, for every kind of endpoint.

A placeholder stands for one field. Where a field is empty, the segment or the parameter that
names it drops out (on-premises servers have no tenant segment, other services no environment).
"""

from __future__ import annotations

import re

from shared.domain.paths import path_problem
from shared.domain.stored_values import carries_credentials

PLACEHOLDERS = frozenset(
    {
        "base_url", "api_version", "tenant_id", "environment", "service_name", "company",
        "company_id", "api_route", "endpoint",
    }
)  # fmt: skip
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

# learn.microsoft.com/dynamics365/business-central/dev-itpro/webservices: api-endpoint-structure,
# and devenv-creating-and-interacting-with-odatav4-unbound-action for the codeunit form.
_ROOT = "{base_url}/{api_version}/{tenant_id}/{environment}"
BUILT_IN = {
    "codeunit": _ROOT + "/ODataV4/{operation}?company={company_id_or_name}",
    "odata": _ROOT + "/ODataV4/{company_key}/{endpoint}",
    "api": _ROOT + "/api/{api_route}/companies({company_id})/{endpoint}",
    "companies": _ROOT + "/api/v2.0/companies",
}


def template_problem(template: str) -> str | None:
    """Return why a custom URL template cannot be used, or None."""
    names = PLACEHOLDER.findall(template)
    if unknown := sorted(set(names) - PLACEHOLDERS):
        return f"knows no placeholder {{{unknown[0]}}}; it knows " + ", ".join(
            sorted(f"{{{name}}}" for name in PLACEHOLDERS)
        )
    path, question_mark, query = template.removeprefix("{base_url}").partition("?")
    if not template.startswith("{base_url}") or names.count("base_url") != 1:
        return "must begin with {base_url} and name it once"
    if path and not path.startswith("/"):
        return "must go on with a slash or a question mark after {base_url}"
    literal = PLACEHOLDER.sub("x", path.removeprefix("/"))
    if "{" in literal or "}" in literal:
        return "has a brace without its counterpart"
    if literal and (problem := path_problem(literal)):
        return problem
    if not literal.isascii() or " " in literal:
        return "must have its spaces and other special characters percent-encoded"
    if question_mark:
        return _query_problem(query)
    return None


def _query_problem(query: str) -> str | None:
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        literal = PLACEHOLDER.sub("x", value)
        if not name or not equals or PLACEHOLDER.search(name):
            return "must have a query of the form name=value&name=value"
        if not literal.isascii() or not literal.isprintable() or re.search(r"[{}#\s?+]", literal):
            return "must have plain text or placeholders as values of its query, a space as %20"
        if carries_credentials(name):
            return f"may not hold the parameter {name}: the name stands for a credential"
        if not re.fullmatch(r"[$A-Za-z0-9_.\-]+", name):
            return "must have plain names in its query"
    return None
