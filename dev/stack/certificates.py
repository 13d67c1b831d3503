"""The certificates of the local stack: its own authority and what that authority issues.

The Key Vault client refuses to send a token without TLS, so the simulated vault needs a certificate
that the app trusts. The app is given `bundle` by `REQUESTS_CA_BUNDLE`: it replaces certifi's list
for `requests`, and therefore holds that list as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import certifi
import trustme
from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SERVER_NAMES = ("127.0.0.1", "localhost")
SERVER_LIFETIME = timedelta(days=365)
RENEWED_AHEAD = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """PEM files: the authority, a server's key with its chain, and all that a client may trust."""

    authority: Path
    server: Path
    bundle: Path


def _utc_now() -> datetime:
    return datetime.now(UTC)


def prepare_certificates(state: Path, *, now: Callable[[], datetime] = _utc_now) -> Certificates:
    """Make what is missing or near its expiry under `state`, keep the rest, and say where it is."""
    folder = state / "certificates"
    folder.mkdir(parents=True, exist_ok=True)
    files = Certificates(
        authority=folder / "ca.pem", server=folder / "server.pem", bundle=folder / "bundle.pem"
    )
    authority = _authority(files.authority, folder / "ca-key.pem")
    if not _serves(files.server, authority=files.authority, until=now() + RENEWED_AHEAD):
        issued = authority.issue_cert(*SERVER_NAMES, not_after=now() + SERVER_LIFETIME)
        _write(files.server, issued.private_key_and_cert_chain_pem.bytes())
    _write(files.bundle, certifi.contents().encode() + authority.cert_pem.bytes())
    return files


def _authority(certificate: Path, key: Path) -> trustme.CA:
    if certificate.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    authority = trustme.CA(organization_name="Business Central Gateway, local stack")
    # The key first: an interrupted start then leaves no certificate without its key.
    _write(key, authority.private_key_pem.bytes())
    _write(certificate, authority.cert_pem.bytes())
    return authority


def _serves(server: Path, *, authority: Path, until: datetime) -> bool:
    if not server.exists():
        return False
    certificate = x509.load_pem_x509_certificate(server.read_bytes())
    issuer = x509.load_pem_x509_certificate(authority.read_bytes())
    return certificate.issuer == issuer.subject and certificate.not_valid_after_utc > until


def _write(path: Path, content: bytes) -> None:
    # An unchanged file stays untouched: a running part may have it open.
    if path.exists() and path.read_bytes() == content:
        return
    unfinished = path.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(content)
    unfinished.replace(path)
