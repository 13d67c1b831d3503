"""The catalogue of all errors that a caller can meet; docs/errors.md is generated from it.

Statuses follow one rule (Power Automate resends 408, 429 and 5xx by itself): a permanent fault is
never 5xx, and an outcome that nobody knows is never 408, 429 or 5xx.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Source = Literal["gateway", "identity", "upstream"]

_PASSING = frozenset({408, 429})
_FIRST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One entry of the catalogue: what happened, when it does, and the next step.

    `hint` is what a caller reads where the raiser knows no better one.
    """

    code: str
    status: int
    title: str
    when: str = field(kw_only=True)
    hint: str = field(kw_only=True)
    source: Source = field(default="gateway", kw_only=True)

    @property
    def retryable(self) -> bool:
        """Tell whether the same call may be sent again as it is: those that clients resend."""
        return self.status in _PASSING or self.status >= _FIRST_SERVER_ERROR


# What is wrong with a call.

INVALID_PAYLOAD = ErrorKind(
    "invalid_payload",
    400,
    "The payload is not valid JSON",
    when="The body is announced as JSON, or has to be JSON, and cannot be read as such.",
    hint="Correct the request body.",
)
PAYLOAD_AGAINST_SCHEMA = ErrorKind(
    "invalid_payload",
    422,
    "The payload does not fit the endpoint's schema",
    when="The body is JSON, and breaks the endpoint's request_schema; nothing was sent.",
    hint="Correct the places named under errors.",
)
INVALID_PARAMETER = ErrorKind(
    "invalid_parameter",
    400,
    "A parameter is missing or malformed",
    when="A parameter of the query, or a header that goes along, is missing or has a bad form.",
    hint="Give each parameter that the endpoint declares in the query, in the form of its type.",
)
QUERY_NOT_ALLOWED = ErrorKind(
    "query_not_allowed",
    400,
    "A query parameter may not be set by callers",
    when="The query names company, tenant, what the gateway sets, or what allowed_query lacks.",
    hint="Leave the parameter out. Another company is chosen with gw_company, where that is "
    "allowed; an administrator may allow other names in allowed_query of the endpoint.",
)
INVALID_PAGE = ErrorKind(
    "invalid_page",
    400,
    "The continuation link is not valid",
    when="gw_page was changed, is older than an hour, or belongs to another endpoint.",
    hint="Start the listing again; a link lives for an hour and belongs to one endpoint.",
)
INVALID_IDEMPOTENCY_KEY = ErrorKind(
    "invalid_idempotency_key",
    400,
    "The idempotency key is not valid",
    when="Idempotency-Key is empty, longer than 200 characters, or not printable ASCII.",
    hint="Send Idempotency-Key with 1 to 200 printable ASCII characters, or leave it out.",
)
COMPANY_NOT_ALLOWED = ErrorKind(
    "company_not_allowed",
    403,
    "This company may not be chosen",
    when="gw_company names a company that allowed_companies does not list, or the endpoint has "
    "its own.",
    hint="Ask an administrator to list the company under allowed_companies of the integration.",
)
CALLER_NOT_ALLOWED = ErrorKind(
    "caller_not_allowed",
    403,
    "This caller may not run the endpoint",
    when="The endpoint has allowed_roles or allowed_clients, and the caller is none of them.",
    hint="Ask an administrator for the app role, or to list the client under allowed_clients.",
)
INTEGRATION_NOT_FOUND = ErrorKind(
    "integration_not_found",
    404,
    "There is no such integration",
    when="No integration has the code in the URL, or it was deleted meanwhile.",
    hint="Check the code in the URL; GET /api/integrations lists those that exist.",
)
ENDPOINT_NOT_FOUND = ErrorKind(
    "endpoint_not_found",
    404,
    "There is no such endpoint",
    when="The integration has no endpoint with the code in the URL.",
    hint="Check the code in the URL; GET /api/integrations/{integration}/endpoints lists them.",
)
ENDPOINT_DISABLED = ErrorKind(
    "endpoint_disabled",
    404,
    "The endpoint is switched off",
    when="The endpoint exists, and its is_enabled is false.",
    hint="Ask an administrator to enable the endpoint.",
)
IDEMPOTENCY_KEY_NOT_FOUND = ErrorKind(
    "idempotency_key_not_found",
    404,
    "Nothing is kept under this key",
    when="An administrator asks for a key under which nothing is stored.",
    hint="The key was never used here, was freed by an error, or is older than 48 hours: a call "
    "with it will be executed.",
)
METHOD_NOT_ALLOWED = ErrorKind(
    "method_not_allowed",
    405,
    "The method is not allowed here",
    when="The route does not know the method; an endpoint is run by POST or its stored method.",
    hint="Use a method named in Allow.",
)
LENGTH_REQUIRED = ErrorKind(
    "length_required",
    411,
    "The body came without a length",
    when="A body was announced without Content-Length; the platform hands none of it over.",
    hint="Send the body with Content-Length; a chunked body does not reach the gateway.",
)
PAYLOAD_TOO_LARGE = ErrorKind(
    "payload_too_large",
    413,
    "The payload is too large",
    when="The body is larger than MAX_PAYLOAD_BYTES; a definition may have 256 KiB.",
    hint="Send less at once; the limit is the setting MAX_PAYLOAD_BYTES.",
)
IDEMPOTENCY_KEY_REUSED = ErrorKind(
    "idempotency_key_reused",
    422,
    "The idempotency key belongs to another call",
    when="The key came before with another method, URL, company, gw_all_pages, If-Match or body.",
    hint="Send a new key with each new call; the same key only where the same call is sent again.",
)
INTEGRATION_BUSY = ErrorKind(
    "integration_busy",
    429,
    "Too many calls at once for this integration",
    when="Calls of one integration hold their share of the instance, or none ended in time.",
    hint="Send the call again after the time in Retry-After; nothing was sent.",
)
IDEMPOTENCY_IN_PROGRESS = ErrorKind(
    "idempotency_in_progress",
    503,
    "The first call with this key is still running",
    when="A call with the same key waited for the first one until its own time was up.",
    hint="Send the same call with the same key again: it will get the first one's answer.",
)

# What is wrong with a change of definitions.

ALREADY_EXISTS = ErrorKind(
    "already_exists",
    409,
    "The code is taken",
    when="POST creates a definition under a code that another one has.",
    hint="Choose another code, or use PUT or PATCH to change the existing definition.",
)
NOTHING_TO_SETTLE = ErrorKind(
    "nothing_to_settle",
    409,
    "The outcome of this key is not unknown",
    when="An administrator settles a key whose call is still running, or whose outcome is known.",
    hint="Only an unknown outcome can be settled; read the key's state with GET.",
)
CHANGED_MEANWHILE = ErrorKind(
    "changed_meanwhile",
    412,
    "Somebody changed it meanwhile",
    when="If-Match or If-None-Match does not fit what is stored, or two changes met.",
    hint="Read it again, apply your change to what you get, and send that with its ETag.",
)
INVALID_DEFINITION = ErrorKind(
    "invalid_definition",
    422,
    "The definition cannot be stored",
    when="Fields of a definition are unknown, missing, malformed or not safe.",
    hint="Correct the places named under errors; nothing was changed.",
)

# What is wrong with the sign-in.

SIGN_IN_EXPIRED = ErrorKind(
    "sign_in_expired",
    400,
    "This sign-in cannot be finished",
    when="The sign-in or its link is unknown, too old, used before, or of another browser.",
    hint="Start the sign-in again and finish it within ten minutes in the same browser.",
)
SIGN_IN_REFUSED = ErrorKind(
    "sign_in_refused",
    400,
    "The sign-in was not completed",
    when="The identity provider ended the sign-in with an error, or the person declined.",
    hint="Start the sign-in again.",
    source="identity",
)
SIGN_IN_REQUIRED = ErrorKind(
    "sign_in_required",
    424,
    "Somebody has to sign in",
    when="Nobody has signed in yet, or the sign-in has ended, expired or was revoked.",
    hint="Sign in on /api/panel/integrations/{integration}, its page of the control panel, or send "
    "a sign-in link to the person who owns the account.",
    source="identity",
)
IDENTITY_MISCONFIGURED = ErrorKind(
    "identity_misconfigured",
    424,
    "The identity provider refuses the integration's credentials",
    when="The client id, secret, certificate, tenant or scope is wrong, missing or expired.",
    hint="Correct the client id, secret, tenant or scope of the integration.",
    source="identity",
)
IDENTITY_UNAVAILABLE = ErrorKind(
    "identity_unavailable",
    503,
    "The identity provider does not answer",
    when="A token is needed, none is valid, and the identity provider is down or throttles.",
    hint="Try again in a moment; nothing has to be done by hand.",
    source="identity",
)

# What is wrong with the service behind the integration.

OUTCOME_UNKNOWN = ErrorKind(
    "outcome_unknown",
    409,
    "It is unknown whether the call took effect",
    when="A change was sent, and its answer was lost, came too late, or was 408 or any "
    "5xx but 501; that answer stands under upstream.",
    hint="Look in Business Central whether the change was made before you send it again.",
    source="upstream",
)
UPSTREAM_UNAUTHORIZED = ErrorKind(
    "upstream_unauthorized",
    424,
    "Business Central refuses a fresh token",
    when="The service answered 401 to a token that was issued just before.",
    hint="Register and enable the app under 'Microsoft Entra applications' in this environment, or "
    "give the signed-in user a licence and permissions; then call again.",
    source="upstream",
)
UPSTREAM_REDIRECT = ErrorKind(
    "upstream_redirect",
    424,
    "The service answered with a redirect",
    when="The service answered with a redirect, which is neither followed nor passed on.",
    hint="Correct base_url or api_url so that it names the final address; redirects are not "
    "followed.",
    source="upstream",
)
UPSTREAM_NOT_ALLOWED = ErrorKind(
    "upstream_not_allowed",
    424,
    "The address may not be called",
    when="The host's name leads to a private or local address, or the URL is not https.",
    hint="Use a public https address, or list the host in ALLOWED_PRIVATE_HOSTS.",
)
ANSWER_TOO_LARGE = ErrorKind(
    "answer_too_large",
    424,
    "The answer is too large",
    when="The answer is larger than MAX_ANSWER_BYTES; of a change, detail says whether it was "
    "executed.",
    hint="Ask for less: use $select, $filter, $top or Prefer: odata.maxpagesize.",
    source="upstream",
)
COMPANY_NOT_FOUND = ErrorKind(
    "company_not_found",
    424,
    "The company's id cannot be found",
    when="The URL needs the company's id, and the service does not list the company's name.",
    hint="Check the company's spelling (case matters), or set company_id; and check tenant_id, "
    "environment and base_url of the integration.",
    source="upstream",
)
FOREIGN_NEXT_LINK = ErrorKind(
    "foreign_next_link",
    424,
    "The answer continues on another host",
    when="The continuation link of a list leads away from base_url.",
    hint="Correct base_url; a continuation is followed only on the integration's own host.",
    source="upstream",
)
BROKEN_NEXT_LINK = ErrorKind(
    "broken_next_link",
    424,
    "The list cannot be read to its end",
    when="While gw_all_pages is read, a page leads back to an earlier one, or to what is no list.",
    hint="Read page by page, without gw_all_pages; report the list to who looks after the service.",
    source="upstream",
)
UPSTREAM_UNREACHABLE = ErrorKind(
    "upstream_unreachable",
    503,
    "The service cannot be reached",
    when="No connection came about, or it broke while something was read.",
    hint="Try again in a moment; nothing was changed. If it stays so, check base_url.",
    source="upstream",
)
UPSTREAM_TIMEOUT = ErrorKind(
    "upstream_timeout",
    504,
    "The service did not answer in time",
    when="Something was read, and the answer was not there when timeout_seconds was over.",
    hint="Ask for less at once, or raise timeout_seconds of the endpoint.",
    source="upstream",
)

# What is wrong with the gateway and its platform.

GATEWAY_MISCONFIGURED = ErrorKind(
    "gateway_misconfigured",
    424,
    "The gateway is not set up completely",
    when="An app setting is missing or wrong, or the app lacks a role on storage or vault.",
    hint="Correct the app settings named in the detail and restart the app.",
)
INTERNAL_ERROR = ErrorKind(
    "internal_error",
    424,
    "The gateway failed",
    when="The gateway has a fault; its log tells more under the request_id.",
    hint="Report the request_id to the gateway's administrator; do not resend a change blindly.",
)
STORAGE_UNAVAILABLE = ErrorKind(
    "storage_unavailable",
    503,
    "Table Storage does not answer",
    when="Table Storage is down or throttles, and what is needed is not in memory.",
    hint="Try again in a moment.",
)
VAULT_UNAVAILABLE = ErrorKind(
    "vault_unavailable",
    503,
    "Key Vault does not answer",
    when="Key Vault is down or throttles, and what is needed is not in memory.",
    hint="Try again in a moment.",
)
