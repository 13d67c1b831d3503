"""The header of App Service Authentication: read as the platform writes it, and nothing else."""

from __future__ import annotations

import base64
import json

import pytest

from shared.domain.principals import read_principal
from tests.builders import CLIENT_ID

ROLE_URI = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"


def header(*claims, **changes):
    """Return a header with these claims, given as type and value."""
    document = {
        "auth_typ": "aad",
        "name_typ": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
        "role_typ": ROLE_URI,
        "claims": [{"typ": kind, "val": value} for kind, value in claims],
    }
    return base64.b64encode(json.dumps(document | changes).encode()).decode()


def test_roles_are_read_by_both_names():
    """The platform renames some claims, not always the same ones."""
    principal = read_principal(
        header(("roles", "Orders.Read"), (ROLE_URI, "Orders.Post"), ("oid", "x"))
    )

    assert principal is not None
    assert principal.roles == {"Orders.Read", "Orders.Post"}
    assert principal.clients == frozenset()


@pytest.mark.parametrize("claim", ["azp", "appid"])
def test_client_is_read_from_tokens_of_both_versions(claim):
    """In one form, since GUIDs have no case."""
    principal = read_principal(header((claim, CLIENT_ID.upper())))

    assert principal is not None
    assert principal.clients == {CLIENT_ID}


@pytest.mark.parametrize("claim", ["role", "Roles", "http://evil.example/role", "groups", "aud"])
def test_other_claims_give_nothing(claim):
    """What only resembles a role or a client is none."""
    principal = read_principal(header((claim, "Gateway.Admin")))

    assert principal is not None
    assert (principal.roles, principal.clients) == (frozenset(), frozenset())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "e30=",
        "not base64!",
        "\u00e9",
        header()[:-2],
        base64.b64encode(b"\xff").decode(),
        base64.b64encode(b"[" * 100_000).decode(),
        header(auth_typ="google"),
        header(auth_typ=None),
        header(claims=None),
        header(claims={"roles": "x"}),
        header(claims=[{"typ": "roles"}]),
        header(("roles", 5)),
    ],
    ids=[
        "nothing", "empty", "no-base64", "no-ascii", "cut", "no-utf-8", "deep", "google",
        "no-provider", "no-claims", "object", "no-value", "number",
    ],
)  # fmt: skip
def test_header_that_cannot_be_read_is_nobody(text):
    """Whatever it holds: nobody is let in by what is not understood."""
    assert read_principal(text) is None
