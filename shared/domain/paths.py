"""What may stand in a URL that the gateway builds, so that none leaves its host and base path.

The same rules hold when a definition is stored and when it is used. Each function returns what
is wrong as a sentence, or None.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, urlsplit

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_TRIPLET = re.compile(r"%[0-9A-Fa-f]{2}")
_ROUTE = re.compile(r"[A-Za-z0-9._\-]+(/[A-Za-z0-9._\-]+){0,3}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FORBIDDEN_IN_PATH = '\\?#@;"<>^`|'
_FORBIDDEN_ENCODED = "/\\.@%?#;"


def is_guid(text: str) -> bool:
    """Tell whether `text` is a GUID in its usual form with hyphens."""
    return _GUID.fullmatch(text) is not None


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
    if found := _first_forbidden(text):
        return f"must not hold {found}"
    if any(_is_dots(segment) for segment in text.split("/")):
        return "must not hold the segments . or .."
    return None


def segment_problem(text: str) -> str | None:
    """Check a text that becomes one segment of a path, or a part of one."""
    if problem := control_problem(text):
        return problem
    if text != text.strip():
        return "must not begin or end with a space"
    if "/" in text or "%" in text or ":" in text or ".." in text:
        return "must be a plain name: no slash, percent sign, colon or double dot"
    if found := _first_forbidden(text):
        return f"must not hold {found}"
    return "must not be . or .." if _is_dots(text) else None


def company_problem(text: str) -> str | None:
    """Check a company's name: a slash is common there (A/S), a way out of the path is not."""
    if problem := control_problem(text):
        return problem
    if "\\" in text or any(_is_dots(part.strip()) for part in text.split("/")):
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
        port_is_bad = parts.port == 0
    except ValueError:
        return "is not a valid URL"
    if parts.scheme not in {"https", "http"} or not parts.hostname or port_is_bad:
        return "must be an absolute URL such as https://api.businesscentral.dynamics.com"
    if "@" in parts.netloc or "?" in text or "#" in text or "\\" in text or " " in text:
        return "must not hold credentials, a query, a fragment, a backslash or a space"
    if not text.isascii() or "%" in parts.netloc:
        return "must be ASCII (use the xn-- form of an international host name)"
    path = parts.path.removeprefix("/").rstrip("/")
    return path_problem(path) if path else None


def _first_forbidden(text: str) -> str | None:
    # Compatibility forms (a full-width slash, say) count as what some servers take them for.
    for character in unicodedata.normalize("NFKC", text):
        if character in _FORBIDDEN_IN_PATH or (character == "/" and "/" not in text):
            return f"the character {character}"
    rest = _TRIPLET.sub("", text)
    if "%" in rest:
        return "a percent sign that encodes nothing"
    for triplet in _TRIPLET.findall(text):
        decoded = unquote(triplet, encoding="latin-1")
        if decoded in _FORBIDDEN_ENCODED or decoded < " " or decoded == "\x7f":
            return f"the encoded character {triplet}"
    if unicodedata.normalize("NFKC", text).count("/") != text.count("/"):
        return "a character that some servers read as a slash"
    return None


def _is_dots(segment: str) -> bool:
    return unicodedata.normalize("NFKC", segment) in {".", ".."}
