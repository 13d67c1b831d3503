"""Routes of the simulator, as a WSGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from dev.sample import CLIENT_ID, TENANT_ID
from dev.simulators.entra.admin_consent import AdminConsentEndpoint
from dev.simulators.entra.authorize import AuthorizeEndpoint
from dev.simulators.entra.client_auth import ClientAuthentication
from dev.simulators.entra.codes import AuthorizationCodes
from dev.simulators.entra.control import Control
from dev.simulators.entra.errors import EntraError
from dev.simulators.entra.grants import Grants
from dev.simulators.entra.pages import notice_page
from dev.simulators.entra.registry import Registry, resolve_tenant
from dev.simulators.entra.token_endpoint import TokenEndpoint
from dev.simulators.entra.tokens import Mint, SigningKey
from dev.simulators.identity import KEY_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

    from dev.simulators.entra.control import Settings

_ROUTES = Map(
    [
        Rule("/<tenant>/oauth2/v2.0/authorize", endpoint="authorize", methods=["GET", "POST"]),
        Rule("/<tenant>/oauth2/v2.0/token", endpoint="token", methods=["POST"]),
        Rule("/<tenant>/v2.0/adminconsent", endpoint="admin_consent", methods=["GET", "POST"]),
        Rule("/<tenant>/oauth2/v2.0/logout", endpoint="logout", methods=["GET"]),
        Rule(
            "/<tenant>/v2.0/.well-known/openid-configuration",
            endpoint="discovery",
            methods=["GET"],
        ),
        Rule("/<tenant>/discovery/v2.0/keys", endpoint="keys", methods=["GET"]),
        Rule("/_control/<name>", endpoint="control"),
    ]
)


class Entra:
    """The tenant at `base_url`, with its key, grants and certificates in the folder `state`."""

    def __init__(
        self,
        base_url: str,
        *,
        state: Path,
        settings: Settings,
        automatic: bool,
        now: Callable[[], datetime],
    ) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._tenant_url = f"{base_url}/{TENANT_ID}"
        self._now = now
        self._registry = Registry(state / "entra-certificates.json")
        self._key = SigningKey(state / "entra-key.pem")
        codes = AuthorizationCodes(now)
        grants = Grants(state / "entra-grants.json", now)
        self._control = Control(settings, registry=self._registry, grants=grants)
        self._authorize_endpoint = AuthorizeEndpoint(
            self._registry, codes, self._control, automatic=automatic, now=now
        )
        self._admin_consent_endpoint = AdminConsentEndpoint(
            self._registry, self._control, automatic=automatic, now=now
        )
        self._token_endpoint = TokenEndpoint(
            authentication=ClientAuthentication(
                self._registry,
                token_url=f"{self._tenant_url}/oauth2/v2.0/token",
                identity_key=state / KEY_FILE,
                now=now,
            ),
            codes=codes,
            grants=grants,
            mint=Mint(self._key, issuer=f"{self._tenant_url}/v2.0", now=now),
            control=self._control,
        )
        self._handlers: dict[str, Callable[..., Response]] = {
            "authorize": self._authorize,
            "admin_consent": self._admin_consent,
            "token": self._token,
            "logout": self._logout,
            "discovery": self._discovery,
            "keys": self._keys,
            "control": self._control.answer,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; no answer may be cached."""
        request = Request(environ)
        try:
            endpoint, values = _ROUTES.bind_to_environ(environ).match()
            response = self._handlers[endpoint](request, **values)
        except EntraError as error:
            body = error.body(request.headers.get("client-request-id"), self._now())
            response = _json(body, status=error.status)
        except HTTPException as error:
            return error(environ, start_response)
        response.headers["Cache-Control"] = "no-store"
        return response(environ, start_response)

    def _authorize(self, request: Request, tenant: str) -> Response:
        self._control.count_authorize_call()
        return _shown(self._authorize_endpoint.answer, request, tenant)

    def _admin_consent(self, request: Request, tenant: str) -> Response:
        return _shown(self._admin_consent_endpoint.answer, request, tenant)

    def _token(self, request: Request, tenant: str) -> Response:
        resolve_tenant(tenant)
        return _json(self._token_endpoint.answer(request, tenant))

    def _logout(self, request: Request, tenant: str) -> Response:
        """End the browser's session, which the simulator does not keep, and go where allowed."""
        resolve_tenant(tenant)
        target = request.args.get("post_logout_redirect_uri", "")
        if self._registry.application(CLIENT_ID).redirects_to(target):
            return redirect(target)
        return notice_page("You signed out", "Close the windows that you had open.")

    def _discovery(self, _request: Request, tenant: str) -> Response:
        """Describe the tenant (OpenID Connect Discovery 1.0); Entra has no revocation endpoint."""
        resolve_tenant(tenant)
        return _json(
            {
                "issuer": f"{self._tenant_url}/v2.0",
                "authorization_endpoint": f"{self._tenant_url}/oauth2/v2.0/authorize",
                "token_endpoint": f"{self._tenant_url}/oauth2/v2.0/token",
                "end_session_endpoint": f"{self._tenant_url}/oauth2/v2.0/logout",
                "jwks_uri": f"{self._tenant_url}/discovery/v2.0/keys",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
            }
        )

    def _keys(self, _request: Request, tenant: str) -> Response:
        resolve_tenant(tenant)
        return _json(self._key.key_set())


def _shown(answer: Callable[[Request], Response], request: Request, tenant: str) -> Response:
    """Return the answer; an error that has nowhere to go is shown to the person."""
    try:
        resolve_tenant(tenant)
        return answer(request)
    except EntraError as error:
        return notice_page("That did not work", error.description, status=error.status)


def _json(answer: dict[str, Any], *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status=status, mimetype="application/json")
