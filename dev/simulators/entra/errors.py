"""Errors of Microsoft Entra: their AADSTS numbers, OAuth names and JSON bodies.

Sources: "Microsoft Entra authentication and authorization error codes" for numbers and body,
RFC 6749 section 5.2 for the statuses. The texts are our own, since Microsoft asks clients to read
`error` and `suberror` and neither the number nor the text.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

ERROR_PAGE = "https://login.microsoftonline.com/error"


class _Entry(NamedTuple):
    error: str
    text: str
    suberror: str | None = None


_CATALOGUE = {
    50011: _Entry(
        "invalid_request",
        "The redirect URI '{redirect_uri}' is none of those registered for '{client_id}'.",
    ),
    50034: _Entry("invalid_grant", "The account '{upn}' is unknown in this directory."),
    50059: _Entry("invalid_request", "The request names no tenant, and nothing implies one."),
    50076: _Entry(
        "interaction_required",
        "The policy of the tenant asks '{upn}' for more than the sign-in proved.",
        "basic_action",
    ),
    50147: _Entry("invalid_request", "A code_challenge made with S256 is needed."),
    50173: _Entry("invalid_grant", "The grant was revoked; a new sign-in is needed.", "bad_token"),
    54005: _Entry("invalid_grant", "The authorization code was redeemed before."),
    65001: _Entry(
        "consent_required",
        "Neither '{upn}' nor an administrator has consented to '{client_id}'.",
        "consent_required",
    ),
    65004: _Entry("access_denied", "The person declined to consent to the app."),
    70000: _Entry("invalid_grant", "The grant was made for another application."),
    70003: _Entry("unsupported_grant_type", "The grant type '{grant_type}' is not supported."),
    70005: _Entry(
        "unsupported_response_type", "The response type '{response_type}' is not supported."
    ),
    70007: _Entry("invalid_request", "The response mode '{response_mode}' is not supported."),
    70008: _Entry("invalid_grant", "The authorization code has expired."),
    70011: _Entry("invalid_scope", "The scope '{scope}' is not valid."),
    90002: _Entry("invalid_request", "The tenant '{tenant}' was not found."),
    500011: _Entry("invalid_resource", "The resource '{resource}' is unknown in this tenant."),
    500112: _Entry(
        "invalid_client", "The redirect URI '{redirect_uri}' is not the one of the sign-in."
    ),
    501481: _Entry("invalid_grant", "The code_verifier does not match the code_challenge."),
    700016: _Entry(
        "unauthorized_client", "The application '{client_id}' was not found in this directory."
    ),
    700021: _Entry("invalid_client", "Issuer and subject of the client assertion must be the app."),
    700023: _Entry("invalid_client", "The client assertion is meant for another audience."),
    700024: _Entry("invalid_client", "The client assertion is outside its time of validity."),
    700027: _Entry("invalid_client", "The client assertion's signature is not valid: {reason}."),
    700082: _Entry("invalid_grant", "The refresh token has expired by inactivity.", "bad_token"),
    700211: _Entry("invalid_client", "No federated credential has the issuer '{issuer}'."),
    700212: _Entry("invalid_client", "No federated credential has the audience '{audience}'."),
    700213: _Entry("invalid_client", "No federated credential has the subject '{subject}'."),
    900144: _Entry("invalid_request", "The parameter '{name}' is missing."),
    900971: _Entry("invalid_request", "The request has no redirect URI."),
    1002012: _Entry(
        "invalid_scope", "The scope '{scope}' must end in /.default for client credentials."
    ),
    7000215: _Entry("invalid_client", "The client secret is not one of '{client_id}'."),
    7000218: _Entry("invalid_client", "The request has neither client_assertion nor secret."),
    7000222: _Entry("invalid_client", "The client secrets of '{client_id}' have expired."),
    9002313: _Entry("invalid_grant", "The authorization code is malformed."),
}


class EntraError(Exception):
    """A request that Entra refuses."""

    def __init__(
        self,
        error: str,
        description: str,
        *,
        numbers: Sequence[int],
        suberror: str | None = None,
        claims: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.numbers = list(numbers)
        self.suberror = suberror
        self.claims = claims
        self.status = status or (401 if error == "invalid_client" else 400)

    def body(self, client_request_id: str | None, moment: datetime) -> dict[str, Any]:
        """Return the JSON body; Microsoft's page names its fields.

        The correlation id is the one that the client sent, if it did.
        """
        correlation_id = client_request_id or str(uuid.uuid4())
        trace_id = str(uuid.uuid4())
        timestamp = f"{moment:%Y-%m-%d %H:%M:%S}Z"
        optional = {"suberror": self.suberror, "claims": self.claims}
        return {
            "error": self.error,
            "error_description": f"{self.description} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {timestamp}",
            "error_codes": self.numbers,
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            **({"error_uri": f"{ERROR_PAGE}?code={self.numbers[0]}"} if self.numbers else {}),
            **{name: value for name, value in optional.items() if value is not None},
        }


def aadsts(number: int, *, claims: str | None = None, **details: str) -> EntraError:
    """Return the error that Entra gives the number, its text completed with `details`.

    `claims` is what the next request for a sign-in should carry.
    """
    entry = _CATALOGUE[number]
    description = f"AADSTS{number}: {entry.text.format_map(details)}"
    return EntraError(
        entry.error, description, numbers=[number], suberror=entry.suberror, claims=claims
    )
