"""The directory of the sample tenant: people, app registration and its credentials."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from cryptography import x509

from dev.sample import CLIENT_ID, CLIENT_SECRET, TENANT_ID, USER_NAME, USER_PRINCIPAL_NAME
from dev.simulators.entra.errors import aadsts
from dev.simulators.entra.state import write_atomically
from dev.simulators.identity import PRINCIPAL_ID, TOKEN_EXCHANGE

if TYPE_CHECKING:
    from pathlib import Path

# "Tenant" segments that name no tenant: Entra finds it by the person who signs in.
SHARED_TENANTS = ("common", "organizations")


@dataclass(frozen=True, kw_only=True)
class Person:
    """An account; `consented` is false where the app still needs somebody's consent."""

    name: str
    upn: str
    object_id: str
    consented: bool


PEOPLE = {
    person.upn: person
    for person in (
        Person(
            name=USER_NAME,
            upn=USER_PRINCIPAL_NAME,
            object_id="bbbbbbbb-0000-4000-8000-000000000001",
            consented=True,
        ),
        Person(
            name="Bob Holm",
            upn="bob@cronus.example",
            object_id="bbbbbbbb-0000-4000-8000-000000000002",
            consented=False,
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class FederatedCredential:
    """A token of another issuer that the app may show instead of a secret."""

    issuer: str
    subject: str
    audience: str = TOKEN_EXCHANGE


@dataclass(frozen=True, kw_only=True)
class Application:
    """An app registration and its service principal in the tenant."""

    client_id: str
    name: str
    object_id: str
    secret: str
    federated: FederatedCredential
    redirect_uris: re.Pattern[str]

    def redirects_to(self, uri: str) -> bool:
        """Tell whether `uri` is registered.

        Entra compares exactly. The sample registers the callback of every local port at once.
        """
        return self.redirect_uris.fullmatch(uri) is not None


_SAMPLE_APPLICATION = Application(
    client_id=CLIENT_ID,
    name="Business Central Gateway",
    object_id="cccccccc-0000-4000-8000-000000000001",
    secret=CLIENT_SECRET,
    federated=FederatedCredential(
        issuer=f"https://login.microsoftonline.com/{TENANT_ID}/v2.0", subject=PRINCIPAL_ID
    ),
    redirect_uris=re.compile(r"http://(127\.0\.0\.1|localhost):\d+/api/callback"),
)


class Registry:
    """The registrations; certificates that the control URL adds are kept in the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._certificates: list[str] = []
        if path.exists():
            self._certificates = msgspec.json.decode(path.read_bytes(), type=list[str])

    def application(self, client_id: str) -> Application:
        """Return the registration, or raise AADSTS700016."""
        if client_id != _SAMPLE_APPLICATION.client_id:
            raise aadsts(700016, client_id=client_id)
        return _SAMPLE_APPLICATION

    def certificates(self) -> list[x509.Certificate]:
        """Return the certificates with which the sample application may prove itself."""
        return [x509.load_pem_x509_certificate(pem.encode()) for pem in self._certificates]

    def add_certificate(self, pem: str) -> None:
        """Register a certificate for the sample application; ValueError if it is none."""
        x509.load_pem_x509_certificate(pem.encode())
        with self._lock:
            self._certificates.append(pem)
            write_atomically(self._path, msgspec.json.encode(self._certificates))


def resolve_tenant(tenant: str) -> str:
    """Return the id of the tenant that a URL names, or raise AADSTS90002."""
    if tenant.lower() not in (TENANT_ID, *SHARED_TENANTS):
        raise aadsts(90002, tenant=tenant)
    return TENANT_ID
