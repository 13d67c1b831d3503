from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import certifi
import pytest

from dev.stack.certificates import RENEWED_AHEAD, SERVER_LIFETIME, prepare_certificates

NOW = datetime.now(UTC)


def handshake(certificates, *, name):
    """Let a client that trusts the bundle meet a server with the certificate, in memory."""
    client_context = ssl.create_default_context(cafile=certificates.bundle)
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_context.load_cert_chain(certificates.server)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_client_with_the_bundle_trusts_the_server(tmp_path, name):
    """What the stack's TLS servers show is valid for each loopback name."""
    certificates = prepare_certificates(tmp_path, now=lambda: NOW)

    handshake(certificates, name=name)


def test_other_name_is_not_trusted(tmp_path):
    """The server certificate is good for loopback names only."""
    certificates = prepare_certificates(tmp_path, now=lambda: NOW)

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certificates, name="vault.azure.net")


def test_bundle_keeps_the_public_authorities(tmp_path):
    """A client whose whole trust is the bundle still reaches public servers."""
    certificates = prepare_certificates(tmp_path, now=lambda: NOW)

    assert certificates.bundle.read_text().startswith(certifi.contents())
    assert certificates.bundle.read_text().endswith(certificates.authority.read_text())


def test_second_start_changes_nothing(tmp_path):
    """A restart keeps the authority and the server certificate, so that clients stay content."""
    first = prepare_certificates(tmp_path, now=lambda: NOW)
    before = [path.read_bytes() for path in (first.authority, first.server, first.bundle)]

    again = prepare_certificates(tmp_path, now=lambda: NOW + SERVER_LIFETIME - 2 * RENEWED_AHEAD)

    assert again == first
    assert [path.read_bytes() for path in (again.authority, again.server, again.bundle)] == before


def test_server_certificate_near_expiry_is_made_anew_by_the_same_authority(tmp_path):
    """A server certificate is replaced before it expires; nobody has to trust anything new."""
    first = prepare_certificates(tmp_path, now=lambda: NOW - SERVER_LIFETIME + timedelta(days=1))
    authority, server = first.authority.read_bytes(), first.server.read_bytes()

    again = prepare_certificates(tmp_path, now=lambda: NOW)

    assert again.authority.read_bytes() == authority
    assert again.server.read_bytes() != server
    handshake(again, name="localhost")


def test_new_authority_issues_a_new_server_certificate(tmp_path):
    """When the authority is lost, what it issued is replaced as well."""
    prepare_certificates(tmp_path, now=lambda: NOW).authority.unlink()

    handshake(prepare_certificates(tmp_path, now=lambda: NOW), name="localhost")
