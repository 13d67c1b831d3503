"""The token endpoint and its three grants.

Sources: "Microsoft identity platform and OAuth 2.0 authorization code flow", "... client
credentials flow", "Refresh tokens in the Microsoft identity platform".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev.simulators.entra.errors import aadsts
from dev.simulators.entra.grants import Grant
from dev.simulators.entra.registry import PEOPLE, SHARED_TENANTS
from dev.simulators.entra.scopes import parse_application_scope, parse_scopes

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict
    from werkzeug.wrappers import Request

    from dev.simulators.entra.client_auth import ClientAuthentication
    from dev.simulators.entra.codes import AuthorizationCodes
    from dev.simulators.entra.control import Control
    from dev.simulators.entra.grants import Grants
    from dev.simulators.entra.registry import Application
    from dev.simulators.entra.tokens import Mint


class TokenEndpoint:
    """Serves `/oauth2/v2.0/token`."""

    def __init__(
        self,
        *,
        authentication: ClientAuthentication,
        codes: AuthorizationCodes,
        grants: Grants,
        mint: Mint,
        control: Control,
    ) -> None:
        self._authentication = authentication
        self._codes = codes
        self._grants = grants
        self._mint = mint
        self._control = control

    def answer(self, request: Request, tenant: str) -> dict[str, Any]:
        """Return the JSON answer, or raise the AADSTS error."""
        grant_type = request.form.get("grant_type", "")
        self._control.count_token_call(grant_type)
        if not grant_type:
            raise aadsts(900144, name="grant_type")
        application = self._authentication.authenticate(
            request, secret_expired=self._control.settings.secret_expired
        )
        match grant_type:
            case "authorization_code":
                answer = self._by_code(request.form, application)
            case "refresh_token":
                answer = self._by_refresh_token(request.form, application)
            case "client_credentials":
                answer = self._by_client_credentials(request.form, application, tenant)
            case _:
                raise aadsts(70003, grant_type=grant_type)
        changed = answer | self._control.settings.answer_changes
        return {name: value for name, value in changed.items() if value is not None}

    def _by_code(self, form: MultiDict[str, str], application: Application) -> dict[str, Any]:
        authorization = self._codes.redeem(
            _required(form, "code"),
            client_id=application.client_id,
            redirect_uri=_required(form, "redirect_uri"),
            code_verifier=form.get("code_verifier", ""),
        )
        grant = Grant(
            client_id=application.client_id,
            upn=authorization.upn,
            scope=authorization.scope,
            claims=authorization.claims,
        )
        answer = self._delegated(grant, application, form, nonce=authorization.nonce)
        if "offline_access" in parse_scopes(grant.scope).openid:
            answer["refresh_token"] = self._grants.begin(grant)
        return answer

    def _by_refresh_token(
        self, form: MultiDict[str, str], application: Application
    ) -> dict[str, Any]:
        if "scope" in form:
            parse_scopes(form["scope"])  # refused before the refresh token is spent
        settings = self._control.settings
        grant, refresh_token = self._grants.refresh(
            _required(form, "refresh_token"),
            client_id=application.client_id,
            rotate=settings.rotate,
            strict=settings.strict_rotation,
            check=lambda grant: settings.check_policy(
                PEOPLE[grant.upn], application.client_id, grant.claims
            ),
        )
        answer = self._delegated(grant, application, form)
        if not settings.omit_refresh_token:
            answer["refresh_token"] = refresh_token
        return answer

    def _by_client_credentials(
        self, form: MultiDict[str, str], application: Application, tenant: str
    ) -> dict[str, Any]:
        if tenant.lower() in SHARED_TENANTS:
            raise aadsts(50059)
        resource = parse_application_scope(form.get("scope", ""))
        seconds = self._control.settings.access_token_seconds
        token = self._mint.access_token_of_application(application, resource, seconds=seconds)
        return self._timed(token)

    def _delegated(
        self,
        grant: Grant,
        application: Application,
        form: MultiDict[str, str],
        *,
        nonce: str | None = None,
    ) -> dict[str, Any]:
        """Answer for a person; the form may ask for other scopes than the sign-in did."""
        scopes = parse_scopes(form.get("scope", grant.scope))
        person = PEOPLE[grant.upn]
        seconds = self._control.settings.access_token_seconds
        token = self._mint.access_token_of_person(person, application, scopes, seconds=seconds)
        answer = {**self._timed(token), "scope": str(scopes)}
        if "openid" in scopes.openid:
            answer["id_token"] = self._mint.id_token(
                person, application, scopes, nonce=nonce, seconds=seconds
            )
        return answer

    def _timed(self, access_token: str) -> dict[str, Any]:
        settings = self._control.settings
        seconds: int | str = settings.access_token_seconds
        if settings.expires_in_as_text:
            seconds = str(seconds)
        return {
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": access_token,
        }


def _required(form: MultiDict[str, str], name: str) -> str:
    if not form.get(name):
        raise aadsts(900144, name=name)
    return form[name]
