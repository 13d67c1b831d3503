"""How the gateway proves to a token endpoint that it is the registered client.

RFC 6749 section 2.3.1 (secret in the form or by Basic), RFC 7523 section 2.2 (signed assertion);
for Entra's forms: learn.microsoft.com/entra/identity-platform/certificate-credentials and
.../workload-identity-federation-config-app-trust-managed-identity.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from shared.domain.error_kinds import IDENTITY_MISCONFIGURED
from shared.domain.errors import IdentityRefused
from shared.domain.secret_names import client_secret_name

if TYPE_CHECKING:
    from shared.domain.integration import Integration
    from shared.domain.records import StoredIntegration
    from shared.domain.secret import Secret
    from shared.ports import AssertionSource, Clock, SecretStore
    from shared.services.certificates import Assertion

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True, repr=False)
class Proven:
    """A form together with the client's proof, which may lie in a header."""

    form: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)
    certificate_expires_on: datetime | None = None


class ClientAuthenticator:
    """Adds the client's proof to a request for the token endpoint."""

    def __init__(self, secrets: SecretStore, assertions: AssertionSource, clock: Clock) -> None:
        """Take secrets and certificates from the vault, federated assertions from the identity."""
        self._secrets = secrets
        self._assertions = assertions
        self._clock = clock

    def prove(self, record: StoredIntegration, form: dict[str, str]) -> Proven:
        """Return the form and the headers to send.

        Raises IdentityRefused where no usable credential is stored, VaultUnavailable, or
        IdentityUnavailable where the managed identity does not answer.
        """
        integration = record.definition
        form = form | {"client_id": integration.client_id}
        if integration.client_auth == "certificate":
            signed = self._signed(integration)
            asserted = form | _assertion(signed.text)
            return Proven(asserted, certificate_expires_on=signed.certificate_expires_on)
        if integration.client_auth == "managed_identity":
            return Proven(form | _assertion(self._assertions.assertion()))
        secret = self._client_secret(record).reveal()
        if integration.client_auth == "client_secret":
            return Proven(form | {"client_secret": secret})
        del form["client_id"]
        pair = f"{quote_plus(integration.client_id)}:{quote_plus(secret)}"
        basic = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return Proven(form, {"Authorization": basic})

    def check(self, record: StoredIntegration) -> None:
        """Raise IdentityRefused where the definition lacks the secret that it rests on."""
        if record.definition.needs_client_secret and record.client_secret_version is None:
            raise IdentityRefused(
                IDENTITY_MISCONFIGURED,
                "The integration has no client secret.",
                hint="PATCH the integration with client_secret, then try again.",
            )

    def _client_secret(self, record: StoredIntegration) -> Secret:
        self.check(record)
        secret = self._secrets.get(client_secret_name(record.code), record.client_secret_version)
        if secret is None:
            raise IdentityRefused(
                IDENTITY_MISCONFIGURED,
                "The integration's client secret is not in Key Vault any more.",
                hint="PATCH the integration with client_secret, then try again.",
            )
        return secret

    def _signed(self, integration: Integration) -> Assertion:
        from shared.services.certificates import CertificateError, signed_assertion  # noqa: PLC0415

        name = integration.certificate_name or ""
        kept = self._secrets.get(name)
        try:
            if kept is None:
                raise CertificateError("is not in Key Vault")  # noqa: TRY301
            return signed_assertion(
                kept,
                client_id=integration.client_id,
                audience=integration.effective_token_url,
                now=self._clock.now(),
            )
        except CertificateError as error:
            raise IdentityRefused(
                IDENTITY_MISCONFIGURED,
                f"The certificate {name} {error}.",
                hint="Check certificate_name and the certificate in Key Vault.",
            ) from error


def _assertion(text: Secret) -> dict[str, str]:
    return {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": text.reveal()}
