"""Check bearer tokens as the service does: signature, audience, lifetime, registered app.

Whatever is wrong, the answer is the same 401 (bc-api.md 3.4 and 4.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from dev import sample
from dev.simulators.business_central.errors import ODataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from dev.simulators.business_central.settings import Settings

    FindKey = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token speaks for: the user, or the service principal of an application."""

    user: str
    token_id: str | None


class TokenChecker:
    """Accepts tokens, except those that a test has rejected early."""

    def __init__(self, find_key: FindKey, now: Callable[[], datetime]) -> None:
        """Verify signatures with the keys that `find_key` returns for a `kid`."""
        self._find_key = find_key
        self._now = now
        self._rejected_ids: set[str] = set()
        self._rejected_before = 0.0

    def reject_id(self, token_id: str) -> None:
        """Refuse one token from now on, by its claim `jti`."""
        self._rejected_ids.add(token_id)

    def reject_before(self, timestamp: float) -> None:
        """Refuse every token issued before a time in seconds since 1970."""
        self._rejected_before = timestamp

    def check(self, authorization: str | None, settings: Settings) -> Caller:
        """Return who calls; raise the 401 that the service answers with."""
        scheme, _, token = (authorization or "").partition(" ")
        try:
            claims = self._claims(token)
        except jwt.PyJWTError as error:
            raise _rejected() from error
        timestamp = self._now().timestamp()
        token_id = claims.get("jti")
        if (
            scheme.lower() != "bearer"
            or not claims.get("nbf", 0) <= timestamp < claims["exp"]
            or token_id in self._rejected_ids
            or claims["iat"] < self._rejected_before
            or not _is_registered(claims, settings)
        ):
            raise _rejected()
        return Caller(claims.get("oid") or claims["sub"], token_id)

    def _claims(self, token: str) -> dict[str, Any]:
        key = self._find_key(jwt.get_unverified_header(token).get("kid", ""))
        # Times are compared with this simulator's own clock, without the usual five minutes' grace.
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=sample.BUSINESS_CENTRAL_RESOURCE,
            options={
                "require": ["exp", "iat", "sub"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )


def _is_registered(claims: dict[str, Any], settings: Settings) -> bool:
    """Tell whether Business Central knows the app; a token for a user (`scp`) needs none."""
    return (
        "scp" in claims or (claims.get("appid") or claims.get("azp")) in settings.registered_clients
    )


def _rejected() -> ODataError:
    return ODataError(
        401,
        "Authentication_InvalidCredentials",
        "The server has rejected the client credentials.",
        {"WWW-Authenticate": "Bearer"},
    )
