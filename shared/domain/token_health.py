"""How healthy an integration's sign-in is, and what an administrator should do about it.

Pure: what is stored and the time go in, findings in plain words come out. Told early enough to act,
and only where it is needed: what the gateway mends by itself is at most a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from shared.domain.error_kinds import SIGN_IN_REQUIRED
from shared.domain.records import StoredIntegration
from shared.domain.tokens import Level, TokenState

_LEVELS: tuple[Level, ...] = ("ok", "warning", "action_needed")

# A new secret or certificate may need a colleague with rights in another department.
_CREDENTIAL_SOON = timedelta(days=30)
_CREDENTIAL_URGENT = timedelta(days=7)
# The timer renews an idle grant weekly, or at half of its life: by these times it has failed to.
# A grant that lives for minutes is in danger only in the last part of them.
_GRANT_SOON = timedelta(days=14)
_GRANT_SOON_PART = 1 / 4
_GRANT_URGENT = timedelta(days=3)
_GRANT_URGENT_PART = 1 / 10
# The last hour of a sign-in that nothing but a person can prolong.
_LAST_HOUR = timedelta(hours=1)
# One or two failures in a row are everyday life on a network.
_FAILURES_IN_A_ROW = 3
# An app that was not tried for so long is not used by any call, nor by the timer.
_TRIED_LATELY = timedelta(days=1)

CredentialKind = Literal["client_secret", "certificate", "managed_identity"]
_CREDENTIAL_REMEDIES: dict[CredentialKind, str] = {
    "client_secret": (
        "Create a new client secret in the app registration, and PATCH the integration with "
        "client_secret and client_secret_expires_on."
    ),
    "certificate": (
        "Renew the certificate in Key Vault, and upload its public part to the app registration."
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not well, and what to do about it."""

    code: str
    level: Level
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Credential:
    """What the app proves itself with, and until when, as far as that is known."""

    kind: CredentialKind
    expires_on: datetime | None


def findings(record: StoredIntegration, state: TokenState, now: datetime) -> list[Finding]:
    """Return what is not well, the most urgent first; `state` belongs to the integration."""
    found = [
        _sign_in(record, state),
        _credential(record, state, now),
        _duration(record, state, now),
        _renewals(record, state, now),
    ]
    return sorted(filter(None, found), key=lambda each: -_LEVELS.index(each.level))


def level_of(found: list[Finding]) -> Level:
    """Return the level of the most urgent finding."""
    return found[0].level if found else "ok"


def credential(record: StoredIntegration, state: TokenState) -> Credential:
    """Return what the app proves itself with."""
    definition = record.definition
    if definition.client_auth == "managed_identity":
        return Credential("managed_identity", None)
    if definition.client_auth == "certificate":
        return Credential("certificate", state.credential_expires_on)
    day = definition.client_secret_expires_on
    # The day as it begins: rather too early than too late.
    return Credential("client_secret", datetime.combine(day, time(), UTC) if day else None)


def days_until(moment: datetime, now: datetime) -> int:
    """Return the whole days that are left; none once it is past."""
    return max(0, (moment - now) // timedelta(days=1))


def _sign_in(record: StoredIntegration, state: TokenState) -> Finding | None:
    """Tell whether somebody has to sign in, or to correct the definition."""
    if state.status == "none" and record.definition.is_delegated:
        message = "Nobody is signed in."
        return Finding("not_signed_in", "action_needed", message, _how_to_sign_in(record))
    if state.status == "deauthorized":
        message = "An administrator has ended the sign-in (deauthorize)."
        return Finding("deauthorized", "action_needed", message, _how_to_sign_in(record))
    if state.cause is None or state.status not in {"needs_sign_in", "misconfigured"}:
        return None
    message, hint = state.cause.detail, _named(state.cause.hint, record)
    if state.status == "needs_sign_in":
        # The hint may be these very words.
        remedy = " ".join(dict.fromkeys((hint, _how_to_sign_in(record))))
        return Finding("sign_in_required", "action_needed", message, remedy)
    if state.revision == record.revision:
        return Finding("identity_misconfigured", "action_needed", message, hint)
    return Finding(
        "change_not_tried",
        "warning",
        "The provider had refused the definition, which was changed since and not tried yet.",
        "Nothing to do: the next call or the timer tries it.",
    )


def _credential(record: StoredIntegration, state: TokenState, now: datetime) -> Finding | None:
    """Tell whether the app has what proves it, and will still have it in a month."""
    if record.definition.needs_client_secret and record.client_secret_version is None:
        message = "The integration has no client secret."
        remedy = "PATCH the integration with client_secret."
        return Finding("client_secret_missing", "action_needed", message, remedy)
    held = credential(record, state)
    if held.expires_on is None or held.expires_on - now > _CREDENTIAL_SOON:
        return None
    verb = "expired" if held.expires_on <= now else "expires"
    return Finding(
        f"{held.kind}_{verb}",
        "action_needed" if held.expires_on - now <= _CREDENTIAL_URGENT else "warning",
        f"The {held.kind.replace('_', ' ')} {verb} on {held.expires_on:%Y-%m-%d}.",
        _CREDENTIAL_REMEDIES[held.kind],
    )


def _duration(record: StoredIntegration, state: TokenState, now: datetime) -> Finding | None:
    """Tell whether a person's sign-in is about to end, as far as it has not been ended already."""
    if not record.definition.is_delegated or state.status not in {"authorized", "misconfigured"}:
        return None
    if not state.is_renewable:
        return _not_renewable(record, state, now)
    ends_on, renewed_on = state.grant_expires_on, state.grant_renewed_on
    if ends_on is None or renewed_on is None:
        return None
    life, left = ends_on - renewed_on, ends_on - now
    if left > min(_GRANT_SOON, life * _GRANT_SOON_PART):
        return None
    is_urgent = left <= min(_GRANT_URGENT, life * _GRANT_URGENT_PART)
    return Finding(
        "sign_in_ends",
        "action_needed" if is_urgent else "warning",
        f"The sign-in {_ends(ends_on, now)}, and has not been prolonged.",
        f"Sign in again. {_how_to_sign_in(record)}",
    )


def _not_renewable(record: StoredIntegration, state: TokenState, now: datetime) -> Finding | None:
    if state.expires_on is None:
        return None
    return Finding(
        "sign_in_not_renewable",
        "action_needed" if state.expires_on - now < _LAST_HOUR else "warning",
        f"The provider gave no refresh token: the sign-in {_ends(state.expires_on, now)}.",
        "Let the scope ask for offline_access, or allow refresh tokens at the provider, and sign "
        f"in again. {_how_to_sign_in(record)}",
    )


def _renewals(record: StoredIntegration, state: TokenState, now: datetime) -> Finding | None:
    """Tell whether the provider fails for longer than callers are kept from noticing."""
    if state.status not in {"none", "authorized"} or not state.failures:
        return None
    tried_on = state.last_failure_on
    is_idle = tried_on is None or now - tried_on >= _TRIED_LATELY
    if is_idle and not record.definition.is_delegated:
        return None
    is_expired = state.expires_on is None or state.expires_on <= now
    if state.failures < _FAILURES_IN_A_ROW and not is_expired:
        return None
    times = "once" if state.failures == 1 else f"{state.failures} times in a row"
    effect = "No valid token is left." if is_expired else "The present token is still valid."
    return Finding(
        "renewals_failing",
        "warning",
        f"Renewing the token has failed {times}. {effect}",
        "Nothing to do at first: the gateway goes on trying. If it lasts, look at the provider's "
        "health page, and at the network between the gateway and the provider.",
    )


def _ends(moment: datetime, now: datetime) -> str:
    return f"{'ended' if moment <= now else 'ends'} on {moment:%Y-%m-%d at %H:%M} UTC"


def _how_to_sign_in(record: StoredIntegration) -> str:
    return _named(SIGN_IN_REQUIRED.hint, record)


def _named(hint: str, record: StoredIntegration) -> str:
    return hint.replace("{integration}", record.code)
