"""Business Central's error codes, and what to do about each.

The codes are Microsoft's (learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/
v2.0/dynamics-error-codes). The next steps are ours: none repeats what an answer says, and none asks
to send a call again but that for 401, since it may stand beside a change with an unknown outcome.
"""

from __future__ import annotations

import re
from http import HTTPStatus

import msgspec

from shared.domain.error_kinds import UPSTREAM_UNAUTHORIZED
from shared.domain.payloads import NotReadable, read_json

_REQUEST = "Correct the request: compare URL, query and body with the service's $metadata."
_PATH = (
    "Check api_url and kind of the endpoint, and that the page or codeunit is published in this "
    "environment; names are case sensitive."
)
_RECORD = "Check the id or number in the call: there is no such record in this company."
_DATA = "Correct the data in the call, or the related record in Business Central."
_RULE = "A rule in Business Central refuses the data; error.message says which. Correct it there."
_PERMISSIONS = "Give the signed-in user or app the permission sets it needs in Business Central."
_SETUP = "Check tenant_id, environment and base_url of the integration."
_ENVIRONMENT = "Look in the admin center whether the environment is running, or being updated."

STEPS = {
    "BadRequest": _REQUEST,
    "BadRequest_InvalidRequestUrl": _REQUEST,
    "BadRequest_NotFound": _PATH,
    "BadRequest_ResourceNotFound": _PATH,
    "BadRequest_InvalidOperation": "Leave out the fields that Business Central calculates itself.",
    "BadRequest_InvalidToken": "Read the record first and send its @odata.etag as If-Match.",
    "BadRequest_RequiredParamNotProvided": "Give a value to the field that error.message names.",
    "BadRequest_MethodNotAllowed": "Correct the endpoint's method: this one is not offered here.",
    "BadRequest_MethodNotImplemented": (
        "Simplify the query, or set $schemaversion to 2.1 in the endpoint's query."
    ),
    "Request_EntityChanged": (
        "Read the record again, apply the change to what you get, and send its new @odata.etag."
    ),
    "Internal_RecordNotFound": _RECORD,
    "Internal_DataNotFoundFilter": "Check $filter: nothing in this company fits it.",
    "Internal_InvalidTableRelation": _DATA,
    "Internal_EntityWithSameKeyExists": (
        "The record exists already: change it with PATCH, or use another key."
    ),
    "Internal_CompanyNotFound": "Check company and company_id; a company's name is case sensitive.",
    "Internal_TenantUnavailable": _ENVIRONMENT,
    "Internal_ServerError": "Read error.message: a missing permission is reported so too.",
    "Application_DialogException": _RULE,
    "Application_FieldValidationException": _RULE,
    "Application_StringExceededLength": "Shorten the text that error.message names.",
    "Application_CallbackNotAllowed": (
        "The code behind the call opens a dialog; have it check GuiAllowed, or call another one."
    ),
    "Application_TooManyRequests": (
        "Send fewer calls at once, or spread them over several users or apps."
    ),
    "Authentication_InvalidCredentials": UPSTREAM_UNAUTHORIZED.hint,
    "Unauthorized": UPSTREAM_UNAUTHORIZED.hint,
    "NoEnvironment": _SETUP,
    "RequestDataInvalid": _SETUP,
}
# Microsoft gives each group of codes a meaning of its own; a code that is not listed has that.
STEPS_OF_GROUPS = {
    "BadRequest": _REQUEST,
    "Authentication": UPSTREAM_UNAUTHORIZED.hint,
    "Authorization": _PERMISSIONS,
    "Internal": _DATA,
    "Application": _RULE,
}
# Where Accept does not ask for JSON, errors are XML (OData Atom Format, section 19).
_XML_CODE = re.compile(rb"<code>([A-Za-z_]{1,100})</code>")
_LONGEST_ERROR_BYTES = 64 * 1024


class _Error(msgspec.Struct, frozen=True):
    code: str


class _Body(msgspec.Struct, frozen=True):
    error: _Error


def next_step(status: int, body: bytes) -> str | None:
    """Return what to do about an answer, in plain ASCII; None where it is no error of BC's."""
    if status < HTTPStatus.BAD_REQUEST or len(body) > _LONGEST_ERROR_BYTES:
        return None
    code = _code(body)
    return STEPS.get(code) or STEPS_OF_GROUPS.get(code.partition("_")[0])


def hint_header(status: int, body: bytes) -> dict[str, str]:
    """Return the header that says beside an answer, which itself stays as it is, what to do."""
    step = next_step(status, body)
    return {"X-Gateway-Hint": step} if step else {}


def with_next_step(hint: str, status: int, body: bytes) -> str:
    """Return the hint of an error that wraps an answer, with what BC's code adds to it."""
    step = next_step(status, body)
    return hint if step is None or step in hint else f"{hint} {step}"


def _code(body: bytes) -> str:
    try:
        found: _Body = read_json(body, _Body)
    except NotReadable:
        match = _XML_CODE.search(body)
        return match[1].decode() if match else ""
    return found.error.code
