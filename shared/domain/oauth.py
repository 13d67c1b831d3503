"""The OAuth 2.0 wire protocol, pure: one function makes a request, another reads its answer.

RFC 6749 (the grants), RFC 7636 (PKCE), OpenID Connect Core 1.0 (nonce and id_token); Entra's
habits from learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from shared.domain.error_kinds import IDENTITY_MISCONFIGURED, SIGN_IN_REQUIRED
from shared.domain.errors import IdentityRefused, IdentityUnavailable
from shared.domain.identity_errors import Refusal, classify, explain
from shared.domain.payloads import NotReadable, read_json
from shared.domain.secret import Secret
from shared.domain.tokens import ASSUMED_LIFE

if TYPE_CHECKING:
    from shared.domain.integration import Integration

_LONGEST_LIFE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token endpoint granted."""

    access_token: Secret
    refresh_token: Secret | None
    expires_on: datetime
    signed_in_as: str | None
    nonce: str | None


def base64url(data: bytes) -> str:
    """Encode without padding (RFC 7636 appendix A)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def derive(secret: str, purpose: str, state: str) -> str:
    """Derive a value of 43 characters for one sign-in from the browser's secret."""
    message = f"{purpose}:{state}".encode()
    return base64url(hmac.digest(secret.encode(), message, "sha256"))


def authorization_url(
    integration: Integration, *, redirect_uri: str, state: str, verifier: str, nonce: str
) -> str:
    """Return the URL of the provider's sign-in page."""
    challenge = base64url(hashlib.sha256(verifier.encode()).digest())
    parameters = {
        "client_id": integration.client_id,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "response_mode": "query",
        "scope": integration.effective_scope,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if "offline_access" in integration.effective_scope.split() and not integration.is_entra:
        # OpenID Connect Core 11: offline access must be consented to; Entra asks by itself.
        parameters["prompt"] = "consent"
    if "openid" not in integration.effective_scope.split():
        del parameters["nonce"]
    url = integration.effective_authorize_url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(_given(parameters))}"


def code_form(
    integration: Integration, *, code: str, redirect_uri: str, verifier: str
) -> dict[str, str]:
    """Return the form that redeems an authorization code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    return form | _entra_scope(integration)


def refresh_form(integration: Integration, refresh_token: Secret) -> dict[str, str]:
    """Return the form that trades a refresh token."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
    return form | _entra_scope(integration)


def client_credentials_form(integration: Integration) -> dict[str, str]:
    """Return the form that asks for a token of the app itself."""
    return _given({"grant_type": "client_credentials", "scope": integration.effective_scope})


def read_grant(status: int, body: bytes, *, now: datetime, retry_after: int | None) -> Grant:
    """Read a token endpoint's answer.

    Raises IdentityRefused where only a person can help, IdentityUnavailable where time can.
    """
    answer = _object(body)
    if status == 200 and "error" not in answer:  # noqa: PLR2004
        return _grant(answer, now)
    refusal = classify(status, answer)
    if refusal is Refusal.TRANSIENT:
        raise IdentityUnavailable(
            f"The token endpoint answered with status {status}.",
            retry_after_seconds=retry_after,
        )
    detail, hint = explain(answer)
    kind = SIGN_IN_REQUIRED if refusal is Refusal.SIGN_IN else IDENTITY_MISCONFIGURED
    raise IdentityRefused(kind, detail, hint=hint)


def unverified_claims(token: object) -> dict[str, Any]:
    """Read the claims of a JWT without checking its signature.

    Enough for an id_token that came from the token endpoint itself (OpenID Connect Core 3.1.3.7).
    """
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != 3:  # noqa: PLR2004
        return {}
    try:
        return _object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}


def _grant(answer: dict[str, Any], now: datetime) -> Grant:
    token = answer.get("access_token")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise IdentityUnavailable("The token endpoint's answer holds no usable access token.")
    refresh_token = answer.get("refresh_token")
    claims = unverified_claims(answer.get("id_token"))
    names = (claims.get(name) for name in ("preferred_username", "upn", "email", "name", "sub"))
    nonce = claims.get("nonce")
    return Grant(
        access_token=Secret(token),
        refresh_token=Secret(refresh_token) if isinstance(refresh_token, str) and refresh_token
        else None,
        expires_on=now + _life(answer.get("expires_in")),
        signed_in_as=next((name[:200] for name in names if isinstance(name, str) and name), None),
        nonce=nonce if isinstance(nonce, str) else None,
    )  # fmt: skip


def _life(expires_in: object) -> timedelta:
    # A number by RFC 6749 section 5.1; some providers send it as text, some not at all.
    try:
        seconds = float(expires_in)  # type: ignore[arg-type]
        life = timedelta(seconds=seconds)
    except (TypeError, ValueError, OverflowError):
        return ASSUMED_LIFE
    return min(life, _LONGEST_LIFE) if life > timedelta(0) else ASSUMED_LIFE


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = read_json(body)
    except NotReadable:
        return {}
    return answer if isinstance(answer, dict) else {}


def _entra_scope(integration: Integration) -> dict[str, str]:
    # Entra wants the scope again; RFC 6749 section 6 lets it be left out, which is always valid.
    return {"scope": integration.effective_scope} if integration.is_entra else {}


def _given(parameters: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value}
