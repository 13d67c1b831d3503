"""The OAuth 2.0 wire protocol, pure: one function makes a request, another reads its answer.

RFC 6749 (the grants), RFC 7636 (PKCE), OpenID Connect Core 1.0 (nonce and id_token); Entra's
habits from learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow, claims-challenge
and v2-admin-consent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from shared.domain.claims import read_claims
from shared.domain.egress import origin
from shared.domain.error_kinds import IDENTITY_MISCONFIGURED, SIGN_IN_REQUIRED
from shared.domain.errors import IdentityRefused, IdentityUnavailable
from shared.domain.identity_errors import Refusal, classify, explain, lacks_consent
from shared.domain.payloads import NotReadable, read_json
from shared.domain.secret import Secret
from shared.domain.tokens import ASSUMED_LIFE

if TYPE_CHECKING:
    from shared.domain.integration import Integration

_LONGEST_LIFE = timedelta(days=365)
# Entra's form, in any cloud; a policy of Azure AD B2C would be one more segment.
_ENTRA_AUTHORIZE_PATH = re.compile(r"/([^/]+)/oauth2/v2\.0/authorize")
# learn.microsoft.com/entra/identity-platform/refresh-tokens; every use gives it anew.
ENTRA_REFRESH_LIFE = timedelta(days=90)
# No standard has it: GitHub sends the one name, Keycloak the other, with 0 for "never".
_REFRESH_LIVES = ("refresh_token_expires_in", "refresh_expires_in")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token endpoint granted, and when the certificate that asked for it expires."""

    access_token: Secret
    refresh_token: Secret | None
    expires_on: datetime
    signed_in_as: str | None
    nonce: str | None
    refresh_expires_on: datetime | None = None
    credential_expires_on: datetime | None = None


def base64url(data: bytes) -> str:
    """Encode without padding (RFC 7636 appendix A)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def derive(secret: str, purpose: str, state: str) -> str:
    """Derive a value of 43 characters for one sign-in from the browser's secret."""
    message = f"{purpose}:{state}".encode()
    return base64url(hmac.digest(secret.encode(), message, "sha256"))


def authorization_url(
    integration: Integration,
    *,
    redirect_uri: str,
    state: str,
    verifier: str,
    nonce: str,
    claims: str | None = None,
) -> str:
    """Return the URL of the provider's sign-in page; `claims` answers a claims challenge."""
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
        "claims": claims or "",
    }
    if "offline_access" in integration.effective_scope.split() and not integration.is_entra:
        # OpenID Connect Core 11: offline access must be consented to; Entra asks by itself.
        parameters["prompt"] = "consent"
    if "openid" not in integration.effective_scope.split():
        del parameters["nonce"]
    url = integration.effective_authorize_url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(_given(parameters))}"


def admin_consent_url(integration: Integration, redirect_uri: str) -> str | None:
    """Return the page where an administrator consents for a tenant; None where it is not Entra.

    `common` names no tenant there, but `organizations` stands for the administrator's own.
    """
    authorize_url = integration.effective_authorize_url
    path = _ENTRA_AUTHORIZE_PATH.fullmatch(urlsplit(authorize_url).path)
    if path is None or origin(authorize_url) != origin(integration.effective_token_url):
        return None
    named = "organizations" if path[1] == "common" else path[1]
    query = {
        "client_id": integration.client_id,
        "scope": integration.effective_scope,
        "redirect_uri": redirect_uri,
    }
    root = authorize_url.partition(path[0])[0]
    return f"{root}/{integration.tenant_id or named}/v2.0/adminconsent?{urlencode(query)}"


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


def refresh_form(
    integration: Integration, refresh_token: Secret, *, claims: str | None = None
) -> dict[str, str]:
    """Return the form that trades a refresh token; `claims` answers a claims challenge."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
    return form | _entra_scope(integration) | _given({"claims": claims or ""})


def client_credentials_form(
    integration: Integration, *, claims: str | None = None
) -> dict[str, str]:
    """Return the form that asks for a token of the app itself."""
    scope = integration.effective_scope
    return _given({"grant_type": "client_credentials", "scope": scope, "claims": claims or ""})


def read_grant(
    status: int,
    body: bytes,
    *,
    now: datetime,
    retry_after: int | None,
    consent_url: str | None = None,
) -> Grant:
    """Read a token endpoint's answer; at `consent_url` consent can be given that it may ask for.

    Raises IdentityRefused where only a person can help, IdentityUnavailable where time can.
    """
    answer = _object(body)
    if status == 200 and "error" not in answer:  # noqa: PLR2004
        return _grant(answer, now)
    refusal = classify(status, answer)
    if refusal is Refusal.TRANSIENT:
        raise IdentityUnavailable(_outage(status, answer), retry_after_seconds=retry_after)
    detail, hint = explain(answer)
    raise IdentityRefused(
        SIGN_IN_REQUIRED if refusal is Refusal.SIGN_IN else IDENTITY_MISCONFIGURED,
        detail,
        hint=hint,
        claims=read_claims(answer.get("claims")),
        admin_consent_url=consent_url if lacks_consent(answer) else None,
    )


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


def _outage(status: int, answer: dict[str, Any]) -> str:
    told = f"The token endpoint answered with status {status}"
    if isinstance(answer.get("error"), str):
        return f"{told}: {explain(answer)[0]}"
    if status >= 500:  # noqa: PLR2004
        return f"{told}."
    return f"{told}, but as no token endpoint does; if it stays so, check token_url."


def _grant(answer: dict[str, Any], now: datetime) -> Grant:
    token = answer.get("access_token")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise IdentityUnavailable("The token endpoint's answer holds no usable access token.")
    refresh_token = answer.get("refresh_token")
    claims = unverified_claims(answer.get("id_token"))
    names = (claims.get(name) for name in ("preferred_username", "upn", "email", "name", "sub"))
    nonce = claims.get("nonce")
    refresh_life = next(filter(None, (_life(answer.get(name)) for name in _REFRESH_LIVES)), None)
    return Grant(
        access_token=Secret(token),
        refresh_token=Secret(refresh_token) if isinstance(refresh_token, str) and refresh_token
        else None,
        expires_on=now + (_life(answer.get("expires_in")) or ASSUMED_LIFE),
        signed_in_as=next((name[:200] for name in names if isinstance(name, str) and name), None),
        nonce=nonce if isinstance(nonce, str) else None,
        refresh_expires_on=now + refresh_life if refresh_life else None,
    )  # fmt: skip


def _life(told: object) -> timedelta | None:
    # A number by RFC 6749 section 5.1; some providers send it as text, some not at all.
    try:
        life = timedelta(seconds=float(told))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return min(life, _LONGEST_LIFE) if life > timedelta(0) else None


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
