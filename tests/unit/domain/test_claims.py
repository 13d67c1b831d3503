"""Claims challenges: read where they are whole, and as if they were not there where not."""

from __future__ import annotations

import base64
import json
import time

import pytest

from shared.domain.claims import challenged_claims, read_claims

# Both alphabets differ in what they write for this text.
CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1~~~???>>>"}}}'
STANDARD = base64.b64encode(CLAIMS.encode()).decode()
URL_SAFE = base64.urlsafe_b64encode(CLAIMS.encode()).decode()


def bearer(claims: str, error: str = "insufficient_claims") -> str:
    """Return a challenge in Microsoft's form."""
    return f'Bearer realm="", authorization_uri="https://x/y,z", error="{error}", claims="{claims}"'


@pytest.mark.parametrize(
    "header",
    [
        bearer(STANDARD),
        bearer(URL_SAFE),
        bearer(STANDARD.rstrip("=")),
        bearer(URL_SAFE.rstrip("=")),
        bearer(STANDARD).replace("Bearer", "bearer").replace("claims=", "Claims ="),
        f"Bearer error=insufficient_claims,claims={URL_SAFE.rstrip('=')}",
        f'Basic realm="a \\"quoted, realm", {bearer(STANDARD)}',
        f"Negotiate, NTLM, {bearer(STANDARD)}",
        f"Negotiate YII==, {bearer(STANDARD)}",
        f'Bearer error="invalid_token", {bearer(STANDARD)}',
        f"{bearer(STANDARD)}, Basic realm=x",
    ],
)
def test_challenge_is_read(header):
    """Quoted or plain, alone or among others, in either alphabet, padded or not."""
    assert STANDARD != URL_SAFE
    assert challenged_claims(header) == CLAIMS


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        'Bearer error="invalid_token"',
        bearer(STANDARD, error="invalid_token"),
        bearer(STANDARD).replace("Bearer", "DPoP"),
        bearer("no base64 *"),
        bearer(base64.b64encode(b"no JSON").decode()),
        bearer(base64.b64encode(b'["no object"]').decode()),
        bearer(base64.b64encode(b'{"a":"\xff"}').decode()),
        bearer(base64.b64encode(json.dumps({"a": "x" * 4096}).encode()).decode()),
        bearer("\u00e9"),
        bearer(""),
        'Bearer error="insufficient_claims", claims="never closed',
        'Bearer error="insufficient_claims"',
        f'error="insufficient_claims", claims="{STANDARD}"',
        "=, ,= Bearer",
    ],
)
def test_unreadable_challenge_counts_as_none(header):
    """The call then goes the way of every other 401."""
    assert challenged_claims(header) is None


@pytest.mark.parametrize("piece", ["a", '"', "a=", "a ", ",", "\\", 'a="\\', "a=b,", "Bearer "])
def test_hostile_header_costs_no_time(piece):
    """A service may send what it likes, as long as HTTP lets it through."""
    began = time.perf_counter()

    assert challenged_claims("Bearer x=" + piece * 60_000) is None

    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("value", "is_kept"),
    [
        (CLAIMS, True),
        ("{}", True),
        ('{"\u00e9":1}', True),
        (json.dumps({"a": "x" * 4096}), False),
        ("[]", False),
        ("", False),
        ("no JSON", False),
        ('{"a":"\ud800"}', False),
        ("[" * 4000, False),
        (None, False),
        ({"access_token": {}}, False),
    ],
)
def test_claims_are_a_json_object_of_sane_size(value, is_kept):
    """They are kept and sent as they came, or not at all."""
    assert read_claims(value) == (value if is_kept else None)
