"""The form of an integration: every field of its definition, and the write-only secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.panel.forms.kinds import LIST, MAP, NUMBER, OPTIONAL, TEXT, read_all, show_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.panel.forms.kinds import FieldKind
    from functions.panel.forms.state import Value
    from functions.panel.request import Form

SECRET = "client_secret"

FIELDS: Mapping[str, FieldKind] = {
    "code": TEXT,
    "name": TEXT,
    "grant_type": TEXT,
    "base_url": TEXT,
    "api_version": TEXT,
    "tenant_id": TEXT,
    "environment": TEXT,
    "company": OPTIONAL,
    "company_id": OPTIONAL,
    "service_name": TEXT,
    "client_id": TEXT,
    "client_auth": TEXT,
    "certificate_name": OPTIONAL,
    "client_secret_expires_on": OPTIONAL,
    "redirect_uri": OPTIONAL,
    "authorize_url": OPTIONAL,
    "token_url": OPTIONAL,
    "revocation_url": OPTIONAL,
    "scope": OPTIONAL,
    "url_template": OPTIONAL,
    "query": MAP,
    "allowed_companies": LIST,
    "max_in_flight": NUMBER,
}
LABELS: Mapping[str, str] = {
    "code": "Code",
    "name": "Name",
    "grant_type": "Who signs in",
    "base_url": "Base URL",
    "api_version": "API version",
    "tenant_id": "Tenant",
    "environment": "Environment",
    "company": "Company",
    "company_id": "Company id",
    "service_name": "Service name",
    "client_id": "Client id",
    "client_auth": "How the app proves itself",
    "certificate_name": "Certificate",
    SECRET: "Client secret",
    "client_secret_expires_on": "Last day of the secret",
    "redirect_uri": "Other redirect URI",
    "authorize_url": "Authorization URL",
    "token_url": "Token URL",
    "revocation_url": "Revocation URL",
    "scope": "Scope",
    "url_template": "URL template",
    "query": "Fixed query parameters",
    "allowed_companies": "Companies that callers may choose",
    "max_in_flight": "Calls at the same time",
}


def shown(document: Mapping[str, Any]) -> dict[str, Value]:
    """Return what the form shows of a definition; of the secret, nothing."""
    return show_all(FIELDS, document) | {SECRET: ""}


def entered(form: Form) -> dict[str, Value]:
    """Return what was entered, for the form to show it again; never the secret."""
    values: dict[str, Value] = {name: form.raw(name) for name in FIELDS}
    return values | {SECRET: ""}


def read(values: Mapping[str, Value], form: Form) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the document that was entered, and which fields could not be read and why.

    An empty field for the secret leaves the stored one as it is.
    """
    document, errors = read_all(FIELDS, values)
    secret = form.raw(SECRET)
    return document | ({SECRET: secret} if secret else {}), errors
