"""Calls to an identity provider's token and revocation endpoints."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from shared.domain.error_kinds import IDENTITY_MISCONFIGURED
from shared.domain.errors import IdentityRefused, IdentityUnavailable
from shared.domain.headers import retry_after_seconds
from shared.domain.oauth import ENTRA_REFRESH_LIFE, Grant, admin_consent_url, read_grant
from shared.domain.transport import NotSent, OutboundAnswer, OutboundRequest, SendError

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from shared.domain.records import StoredIntegration
    from shared.domain.secret import Secret
    from shared.ports import Clock, HttpClient
    from shared.services.client_auth import ClientAuthenticator, Proven

_LONGEST_ANSWER_BYTES = 256 * 1024


class IdentityProvider:
    """The token endpoints, spoken to by plain HTTP."""

    def __init__(
        self,
        http: HttpClient,
        authenticator: ClientAuthenticator,
        clock: Clock,
        *,
        token_call: timedelta,
        public_url: str,
    ) -> None:
        """Send through `http`, with the proof that `authenticator` adds.

        A call is given `token_call`: with a rotating provider one cut short may cost the grant.
        An administrator's consent comes back to the gateway at `public_url`.
        """
        self._http = http
        self._authenticator = authenticator
        self._clock = clock
        self._timeout_seconds = token_call.total_seconds()
        self._public_url = public_url

    def prove(self, record: StoredIntegration, form: dict[str, str]) -> Proven:
        """Return the request that `grant` sends: what it needs may be slow to come.

        Raises IdentityRefused, IdentityUnavailable, or VaultUnavailable.
        """
        return self._authenticator.prove(record, form)

    def grant(self, record: StoredIntegration, proven: Proven) -> Grant:
        """Send the form to the token endpoint and return what it grants.

        Raises IdentityRefused or IdentityUnavailable.
        """
        definition = record.definition
        asked_on = self._clock.now()  # a token's life has begun when its answer arrives
        answer = self._post(definition.effective_token_url, proven)
        told = retry_after_seconds(answer.headers.get("retry-after"), self._clock.now())
        try:
            grant = read_grant(
                answer.status,
                answer.body,
                now=asked_on,
                retry_after=told,
                consent_url=admin_consent_url(
                    definition, definition.effective_redirect_uri(self._public_url)
                ),
            )
        except IdentityRefused as error:
            if definition.is_delegated:
                raise
            # No person can help an app that signs in by itself.
            raise IdentityRefused(
                IDENTITY_MISCONFIGURED,
                error.detail,
                hint=error.hint,
                admin_consent_url=error.admin_consent_url,
            ) from error
        return replace(
            grant,
            refresh_expires_on=_refresh_expires_on(record, grant, asked_on),
            credential_expires_on=proven.certificate_expires_on,
        )

    def revoke(self, record: StoredIntegration, token: Secret) -> bool:
        """Revoke a refresh token (RFC 7009) and tell whether the provider did."""
        url = record.definition.revocation_url
        if url is None:
            return False
        form = {"token": token.reveal(), "token_type_hint": "refresh_token"}
        proven = self._authenticator.prove(record, form)
        return self._post(url, proven).status == 200  # noqa: PLR2004

    def _post(self, url: str, proven: Proven) -> OutboundAnswer:
        request = OutboundRequest(
            method="POST",
            url=url,
            headers=proven.headers
            | {
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            body=urlencode(proven.form).encode(),
        )
        try:
            return self._http.send(
                request, timeout_seconds=self._timeout_seconds, max_bytes=_LONGEST_ANSWER_BYTES
            )
        except NotSent as error:
            if error.is_forbidden:
                raise IdentityRefused(
                    IDENTITY_MISCONFIGURED,
                    "The identity provider's address may not be called.",
                    hint="Use a public https address, or list the host in ALLOWED_PRIVATE_HOSTS.",
                ) from error
            raise IdentityUnavailable("The identity provider cannot be reached.") from error
        except SendError as error:
            raise IdentityUnavailable("The identity provider's answer did not arrive.") from error


def _refresh_expires_on(record: StoredIntegration, grant: Grant, now: datetime) -> datetime | None:
    is_silent = grant.refresh_token is not None and grant.refresh_expires_on is None
    if is_silent and record.definition.is_entra:
        return now + ENTRA_REFRESH_LIFE  # Entra does not tell, but its documentation does
    return grant.refresh_expires_on
