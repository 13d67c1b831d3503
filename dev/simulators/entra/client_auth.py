"""How an application proves itself at the token endpoint.

Sources: RFC 6749 section 2.3.1 for the secret, RFC 7523 and "Microsoft identity platform
application authentication certificate credentials" for assertions, "Configure an application to
trust a managed identity" for foreign tokens.
"""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from dev.simulators.entra.errors import aadsts
from dev.simulators.identity import read_claims

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from cryptography import x509
    from werkzeug.wrappers import Request

    from dev.simulators.entra.registry import Application, FederatedCredential, Registry

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# How far a client's clock may be ahead; Microsoft names no figure, five minutes is customary.
CLOCK_SKEW_SECONDS = 300


class ClientAuthentication:
    """Checks secrets and assertions.

    `token_url` is the audience of an assertion, `identity_key` the managed identity's key file.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        token_url: str,
        identity_key: Path,
        now: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._token_url = token_url
        self._identity_key = identity_key
        self._now = now

    def authenticate(self, request: Request, *, secret_expired: bool) -> Application:
        """Return the application that sent the request, or raise the AADSTS error."""
        client_id, secret = _credentials(request)
        if not client_id:
            raise aadsts(900144, name="client_id")
        application = self._registry.application(client_id)
        assertion = request.form.get("client_assertion")
        if assertion is not None:
            if request.form.get("client_assertion_type") != JWT_BEARER:
                raise aadsts(900144, name="client_assertion_type")
            self._check_assertion(assertion, application)
            return application
        if secret is None:
            raise aadsts(7000218)
        if not hmac.compare_digest(secret.encode(), application.secret.encode()):
            raise aadsts(7000215, client_id=client_id)
        if secret_expired:
            raise aadsts(7000222, client_id=client_id)
        return application

    def _check_assertion(self, assertion: str, application: Application) -> None:
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError as error:
            raise aadsts(700027, reason="it is no JWT") from error
        if application.client_id in (claims.get("iss"), claims.get("sub")):
            self._check_own(assertion, header, claims, application)
        else:
            self._check_federated(assertion, claims, application.federated)
        moment = self._now().timestamp()
        if not claims.get("nbf", 0) - CLOCK_SKEW_SECONDS <= moment < claims.get("exp", 0):
            raise aadsts(700024)

    def _check_own(
        self,
        assertion: str,
        header: dict[str, Any],
        claims: dict[str, Any],
        application: Application,
    ) -> None:
        """Check an assertion that the application signed with the key of its certificate."""
        named = [one for one in self._registry.certificates() if _is_named(one, header)]
        if not named:
            raise aadsts(700027, reason="no registered certificate has its thumbprint")
        key = named[0].public_key()
        if not isinstance(key, RSAPublicKey):
            raise aadsts(700027, reason="the certificate holds no RSA key")
        try:
            jwt.PyJWS().decode(assertion, key, algorithms=["PS256", "RS256"])
        except jwt.InvalidTokenError as error:
            raise aadsts(700027, reason="the certificate's key does not fit") from error
        if not claims.get("iss") == claims.get("sub") == application.client_id:
            raise aadsts(700021)
        if claims.get("aud") != self._token_url:
            raise aadsts(700023)

    def _check_federated(
        self, assertion: str, claims: dict[str, Any], credential: FederatedCredential
    ) -> None:
        """Check the token of a managed identity, signed by the simulated one."""
        for claim, number, field in (
            ("iss", 700211, "issuer"),
            ("sub", 700213, "subject"),
            ("aud", 700212, "audience"),
        ):
            value = claims.get(claim)
            if value != getattr(credential, field):
                raise aadsts(number, **{field: str(value)})
        if not self._identity_key.exists():
            raise aadsts(700027, reason="the managed identity has no key yet")
        try:
            read_claims(assertion, key=self._identity_key.read_bytes())
        except jwt.InvalidTokenError as error:
            raise aadsts(700027, reason="the identity's key does not fit") from error


def _credentials(request: Request) -> tuple[str | None, str | None]:
    """Return client id and secret, from the Basic header or else from the form."""
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
    return request.form.get("client_id"), request.form.get("client_secret")


def _is_named(certificate: x509.Certificate, header: dict[str, Any]) -> bool:
    """Tell whether the JWT header names the certificate by a thumbprint."""
    algorithms = {
        "x5t#S256": hashes.SHA256(),
        "x5t": hashes.SHA1(),  # noqa: S303 - RFC 7515 section 4.1.7 defines it so
    }
    return any(
        header.get(name)
        == base64.urlsafe_b64encode(certificate.fingerprint(algorithm)).rstrip(b"=").decode()
        for name, algorithm in algorithms.items()
    )
