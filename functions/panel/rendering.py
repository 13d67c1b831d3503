"""Pages and parts of pages from the templates, with the headers that keep them harmless."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import azure.functions as func
import jinja2

from functions.panel import filters
from functions.panel.assets import asset_path
from functions.panel.notices import notice_of

if TYPE_CHECKING:
    from functions.panel.request import PanelRequest

ROOT_PATH = "/api/panel"
_FOLDER = Path(__file__).parent / "templates"
HEADERS = {
    # Pico's icons are data: images. Nothing inline is allowed, neither script nor style.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    # Not no-referrer, with which browsers send `Origin: null` along with the panel's own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def page(
    request: PanelRequest, template: str, *, status: int = 200, **values: Any
) -> func.HttpResponse:
    """Answer a signed-in administrator with a page, or a part of one."""
    own = {
        "administrator": request.administrator,
        "notice": notice_of(request.parameter("done")),
        "current_path": request.http.path,
    }
    return html(template, status=status, **own, **values)


def html(template: str, *, status: int = 200, **values: Any) -> func.HttpResponse:
    """Answer with what a template makes of the values."""
    return func.HttpResponse(
        _environment().get_template(template).render(values),
        status_code=status,
        headers=dict(HEADERS),
        mimetype="text/html",
    )


def redirect(path: str, *, done: str | None = None) -> func.HttpResponse:
    """Go on to a page after a change, so that reloading repeats nothing.

    `done` names the notice that the page shows (functions/panel/notices.py).
    """
    location = panel_path(path, done=done) if done else panel_path(path)
    return func.HttpResponse(status_code=303, headers=HEADERS | {"Location": location})


def panel_path(path: str = "", **parameters: str | None) -> str:
    """Return the path of a page, with the parameters that have a value."""
    given = {name: value for name, value in parameters.items() if value}
    whole = f"{ROOT_PATH}/{path}" if path else ROOT_PATH
    return f"{whole}?{urlencode(given)}" if given else whole


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"asset": asset_path, "path": panel_path}
    environment.filters |= filters.FILTERS
    return environment
