"""App Service Authentication ("Easy Auth") with Microsoft Entra ID, open to anonymous requests.

While it is on, no request from outside can carry its headers; for a signed-in person they are set
from the session cookie. While it is off, the host passes such headers on as they came. The token
store is not modelled: nobody gets `X-MS-TOKEN-*`.
https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from werkzeug.http import dump_cookie

from dev import sample
from dev.host.messages import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dev.host.messages import Header, Incoming

PATHS = "/.auth/"
COOKIE = "AppServiceAuthSession"
ADMINISTRATOR_ROLE = "Gateway.Admin"
# What App Service gives a session when nothing else is configured.
SESSION_LIFETIME = timedelta(hours=8)

_SESSION = re.compile(rf"(?:^|;) *{COOKIE}=([\w=-]+)\.([0-9a-f]+)(?=;|$)", re.ASCII)
_OWN_HEADERS = ("x-ms-client-principal", "x-ms-token-")
# A browser reads `//host` and `/\host` as another host, and drops control characters before.
_LOCAL_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]*")
_SIGN_IN_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sign in</title>
<h1>Sign in</h1>
<p>Stands for the sign-in of Microsoft Entra ID. Be whom you like.</p>
<form method="post" action="/.auth/login/aad">
<input type="hidden" name="post_login_redirect_uri" value="{redirect}">
<p><label>Name <input name="name" value="{name}" required></label></p>
<p><label><input type="checkbox" name="role" value="{role}" checked> app role {role}</label></p>
<p><button>Sign in</button></p>
</form></html>
"""


def is_enabled(settings: Mapping[str, str]) -> bool:
    """Tell whether the feature is on, as the host does: by what .NET reads as a true boolean."""
    return settings.get("WEBSITE_AUTH_ENABLED", "").strip().lower() == "true"


@dataclass(frozen=True)
class Person:
    """Who is signed in."""

    name: str
    is_administrator: bool

    @property
    def user_name(self) -> str:
        """Give the user principal name: the first name at the sample tenant."""
        domain = sample.USER_PRINCIPAL_NAME.partition("@")[2]
        return f"{self.name.split()[0].lower()}@{domain}"

    @property
    def object_id(self) -> str:
        """Give the id of the person's account, the same at each sign-in."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.user_name))

    @property
    def claims(self) -> list[dict[str, str]]:
        """Give the claims of the person's token."""
        claims = {
            "name": self.name,
            "preferred_username": self.user_name,
            "oid": self.object_id,
        }
        if self.is_administrator:
            claims["roles"] = ADMINISTRATOR_ROLE
        return [{"typ": name, "val": value} for name, value in claims.items()]

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers that tell the app about the person."""
        principal = {
            "auth_typ": "aad",
            "name_typ": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
            "role_typ": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
            "claims": self.claims,
        }
        return {
            "x-ms-client-principal": base64.b64encode(json.dumps(principal).encode()).decode(),
            "x-ms-client-principal-id": self.object_id,
            "x-ms-client-principal-name": self.user_name,
            "x-ms-client-principal-idp": "aad",
        }


class EasyAuth:
    """The pages below `/.auth/`, and the headers of those who signed in there."""

    def __init__(self, key: bytes, *, now: Callable[[], datetime]) -> None:
        """Sign session cookies with `key`; instances that share it accept each other's."""
        self._key = key
        self._now = now

    def answer(self, request: Incoming) -> Answer:
        """Answer a request below `/.auth/`."""
        match request.path.lower(), request.method:
            case "/.auth/login/aad", "POST":
                return self._sign_in(request)
            case "/.auth/login/aad", _:
                return self._sign_in_page(request)
            case "/.auth/logout", _:
                target = request.first_query_value("post_logout_redirect_uri")
                return _redirect(target, dump_cookie(COOKIE, max_age=0, httponly=True))
            case "/.auth/me", _:
                return self._me(request)
            case _:
                return Answer(status=HTTPStatus.NOT_FOUND)

    def identify(self, request: Incoming) -> Incoming:
        """Give the request as the app may see it: with Easy Auth's own headers only."""
        headers = {
            name: value
            for name, value in request.headers.items()
            if not name.startswith(_OWN_HEADERS)
        }
        person = self._person(request)
        return replace(request, headers=headers | (person.headers if person else {}))

    def _sign_in_page(self, request: Incoming) -> Answer:
        redirect = request.first_query_value("post_login_redirect_uri") or "/"
        page = _SIGN_IN_PAGE.format(
            redirect=escape(redirect), name=escape(sample.USER_NAME), role=ADMINISTRATOR_ROLE
        )
        return Answer(
            status=HTTPStatus.OK,
            headers=(("Content-Type", "text/html; charset=utf-8"),),
            body=page.encode(),
        )

    def _sign_in(self, request: Incoming) -> Answer:
        form = parse_qs(request.body.decode(errors="replace"))
        name = form.get("name", [""])[0].strip() or sample.USER_NAME
        person = Person(name, is_administrator=ADMINISTRATOR_ROLE in form.get("role", []))
        session = dump_cookie(COOKIE, self._session(person), httponly=True, samesite="Lax")
        return _redirect(form.get("post_login_redirect_uri", [""])[0], session)

    def _me(self, request: Incoming) -> Answer:
        person = self._person(request)
        if person is None:
            return Answer(status=HTTPStatus.UNAUTHORIZED)
        identity = {
            "provider_name": "aad",
            "user_id": person.user_name,
            "user_claims": person.claims,
        }
        return Answer(
            status=HTTPStatus.OK,
            headers=(("Content-Type", "application/json"),),
            body=json.dumps([identity]).encode(),
        )

    def _session(self, person: Person) -> str:
        expires = (self._now() + SESSION_LIFETIME).timestamp()
        payload = json.dumps(asdict(person) | {"expires": expires}).encode()
        return f"{base64.urlsafe_b64encode(payload).decode()}.{self._signature(payload)}"

    def _person(self, request: Incoming) -> Person | None:
        session = _SESSION.search(request.headers.get("cookie", ""))
        if session is None:
            return None
        encoded, signature = session.groups()
        try:
            payload = base64.urlsafe_b64decode(encoded)
        except ValueError:
            return None
        if not hmac.compare_digest(self._signature(payload), signature):
            return None
        content = json.loads(payload)
        if content.pop("expires") < self._now().timestamp():
            return None
        return Person(**content)

    def _signature(self, payload: bytes) -> str:
        return hmac.digest(self._key, payload, "sha256").hex()


def _redirect(target: str | None, cookie: str) -> Answer:
    """Go on to a path of this app, and to none elsewhere."""
    location = target if target and _LOCAL_PATH.fullmatch(target) else "/"
    headers: tuple[Header, ...] = (("Location", location), ("Set-Cookie", cookie))
    return Answer(status=HTTPStatus.FOUND, headers=headers)
