"""Authorization codes ("Microsoft identity platform and OAuth 2.0 authorization code flow").

They live ten minutes and only in memory: a restart of the simulator ends the sign-ins under way.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from dev.simulators.entra.errors import aadsts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

CODE_LIFETIME = timedelta(minutes=10)
S256_LENGTH = 43


@dataclass(frozen=True, kw_only=True)
class Authorization:
    """What a code stands for: who signed in, for which application and request."""

    client_id: str
    upn: str
    redirect_uri: str
    scope: str
    code_challenge: str
    nonce: str | None
    claims: str | None


class AuthorizationCodes:
    """Hands out codes and redeems each of them once."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._issued: dict[str, tuple[Authorization, datetime]] = {}
        self._redeemed: set[str] = set()

    def issue(self, authorization: Authorization) -> str:
        """Return a new code."""
        code = f"1.{secrets.token_urlsafe(48)}"
        with self._lock:
            self._issued[code] = (authorization, self._now() + CODE_LIFETIME)
        return code

    def redeem(
        self, code: str, *, client_id: str, redirect_uri: str, code_verifier: str
    ) -> Authorization:
        """Return what the code stands for, and never again after a success."""
        with self._lock:
            if code not in self._issued:
                raise aadsts(9002313)
            authorization, expires = self._issued[code]
            if code in self._redeemed:
                raise aadsts(54005)
            if self._now() >= expires:
                raise aadsts(70008)
            if client_id != authorization.client_id:
                raise aadsts(70000)
            if redirect_uri != authorization.redirect_uri:
                raise aadsts(500112, redirect_uri=redirect_uri)
            if s256(code_verifier) != authorization.code_challenge:
                raise aadsts(501481)
            self._redeemed.add(code)
            return authorization


def s256(code_verifier: str) -> str:
    """Return the challenge that belongs to the verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
