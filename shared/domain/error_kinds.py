"""The catalogue of all errors that a caller can meet.

Statuses follow one rule (Power Automate resends 408, 429 and 5xx by itself): a permanent fault is
never 5xx, and an outcome that nobody knows is never 408, 429 or 5xx.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["gateway", "identity", "upstream"]


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One entry of the catalogue; `hint` is the next step when the raiser knows no better one."""

    code: str
    status: int
    title: str
    hint: str
    source: Source = "gateway"
    retryable: bool = False


INVALID_PAYLOAD = ErrorKind(
    "invalid_payload", 400, "The payload is not valid JSON", "Correct the request body."
)
INVALID_PARAMETER = ErrorKind(
    "invalid_parameter",
    400,
    "A parameter is missing or malformed",
    "Give each parameter that the endpoint declares in the query, in the form of its type.",
)
QUERY_NOT_ALLOWED = ErrorKind(
    "query_not_allowed",
    400,
    "A query parameter may not be set by callers",
    "Leave the parameter out. Another company is chosen with gw_company, where that is allowed; "
    "an administrator may allow other names in allowed_query of the endpoint.",
)
COMPANY_NOT_ALLOWED = ErrorKind(
    "company_not_allowed",
    403,
    "This company may not be chosen",
    "Ask an administrator to list the company under allowed_companies of the integration.",
)
INTEGRATION_NOT_FOUND = ErrorKind(
    "integration_not_found",
    404,
    "There is no such integration",
    "Check the code in the URL; GET /api/integrations lists those that exist.",
)
ENDPOINT_NOT_FOUND = ErrorKind(
    "endpoint_not_found",
    404,
    "There is no such endpoint",
    "Check the code in the URL; GET /api/integrations/{integration}/endpoints lists them.",
)
ENDPOINT_DISABLED = ErrorKind(
    "endpoint_disabled",
    404,
    "The endpoint is switched off",
    "Ask an administrator to enable the endpoint.",
)
METHOD_NOT_ALLOWED = ErrorKind(
    "method_not_allowed", 405, "The method is not allowed here", "Use a method named in Allow."
)
ALREADY_EXISTS = ErrorKind(
    "already_exists",
    409,
    "The code is taken",
    "Choose another code, or use PUT or PATCH to change the existing definition.",
)
OUTCOME_UNKNOWN = ErrorKind(
    "outcome_unknown",
    409,
    "It is unknown whether the call took effect",
    "Look in Business Central whether the change was made before you send it again.",
    source="upstream",
)
LENGTH_REQUIRED = ErrorKind(
    "length_required",
    411,
    "The body came without a length",
    "Send the body with Content-Length; a chunked body does not reach the gateway.",
)
CHANGED_MEANWHILE = ErrorKind(
    "changed_meanwhile",
    412,
    "Somebody changed it meanwhile",
    "Read it again, apply your change to what you get, and send that with its ETag.",
)
PAYLOAD_TOO_LARGE = ErrorKind(
    "payload_too_large",
    413,
    "The payload is too large",
    "Send less at once; the limit is the setting MAX_PAYLOAD_BYTES.",
)
PAYLOAD_AGAINST_SCHEMA = ErrorKind(
    "invalid_payload",
    422,
    "The payload does not fit the endpoint's schema",
    "Correct the places named under errors.",
)
INVALID_DEFINITION = ErrorKind(
    "invalid_definition",
    422,
    "The definition cannot be stored",
    "Correct the places named under errors; nothing was changed.",
)
SIGN_IN_REQUIRED = ErrorKind(
    "sign_in_required",
    424,
    "Somebody has to sign in",
    "Open /api/authorize/{integration} as an administrator, or send a sign-in link to the person "
    "who owns the account.",
    source="identity",
)
SIGN_IN_EXPIRED = ErrorKind(
    "sign_in_expired",
    400,
    "This sign-in cannot be finished",
    "Start the sign-in again and finish it within ten minutes in the same browser.",
)
SIGN_IN_REFUSED = ErrorKind(
    "sign_in_refused",
    400,
    "The sign-in was not completed",
    "Start the sign-in again.",
    source="identity",
)
IDENTITY_MISCONFIGURED = ErrorKind(
    "identity_misconfigured",
    424,
    "The identity provider refuses the integration's credentials",
    "Correct the client id, secret, tenant or scope of the integration.",
    source="identity",
)
UPSTREAM_UNAUTHORIZED = ErrorKind(
    "upstream_unauthorized",
    424,
    "Business Central refuses a fresh token",
    "Register and enable the app under 'Microsoft Entra applications' in this environment, or "
    "give the signed-in user a licence and permissions; then call again.",
    source="upstream",
)
UPSTREAM_REDIRECT = ErrorKind(
    "upstream_redirect",
    424,
    "The service answered with a redirect",
    "Correct base_url or api_url so that it names the final address; redirects are not followed.",
    source="upstream",
)
UPSTREAM_NOT_ALLOWED = ErrorKind(
    "upstream_not_allowed",
    424,
    "The address may not be called",
    "Use a public https address, or list the host in ALLOWED_PRIVATE_HOSTS.",
)
ANSWER_TOO_LARGE = ErrorKind(
    "answer_too_large",
    424,
    "The answer is too large",
    "Ask for less: use $select, $filter, $top or Prefer: odata.maxpagesize.",
    source="upstream",
)
COMPANY_NOT_FOUND = ErrorKind(
    "company_not_found",
    424,
    "The company's id cannot be found",
    "Check the company's spelling (case matters), or set company_id; and check tenant_id, "
    "environment and base_url of the integration.",
    source="upstream",
)
FOREIGN_NEXT_LINK = ErrorKind(
    "foreign_next_link",
    424,
    "The answer continues on another host",
    "Correct base_url; a continuation is followed only on the integration's own host.",
    source="upstream",
)
INVALID_PAGE = ErrorKind(
    "invalid_page",
    400,
    "The continuation link is not valid",
    "Start the listing again; a link lives for an hour and belongs to one endpoint.",
)
GATEWAY_MISCONFIGURED = ErrorKind(
    "gateway_misconfigured",
    424,
    "The gateway is not set up completely",
    "Correct the app settings named in the detail and restart the app.",
)
INTERNAL_ERROR = ErrorKind(
    "internal_error",
    424,
    "The gateway failed",
    "Report the request_id to the gateway's administrator; do not resend a change blindly.",
)
STORAGE_UNAVAILABLE = ErrorKind(
    "storage_unavailable",
    503,
    "Table Storage does not answer",
    "Try again in a moment.",
    retryable=True,
)
VAULT_UNAVAILABLE = ErrorKind(
    "vault_unavailable", 503, "Key Vault does not answer", "Try again in a moment.", retryable=True
)
IDENTITY_UNAVAILABLE = ErrorKind(
    "identity_unavailable",
    503,
    "The identity provider does not answer",
    "Try again in a moment; nothing has to be done by hand.",
    source="identity",
    retryable=True,
)
UPSTREAM_UNREACHABLE = ErrorKind(
    "upstream_unreachable",
    503,
    "The service cannot be reached",
    "Try again in a moment; nothing was changed. If it stays so, check base_url.",
    source="upstream",
    retryable=True,
)
UPSTREAM_TIMEOUT = ErrorKind(
    "upstream_timeout",
    504,
    "The service did not answer in time",
    "Ask for less at once, or raise timeout_seconds of the endpoint.",
    source="upstream",
    retryable=True,
)
