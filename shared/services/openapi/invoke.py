"""The operations of callers."""

from __future__ import annotations

from typing import get_args

from shared.domain import error_kinds as kinds
from shared.domain.endpoint import Method
from shared.services.openapi.headers import KEY, ON_OWN_ANSWER, TO_SERVICE
from shared.services.openapi.operations import Operation, any_answer, in_query
from shared.services.openapi.schemas import Schema

_QUERY: Schema = {
    "name": "query",
    "in": "query",
    "style": "form",
    "explode": True,
    "description": "The parameters that the endpoint declares, and OData options such as $filter.",
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}
_PARAMETERS = (
    in_query("gw_company", "Another company, where allowed_companies lists it."),
    in_query("gw_page", "Where a list continues: part of its @odata.nextLink."),
    in_query("gw_all_pages", "Read a list to its end and answer it as one.", {"const": "true"}),
    _QUERY,
    *TO_SERVICE,
    *KEY,
)
_BODY: Schema = {"required": False, "content": {"application/json": {}, "*/*": {}}}
_BODILESS = frozenset({"GET", "DELETE"})
_ANSWER = any_answer(
    "The service's answer, as it gave it.",
    *("Idempotency-Replayed", "X-Gateway-Truncated", *ON_OWN_ANSWER),
)
_ERRORS = (
    kinds.INVALID_PAYLOAD,
    kinds.PAYLOAD_AGAINST_SCHEMA,
    kinds.INVALID_PARAMETER,
    kinds.QUERY_NOT_ALLOWED,
    kinds.INVALID_PAGE,
    kinds.INVALID_IDEMPOTENCY_KEY,
    kinds.COMPANY_NOT_ALLOWED,
    kinds.CALLER_NOT_ALLOWED,
    kinds.INTEGRATION_NOT_FOUND,
    kinds.ENDPOINT_NOT_FOUND,
    kinds.ENDPOINT_DISABLED,
    kinds.METHOD_NOT_ALLOWED,
    kinds.LENGTH_REQUIRED,
    kinds.PAYLOAD_TOO_LARGE,
    kinds.IDEMPOTENCY_KEY_REUSED,
    kinds.IDEMPOTENCY_IN_PROGRESS,
    kinds.INTEGRATION_BUSY,
    kinds.SIGN_IN_REQUIRED,
    kinds.IDENTITY_MISCONFIGURED,
    kinds.IDENTITY_UNAVAILABLE,
    kinds.OUTCOME_UNKNOWN,
    kinds.UPSTREAM_UNAUTHORIZED,
    kinds.UPSTREAM_REDIRECT,
    kinds.UPSTREAM_NOT_ALLOWED,
    kinds.ANSWER_TOO_LARGE,
    kinds.COMPANY_NOT_FOUND,
    kinds.FOREIGN_NEXT_LINK,
    kinds.BROKEN_NEXT_LINK,
    kinds.UPSTREAM_UNREACHABLE,
    kinds.UPSTREAM_TIMEOUT,
    kinds.GATEWAY_MISCONFIGURED,
    kinds.STORAGE_UNAVAILABLE,
    kinds.VAULT_UNAVAILABLE,
)


def operations() -> list[Operation]:
    """Return one operation for each method: POST, which is always right, and the stored one."""
    return [_run(method) for method in get_args(Method)]


def _run(method: str) -> Operation:
    return Operation(
        id=f"invoke{method.capitalize()}",
        method=method,
        path="/api/invoke/{integration}/{endpoint}",
        tag="Calls",
        summary="Run an endpoint."
        if method == "POST"
        else f"Run an endpoint whose stored method is {method}.",
        parameters=_PARAMETERS,
        body=None if method in _BODILESS else _BODY,
        answers={200: _ANSWER},
        errors=_ERRORS,
        passes_on=True,
    )
