"""The tenant's signing key and the tokens signed with it.

Sources: "Access tokens in the Microsoft identity platform", "ID token claims reference".
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from dev.sample import TENANT_ID
from dev.simulators.entra.scopes import APPLICATION_PERMISSIONS
from dev.simulators.entra.state import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from dev.simulators.entra.registry import Application, Person
    from dev.simulators.entra.scopes import Scopes


class SigningKey:
    """An RS256 key, made once and kept in the file at `path`."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            write_atomically(path, _new_pem())
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{path} holds no RSA key")
        self._private = key
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._kid = hashlib.sha256(public).hexdigest()[:32]

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the claims as a JWT."""
        return jwt.encode(claims, self._private, algorithm="RS256", headers={"kid": self._kid})

    def key_set(self) -> dict[str, Any]:
        """Return the public key as a JWK set (RFC 7517)."""
        jwk = RSAAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        return {"keys": [{**jwk, "kid": self._kid, "use": "sig", "alg": "RS256"}]}


class Mint:
    """Makes access tokens and ID tokens in the name of `issuer`."""

    def __init__(self, key: SigningKey, *, issuer: str, now: Callable[[], datetime]) -> None:
        self._key = key
        self._issuer = issuer
        self._now = now

    def access_token_of_person(
        self, person: Person, application: Application, scopes: Scopes, *, seconds: int
    ) -> str:
        """Return a token with which the application acts for the person."""
        return self._token(
            seconds,
            aud=scopes.resource,
            appid=application.client_id,
            oid=person.object_id,
            sub=person.object_id,
            upn=person.upn,
            name=person.name,
            scp=" ".join(scopes.granted),
        )

    def access_token_of_application(
        self, application: Application, resource: str, *, seconds: int
    ) -> str:
        """Return a token with which the application acts for itself."""
        return self._token(
            seconds,
            aud=resource,
            appid=application.client_id,
            oid=application.object_id,
            sub=application.object_id,
            roles=list(APPLICATION_PERMISSIONS),
            idtyp="app",
        )

    def id_token(
        self,
        person: Person,
        application: Application,
        scopes: Scopes,
        *,
        nonce: str | None,
        seconds: int,
    ) -> str:
        """Return a token about who signed in; the scope `profile` adds the names."""
        claims = {"aud": application.client_id, "sub": person.object_id, "ver": "2.0"}
        if "profile" in scopes.openid:
            claims |= {
                "oid": person.object_id,
                "name": person.name,
                "preferred_username": person.upn,
            }
        if nonce is not None:
            claims["nonce"] = nonce
        return self._token(seconds, **claims)

    def _token(self, seconds: int, **claims: Any) -> str:
        issued = int(self._now().timestamp())
        return self._key.sign(
            {
                "iss": self._issuer,
                "tid": TENANT_ID,
                "iat": issued,
                "nbf": issued,
                "exp": issued + seconds,
                "jti": str(uuid.uuid4()),
                **claims,
            }
        )


def _new_pem() -> bytes:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
