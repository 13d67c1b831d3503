"""A function's cookies on their way to the client.

The worker parses each `Set-Cookie` with SimpleCookie, and the host has ASP.NET Core write it again:
one that cannot be parsed vanishes, values are percent-encoded, and a domain or path that the
function left out is there but empty. At `domain=` browsers refuse a `__Host-` cookie, and Python's
cookie jar any cookie (azure-functions-python-worker issue 1902, open in 2026).
(azure-functions-runtime: parse_to_rpc_http_cookie_list; aspnetcore: SetCookieHeaderValue)
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from http.cookies import Morsel

_EXPIRES_FORMAT = "%a, %d %b %Y %H:%M:%S GMT"


def set_cookie(cookie: Morsel[str]) -> str:
    """Write a parsed cookie as the host does; ValueError for a date or age that is none."""
    parts = [f"{cookie.key}={quote(cookie.value, safe='')}"]
    if cookie["expires"]:
        expires = datetime.strptime(cookie["expires"], _EXPIRES_FORMAT)  # noqa: DTZ007
        parts.append(f"expires={expires.strftime(_EXPIRES_FORMAT)}")
    if cookie["max-age"]:
        parts.append(f"max-age={float(cookie['max-age']):.0f}")
    parts += [f"domain={cookie['domain']}", f"path={cookie['path']}"]
    if cookie["secure"]:
        parts.append("secure")
    if cookie["samesite"].lower() in {"lax", "strict", "none"}:
        parts.append(f"samesite={cookie['samesite'].lower()}")
    if cookie["httponly"]:
        parts.append("httponly")
    return "; ".join(parts)
