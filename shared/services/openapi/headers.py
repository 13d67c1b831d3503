"""Every header of the API, defined once: those of answers, and those that callers may send."""

from __future__ import annotations

from shared.services.openapi.schemas import TEXT, Schema

_ON_EVERY_ANSWER = {
    "X-Gateway-Source": "Who speaks: gateway, identity or upstream.",
    "X-Gateway-Request-Id": "The id of this call, in the gateway's log and in Business Central's.",
}
# What the gateway lets through; OpenAPI tells the Content-Type as `content`.
_PASSED_ON = {
    "Content-Disposition": "The name of a file.",
    "Content-Language": "The language of the answer.",
    "ETag": "The version, for If-Match and If-None-Match.",
    "Last-Modified": "When it was changed.",
    "Location": "Where it is.",
    "OData-EntityId": "Which entity a change without an answer's body has made.",
    "OData-Version": "The version of OData.",
    "Preference-Applied": "Which of Prefer the service went by.",
    "Retry-After": "When to send the call again: after so many seconds, or at a time.",
    "ms-correlation-x": "The id by which Microsoft finds the call.",
    "request-id": "The id that Business Central gave to the call.",
}
_OF_THE_GATEWAY = {
    "Allow": "The methods that are allowed.",
    "Idempotency-Replayed": "true where the answer is that of an earlier call with the same key.",
    "Set-Cookie": "Ties the sign-in to this browser.",
    "X-Gateway-Hint": "What to do about this error of Business Central.",
    "X-Gateway-Truncated": "Which limit cut gw_all_pages off: rows, bytes or time.",
    "X-Gateway-Warning": "What must not be believed.",
}
# A key that could not be freed is told with whatever the service answered.
ON_OWN_ANSWER = (*_PASSED_ON, "X-Gateway-Warning")


def answer_headers(*names: str) -> dict[str, Schema]:
    """Return the references to headers of an answer, those of every answer among them."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*_ON_EVERY_ANSWER, *names)}


def header_components() -> dict[str, Schema]:
    """Return all headers of answers by their names."""
    described = _ON_EVERY_ANSWER | _PASSED_ON | _OF_THE_GATEWAY
    return {
        name: {"description": description, "schema": TEXT}
        for name, description in described.items()
    }


def _in_header(name: str, description: str, pattern: str = "^[ -~]*$") -> Schema:
    schema = TEXT | {"pattern": pattern}
    return {"name": name, "in": "header", "description": description, "schema": schema}


IF_MATCH = _in_header(
    "If-Match", "The ETag (in OData the @odata.etag) of the version that a change is meant for."
)
IF_NONE_MATCH = _in_header("If-None-Match", "The ETag of the version that is known.")
ONLY_IF_NEW = _in_header("If-None-Match", "With *, create and never replace.")
KEY = (
    _in_header(
        "Idempotency-Key",
        "The caller's key for a call: it is executed once, and its answer repeated for 48 hours.",
        "^[ -~]{1,200}$",
    ),
    _in_header(
        "x-ms-workflow-run-id",
        "Together with x-ms-action-tracking-id the key of a call that gives none, where the "
        "endpoint has derive_idempotency_key. Power Automate sends both.",
    ),
    _in_header("x-ms-action-tracking-id", "See x-ms-workflow-run-id."),
)
TO_SERVICE = (
    _in_header("Prefer", "Such as odata.maxpagesize=100."),
    IF_MATCH,
    IF_NONE_MATCH,
    _in_header("Accept-Language", "The language of captions and of error messages."),
    _in_header("Isolation", "snapshot: execute all parts of a $batch or none."),
    _in_header("Data-Access-Intent", "ReadOnly: read from the replica."),
    _in_header("OData-MaxVersion", "The latest version of OData that is understood."),
)
