"""A gateway in a known situation: definitions stored, somebody signed in, services that answer."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from shared.domain.errors import GatewayError
from shared.services.authorization import ProviderAnswer
from shared.services.editing import Precondition
from shared.services.invocation import Call
from tests.builders import TENANT_ID, endpoint_document, integration_document
from tests.fakes import json_answer
from tests.support import World, make_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.bootstrap import Services
    from shared.domain.records import StoredIntegration
    from shared.domain.reply import Reply
    from shared.domain.tokens import TokenSet, TokenState
    from shared.domain.transport import OutboundAnswer, OutboundRequest, SendError
    from shared.services.authorization import FinishedSignIn, StartedSignIn

CODE = "CRONUS"
LISTING = "GET_WHSE_SHPT_LINES"
CLIENT_SECRET = "the client secret"
PERSON = "anna@cronus.example"
ENTRA = f"https://login.microsoftonline.com/{TENANT_ID}/oauth2/v2.0"
TOKEN_URL = f"{ENTRA}/token"
BC = "https://api.businesscentral.dynamics.com"
CALLBACK = "https://gateway.example/api/callback"
UNCONDITIONAL = Precondition()


def failure(act: Callable[[], object]) -> GatewayError:
    """Do it and return the error that it ends with."""
    with pytest.raises(GatewayError) as caught:
        act()
    return caught.value


def refusal(error: str, *numbers: int, status: int = 400) -> OutboundAnswer:
    """Return a token endpoint's refusal in Entra's form, with the numbers of its errors."""
    text = f"AADSTS{numbers[0]}: Something in Entra's words." if numbers else "In its own words."
    document = {"error": error, "error_description": text, "error_codes": numbers}
    return json_answer(document, status=status)


def claims(**values: Any) -> str:
    """Return a JWT that nobody signed."""
    middle = base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()
    return f"e30.{middle}.c2ln"


class Provider:
    """A provider's token endpoint; unless told otherwise, it rotates refresh tokens.

    It refuses a refresh token that was traded before, so that no test misses that one was lost.
    """

    def __init__(self) -> None:
        self.life = 3600
        self.is_rotating = True
        self.nonce: str | None = None
        self.forms: list[dict[str, str]] = []
        self.instead: OutboundAnswer | SendError | None = None
        self.changes: dict[str, Any] = {}
        self.afterwards: Callable[[], object] = lambda: None
        self._issued = 0
        self._refresh_token = ""

    def __call__(self, request: OutboundRequest) -> OutboundAnswer | SendError:
        """Answer as a token endpoint does; then, on the answer's way back, `afterwards` happens."""
        form = dict(parse_qsl((request.body or b"").decode()))
        self.forms.append(form)
        try:
            return self.instead or self._answer(form)
        finally:
            self.afterwards()

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return len(self.forms)

    def _answer(self, form: dict[str, str]) -> OutboundAnswer:
        if form.get("refresh_token", self._refresh_token) != self._refresh_token:
            return refusal("invalid_grant", 70008)
        self._issued += 1
        granted = {
            "token_type": "Bearer",
            "access_token": f"access-{self._issued}",
            "expires_in": self.life,
        }
        if form["grant_type"] == "authorization_code":
            granted["id_token"] = claims(preferred_username=PERSON, nonce=self.nonce)
        if form["grant_type"] == "authorization_code" or "refresh_token" in form:
            granted |= self._renewed_grant(is_new="refresh_token" not in form)
        granted |= self.changes
        return json_answer({name: value for name, value in granted.items() if value is not None})

    def _renewed_grant(self, *, is_new: bool) -> dict[str, str]:
        if not (is_new or self.is_rotating):
            return {}
        self._refresh_token = f"refresh-{self._issued}"
        return {"refresh_token": self._refresh_token}


@dataclass(kw_only=True)
class Scene(World):
    """A gateway whose integration signs in at a rotating provider."""

    provider: Provider = field(default_factory=Provider)

    def __post_init__(self) -> None:
        """Start with nothing stored."""
        super().__post_init__()
        self.http.script(TOKEN_URL, self.provider)

    def integrate(self, **changes: Any) -> StoredIntegration:
        """Store an integration with its secret."""
        document = integration_document(client_secret=CLIENT_SECRET) | changes
        code = self.services.integrations.create(document).document["code"]
        return self.record(code)

    def offer(self, integration: str = CODE, **changes: Any) -> None:
        """Store an endpoint."""
        self.services.endpoints.create(integration, endpoint_document(**changes))

    def record(self, code: str = CODE) -> StoredIntegration:
        """Return the integration as it is stored."""
        return self.integrations.rows[code, ""]

    def state(self, code: str = CODE) -> TokenState:
        """Return what is stored about the integration's tokens."""
        return self.states.rows[code].state

    def kept_tokens(self, code: str = CODE) -> dict[str, Any] | None:
        """Return the tokens that lie in the vault."""
        versions = self.secrets.versions.get(f"{code.replace('_', '-')}-tokens")
        return json.loads(list(versions.values())[-1].reveal()) if versions else None

    def sign_in(self, code: str = CODE, services: Services | None = None) -> FinishedSignIn:
        """Let a person sign in, from the first redirect to the last."""
        authorization = (services or self.services).authorization
        started = authorization.begin(code)
        assert started is not None
        return authorization.finish(self.consent(started), cookies(started))

    def consent(self, started: StartedSignIn) -> ProviderAnswer:
        """Return what the provider's page sends back when the person agrees."""
        asked = parameters(started.authorization_url)
        self.provider.nonce = asked.get("nonce")
        return ProviderAnswer(
            unverified_state=asked["state"], code="the-code", error="", error_description=""
        )

    def token(self, services: Services | None = None, code: str = CODE) -> str:
        """Return the access token that a call would use."""
        return self.tokens(services, code).access_token.reveal()

    def tokens(self, services: Services | None = None, code: str = CODE) -> TokenSet:
        """Return the tokens that a call would use."""
        return (services or self.services).tokens.for_call(self.record(code))

    def invoke(
        self,
        endpoint: str = LISTING,
        *,
        integration: str = CODE,
        services: Services | None = None,
        **changes: Any,
    ) -> Reply:
        """Run an endpoint as a caller does."""
        call = {"method": "POST", "query": "", "headers": {}, "body": b""} | changes
        call |= {"integration": integration, "endpoint": endpoint, "request_id": "request-1"}
        return (services or self.services).invocation.run(Call(**call))

    def stored_calls(self) -> int:
        """Count the calls to storage and vault so far."""
        definitions = (self.integrations, self.endpoints)
        stores = (*definitions, self.states, self.sign_ins, self.idempotency)
        notes = (self.activity, self.audit)
        return sum(port.calls.total() for port in (*stores, *notes, self.secrets))


def parameters(url: str) -> dict[str, str]:
    """Return the parameters in a URL's query; none may stand there twice."""
    values = parse_qs(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    assert all(len(value) == 1 for value in values.values())
    return {name: value[0] for name, value in values.items()}


def cookies(started: StartedSignIn) -> dict[str, str]:
    """Return the cookies of the browser in which the sign-in began."""
    return {started.cookie_name: started.cookie_value}


def serving(reply: OutboundAnswer | SendError | None = None, **endpoint: Any) -> Scene:
    """Return a gateway with one endpoint, a person signed in, and a service that replies so."""
    limits = make_settings(MAX_PAYLOAD_BYTES="2000", MAX_ANSWER_BYTES="5000")
    scene = Scene(settings=limits)
    scene.http.on(BC, reply or json_answer({"value": "done"}))
    scene.integrate()
    scene.offer(**endpoint)
    scene.sign_in()
    return scene
