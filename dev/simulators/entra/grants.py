"""Refresh tokens and the grants behind them ("Refresh tokens in the Microsoft identity platform").

A refresh token is sealed and carries its own content, so that nothing is kept per token: a grant
holds the number of its newest one. Entra gives a new token at each use and leaves the old ones
valid; strict rotation (RFC 9700 section 4.14.2), which other providers practise, is an option.
"""

from __future__ import annotations

import secrets
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from dev.simulators.entra.errors import aadsts
from dev.simulators.entra.state import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

REFRESH_TOKEN_LIFETIME = timedelta(days=90)
_PREFIX = "1."


class Grant(msgspec.Struct, kw_only=True):
    """What one person allowed one application, from the sign-in until it is revoked."""

    client_id: str
    upn: str
    scope: str
    claims: str | None = None
    newest: int = 0
    revoked: bool = False


class _Content(msgspec.Struct, frozen=True):
    """Inside of a refresh token."""

    grant_id: str
    number: int


class _File(msgspec.Struct):
    key: str = msgspec.field(default_factory=lambda: Fernet.generate_key().decode())
    grants: dict[str, Grant] = {}


_CONTENTS = msgspec.json.Decoder(_Content)


class Grants:
    """All grants, kept in the file at `path`."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        self._file = _File()
        if path.exists():
            self._file = msgspec.json.decode(path.read_bytes(), type=_File)
        self._fernet = Fernet(self._file.key)
        self.reuse_detections = 0

    def begin(self, grant: Grant) -> str:
        """Keep a new grant and return its first refresh token."""
        with self._lock:
            grant_id = secrets.token_hex(16)
            self._file.grants[grant_id] = grant
            return self._issue(grant_id)

    def refresh(
        self,
        token: str,
        *,
        client_id: str,
        rotate: bool,
        strict: bool,
        check: Callable[[Grant], None],
    ) -> tuple[Grant, str]:
        """Return the grant behind the token, and the refresh token to use from now on.

        `check` raises where policy stands against the grant; the token is not spent by that.
        Without `rotate` it stays the same. With `strict` the use of a token that was replaced
        revokes its grant, since one of the two users must have stolen it.
        """
        with self._lock:
            content = self._open(token)
            grant = self._file.grants.get(content.grant_id)
            if grant is None:
                raise aadsts(700082)
            if grant.client_id != client_id:
                raise aadsts(70000)
            if grant.revoked:
                raise aadsts(50173)
            if strict and content.number != grant.newest:
                self.reuse_detections += 1
                grant.revoked = True
                self._save()
                raise aadsts(50173)
            check(grant)
            return grant, self._issue(content.grant_id) if rotate else token

    def revoke(self, *, upn: str | None = None, client_id: str | None = None) -> int:
        """Revoke the grants of a person or of an application, or all; return how many.

        Access tokens stay valid until they expire, as with Entra's "revoke sign-in sessions".
        """
        with self._lock:
            hit = [
                grant
                for grant in self._file.grants.values()
                if not grant.revoked
                and upn in (None, grant.upn)
                and client_id in (None, grant.client_id)
            ]
            for grant in hit:
                grant.revoked = True
            self._save()
            return len(hit)

    def _issue(self, grant_id: str) -> str:
        grant = self._file.grants[grant_id]
        grant.newest += 1
        self._save()
        content = msgspec.json.encode(_Content(grant_id, grant.newest))
        moment = int(self._now().timestamp())
        return _PREFIX + self._fernet.encrypt_at_time(content, moment).decode()

    def _open(self, token: str) -> _Content:
        """Return the content of a token; one that is too old or not ours counts as expired."""
        try:
            content = self._fernet.decrypt_at_time(
                token.removeprefix(_PREFIX).encode(),
                ttl=int(REFRESH_TOKEN_LIFETIME.total_seconds()),
                current_time=int(self._now().timestamp()),
            )
        except InvalidToken:
            raise aadsts(700082) from None
        return _CONTENTS.decode(content)

    def _save(self) -> None:
        write_atomically(self._path, msgspec.json.encode(self._file))
