"""An integration: one service, its company, and how the gateway signs in to it."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import Annotated, Any, Literal
from urllib.parse import unquote_plus, urlsplit

import msgspec

from shared.domain.codes import CODE_RULE, fold, is_code
from shared.domain.documents import decode, pointer
from shared.domain.egress import EgressPolicy, origin
from shared.domain.errors import FieldProblem
from shared.domain.paths import (
    company_problem,
    control_problem,
    is_guid,
    segment_problem,
)
from shared.domain.queries import canonical_name
from shared.domain.stored_values import query_problems
from shared.domain.templates import template_problem

Text = Annotated[str, msgspec.Meta(max_length=200)]
Url = Annotated[str, msgspec.Meta(max_length=1000)]

BUSINESS_CENTRAL = "https://api.businesscentral.dynamics.com"
ENTRA = "https://login.microsoftonline.com"
# National clouds: learn.microsoft.com/entra/identity-platform/authentication-national-cloud
ENTRA_ORIGINS = frozenset(
    origin(url)
    for url in (
        ENTRA,
        "https://login.microsoftonline.us",
        "https://login.partner.microsoftonline.cn",
    )
)

_TENANT = re.compile(r"([A-Za-z0-9_\-]+(\.[A-Za-z0-9_\-]+)*)?")
# learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates; the gateway's own
# secrets lie in the same vault and are no certificates.
_CERTIFICATE = re.compile(
    r"(?!gateway-seal-key$|.*-(client-secret|tokens)$)[0-9a-z\-]{1,127}", re.IGNORECASE | re.ASCII
)
# RFC 6749 section 3.1 allows each parameter once; these are the gateway's.
_PROTOCOL_PARAMETERS = frozenset(
    {
        "response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce",
        "code_challenge", "code_challenge_method", "grant_type", "code", "code_verifier",
        "refresh_token", "client_secret", "client_assertion", "client_assertion_type", "claims",
    }
)  # fmt: skip

# What GET shows beside the definition; a PUT may bring it back, and it is ignored.
READ_ONLY_FIELDS = frozenset(
    {
        "has_client_secret", "is_valid_auth", "signed_in_as", "status", "created_on", "updated_on",
    }
)  # fmt: skip


class Integration(msgspec.Struct, frozen=True, kw_only=True):
    """The stored definition; its secret is in Key Vault and never part of it."""

    code: str
    name: Text = ""
    grant_type: Literal["authorization_code", "client_credentials"] = "authorization_code"
    base_url: Url = BUSINESS_CENTRAL
    api_version: Text = "v2.0"
    tenant_id: Text = ""
    environment: Text = ""
    company: Text | None = None
    company_id: Text | None = None
    service_name: Text = ""
    client_id: Text = ""
    authorize_url: Url | None = None
    token_url: Url | None = None
    revocation_url: Url | None = None
    scope: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    redirect_uri: Url | None = None
    client_auth: Literal[
        "client_secret", "client_secret_basic", "certificate", "managed_identity"
    ] = "client_secret"
    url_template: Url | None = None
    allowed_companies: list[Text] = []
    query: dict[str, Text] = {}
    certificate_name: Text | None = None
    client_secret_expires_on: dt.date | None = None
    max_in_flight: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5

    @property
    def needs_client_secret(self) -> bool:
        """Tell whether the way the client authenticates rests on the stored secret."""
        return self.client_auth in {"client_secret", "client_secret_basic"}

    @property
    def is_entra(self) -> bool:
        """Tell whether tokens come from Microsoft Entra rather than another provider."""
        return origin(self.effective_token_url) in ENTRA_ORIGINS

    @property
    def effective_authorize_url(self) -> str:
        """The configured authorization endpoint, or Entra's for the tenant."""
        return self.authorize_url or f"{ENTRA}/{self.tenant_id}/oauth2/v2.0/authorize"

    @property
    def effective_token_url(self) -> str:
        """The configured token endpoint, or Entra's for the tenant."""
        return self.token_url or f"{ENTRA}/{self.tenant_id}/oauth2/v2.0/token"

    @property
    def is_delegated(self) -> bool:
        """Tell whether a person signs in, and the app acts for that person."""
        return self.grant_type == "authorization_code"

    @property
    def effective_scope(self) -> str:
        """The configured scope; Entra takes `.default` alone for client credentials."""
        if self.scope is not None:
            return self.scope
        resource = f"{BUSINESS_CENTRAL}/.default"
        if not self.is_delegated:
            return resource
        return f"{resource} openid profile offline_access"

    def effective_redirect_uri(self, public_url: str) -> str:
        """Return the configured redirect URI, or the callback of the gateway at `public_url`."""
        return self.redirect_uri or f"{public_url}/api/callback"

    @property
    def binding(self) -> str:
        """Fingerprint of what a secret or token was entrusted to; another one voids it."""
        parts = (
            self.grant_type,
            self.tenant_id,
            self.client_id,
            origin(self.base_url),
            origin(self.effective_authorize_url),
            origin(self.effective_token_url),
            origin(self.revocation_url) if self.revocation_url else "",
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read_integration(
    document: dict[str, Any], policy: EgressPolicy
) -> tuple[Integration | None, list[FieldProblem]]:
    """Read a document without secret and read-only fields; return it, or all its problems."""
    folded = dict(document)
    if isinstance(folded.get("code"), str):
        folded["code"] = fold(folded["code"])
    if isinstance(folded.get("base_url"), str):
        folded["base_url"] = folded["base_url"].rstrip("/")
    return decode(Integration, folded, lambda integration, _: _problems(integration, policy))


def _problems(integration: Integration, policy: EgressPolicy) -> list[FieldProblem]:
    found = _text_problems(integration) | _url_problems(integration, policy)
    for name, text in _identity_problems(integration).items():
        found[name] = found.get(name) or text
    if not any(found.values()) and not integration.needs_client_secret:
        found |= _platform_credential_problems(integration, policy)
    problems = [FieldProblem(pointer(name), text) for name, text in found.items() if text]
    for index, company in enumerate(integration.allowed_companies):
        if text := company_problem(company):
            problems.append(FieldProblem(pointer("allowed_companies", index), text))
    return problems + query_problems(integration.query)


def _text_problems(integration: Integration) -> dict[str, str | None]:
    found = {"code": None if is_code(integration.code) else CODE_RULE}
    for name in ("api_version", "environment", "service_name"):
        found[name] = segment_problem(getattr(integration, name))
    for name in ("name", "client_id", "scope"):
        found[name] = control_problem(getattr(integration, name) or "")
    found["company"] = company_problem(integration.company or "")
    if integration.company_id is not None and not is_guid(integration.company_id):
        found["company_id"] = "must be a GUID; put a name into company"
    if not _TENANT.fullmatch(integration.tenant_id):
        found["tenant_id"] = "must be the tenant's GUID or domain, such as contoso.onmicrosoft.com"
    if not _CERTIFICATE.fullmatch(integration.certificate_name or "none"):
        found["certificate_name"] = "must name a certificate in Key Vault, not another secret"
    return found


def _url_problems(integration: Integration, policy: EgressPolicy) -> dict[str, str | None]:
    found = {}
    for name in ("base_url", "authorize_url", "token_url", "revocation_url", "redirect_uri"):
        url = getattr(integration, name)
        with_query = name in {"authorize_url", "token_url"}  # RFC 6749 section 3.1 allows one
        if url is not None:
            problem = policy.url_problem(url, with_query=with_query)
            found[name] = problem or _query_problem(url)
    if integration.url_template is not None:
        found["url_template"] = template_problem(integration.url_template)
    return found


def _identity_problems(integration: Integration) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    if not integration.client_id:
        found["client_id"] = "is required: the application (client) id of the app registration"
    code_grant = integration.is_delegated
    needs_entra = integration.token_url is None or (
        code_grant and integration.authorize_url is None
    )
    if needs_entra and not integration.tenant_id:
        found["tenant_id"] = "is required, unless authorize_url and token_url are given"
    if integration.client_auth == "certificate" and not integration.certificate_name:
        found["certificate_name"] = "is required for client_auth certificate"
    return found


def _platform_credential_problems(integration: Integration, policy: EgressPolicy) -> dict[str, str]:
    """Check where a credential of the app itself may lead; no secret could be asked for again.

    A management key must not be able to have such tokens, or the assertions that stand for the
    app, sent to a host of its choice.
    """
    found: dict[str, str] = {}
    if policy.allow_insecure:
        return found
    host = urlsplit(integration.base_url).hostname or ""
    if not _is_business_central(host) and not policy.vouches_for(host):
        found["base_url"] = (
            "must be Business Central's, or a host that ALLOWED_PRIVATE_HOSTS names: this "
            "client_auth rests on no secret that could be asked for again"
        )
    if integration.client_auth == "managed_identity":
        # Whoever receives the identity's assertion can use it at Entra.
        for name in ("token_url", "revocation_url"):
            url = getattr(integration, name)
            if url is not None and origin(url) not in ENTRA_ORIGINS:
                found[name] = "must be Microsoft Entra's for client_auth managed_identity"
    return found


def _is_business_central(host: str) -> bool:
    # Partners' embedded apps have hosts of their own below bc.dynamics.com.
    return host == urlsplit(BUSINESS_CENTRAL).hostname or host.endswith(".bc.dynamics.com")


def _query_problem(identity_url: str) -> str | None:
    pairs = identity_url.partition("?")[2].split("&")
    names = {canonical_name(unquote_plus(pair.partition("=")[0])) for pair in pairs}
    if own := sorted(names & _PROTOCOL_PARAMETERS):
        return f"must not set {own[0]}: the gateway does, and no parameter may stand there twice"
    return None
