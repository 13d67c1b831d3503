"""What a browser sees of a sign-in: the way to the provider, and the page at its end."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import azure.functions as func

from functions.http import Request, hint_for, json_response, problem, trigger
from shared.bootstrap import get_services
from shared.domain.codes import is_code
from shared.domain.errors import IdentityRefused
from shared.domain.identity_errors import explain
from shared.services.authorization import (
    SIGN_IN_LIFE,
    SignInLink,
    StartedSignIn,
    cookie_name,
)

if TYPE_CHECKING:
    import jinja2

    from shared.domain.errors import GatewayError

_FOLDER = Path(__file__).parent / "pages"
# Loaded from a fixed list, never from a path in a URL.
_ASSETS = {"result.css": "text/css", "result.js": "text/javascript"}
# Follows the name of a sign-in's cookie: the integration on whose page of the panel it began.
_PANEL_COOKIE = "_panel"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def start_response(
    request: Request, started: StartedSignIn | None, *, panel_integration: str | None = None
) -> func.HttpResponse:
    """Send the browser to the provider; scripts that ask for JSON get the address instead.

    A sign-in that begins in the panel ends with a way back to its page of `panel_integration`.
    """
    if started is None:
        return _connected(request)
    if request.accepts("application/json"):
        response = json_response({"authorization_url": started.authorization_url})
    else:
        response = func.HttpResponse(
            status_code=302, headers={"Location": started.authorization_url}
        )
    life = int(SIGN_IN_LIFE.total_seconds())
    response.headers.add("Set-Cookie", cookie(started.cookie_name, started.cookie_value, life))
    if panel_integration is not None:
        name = started.cookie_name + _PANEL_COOKIE
        response.headers.add("Set-Cookie", cookie(name, panel_integration, life))
    return response


def clear_cookies(request: Request, response: func.HttpResponse) -> None:
    """Let the browser forget a sign-in that has succeeded."""
    name = cookie_name(request.parameters.get("state", ""))
    response.headers.add("Set-Cookie", cookie(name, "", 0))
    if name + _PANEL_COOKIE in request.cookies():
        response.headers.add("Set-Cookie", cookie(name + _PANEL_COOKIE, "", 0))


def link_address(link: SignInLink) -> str:
    """Return the address that starts the sign-in of a one-time link."""
    return f"{get_services().settings.public_url}/api/signin/{link.token}"


def cookie(name: str, value: str, max_age_seconds: int) -> str:
    """Return a Set-Cookie value; Lax, since the provider's redirect comes from another site.

    The domain is named, since the host would otherwise write an empty one, at which Python's
    cookie jar refuses the cookie (azure-functions-python-worker issue 1902).
    """
    public = urlsplit(get_services().settings.public_url)
    text = (
        f"{name}={value}; Max-Age={max_age_seconds}; Domain={public.hostname}; Path=/; "
        "HttpOnly; SameSite=Lax"
    )
    return f"{text}; Secure" if public.scheme == "https" else text


def result_page(
    request: Request,
    *,
    title: str,
    message: str,
    hint: str = "",
    integration: str = "",
    status: int = 200,
    admin_consent_url: str | None = None,
) -> func.HttpResponse:
    """Answer with the page that ends a sign-in: it tells the panel's window, and closes itself."""
    return _page(
        status=status,
        title=title,
        message=message,
        hint=hint,
        integration=integration,
        outcome="success" if status < 400 else "failure",  # noqa: PLR2004
        admin_consent_url=admin_consent_url,
        way_back=_way_back(request),
    )


def consent_page(*, error: str, error_description: str) -> func.HttpResponse:
    """Answer an administrator who comes back from the consent page; nobody is signed in by that.

    Anybody can open this address, so nothing of its query is believed or shown.
    """
    if not error:
        return _page(
            status=200,
            title="Consent was granted",
            message="Microsoft Entra reports that an administrator consented for the tenant.",
            hint="Now sign in to the integration, or ask the person who does to sign in again.",
            outcome="consent",
        )
    meaning, remedy = explain({"error": error, "error_description": error_description})
    return _page(
        status=400,
        title="Consent was not granted",
        message=meaning,
        hint=remedy,
        outcome="failure",
    )


def asset_response(name: str) -> func.HttpResponse | None:
    """Answer with one of the page's own files, or None if there is none of that name."""
    if name not in _ASSETS:
        return None
    return func.HttpResponse(
        (_FOLDER / name).read_bytes(),
        headers={"Cache-Control": "public, max-age=3600"},
        mimetype=_ASSETS[name],
    )


def _error_page(request: Request, error: GatewayError) -> func.HttpResponse:
    if request.accepts("application/json") or not request.accepts("text/html"):
        return problem(request, error)
    response = result_page(
        request,
        title=error.kind.title,
        message=error.detail,
        hint=hint_for(request, error),
        status=error.kind.status,
        admin_consent_url=error.admin_consent_url if isinstance(error, IdentityRefused) else None,
    )
    response.headers["X-Gateway-Source"] = error.kind.source
    return response


# A trigger whose errors are pages for a person, and problem documents for a script.
page_trigger = partial(trigger, render_error=_error_page)


def _connected(request: Request) -> func.HttpResponse:
    if request.accepts("application/json"):
        return json_response({"authorization_url": None, "status": "authorized"})
    return result_page(
        request,
        title="Connected",
        message="The gateway has obtained a token for the app itself; nobody needs to sign in.",
        integration=request.route("integration"),
    )


def _way_back(request: Request) -> str | None:
    """Return the panel's page on which the sign-in began, if it began there."""
    name = cookie_name(request.parameters.get("state", "")) + _PANEL_COOKIE
    code = request.cookies().get(name, "")
    return f"/api/panel/integrations/{code}#authorization" if is_code(code) else None


def _page(*, status: int, **values: str | None) -> func.HttpResponse:
    return func.HttpResponse(
        _template().render(values),
        status_code=status,
        headers={"Content-Security-Policy": _PAGE_POLICY},
        mimetype="text/html",
    )


@cache
def _template() -> jinja2.Template:
    import jinja2  # noqa: PLC0415 - only sign-ins need it

    loader = jinja2.FileSystemLoader(_FOLDER)
    return jinja2.Environment(loader=loader, autoescape=True).get_template("result.html")
