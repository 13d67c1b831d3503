"""The panel's own files: a fixed list, each under a name that changes with its content."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import azure.functions as func

from functions.panel.errors import PAGE_NOT_FOUND
from shared.domain.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.http import Request

_FOLDER = Path(__file__).parent / "static"
_FILES = {
    "pico.css": ("vendor/pico-2.1.1.min.css", "text/css"),
    "panel.css": ("panel.css", "text/css"),
    "htmx.js": ("vendor/htmx-2.0.11.min.js", "text/javascript"),
    "panel.js": ("panel.js", "text/javascript"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
_CACHING = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    compressed: bytes
    media_type: str
    served_as: str


def asset_path(name: str) -> str:
    """Return the path of a file; a browser may keep what it gets there for ever."""
    return f"/api/panel/assets/{_assets()[name].served_as}"


def asset_response(request: Request, served_as: str) -> func.HttpResponse:
    """Answer with a file; GatewayError `page_not_found`."""
    asset = _by_served_name().get(served_as)
    if asset is None:
        raise GatewayError(PAGE_NOT_FOUND, "The control panel has no such file.")
    headers = {"Cache-Control": _CACHING, "Vary": "Accept-Encoding"}
    body = asset.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"  # nothing in front of the app would do it
        body = asset.compressed
    return func.HttpResponse(body, headers=headers, mimetype=asset.media_type, charset="utf-8")


@cache
def _assets() -> Mapping[str, _Asset]:
    return {name: _read(name, *file) for name, file in _FILES.items()}


@cache
def _by_served_name() -> Mapping[str, _Asset]:
    return {asset.served_as: asset for asset in _assets().values()}


def _read(name: str, file: str, media_type: str) -> _Asset:
    content = (_FOLDER / file).read_bytes()
    stem, _, ending = name.partition(".")
    digest = hashlib.sha256(content).hexdigest()[:12]
    compressed = gzip.compress(content, mtime=0)
    return _Asset(content, compressed, media_type, f"{stem}.{digest}.{ending}")
