"""What may stand in a URL that the gateway builds, so that none leaves its host and base path.

The same rules hold when a definition is stored and when it is used. Each function returns what
is wrong as a sentence, or None.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, urlsplit

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_ROUTE = re.compile(r"[A-Za-z0-9._\-]+(/[A-Za-z0-9._\-]+){0,3}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Host and port of RFC 3986 section 3.2, without user information.
_AUTHORITY = re.compile(
    r"([A-Za-z0-9_\-]+(\.[A-Za-z0-9_\-]+)*\.?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
)
_FORBIDDEN = '\\?#@;"<>^`|'
_FORBIDDEN_ENCODED = "\\?#@;%"
# Servers that map to an older code page read these as slashes; NFKC leaves them as they are.
_SLASHES = str.maketrans(
    dict.fromkeys("\u2044\u2215\u29f8", "/") | {"\u2216": "\\", "\u29f5": "\\"}
)
_DECODINGS = 4  # more than any chain of proxies and servers does


def is_guid(text: str) -> bool:
    """Tell whether `text` is a GUID in its usual form with hyphens."""
    return _GUID.fullmatch(text) is not None


def lenient(text: str) -> str:
    """Return what a server may take `text` for that forgives every spelling and encoding."""
    for _ in range(_DECODINGS):
        before, text = text, _look_alikes(unquote(text))
        if text == before:
            break
    return text


def control_problem(text: str) -> str | None:
    """Refuse line breaks, other control characters, and characters that print as nothing."""
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in text):
        return "must not hold line breaks or other control characters"
    return None


def path_problem(text: str) -> str | None:
    """Check a relative path such as an `api_url`; braces are left to the caller."""
    if problem := control_problem(text):
        return problem
    if text != text.strip() or not text:
        return "must not be empty, nor begin or end with a space"
    if _SCHEME.match(text) or text.startswith("/") or "//" in text:
        return "must be a relative path: no scheme, no leading slash, no double slash"
    if found := _first(_FORBIDDEN, _look_alikes(text)):
        return f"must not hold the character {found}"
    return _encoding_problem(text)


def segment_problem(text: str) -> str | None:
    """Check a text that becomes one segment of a path, or a part of one."""
    if problem := control_problem(text):
        return problem
    if text != text.strip():
        return "must not begin or end with a space"
    plain = _look_alikes(text)
    if any(mark in plain for mark in ("/", "%", ":", "..")):
        return "must be a plain name: no slash, percent sign, colon or double dot"
    if found := _first(_FORBIDDEN, plain):
        return f"must not hold the character {found}"
    return "must not be . or .." if _is_dots(plain) else None


def company_problem(text: str) -> str | None:
    """Check a company's name: a slash is common there (A/S), a way out of the path is not."""
    decoded = lenient(text)
    if problem := control_problem(decoded):
        return problem
    if "\\" in text or any(_is_dots(part) for part in re.split(r"[/\\]", decoded)):
        return "must not hold a backslash, nor . or .. between slashes"
    return None


def route_problem(text: str) -> str | None:
    """Check an API route: `v2.0`, or `publisher/group/version`."""
    if not _ROUTE.fullmatch(text) or any(_is_dots(segment) for segment in text.split("/")):
        return "must be v2.0, or publisher/group/version of a custom API"
    return None


def base_url_problem(text: str) -> str | None:
    """Check an absolute http(s) URL without credentials, query and fragment."""
    if problem := control_problem(text):
        return problem
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "is not a valid URL"
    if parts.scheme not in {"https", "http"} or not parts.netloc:
        return "must be an absolute URL such as https://api.businesscentral.dynamics.com"
    if not text.isascii():
        return "must be ASCII (use the xn-- form of an international host name)"
    if "@" in parts.netloc or any(mark in text for mark in "?#\\{} "):
        return "must not hold credentials, a query, a fragment, a backslash, a brace or a space"
    if not _AUTHORITY.fullmatch(parts.netloc) or port == 0:
        return "must name a valid host, and a port between 1 and 65535 if any"
    path = parts.path.removeprefix("/")
    return path_problem(path) if path else None


def _encoding_problem(text: str) -> str | None:
    """Check what becomes of a path when a server decodes it."""
    try:
        decoded = _look_alikes(unquote(text, errors="strict"))
    except UnicodeDecodeError:
        return "must have its special characters percent-encoded as UTF-8"
    if control_problem(decoded):
        return "must not hold encoded line breaks or other control characters"
    if found := _first(_FORBIDDEN_ENCODED, decoded):
        return f"must not hold the character {found}, not even encoded"
    if any(decoded.count(mark) != text.count(mark) for mark in "/."):
        return "must not hold an encoded slash or dot, nor a character that looks like one"
    if any(_is_dots(segment) for segment in decoded.split("/")):
        return "must not hold the segments . or .."
    return None


def _look_alikes(text: str) -> str:
    # Compatibility forms (a full-width slash, say) count as what some servers take them for.
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text).translate(_SLASHES)


def _first(forbidden: str, text: str) -> str | None:
    return next((character for character in text if character in forbidden), None)


def _is_dots(segment: str) -> bool:
    return segment.strip() in {".", ".."}
