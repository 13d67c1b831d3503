"""The form of an endpoint: every field of its definition, as text or as a checkbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.panel.forms.kinds import (
    LIST,
    MAP,
    NUMBER,
    OPTIONAL,
    SCHEMA,
    TEXT,
    FieldKind,
    read_all,
    show_all,
)
from functions.panel.forms.lines import from_list, to_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.panel.forms.state import Value
    from functions.panel.request import Form

# Beside `allowed_query`: null lets every parameter through, an empty list none.
QUERY_CHOICE = "query_choice"
ANY_QUERY, LISTED_QUERY = "any", "listed"

TEXTS: Mapping[str, FieldKind] = {
    "code": TEXT,
    "name": TEXT,
    "description": TEXT,
    "kind": TEXT,
    "method": TEXT,
    "api_url": TEXT,
    "api_route": TEXT,
    "company": OPTIONAL,
    "parameters": MAP,
    "query": MAP,
    "allowed_query": FieldKind(lambda value: from_list(value or ()), to_list),
    "headers": MAP,
    "encode_parameters": LIST,
    "request_schema": SCHEMA,
    "response_schema": SCHEMA,
    "timeout_seconds": NUMBER,
    "allowed_roles": LIST,
    "allowed_clients": LIST,
}
CHECKBOXES = (
    "is_enabled",
    "decode_value",
    "read_only",
    "read_replica",
    "derive_idempotency_key",
    "unrestricted",
)


def shown(document: Mapping[str, Any]) -> dict[str, Value]:
    """Return what the form shows of a definition."""
    values = show_all(TEXTS, document) | {name: document[name] for name in CHECKBOXES}
    return values | {QUERY_CHOICE: ANY_QUERY if document["allowed_query"] is None else LISTED_QUERY}


def entered(form: Form) -> dict[str, Value]:
    """Return what was entered, for the form to show it again."""
    values: dict[str, Value] = {name: form.raw(name) for name in (*TEXTS, QUERY_CHOICE)}
    return values | {name: form.is_checked(name) for name in CHECKBOXES}


def read(values: Mapping[str, Value]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the document that was entered, and which fields could not be read and why."""
    document, errors = read_all(TEXTS, values)
    document |= {name: values[name] for name in CHECKBOXES}
    if values[QUERY_CHOICE] == ANY_QUERY:
        if document["allowed_query"]:
            document["allowed_query"] = str(values["allowed_query"])
            errors["allowed_query"] = "remove these, or choose that only those listed are allowed"
        else:
            document["allowed_query"] = None
    return document, errors
