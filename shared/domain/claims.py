"""Claims challenges: what a provider or an API wants the next token to prove.

learn.microsoft.com/entra/identity-platform/claims-challenge; the header's grammar is that of
RFC 9110 section 11.6.1. A challenge that cannot be read counts as none.
"""

from __future__ import annotations

import base64
import re

from shared.domain.payloads import NotReadable, read_json

# Entra's own have some hundred characters; the parameter goes into a URL.
_LONGEST_CHARACTERS = 4096
# A scheme, or a parameter with a quoted or plain value, and the separators before it.
_PART = re.compile(
    r"""[\s,]*(?:
        (?P<name>[^\s,="]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]+))
        |(?P<scheme>[^\s,="]+)
    )""",
    re.VERBOSE,
)
_URL_SAFE = str.maketrans("-_", "+/")


def read_claims(value: object) -> str | None:
    """Return the text of a `claims` parameter if it is a JSON object of sane size, else None."""
    if not isinstance(value, str) or len(value) > _LONGEST_CHARACTERS:
        return None
    try:
        read_json(value.encode(), dict)
    except (NotReadable, UnicodeEncodeError):
        return None
    return value


def challenged_claims(www_authenticate: str) -> str | None:
    """Return the claims that a Bearer challenge `insufficient_claims` asks for, if there is one."""
    for scheme, parameters in _challenges(www_authenticate):
        if scheme == "bearer" and parameters.get("error") == "insufficient_claims":
            return _decoded(parameters.get("claims", ""))
    return None


def _challenges(header: str) -> list[tuple[str, dict[str, str]]]:
    """Return schemes and parameters, both in lower case, as far as the header can be read."""
    found: list[tuple[str, dict[str, str]]] = []
    position = 0
    while part := _PART.match(header, position):
        position = part.end()
        if part["scheme"]:
            found.append((part["scheme"].lower(), {}))
        elif found:
            quoted, plain = part["quoted"], part["plain"]
            value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            found[-1][1].setdefault(part["name"].lower(), value)
    return found


def _decoded(text: str) -> str | None:
    """Decode base64 of either alphabet (RFC 4648), padded or not."""
    plain = text.translate(_URL_SAFE).rstrip("=")
    try:
        decoded = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except ValueError:
        return None
    return read_claims(decoded)
