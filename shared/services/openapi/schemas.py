"""The JSON Schemas of what goes in and out, those of definitions from the models that validate.

Three forms of each model: as GET shows it, as PUT and POST take it, and as a merge patch.
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from shared.domain.audit import Action
from shared.domain.endpoint import Endpoint
from shared.domain.error_kinds import Source
from shared.domain.integration import Integration
from shared.domain.token_health import CredentialKind, Finding
from shared.domain.tokens import Cause, Level, ShownStatus

Schema = dict[str, Any]

CODE: Schema = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]{0,49}$"}
TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_COUNT_OR_NULL: Schema = {"type": ["integer", "null"], "minimum": 0}
_MOMENT_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
_STATUS: Schema = {"enum": list(get_args(ShownStatus))}
_REF = "#/components/schemas/{name}"

_SHOWN_OF_INTEGRATION: dict[str, Schema] = {
    "has_client_secret": FLAG,
    "status": _STATUS,
    "is_valid_auth": FLAG,
    "signed_in_as": TEXT_OR_NULL,
    "created_on": MOMENT,
    "updated_on": MOMENT,
}
_SHOWN_OF_ENDPOINT: dict[str, Schema] = {"created_on": MOMENT, "updated_on": MOMENT}
_SECRET: dict[str, Schema] = {
    "client_secret": {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": 10_000,
        "writeOnly": True,
        "description": "Goes to Key Vault, and is never shown again.",
    }
}


def schemas() -> dict[str, Schema]:
    """Return all schemas by their names."""
    models = (Integration, Endpoint, Cause, Finding)
    _, found = msgspec.json.schema_components(models, ref_template=_REF)
    return {
        **_forms("Integration", found.pop("Integration"), _SHOWN_OF_INTEGRATION, _SECRET),
        **_forms("Endpoint", found.pop("Endpoint"), _SHOWN_OF_ENDPOINT, {}),
        **found,
        "TokenStatus": _token_status(),
        "AuditEntry": _audit_entry(),
        "Problem": _problem(),
        "Health": _health(),
    }


def ref(name: str) -> Schema:
    """Return the reference to a schema."""
    return {"$ref": _REF.format(name=name)}


def record(*, optional: dict[str, Schema] | None = None, **members: Schema) -> Schema:
    """Return the schema of an object that has these members."""
    return {
        "type": "object",
        "properties": members | (optional or {}),
        "required": list(members),
    }


def page_of(name: str) -> Schema:
    """Return the schema of one page of a list."""
    return record(value={"type": "array", "items": ref(name)}, nextLink=TEXT_OR_NULL)


def _forms(
    name: str, model: Schema, shown: dict[str, Schema], written: dict[str, Schema]
) -> dict[str, Schema]:
    fields: dict[str, Schema] = model["properties"] | {"code": CODE}
    # What GET gave can be sent back: the gateway ignores what it keeps itself.
    ignored = {field: schema | {"readOnly": True} for field, schema in shown.items()}
    definition = {
        "type": "object",
        "description": f"{name}, as it is stored; code may be left out where the URL has it.",
        "properties": fields | written | ignored,
        "required": [field for field in model["required"] if field != "code"],
        "additionalProperties": False,
    }
    patch = {
        "type": "object",
        "description": f"A merge patch (RFC 7396) of {name}: null restores a field's default.",
        "properties": {field: _nullable(schema) for field, schema in (fields | written).items()}
        | ignored,
        "additionalProperties": False,
    }
    return {
        name: {"description": model["description"]} | record(**fields, **shown),
        f"{name}Definition": definition,
        f"{name}Patch": patch,
    }


def _nullable(schema: Schema) -> Schema:
    plain = {keyword: value for keyword, value in schema.items() if keyword != "default"}
    return {"anyOf": [plain, {"type": "null"}]}


def _token_status() -> Schema:
    expiry = {"expires_on": _MOMENT_OR_NULL, "expires_in_days": _COUNT_OR_NULL}
    token = record(
        obtained_on=MOMENT, expires_on=MOMENT, age_seconds=_COUNT, expires_in_seconds=_COUNT
    )
    return record(
        integration=TEXT,
        level={"enum": list(get_args(Level))},
        findings={"type": "array", "items": ref("Finding")},
        status=_STATUS,
        is_valid_auth=FLAG,
        signed_in_as=TEXT_OR_NULL,
        has_client_secret=FLAG,
        access_token=_nullable(token),
        grant=_nullable(record(signed_in_on=_MOMENT_OR_NULL, **expiry)),
        credential=record(kind={"enum": list(get_args(CredentialKind))}, **expiry),
        last_refresh_on=_MOMENT_OR_NULL,
        next_refresh_on=_MOMENT_OR_NULL,
        last_used_on=_MOMENT_OR_NULL,
        consecutive_failures=_COUNT,
        last_failure_on=_MOMENT_OR_NULL,
        cause=_nullable(ref("Cause")),
        failed_sign_in=_nullable(ref("Cause")),
        failed_sign_in_on=_MOMENT_OR_NULL,
    )


def _audit_entry() -> Schema:
    change = record(
        field={"type": "string", "description": "A JSON pointer (RFC 6901)."},
        old={"description": "The value before; null where there was none, and for a secret."},
        new={"description": "The value since; null where there is none, and for a secret."},
        is_secret=FLAG,
        is_shortened=FLAG | {"description": "A long value is the beginning of its JSON, as text."},
    )
    return {"description": "What somebody did."} | record(
        id=TEXT,
        moment=MOMENT,
        by={"type": "string", "description": "The account, or what was used in place of one."},
        action={"enum": list(get_args(Action))},
        integration=TEXT,
        endpoint=TEXT_OR_NULL,
        changes={"type": "array", "items": change},
    )


def _health() -> Schema:
    checks = {"type": "object", "additionalProperties": {"enum": ["ok", "unavailable"]}}
    return record(
        status={"enum": ["ok", "degraded", "unavailable"]},
        optional={
            "checks": checks,
            "settings": {"type": "string", "description": "Which app settings are wrong."},
        },
    )


def _problem() -> Schema:
    places = record(pointer=TEXT, message=TEXT)
    answer: Schema = record(status={"type": "integer"})
    return {"description": "An error of the gateway (RFC 9457)."} | record(
        type=TEXT,
        title=TEXT,
        status={"type": "integer"},
        detail=TEXT,
        instance=TEXT,
        code={"type": "string", "description": "For programs: what happened."},
        source={"enum": list(get_args(Source)), "description": "Where the cause lies."},
        retryable={"type": "boolean", "description": "Whether to send the call again as it is."},
        hint={"type": "string", "description": "What to do next, in plain words."},
        request_id={"type": "string", "format": "uuid"},
        optional={
            "errors": {"type": "array", "items": places},
            "upstream": answer | {"description": "The answer of the service, if there was one."},
        },
    )
