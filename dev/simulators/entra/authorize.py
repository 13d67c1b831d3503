"""The authorize endpoint: checks the request, lets a person decide, sends the browser back.

Source: "Microsoft identity platform and OAuth 2.0 authorization code flow". A request whose
application or redirect URI is unknown ends on an error page; any later error goes to the
redirect URI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from werkzeug.utils import redirect

from dev.sample import USER_PRINCIPAL_NAME
from dev.simulators.entra.codes import S256_LENGTH, Authorization
from dev.simulators.entra.errors import EntraError, aadsts
from dev.simulators.entra.pages import sign_in_page
from dev.simulators.entra.registry import PEOPLE
from dev.simulators.entra.scopes import Scopes, parse_scopes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from werkzeug.wrappers import Request, Response

    from dev.simulators.entra.codes import AuthorizationCodes
    from dev.simulators.entra.control import Control
    from dev.simulators.entra.registry import Application, Registry

AUTOMATIC_LOGIN_HINT = "auto@cronus.example"
SIGN_IN_HEADER = "X-Simulator-Sign-In"


class AuthorizeEndpoint:
    """Serves `/oauth2/v2.0/authorize`; `automatic` signs in without showing a page."""

    def __init__(
        self,
        registry: Registry,
        codes: AuthorizationCodes,
        control: Control,
        *,
        automatic: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._codes = codes
        self._control = control
        self._automatic = automatic
        self._now = now

    def answer(self, request: Request) -> Response:
        """Show the sign-in page (GET), or act on what the person decided there (POST)."""
        application = self._registry.application(request.args.get("client_id", ""))
        redirect_uri = redirect_uri_of(request, application)
        try:
            scopes = _check(request)
            decision = decision_of(request, automatic=self._automatic)
            if decision == "no":
                raise aadsts(65004)
            if decision != "yes":
                account = _account(request)
                return sign_in_page(application, scopes, redirect_uri=redirect_uri, account=account)
            result = {"code": self._code(request, application, redirect_uri)}
        except EntraError as error:
            result = self._error_parameters(request, error)
        if "state" in request.args:
            result["state"] = request.args["state"]
        return redirect(f"{redirect_uri}?{urlencode(result)}")

    def _error_parameters(self, request: Request, error: EntraError) -> dict[str, str]:
        body = error.body(request.headers.get("client-request-id"), self._now())
        result = {name: body[name] for name in ("error", "error_description", "error_uri")}
        if error.error == "access_denied":
            result["error_subcode"] = "cancel"
        return result

    def _code(self, request: Request, application: Application, redirect_uri: str) -> str:
        upn = _account(request)
        if upn not in PEOPLE:
            raise aadsts(50034, upn=upn)
        claims = request.args.get("claims")
        self._control.settings.check_policy(PEOPLE[upn], application.client_id, claims)
        return self._codes.issue(
            Authorization(
                client_id=application.client_id,
                upn=upn,
                redirect_uri=redirect_uri,
                scope=request.args["scope"],
                code_challenge=request.args["code_challenge"],
                nonce=request.args.get("nonce"),
                claims=claims,
            )
        )


def redirect_uri_of(request: Request, application: Application) -> str:
    """Return where the browser goes back to, or raise an error that only a page can show."""
    redirect_uri = request.args.get("redirect_uri")
    if redirect_uri is None:
        raise aadsts(900971)
    if not application.redirects_to(redirect_uri):
        raise aadsts(50011, redirect_uri=redirect_uri, client_id=application.client_id)
    return redirect_uri


def decision_of(request: Request, *, automatic: bool) -> str | None:
    """Return "yes" or "no"; anything else means that nobody has decided yet."""
    if request.method == "POST":
        return request.form.get("decision")
    if SIGN_IN_HEADER in request.headers:
        return request.headers[SIGN_IN_HEADER]
    if automatic or request.args.get("login_hint") == AUTOMATIC_LOGIN_HINT:
        return "yes"
    return None


def _check(request: Request) -> Scopes:
    """Return the scopes of a request that the simulator supports.

    Entra also takes other response types and modes, `plain` challenges and none at all.
    """
    parameters = request.args
    response_type = parameters.get("response_type")
    if response_type is None:
        raise aadsts(900144, name="response_type")
    if response_type != "code":
        raise aadsts(70005, response_type=response_type)
    response_mode = parameters.get("response_mode", "query")
    if response_mode != "query":
        raise aadsts(70007, response_mode=response_mode)
    challenge = parameters.get("code_challenge", "")
    method = parameters.get("code_challenge_method")
    if len(challenge) != S256_LENGTH or method != "S256":
        raise aadsts(50147)
    return parse_scopes(parameters.get("scope", ""))


def _account(request: Request) -> str:
    """Return the account that the person picked, or else the one that was hinted at."""
    hint = request.args.get("login_hint")
    hinted = hint if hint in PEOPLE else USER_PRINCIPAL_NAME
    return request.form.get("account", hinted)
