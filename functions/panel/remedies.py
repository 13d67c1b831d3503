"""What to do about a finding, in the words of the panel; the API's name its routes and fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.domain.token_health import Finding

_SIGN_IN = "Press Authorize to sign in, or send a sign-in link to the person who owns the account."
_NEW_SECRET = (
    "Create a new client secret in the app registration in Microsoft Entra, and enter it with its "
    "last day under Integration information."
)
_REMEDIES = {
    "not_signed_in": _SIGN_IN,
    "deauthorized": "Press Authorize to sign in again, or Connect where the app does so by itself.",
    "sign_in_ends": _SIGN_IN,
    "sign_in_not_renewable": (
        "Add offline_access to the scope under Integration information, or allow refresh tokens at "
        "the provider. Then sign in again."
    ),
    "client_secret_missing": "Enter the client secret under Integration information.",
    "client_secret_expires": _NEW_SECRET,
    "client_secret_expired": _NEW_SECRET,
}


def remedy(finding: Finding) -> str:
    """Return what an administrator does next."""
    return _REMEDIES.get(finding.code, finding.remedy)
