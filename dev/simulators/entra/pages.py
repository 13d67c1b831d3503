"""Pages that a person sees: signing in, consenting for all, a problem, signed out.

They run no script, and like Entra's own they separate themselves from the window that opened
them (Cross-Origin-Opener-Policy), so that `window.opener` is gone when the gateway takes over.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.wrappers import Response

from dev.simulators.entra.registry import PEOPLE
from dev.simulators.entra.scopes import DEFAULT

if TYPE_CHECKING:
    from dev.simulators.entra.registry import Application
    from dev.simulators.entra.scopes import Scopes

_PERMISSION_TEXTS = {
    DEFAULT: "Work in Business Central with everything you may do there",
    "Financials.ReadWrite.All": "Read and change data in Business Central as you",
    "user_impersonation": "Work in Business Central as you",
}
_OPENID_TEXTS = {
    "openid": "Know that it is you who signs in",
    "profile": "See your name and account name",
    "email": "See your e-mail address",
    "offline_access": "Stay connected while you are away",
}

_environment = Environment(
    loader=PackageLoader("dev.simulators.entra"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def sign_in_page(
    application: Application, scopes: Scopes, *, redirect_uri: str, account: str
) -> Response:
    """Return the page on which a person picks an account and consents; `account` is preselected."""
    return _page(
        "sign_in.html",
        form_target=redirect_uri,
        application=application,
        people=PEOPLE.values(),
        account=account,
        permissions=_permissions(scopes),
    )


def admin_consent_page(application: Application, scopes: Scopes, *, redirect_uri: str) -> Response:
    """Return the page on which an administrator consents for the whole tenant."""
    return _page(
        "admin_consent.html",
        form_target=redirect_uri,
        application=application,
        permissions=_permissions(scopes),
    )


def notice_page(title: str, text: str, *, status: int = 200) -> Response:
    """Return a page that only says something."""
    return _page("notice.html", status=status, title=title, text=text)


def _permissions(scopes: Scopes) -> list[tuple[str, str]]:
    return [
        *((_PERMISSION_TEXTS[name], f"{scopes.resource}/{name}") for name in scopes.permissions),
        *((text, name) for name, text in _OPENID_TEXTS.items() if name in scopes.openid),
    ]


def _page(
    template: str, *, status: int = 200, form_target: str | None = None, **values: Any
) -> Response:
    """Render a page whose form may lead, by a redirect, to the origin of `form_target`."""
    nonce = secrets.token_urlsafe(16)
    targets = "'none'"
    if form_target is not None:
        url = urlsplit(form_target)
        targets = f"'self' {url.scheme}://{url.netloc}"
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action {targets}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return Response(
        _environment.get_template(template).render(nonce=nonce, **values),
        status=status,
        mimetype="text/html",
        headers={
            "Content-Security-Policy": policy,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "strict-origin-when-cross-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )
