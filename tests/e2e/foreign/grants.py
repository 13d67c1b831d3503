"""What the strict provider has granted: codes, and families of tokens that end together."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field


class Refused(Exception):
    """The provider refuses, with an error code of RFC 6749 section 5.2."""

    def __init__(self, error: str, status: int = 400) -> None:
        """Take the error's code and the status of the answer."""
        super().__init__(error)
        self.error = error
        self.status = status


@dataclass(frozen=True)
class Client:
    """A registered client; `method` is the one way in which it may prove itself."""

    id: str
    secret: str
    method: str = "client_secret_basic"
    redirect_uris: frozenset[str] = frozenset()
    grants: frozenset[str] = frozenset({"authorization_code", "refresh_token"})
    scopes: frozenset[str] = frozenset({"openid", "email", "offline_access", "orders"})


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What a person has allowed, and what the redemption of the code must match."""

    client: Client
    redirect_uri: str
    challenge: str
    scopes: frozenset[str]
    nonce: str | None


@dataclass(kw_only=True)
class Family:
    """All tokens that go back to one consent."""

    client: Client
    scopes: frozenset[str]
    nonce: str | None = None
    is_revoked: bool = False
    newest_refresh_token: str | None = None


@dataclass
class Grants:
    """Every code and token there is, also those that are used up."""

    _consents: dict[str, Consent] = field(default_factory=dict)
    _redeemed: dict[str, Family] = field(default_factory=dict)
    _refresh_tokens: dict[str, Family] = field(default_factory=dict)
    _access_tokens: dict[str, Family] = field(default_factory=dict)
    _ended_access_tokens: set[str] = field(default_factory=set)

    @property
    def issued(self) -> list[str]:
        """All codes and tokens that were ever issued."""
        return [*self._consents, *self.tokens]

    @property
    def tokens(self) -> list[str]:
        """All tokens that were ever issued."""
        return [*self._refresh_tokens, *self._access_tokens]

    def is_active(self, access_token: str) -> bool:
        """Tell whether a service should take the token."""
        family = self._access_tokens.get(access_token)
        is_ended = access_token in self._ended_access_tokens
        return family is not None and not family.is_revoked and not is_ended

    def expire_access_tokens(self) -> None:
        """Let every access token of now end; the refresh tokens stay."""
        self._ended_access_tokens.update(self._access_tokens)

    def new_code(self, consent: Consent) -> str:
        """Return a code for what a person has allowed."""
        code = _random("code")
        self._consents[code] = consent
        return code

    def redeem(self, client: Client, code: str, redirect_uri: str, verifier: str) -> Family:
        """Return the family that a code begins; one that comes twice ends it (RFC 6749 4.1.2)."""
        if code in self._redeemed:
            self._redeemed[code].is_revoked = True
        consent = self._consents.get(code)
        if consent is None or code in self._redeemed:
            raise Refused("invalid_grant")
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        given = (client, redirect_uri, challenge)
        if given != (consent.client, consent.redirect_uri, consent.challenge):
            raise Refused("invalid_grant")
        self._redeemed[code] = Family(client=client, scopes=consent.scopes, nonce=consent.nonce)
        return self._redeemed[code]

    def find(self, client: Client, refresh_token: str) -> Family:
        """Return the family of its newest refresh token; an older one revokes it (RFC 9700)."""
        family = self._refresh_tokens.get(refresh_token)
        if family is None or family.client != client or family.is_revoked:
            raise Refused("invalid_grant")
        if family.newest_refresh_token != refresh_token:
            family.is_revoked = True
            raise Refused("invalid_grant")
        return family

    def revoke(self, client: Client, token: str) -> None:
        """End the family of a token; one that is unknown is no error (RFC 7009 section 2.2)."""
        found = self._refresh_tokens.get(token) or self._access_tokens.get(token)
        if found is not None and found.client == client:
            found.is_revoked = True

    def revoke_all(self) -> None:
        """End every family, as a provider does when a person's account is locked."""
        for family in [*self._redeemed.values(), *self._refresh_tokens.values()]:
            family.is_revoked = True

    def new_access_token(self, family: Family) -> str:
        """Issue an access token."""
        token = _random("access")
        self._access_tokens[token] = family
        return token

    def new_refresh_token(self, family: Family) -> str:
        """Issue a refresh token, which replaces the one before it."""
        family.newest_refresh_token = _random("refresh")
        self._refresh_tokens[family.newest_refresh_token] = family
        return family.newest_refresh_token


def _random(kind: str) -> str:
    return f"foreign-{kind}-{secrets.token_urlsafe(24)}"
