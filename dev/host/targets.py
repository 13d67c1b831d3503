"""Request targets as Kestrel decodes them, and URLs as the host writes them for the app."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_ESCAPED_SLASH = re.compile(r"(%2[Ff])")
_ESCAPE = re.compile(r"(%[0-9A-Fa-f]{2})")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


def decode_path(raw: str) -> str:
    """Decode the path of a target once: all escapes but `%2F`, then take the dot segments out.

    Escapes that are no UTF-8 stay as they are. ValueError for an escaped NUL.
    """
    path = "".join(
        part if _ESCAPED_SLASH.fullmatch(part) else _unescape(part)
        for part in _ESCAPED_SLASH.split(raw)
    )
    if "\0" in path:
        raise ValueError("the path holds a NUL")
    return _without_dot_segments(path)


def encode_path(path: str) -> str:
    """Write a decoded path for a URL, as PathString.ToUriComponent does: escapes are kept."""
    return "".join(
        part if _ESCAPE.fullmatch(part) else quote(part, safe="/:@!$&'()*+,;=")
        for part in _ESCAPE.split(path)
    )


def query_pairs(query: str) -> list[tuple[str, str]]:
    """Decode a raw query into its names and values, in their order."""
    pairs = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if part:
            pairs.append((_unescape(name.replace("+", " ")), _unescape(value.replace("+", " "))))
    return pairs


def query_parameters(query: str) -> dict[str, str]:
    """Give the query as the app gets it in `req.params`.

    Names are one in any case, the values of a repeated name are joined with a comma, empty values
    count for nothing, and a name without any value is not there.
    """
    spelled: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in query_pairs(query):
        values.setdefault(spelled.setdefault(name.lower(), name), []).append(value)
    joined = {name: ",".join(filter(None, each)) for name, each in values.items()}
    return {name: value for name, value in joined.items() if value}


def _unescape(text: str) -> str:
    def decode(run: re.Match[str]) -> str:
        decoded = unquote_to_bytes(run[0]).decode("utf-8", "surrogateescape")
        return _NOT_UTF8.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", decoded)

    return _ESCAPES.sub(decode, text)


def _without_dot_segments(path: str) -> str:
    """Resolve `.` and `..` (RFC 3986, section 5.2.4)."""
    segments = path.split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
