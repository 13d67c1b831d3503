"""The form with which an endpoint is tried: from its fields to a call."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from functions.panel.forms.state import FormState

if TYPE_CHECKING:
    from functions.panel.forms.state import Value
    from functions.panel.request import Form
    from shared.domain.endpoint import Endpoint

CONFIRMED = "confirmed"
_PARAMETER = "parameter."
# What a query may hold, and what is encoded already; spaces and letters with accents are typed.
_TYPED_AS_IT_IS = "%&=$'()*+,;:@/?!~"
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def parameter_field(name: str) -> str:
    """Return the name of the field for one of the endpoint's parameters."""
    return f"{_PARAMETER}{name}"


def takes_payload(endpoint: Endpoint) -> bool:
    """Tell whether what is sent to the service has a body."""
    return endpoint.method in _METHODS_WITH_BODY


def fresh(endpoint: Endpoint) -> FormState:
    """Return the form as it is shown first; a change gets a key, so that it happens once."""
    values: dict[str, Value] = {
        "payload": _example(endpoint) if takes_payload(endpoint) else "",
        "query": "",
        "if_match": "",
        "idempotency_key": _fresh_key() if endpoint.changes_data else "",
        CONFIRMED: False,
    }
    return FormState(values | {parameter_field(name): "" for name in endpoint.parameters})


def entered(endpoint: Endpoint, form: Form) -> FormState:
    """Return what was entered; an endpoint that changes data has to be confirmed each time."""
    names = ["query", "if_match", "idempotency_key", *map(parameter_field, endpoint.parameters)]
    values: dict[str, Value] = {name: form.text(name) for name in names}
    values |= {"payload": form.raw("payload"), CONFIRMED: False}
    errors = {}
    if endpoint.changes_data and not form.is_checked(CONFIRMED):
        errors[CONFIRMED] = "Confirm that this may change data in Business Central."
    return FormState(values, errors)


def with_fresh_key(state: FormState) -> FormState:
    """Return the form with another key, if it has one."""
    if not state.text("idempotency_key"):
        return state
    return FormState(dict(state.values) | {"idempotency_key": _fresh_key()})


def query_of(endpoint: Endpoint, state: FormState) -> str:
    """Return the query of the call: the declared parameters that were filled in, and the rest."""
    given = [
        f"{name}={quote(state.text(parameter_field(name)), safe='')}"
        for name in endpoint.parameters
        if state.text(parameter_field(name))
    ]
    rest = quote(state.text("query").lstrip("?"), safe=_TYPED_AS_IT_IS)
    return "&".join([*given, rest] if rest else given)


def headers_of(state: FormState) -> dict[str, str]:
    """Return the headers that a caller would set."""
    named = {"If-Match": state.text("if_match"), "Idempotency-Key": state.text("idempotency_key")}
    return {name: value for name, value in named.items() if value}


def _fresh_key() -> str:
    return str(uuid.uuid4())


def _example(endpoint: Endpoint) -> str:
    """Return a payload to begin with: the members that the schema names, or an empty object."""
    members = (endpoint.request_schema or {}).get("properties")
    if not isinstance(members, dict):
        members = {name: {"type": "object"} for name in endpoint.encode_parameters}
    example = {
        name: _blank(member.get("type") if isinstance(member, dict) else None)
        for name, member in members.items()
    }
    return msgspec.json.format(msgspec.json.encode(example), indent=2).decode()


def _blank(kind: object) -> object:
    blanks: dict[str, object] = {"object": {}, "array": [], "boolean": False}
    if kind in ("number", "integer"):
        return 0
    return blanks.get(kind, "") if isinstance(kind, str) else ""
