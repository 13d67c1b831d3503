"""What a token endpoint's refusal means, and what to do about it.

Classified by `error`, `suberror`, `error_codes` and the status, never by text
(learn.microsoft.com/entra/identity-platform/reference-error-codes; RFC 6749 section 5.2).
"""

from __future__ import annotations

import enum
import re
from typing import Any

from shared.domain import aadsts
from shared.domain.aadsts import Explanation


class Refusal(enum.Enum):
    """What has to happen before the provider would answer otherwise."""

    SIGN_IN = "sign_in"
    CONFIGURATION = "configuration"
    TRANSIENT = "transient"


_SIGN_IN_ERRORS = frozenset(
    {"invalid_grant", "interaction_required", "login_required", "consent_required",
     "access_denied", "account_selection_required", "bad_refresh_token"}
)  # fmt: skip
_SIGN_IN_SUBERRORS = frozenset(
    {"bad_token", "token_expired", "consent_required", "client_mismatch", "user_password_expired"}
)
# A person who signs in cannot mend these: the gateway is no managed device or app.
_CONFIGURATION_SUBERRORS = frozenset({"protection_policy_required", "device_authentication_failed"})
_TRANSIENT_ERRORS = frozenset(
    {"temporarily_unavailable", "server_error", "slow_down", "rate_limit_exceeded",
     "too_many_requests"}
)  # fmt: skip
# Timeout, conflict, lock, too early, too many: none of them speaks about the grant.
_TRANSIENT_STATUSES = frozenset({408, 409, 423, 425, 429})
# Entra also sends the person back with access_denied where users may not consent themselves.
_CONSENT_WORDS = frozenset({"consent_required", "access_denied"})

# By suberror and error.
_BY_WORD: dict[str, Explanation] = {
    "bad_token": ("The sign-in is no longer valid.", "Sign in again."),
    "token_expired": ("The sign-in has expired.", "Sign in again."),
    "client_mismatch": ("The sign-in was made for another app.", "Sign in again."),
    "user_password_expired": (
        "The password has expired.",
        "Change the password, then sign in again.",
    ),
    "protection_policy_required": (
        "The tenant's policy allows only managed mobile apps.",
        "Ask the tenant's administrator to except the app registration from that policy.",
    ),
    "device_authentication_failed": (
        "The tenant's policy asks for a known device, which a server is not.",
        "Ask the tenant's administrator to except the app registration from that policy.",
    ),
    "invalid_client": (
        "The provider does not accept the app's credentials.",
        "Check client_id, client_secret and client_auth.",
    ),
    "invalid_request": ("The provider does not understand the request.", "Check the definition."),
    "unauthorized_client": (
        "The app may not use this way of signing in.",
        "Allow the grant type in the app's registration.",
    ),
    "invalid_scope": ("The scope is not valid.", "Check scope."),
    "invalid_resource": ("The provider does not know what the scope names.", "Check scope."),
    "invalid_grant": ("The sign-in is no longer valid.", "Sign in again."),
    # GitHub's word for invalid_grant, told under the status 200.
    "bad_refresh_token": ("The sign-in is no longer valid.", "Sign in again."),
    "interaction_required": ("The provider asks for a sign-in by a person.", "Sign in again."),
    "login_required": ("The provider asks for a sign-in by a person.", "Sign in again."),
    "account_selection_required": ("An account has to be chosen.", "Sign in again."),
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
    error, suberror = _word(answer, "error"), _word(answer, "suberror")
    numbers = set(_error_codes(answer))
    if not _is_refusal(status, error):
        return Refusal.TRANSIENT
    if error in _TRANSIENT_ERRORS or numbers & aadsts.TRANSIENT.keys():
        return Refusal.TRANSIENT
    if numbers & aadsts.CONFIGURATION.keys() or suberror in _CONFIGURATION_SUBERRORS:
        return Refusal.CONFIGURATION
    if numbers & (aadsts.SIGN_IN | aadsts.CONSENT).keys():
        return Refusal.SIGN_IN
    if error in _SIGN_IN_ERRORS or suberror in _SIGN_IN_SUBERRORS:
        return Refusal.SIGN_IN
    return Refusal.CONFIGURATION


def explain(answer: dict[str, Any]) -> Explanation:
    """Return what a refusal means and what to do next, both in plain words."""
    numbers = numbers_of(answer)
    for number in numbers:
        if number in aadsts.EXPLANATIONS:
            meaning, remedy = aadsts.EXPLANATIONS[number]
            return f"{meaning} (AADSTS{number})", remedy
    error, suberror = _word(answer, "error"), _word(answer, "suberror")
    meaning, remedy = _BY_WORD.get(suberror) or _BY_WORD.get(error) or _UNEXPLAINED
    # Only what looks like a registered code is repeated: anything else might be a secret.
    plain = error if _ERROR_CODE.fullmatch(error) else ""
    label = f"AADSTS{numbers[0]}" if numbers else plain
    return (f"{meaning} ({label})" if label else meaning), remedy


def lacks_consent(answer: dict[str, Any]) -> bool:
    """Tell whether an administrator's consent would help."""
    words = {_word(answer, "error"), _word(answer, "suberror")}
    return bool(words & _CONSENT_WORDS or set(numbers_of(answer)) & aadsts.CONSENT.keys())


def numbers_of(answer: dict[str, Any]) -> list[int]:
    """Return Entra's error numbers; on the redirect they stand only in the description."""
    if numbers := _error_codes(answer):
        return numbers
    description = _word(answer, "error_description")
    if description.startswith("AADSTS"):
        digits = re.match(r"[0-9]{1,9}(?![0-9])", description[6:])
        return [int(digits[0])] if digits else []
    return []


def _is_refusal(status: int, error: str) -> bool:
    """Tell whether the token endpoint itself answered, and about this client or grant.

    A page of a proxy, or JSON of something else in between, must not end a grant: that would cost
    a person a sign-in, and asking again later costs nothing. RFC 6749 section 5.2 demands JSON with
    an `error`, under the status 400 or 401; there it counts if it looks like a code and not like a
    status in words, elsewhere only if it is known.
    """
    if status in _TRANSIENT_STATUSES or status >= 500:  # noqa: PLR2004
        return False
    if status <= 401:  # noqa: PLR2004
        return _ERROR_CODE.fullmatch(error) is not None
    return error in _BY_WORD


def _error_codes(answer: dict[str, Any]) -> list[int]:
    codes = answer.get("error_codes")
    return [code for code in codes if isinstance(code, int)] if isinstance(codes, list) else []


def _word(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""
