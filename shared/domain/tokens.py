"""Tokens: what was granted, how fresh it is, and what is known about an integration's sign-in."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Literal

import msgspec

from shared.domain.secret import Secret

ShownStatus = Literal["not_authorized", "authorized", "needs_sign_in", "misconfigured"]
Level = Literal["ok", "warning", "action_needed"]

# Entra's access tokens live 60 to 90 minutes; a provider that does not say gets the shorter.
ASSUMED_LIFE = dt.timedelta(minutes=60)
# Tokens that calls used within this time are kept fresh by the timer.
_IN_USE = dt.timedelta(days=1)
# Entra's refresh tokens die after 90 days without use; weekly leaves room for many failures.
_TOUCHED_EVERY = dt.timedelta(days=7)


class Freshness(enum.Enum):
    """What a token is good for at a moment."""

    FRESH = "fresh"
    STALE = "stale"  # still valid, and due for a refresh
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class TokenSet:
    """The tokens of one integration, as Key Vault keeps them."""

    access_token: Secret
    refresh_token: Secret | None
    obtained_on: dt.datetime
    expires_on: dt.datetime
    generation: int
    binding: str
    refresh_expires_on: dt.datetime | None = None  # None where nobody told

    def freshness(self, now: dt.datetime, refresh_ahead: dt.timedelta) -> Freshness:
        """Judge the access token; the refresh begins at half of its life at the earliest.

        It is used to its last second: one that expires on its way is refused unread, and renewed.
        """
        if now >= self.expires_on:
            return Freshness.EXPIRED
        if now >= self.refresh_due_on(refresh_ahead):
            return Freshness.STALE
        return Freshness.FRESH

    def refresh_due_on(self, refresh_ahead: dt.timedelta) -> dt.datetime:
        """Return when the token should be refreshed."""
        return _due_on(self.obtained_on, self.expires_on, refresh_ahead)

    def to_secret(self) -> Secret:
        """Return the whole set as one text for Key Vault."""
        kept = _Kept(
            access_token=self.access_token.reveal(),
            refresh_token=self.refresh_token.reveal() if self.refresh_token else None,
            obtained_on=self.obtained_on,
            expires_on=self.expires_on,
            generation=self.generation,
            binding=self.binding,
            refresh_expires_on=self.refresh_expires_on,
        )
        return Secret(msgspec.json.encode(kept).decode())

    @classmethod
    def from_secret(cls, secret: Secret) -> TokenSet | None:
        """Read what `to_secret` wrote; None if it is something else, such as an overwritten set."""
        try:
            kept = _KEPT.decode(secret.reveal())
        except msgspec.MsgspecError:
            return None
        return cls(
            access_token=Secret(kept.access_token),
            refresh_token=Secret(kept.refresh_token) if kept.refresh_token else None,
            obtained_on=kept.obtained_on,
            expires_on=kept.expires_on,
            generation=kept.generation,
            binding=kept.binding,
            refresh_expires_on=kept.refresh_expires_on,
        )


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    access_token: str
    refresh_token: str | None
    obtained_on: dt.datetime
    expires_on: dt.datetime
    generation: int
    binding: str
    refresh_expires_on: dt.datetime | None = None


_KEPT = msgspec.json.Decoder(_Kept)


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why an integration cannot be used until somebody acts."""

    code: str
    detail: str
    hint: str
    admin_consent_url: str | None = None


class TokenState(msgspec.Struct, frozen=True, kw_only=True):
    """What every instance knows about an integration's tokens; never a token itself.

    `generation` counts the token sets that were stored: an instance that holds an older one reads
    Key Vault again. `forced_generation` is the one that replaced a token which the upstream had
    refused; those up to `ended_generation` were ended by somebody, and are void everywhere;
    `binding` tells what the tokens were entrusted to. `revision` names the definition that the
    provider refused: a changed one is tried anew. `claims_challenge` is what the next sign-in has
    to ask for. The lease is who may call the token endpoint, and until when.

    `is_renewable` says that new tokens can be had without a person. The grant ends on
    `grant_expires_on` unless it is renewed (None: it does not, or nobody told), and has had that
    end in sight since `grant_renewed_on`: a renewal that does not put it off leaves both.
    `credential_expires_on` is the end of the certificate that proved the client. `failed_sign_in`
    tells why the latest sign-in did not work out, until one does. `level` is the last one that was
    told, and `level_told_by` the mark of who told it.
    """

    status: Literal["none", "authorized", "needs_sign_in", "misconfigured", "deauthorized"] = "none"
    generation: int = 0
    forced_generation: int = 0
    ended_generation: int = 0
    binding: str = ""
    signed_in_as: str | None = None
    obtained_on: dt.datetime | None = None
    expires_on: dt.datetime | None = None
    last_used_on: dt.datetime | None = None
    cause: Cause | None = None
    claims_challenge: str | None = None
    revision: str | None = None
    failures: int = 0
    last_failure_on: dt.datetime | None = None
    retry_on: dt.datetime | None = None
    lease_owner: str | None = None
    lease_until: dt.datetime | None = None
    is_renewable: bool = True  # what older rows do not say is assumed to be well
    signed_in_on: dt.datetime | None = None
    grant_expires_on: dt.datetime | None = None
    grant_renewed_on: dt.datetime | None = None
    credential_expires_on: dt.datetime | None = None
    failed_sign_in: Cause | None = None
    failed_sign_in_on: dt.datetime | None = None
    level: Level = "ok"
    level_told_by: str | None = None

    @property
    def shown_status(self) -> ShownStatus:
        """The status as the API names it."""
        if self.status in {"none", "deauthorized"}:
            return "not_authorized"
        return self.status  # type: ignore[return-value]  # the other names are the same

    def emptied(self, binding: str) -> TokenState:
        """Return a state without the sign-in; what was counted and told before goes on."""
        return TokenState(
            generation=self.generation,
            ended_generation=self.ended_generation,
            binding=binding,
            level=self.level,
            level_told_by=self.level_told_by,
        )

    def bound_to(self, binding: str) -> TokenState:
        """Return the state to go on from: nothing that was known of another binding counts."""
        return self if self.binding == binding else self.emptied(binding)

    def tells_of(self, tokens: TokenSet) -> bool:
        """Tell whether these are the tokens in force."""
        return (self.status, self.binding, self.generation, self.obtained_on) == (
            "authorized",
            tokens.binding,
            tokens.generation,
            tokens.obtained_on,
        )

    def may_serve(self, now: dt.datetime) -> bool:
        """Tell whether tokens may be used: a refused renewal does not end one that is valid."""
        if self.status in {"needs_sign_in", "misconfigured"}:
            return self.expires_on is not None and self.expires_on > now
        return self.status == "authorized"

    def refresh_due_on(self, refresh_ahead: dt.timedelta) -> dt.datetime | None:
        """Return when the access token should be renewed, if there is one."""
        if self.obtained_on is None or self.expires_on is None:
            return None
        return _due_on(self.obtained_on, self.expires_on, refresh_ahead)

    @property
    def touch_due_on(self) -> dt.datetime | None:
        """When a grant should be renewed, used or not, so that it never ages out."""
        if self.obtained_on is None:
            return None
        weekly = self.obtained_on + _TOUCHED_EVERY
        if self.grant_expires_on is None:
            return weekly
        return min(weekly, self.obtained_on + (self.grant_expires_on - self.obtained_on) / 2)

    def is_in_use(self, now: dt.datetime) -> bool:
        """Tell whether calls have used the tokens lately."""
        return self.last_used_on is not None and now - self.last_used_on < _IN_USE

    def is_leased(self, now: dt.datetime) -> bool:
        """Tell whether somebody holds the lease."""
        return self.lease_owner is not None and (self.lease_until or now) > now


def _due_on(
    obtained_on: dt.datetime, expires_on: dt.datetime, refresh_ahead: dt.timedelta
) -> dt.datetime:
    return expires_on - min(refresh_ahead, (expires_on - obtained_on) / 2)
