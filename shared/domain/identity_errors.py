"""What a token endpoint's refusal means, and what to do about it.

Classified by `error`, `suberror`, `error_codes` and the status, never by text
(learn.microsoft.com/entra/identity-platform/reference-error-codes; RFC 6749 section 5.2).
"""

from __future__ import annotations

import enum
import re
from typing import Any


class Refusal(enum.Enum):
    """What has to happen before the provider would answer otherwise."""

    SIGN_IN = "sign_in"
    CONFIGURATION = "configuration"
    TRANSIENT = "transient"


_SIGN_IN_ERRORS = frozenset(
    {"invalid_grant", "interaction_required", "login_required", "consent_required",
     "access_denied", "account_selection_required"}
)  # fmt: skip
_TRANSIENT_ERRORS = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_TRANSIENT_NUMBERS = frozenset({50033, 50087, 90006, 90012, 90024, 90033, 90055, 90090, 50196})
_CONFIGURATION_NUMBERS = frozenset(
    {7000215, 7000222, 7000218, 700027, 700025, 700016, 7000112, 50011, 500011, 650052, 650057,
     70011, 90002, 50194, 50105, 501481}
)  # fmt: skip

# Number of the Entra error -> what it means and what to do, in plain words.
_EXPLANATIONS: dict[int, tuple[str, str]] = {
    7000215: (
        "The client secret is wrong.",
        "Store the value (not the id) of the app registration's secret as client_secret.",
    ),
    7000222: (
        "The client secret has expired.",
        "Create a new client secret in the app registration and store it as client_secret.",
    ),
    7000218: ("The app sent no secret.", "Store a client_secret, or choose another client_auth."),
    700027: (
        "The certificate that signs for the app is not registered with it.",
        "Upload the certificate's public part to the app registration.",
    ),
    700025: (
        "The app registration is a public client, which may not send a secret.",
        "Register the redirect URI under the platform 'Web'.",
    ),
    700016: (
        "The app registration does not exist in this tenant.",
        "Check client_id and tenant_id.",
    ),
    7000112: (
        "The app is disabled in this tenant.",
        "Enable it under Enterprise applications in the Microsoft Entra admin center.",
    ),
    90002: ("The tenant does not exist.", "Check tenant_id."),
    50011: (
        "The redirect URI is not registered with the app.",
        "Add the gateway's redirect URI to the app registration, platform 'Web', letter by letter.",
    ),
    500011: (
        "Business Central is not known in this tenant.",
        "Check the tenant: it must have a Business Central subscription.",
    ),
    650052: (
        "The tenant has no access to Business Central.",
        "Check the tenant: it must have a Business Central subscription.",
    ),
    650057: (
        "The app asks for a permission that its registration does not list.",
        "Add the Dynamics 365 Business Central permission to the app registration.",
    ),
    70011: ("The scope is not valid.", "Check scope; leave it empty for Business Central."),
    65001: (
        "Nobody has consented to the app's permissions.",
        "Ask an administrator of the tenant to grant admin consent to the app registration.",
    ),
    65004: ("Consent was declined.", "Sign in again and accept the permissions."),
    90094: (
        "The permissions need an administrator's consent.",
        "Ask an administrator of the tenant to grant admin consent to the app registration.",
    ),
    50076: ("A second factor is required.", "Sign in again."),
    50079: ("A second factor has to be set up.", "Sign in again and set it up."),
    50173: ("The sign-in was revoked or the password was reset.", "Sign in again."),
    700082: ("The sign-in was not used for too long and has expired.", "Sign in again."),
    70008: ("The sign-in has expired.", "Sign in again."),
    70043: ("The tenant's policy asks for a fresh sign-in.", "Sign in again."),
    50105: (
        "The person is not assigned to the app.",
        "Assign the person under Enterprise applications, or switch assignment off.",
    ),
    50034: ("The account does not exist in this tenant.", "Sign in with another account."),
    50057: ("The account is disabled.", "Sign in with another account."),
    53003: ("A conditional access policy blocked the sign-in.", "Ask the tenant's administrator."),
    54005: ("The sign-in's code was used before.", "Start the sign-in again."),
    501481: ("The sign-in's proof did not match.", "Start the sign-in again."),
}

_BY_ERROR: dict[str, tuple[str, str]] = {
    "invalid_client": (
        "The provider does not accept the app's credentials.",
        "Check client_id, client_secret and client_auth.",
    ),
    "unauthorized_client": (
        "The app may not use this way of signing in.",
        "Allow the grant type in the app's registration.",
    ),
    "invalid_scope": ("The scope is not valid.", "Check scope."),
    "invalid_grant": ("The sign-in is no longer valid.", "Sign in again."),
    "access_denied": ("The sign-in was declined.", "Sign in again and accept the permissions."),
    "consent_required": (
        "Consent is missing.",
        "Sign in again and accept the permissions, or ask an administrator for consent.",
    ),
    "unsupported_grant_type": (
        "The provider does not offer this grant type.",
        "Check grant_type and token_url.",
    ),
}
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")
_UNEXPLAINED = ("The provider refused the request.", "Check the integration's definition.")


def classify(status: int, answer: dict[str, Any]) -> Refusal:
    """Return what a token endpoint's refusal calls for."""
    error = answer.get("error")
    numbers = set(numbers_of(answer))
    if status == 429 or status >= 500 or not isinstance(error, str):  # noqa: PLR2004
        return Refusal.TRANSIENT
    if error in _TRANSIENT_ERRORS or numbers & _TRANSIENT_NUMBERS:
        return Refusal.TRANSIENT
    if numbers & _CONFIGURATION_NUMBERS:
        return Refusal.CONFIGURATION
    if error in _SIGN_IN_ERRORS or answer.get("suberror") == "consent_required":
        return Refusal.SIGN_IN
    return Refusal.CONFIGURATION


def explain(answer: dict[str, Any]) -> tuple[str, str]:
    """Return what a refusal means and what to do next, both in plain words."""
    for number in numbers_of(answer):
        if number in _EXPLANATIONS:
            meaning, remedy = _EXPLANATIONS[number]
            return f"{meaning} (AADSTS{number})", remedy
    error = answer.get("error")
    meaning, remedy = _BY_ERROR.get(error, _UNEXPLAINED) if isinstance(error, str) else _UNEXPLAINED
    numbers = numbers_of(answer)
    label = f"AADSTS{numbers[0]}" if numbers else _plain(error)
    return (f"{meaning} ({label})" if label else meaning), remedy


def numbers_of(answer: dict[str, Any]) -> list[int]:
    """Return Entra's error numbers; on the redirect they stand only in the description."""
    codes = answer.get("error_codes")
    if isinstance(codes, list):
        return [code for code in codes if isinstance(code, int)]
    description = answer.get("error_description")
    if isinstance(description, str) and description.startswith("AADSTS"):
        digits = re.match(r"[0-9]{1,9}(?![0-9])", description[6:])
        return [int(digits[0])] if digits else []
    return []


def _plain(error: object) -> str:
    # Only what looks like a registered code is repeated: anything else might be a secret.
    return error if isinstance(error, str) and _ERROR_CODE.fullmatch(error) else ""
