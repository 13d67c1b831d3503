"""Calls to an identity provider's token and revocation endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from shared.domain.error_kinds import IDENTITY_MISCONFIGURED
from shared.domain.errors import IdentityRefused, IdentityUnavailable
from shared.domain.headers import retry_after_seconds
from shared.domain.oauth import Grant, read_grant
from shared.domain.transport import NotSent, OutboundAnswer, OutboundRequest, SendError

if TYPE_CHECKING:
    from datetime import timedelta

    from shared.domain.records import StoredIntegration
    from shared.domain.secret import Secret
    from shared.ports import Clock, HttpClient
    from shared.services.client_auth import ClientAuthenticator

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
    ) -> None:
        """Send through `http`, with the proof that `authenticator` adds.

        A call is given `token_call`: with a rotating provider one cut short may cost the grant.
        """
        self._http = http
        self._authenticator = authenticator
        self._clock = clock
        self._timeout_seconds = token_call.total_seconds()

    def grant(self, record: StoredIntegration, form: dict[str, str]) -> Grant:
        """Send the form to the token endpoint and return what it grants.

        Raises IdentityRefused, IdentityUnavailable, or VaultUnavailable.
        """
        answer = self._post(record, record.definition.effective_token_url, form)
        now = self._clock.now()
        retry_after = retry_after_seconds(answer.headers.get("retry-after"), now)
        try:
            return read_grant(answer.status, answer.body, now=now, retry_after=retry_after)
        except IdentityRefused as error:
            if record.definition.grant_type == "authorization_code":
                raise
            # No person can help an app that signs in by itself.
            kind, detail, hint = IDENTITY_MISCONFIGURED, error.detail, error.hint
            raise IdentityRefused(kind, detail, hint=hint) from error

    def revoke(self, record: StoredIntegration, token: Secret) -> bool:
        """Revoke a refresh token (RFC 7009) and tell whether the provider did."""
        url = record.definition.revocation_url
        if url is None:
            return False
        form = {"token": token.reveal(), "token_type_hint": "refresh_token"}
        return self._post(record, url, form).status == 200  # noqa: PLR2004

    def _post(self, record: StoredIntegration, url: str, form: dict[str, str]) -> OutboundAnswer:
        form, headers = self._authenticator.prove(record, form)
        request = OutboundRequest(
            method="POST",
            url=url,
            headers=headers
            | {
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            body=urlencode(form).encode(),
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
