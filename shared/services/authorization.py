"""Sign-in: start it, finish it, and hand out one-time links that start it.

A sign-in is bound to the browser that began it: its row is found only by a hash of the state *and*
of a secret that only the browser's cookie holds. The PKCE verifier and the nonce are derived from
that secret, so that nothing stored anywhere would let somebody else finish it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.audit import KEY_HOLDER, LINK_HOLDER, UNNAMED_ACCOUNT
from shared.domain.error_kinds import SIGN_IN_EXPIRED, SIGN_IN_REFUSED
from shared.domain.errors import GatewayError, IdentityRefused
from shared.domain.events import log_event
from shared.domain.identity_errors import explain, lacks_consent
from shared.domain.oauth import admin_consent_url, authorization_url, code_form, derive
from shared.domain.records import SignIn, StoredIntegration

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shared.domain.oauth import Grant
    from shared.ports import Clock, SignInStore
    from shared.services.activity import ActivityLog
    from shared.services.audit import Audit
    from shared.services.claims_challenges import ClaimsChallenges
    from shared.services.client_auth import ClientAuthenticator
    from shared.services.identity import IdentityProvider
    from shared.services.integrations import IntegrationAdministration
    from shared.services.sign_in_failures import SignInFailures
    from shared.services.tokens import TokenService

SIGN_IN_LIFE = timedelta(minutes=10)
LINK_LIFE = timedelta(days=1)


@dataclass(frozen=True, slots=True, repr=False)
class StartedSignIn:
    """Where the browser goes next, and the cookie that it brings back."""

    authorization_url: str
    cookie_name: str
    cookie_value: str


@dataclass(frozen=True, slots=True, repr=False)
class SignInLink:
    """A link's secret part, and when it ends."""

    token: str
    expires_on: datetime


@dataclass(frozen=True, slots=True)
class FinishedSignIn:
    """Who is signed in to what, and whether the grant can be renewed."""

    integration: str
    name: str
    signed_in_as: str | None
    is_renewable: bool


@dataclass(frozen=True, slots=True, repr=False)
class ProviderAnswer:
    """What the provider's redirect brought; nothing of it is trusted yet."""

    unverified_state: str
    code: str
    error: str
    error_description: str


class Authorization:
    """Signs people in."""

    def __init__(
        self,
        *,
        integrations: IntegrationAdministration,
        sign_ins: SignInStore,
        identity: IdentityProvider,
        authenticator: ClientAuthenticator,
        tokens: TokenService,
        challenges: ClaimsChallenges,
        failures: SignInFailures,
        activity: ActivityLog,
        audit: Audit,
        public_url: str,
        clock: Clock,
    ) -> None:
        """Send people back to `{public_url}/api/callback`, unless a definition says otherwise."""
        self._integrations = integrations
        self._sign_ins = sign_ins
        self._identity = identity
        self._authenticator = authenticator
        self._tokens = tokens
        self._challenges = challenges
        self._failures = failures
        self._activity = activity
        self._audit = audit
        self._public_url = public_url
        self._clock = clock

    def begin(self, code: str, *, by: str = KEY_HOLDER) -> StartedSignIn | None:
        """Start a sign-in; None where no person is needed and the app is connected already.

        Raises GatewayError `integration_not_found`, `identity_misconfigured`, and what asking for
        a token may raise.
        """
        record = self._integrations.find(code)
        self._authenticator.check(record)
        if not record.definition.is_delegated:
            self._tokens.connect(record)
            self._audit.note("connected", record.code, by=by)
            return None
        state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._sign_ins.insert(self._row(_state_key(state, browser), record, SIGN_IN_LIFE))
        url = authorization_url(
            record.definition,
            redirect_uri=self._redirect_uri(record),
            state=state,
            verifier=derive(browser, "verifier", state),
            nonce=derive(browser, "nonce", state),
            claims=self._challenges.open_for(record),
        )
        log_event("sign_in_started", integration=record.code)
        self._audit.note("sign_in_started", record.code, by=by)
        return StartedSignIn(url, cookie_name(state), browser)

    def finish(self, answer: ProviderAnswer, cookies: Mapping[str, str]) -> FinishedSignIn:
        """Finish the sign-in that `answer` belongs to.

        Raises GatewayError `sign_in_expired` where it is unknown here, used or too old, and
        `sign_in_refused` where the provider or the person declined; and what the provider's token
        endpoint may raise.
        """
        state = answer.unverified_state
        browser = cookies.get(cookie_name(state), "")
        row = self._sign_ins.take(_state_key(state, browser)) if state and browser else None
        if row is None or row.expires_on <= self._clock.now():
            raise GatewayError(
                SIGN_IN_EXPIRED,
                "It was finished before, took longer than ten minutes, or began in another "
                "browser.",
            )
        record = self._integrations.find(row.integration)
        if record.binding != row.binding:
            raise GatewayError(SIGN_IN_EXPIRED, "The integration was changed during the sign-in.")
        try:
            if answer.error or not answer.code:
                raise self._refused(record, answer)
            grant = self._redeem(record, answer.code, state, browser)
            self._tokens.accept(record, grant)
        except GatewayError as error:
            self._failures.keep(record, error)
            self._activity.token_event(
                record.code, "sign_in_failed", code=error.kind.code, reason=error.detail
            )
            raise
        log_event("signed_in", integration=record.code)
        self._activity.token_event(record.code, "signed_in")
        self._audit.note("signed_in", record.code, by=grant.signed_in_as or UNNAMED_ACCOUNT)
        return FinishedSignIn(
            integration=record.code,
            name=record.definition.name or record.code,
            signed_in_as=grant.signed_in_as,
            is_renewable=grant.refresh_token is not None,
        )

    def create_link(self, code: str, *, by: str = KEY_HOLDER) -> SignInLink:
        """Make a link that starts one sign-in, for the person who owns the account."""
        record = self._integrations.find(code)
        token = secrets.token_urlsafe(32)
        row = self._row(_link_key(token), record, LINK_LIFE)
        self._sign_ins.insert(row)
        log_event("sign_in_link_created", integration=record.code)
        self._audit.note("sign_in_link_created", record.code, by=by)
        return SignInLink(token, row.expires_on)

    def follow_link(self, token: str) -> StartedSignIn | None:
        """Start the sign-in that a link stands for; GatewayError `sign_in_expired`."""
        row = self._sign_ins.take(_link_key(token))
        if row is None or row.expires_on <= self._clock.now():
            raise GatewayError(
                SIGN_IN_EXPIRED,
                "The link was used before, or is older than a day.",
                hint="Ask for a new sign-in link.",
            )
        return self.begin(row.integration, by=LINK_HOLDER)

    def _redeem(self, record: StoredIntegration, code: str, state: str, browser: str) -> Grant:
        form = code_form(
            record.definition,
            code=code,
            redirect_uri=self._redirect_uri(record),
            verifier=derive(browser, "verifier", state),
        )
        try:
            grant = self._identity.grant(record, self._identity.prove(record, form))
        except IdentityRefused as error:
            if error.claims is not None:
                self._challenges.keep(record, error.claims)
            raise IdentityRefused(
                SIGN_IN_REFUSED,
                error.detail,
                hint=error.hint,
                admin_consent_url=error.admin_consent_url,
            ) from error
        nonce = derive(browser, "nonce", state)
        if grant.nonce is not None and not _is_same(grant.nonce, nonce):
            raise GatewayError(SIGN_IN_REFUSED, "The provider answered to another sign-in.")
        return grant

    def _redirect_uri(self, record: StoredIntegration) -> str:
        return record.definition.effective_redirect_uri(self._public_url)

    def _refused(self, record: StoredIntegration, answer: ProviderAnswer) -> GatewayError:
        """Explain the error in the redirect.

        Claims in it are not kept: they come through the browser, and whoever may try to sign in
        could spoil everybody's next sign-in with them.
        """
        if not answer.error:
            return GatewayError(SIGN_IN_REFUSED, "The provider sent neither a code nor an error.")
        told = {"error": answer.error, "error_description": answer.error_description}
        detail, hint = explain(told)
        url = admin_consent_url(record.definition, self._redirect_uri(record))
        return IdentityRefused(
            SIGN_IN_REFUSED,
            detail,
            hint=hint,
            admin_consent_url=url if lacks_consent(told) else None,
        )

    def _row(self, key: str, record: StoredIntegration, life: timedelta) -> SignIn:
        return SignIn(
            key=key,
            integration=record.code,
            binding=record.binding,
            expires_on=self._clock.now() + life,
        )


def cookie_name(state: str) -> str:
    """Return the name of the cookie of one sign-in, so that several can run side by side."""
    return f"gateway_signin_{hashlib.sha256(state.encode()).hexdigest()[:16]}"


def _state_key(state: str, browser: str) -> str:
    return hashlib.sha256(f"state:{state}:{browser}".encode()).hexdigest()


def _link_key(token: str) -> str:
    return hashlib.sha256(f"link:{token}".encode()).hexdigest()


def _is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
