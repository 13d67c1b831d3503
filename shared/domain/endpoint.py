"""An endpoint: a call with a name, that callers make without knowing its URL."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec

from shared.domain.codes import CODE_RULE, fold, is_code
from shared.domain.documents import decode, pointer
from shared.domain.errors import FieldProblem
from shared.domain.json_schema import schema_definition_problem
from shared.domain.paths import company_problem, is_guid, lenient, path_problem, route_problem
from shared.domain.queries import canonical_name
from shared.domain.stored_values import header_problems, query_problems
from shared.domain.templates import PLACEHOLDER

Text = Annotated[str, msgspec.Meta(max_length=200)]
Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
ParameterType = Literal["guid", "string", "number"]

SAFE_METHODS = frozenset({"GET"})
READ_ONLY_FIELDS = frozenset({"created_on", "updated_on"})

_PROCEDURE = re.compile(r"\w+")


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The stored definition of one call; `kind` decides the form of its URL."""

    code: str
    name: Text = ""
    description: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    method: Method = "POST"
    api_url: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    is_enabled: bool = True
    kind: Literal["codeunit", "odata", "api", "custom"] = "codeunit"
    api_route: Text = "v2.0"
    company: Text | None = None
    parameters: dict[str, ParameterType] = {}
    decode_value: bool = False
    encode_parameters: list[Text] = []
    request_schema: dict[str, Any] | None = None
    response_schema: dict[str, Any] | None = None
    read_only: bool = False
    read_replica: bool = False
    timeout_seconds: Annotated[int, msgspec.Meta(ge=1, le=220)] = 100
    headers: dict[str, Text] = {}
    query: dict[str, Text] = {}
    allowed_query: list[Text] | None = None
    derive_idempotency_key: bool = False
    allowed_roles: list[Text] = []
    allowed_clients: list[Text] = []
    unrestricted: bool = False

    @property
    def changes_data(self) -> bool:
        """Tell whether a call may change something, so that it must not be repeated blindly."""
        return self.method not in SAFE_METHODS and not self.read_only


def read_endpoint(document: dict[str, Any]) -> tuple[Endpoint | None, list[FieldProblem]]:
    """Read a document without read-only fields; return the endpoint, or all its problems."""
    folded = dict(document)
    if isinstance(folded.get("code"), str):
        folded["code"] = fold(folded["code"])
    if isinstance(folded.get("method"), str):
        folded["method"] = folded["method"].upper()
    return decode(Endpoint, folded, _problems)


def api_url_problem(endpoint: Endpoint) -> str | None:
    """Return why the endpoint's `api_url` may not be used, or None."""
    names = PLACEHOLDER.findall(endpoint.api_url)
    if undeclared := [name for name in names if name not in endpoint.parameters]:
        name = undeclared[0]
        return f'holds {{{name}}}: declare its type, as in "parameters": {{"{name}": "guid"}}'
    literal = PLACEHOLDER.sub("x", endpoint.api_url)
    if "{" in literal or "}" in literal:
        return "has a brace without its counterpart"
    if "?" in literal:
        return "must not hold a question mark: put fixed parameters into the field query"
    if problem := path_problem(literal):
        return problem
    if endpoint.kind == "codeunit" and not _PROCEDURE.fullmatch(literal):
        return "must be the name of a procedure, such as GetWhseShipmentList"
    segments = {lenient(segment).strip().casefold() for segment in literal.split("/")}
    if "$batch" in segments and not endpoint.unrestricted:
        return "may be $batch only for an unrestricted endpoint: it opens the whole service"
    return None


def _problems(endpoint: Endpoint, unread: set[str]) -> list[FieldProblem]:
    found: dict[str, str | None] = {
        "code": None if is_code(endpoint.code) else CODE_RULE,
        "api_route": route_problem(endpoint.api_route),
        "company": company_problem(endpoint.company or ""),
    }
    problems = header_problems(endpoint.headers) + query_problems(endpoint.query)
    problems += _caller_problems(endpoint)
    if "parameters" not in unread:
        # Without a kind, what every kind asks for can be told all the same.
        any_kind = msgspec.structs.replace(endpoint, kind="custom")
        found["api_url"] = api_url_problem(any_kind if "kind" in unread else endpoint)
        problems += _parameter_problems(endpoint)
    if "kind" not in unread and endpoint.kind == "codeunit" and endpoint.method != "POST":
        found["method"] = "must be POST: Business Central runs a codeunit's procedure by POST only"
    for name in ("request_schema", "response_schema"):
        schema = getattr(endpoint, name)
        found[name] = schema_definition_problem(schema) if schema is not None else None
    return problems + [FieldProblem(pointer(name), text) for name, text in found.items() if text]


def _parameter_problems(endpoint: Endpoint) -> list[FieldProblem]:
    names = set(PLACEHOLDER.findall(endpoint.api_url))
    problems = []
    for name, kind in endpoint.parameters.items():
        text = None
        if name not in names:
            text = f"api_url holds no {{{name}}}"
        elif not name.isidentifier() or canonical_name(name).startswith("gw_"):
            text = "must be a plain name that does not begin with gw_"
        elif canonical_name(name) in {"code", "company", "tenant"}:
            text = "is a name that the gateway keeps for itself"
        elif kind == "string" and f"'{{{name}}}" in endpoint.api_url:
            text = f"is text: write {{{name}}} without quotes, the gateway adds them"
        if text:
            problems.append(FieldProblem(pointer("parameters", name), text))
    return problems


def _caller_problems(endpoint: Endpoint) -> list[FieldProblem]:
    """Find names that no token could ever hold, and so would shut everybody out."""
    return [
        FieldProblem(pointer("allowed_roles", index), "must be an app role's value")
        for index, role in enumerate(endpoint.allowed_roles)
        if not role or role != "".join(role.split())  # Microsoft Entra allows no spaces in it
    ] + [
        FieldProblem(pointer("allowed_clients", index), "must be an application's client id")
        for index, client in enumerate(endpoint.allowed_clients)
        if not is_guid(client)
    ]
