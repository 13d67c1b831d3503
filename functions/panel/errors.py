"""Why the panel shows no page; the API never answers with these."""

from __future__ import annotations

from shared.domain.error_kinds import ErrorKind

NOT_SIGNED_IN = ErrorKind(
    "not_signed_in",
    401,
    "Sign in to use the control panel",
    when="Nobody is signed in.",
    hint="Sign in with your work account.",
)
ADMINISTRATOR_REQUIRED = ErrorKind(
    "administrator_required",
    403,
    "The control panel is for administrators",
    when="The account lacks the app role Gateway.Admin, or App Service Authentication is off.",
    hint="Ask whoever manages the app registration in Microsoft Entra for the app role "
    "Gateway.Admin (Enterprise applications, Users and groups), then sign in again.",
)
CROSS_SITE_REQUEST = ErrorKind(
    "cross_site_request",
    403,
    "The request did not come from the control panel",
    when="Another site sent it, or the panel was opened at another address than PUBLIC_URL.",
    hint="Open the control panel at its own address and repeat it there.",
)
PAGE_NOT_FOUND = ErrorKind(
    "page_not_found",
    404,
    "There is no such page",
    when="The address is none of the panel's.",
    hint="Go back to the list of integrations.",
)
