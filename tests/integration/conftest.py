"""What tests of the HTTP adapter need: a client, and a server's certificate."""

from __future__ import annotations

import pytest
import trustme

from tests.integration.outbound import make_client
from tests.integration.raw_server import HOST


@pytest.fixture
def client():
    """Return a client that may go anywhere."""
    return make_client()


@pytest.fixture(scope="session")
def authority():
    """Return an authority of which no machine knows."""
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority, tmp_path_factory):
    """Return the file with the key and certificate of a server on loopback."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    issued = authority.issue_cert(HOST, "named.example")
    path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    return path


@pytest.fixture(scope="session")
def bundle(authority, tmp_path_factory):
    """Return the file that holds the authority."""
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    path.write_bytes(authority.cert_pem.bytes())
    return str(path)
