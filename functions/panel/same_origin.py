"""Keeps other sites from acting in the name of a signed-in administrator.

The session cookie of App Service Authentication goes along with requests that other sites cause.
A browser says who caused a request: `Sec-Fetch-Site` (w3.org/TR/fetch-metadata) and, with every
POST, `Origin` (RFC 6454). Neither can be set by a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from functions.panel.errors import CROSS_SITE_REQUEST
from shared.domain.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWN_SITES = frozenset({"same-origin", "none"})  # the latter: typed, or from a bookmark
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def require_own_page(method: str, headers: Mapping[str, str], public_url: str) -> None:
    """Raise GatewayError `cross_site_request` unless a page of the panel sent it.

    A GET may come from the address bar as well; browsers send no `Origin` with it.
    """
    own_origin = _origin(public_url)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in _OWN_SITES:
        raise _refused("Another site sent this request.")
    if origin is not None and origin != own_origin:
        raise _refused(f"The request comes from another address than {own_origin}.")
    if method != "GET" and site is None and origin is None:
        raise _refused("The browser does not say which page sent this request.")


def _origin(url: str) -> str:
    """Return the origin of a URL as browsers write it (RFC 6454, 6.2)."""
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc.removesuffix(_DEFAULT_PORTS[parts.scheme])}"


def _refused(detail: str) -> GatewayError:
    return GatewayError(CROSS_SITE_REQUEST, detail)
