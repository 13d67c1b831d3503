"""A strict OpenID provider that is not Microsoft's: it takes the specifications at their word.

RFC 6749 and 9700 (OAuth 2.0 and its best practice), RFC 7636 (PKCE), RFC 7009 (revocation),
RFC 9207 (iss in the redirect), OpenID Connect Core 1.0 (nonce, offline_access).
"""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

import jwt

from tests.e2e.foreign.grants import Client, Consent, Family, Grants, Refused
from tests.e2e.foreign.server import NotingServer, Reply, Seen

PERSON = "anna@foreign.example"
_JSON = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}
_FORM = "application/x-www-form-urlencoded"
_SIGNING_KEY = "the gateway cannot know this key, and needs not"
_S256_LENGTH = 43

Form = dict[str, str]


class Provider(NotingServer):
    """Serves /authorize, where every person consents at once, /token and /revoke."""

    def __init__(self) -> None:
        """Listen."""
        super().__init__()
        self.grants = Grants()
        self.expires_in: float = 3600
        self.instead: Reply | None = None
        self.id_tokens: list[str] = []
        self._clients: dict[str, Client] = {}
        self._lock = threading.Lock()

    def register(self, client: Client) -> None:
        """Add a client, or change it."""
        self._clients[client.id] = client

    def calls(self, path: str, grant_type: str = "") -> list[Form]:
        """Return the forms that were posted to a path, those of one grant type if it is named."""
        forms = [_pairs(seen.body.decode()) for seen in self.seen if seen.path == path]
        return [form for form in forms if grant_type in ("", form.get("grant_type"))]

    def reply(self, request: Seen) -> Reply:
        """Answer a request; with `instead`, where one is set."""
        if self.instead is not None:
            return self.instead
        try:
            with self._lock:
                match request.method, request.path:
                    case "GET", "/authorize":
                        return self._authorize(_pairs(request.query))
                    case "POST", "/token":
                        return _json(self._token(request))
                    case "POST", "/revoke":
                        client, form = self._client(request)
                        self.grants.revoke(client, _required(form, "token"))
                        return Reply()
            return Reply(404)
        except Refused as refused:
            headers = _JSON | ({"WWW-Authenticate": "Basic"} if refused.status == 401 else {})
            return Reply(refused.status, json.dumps({"error": refused.error}).encode(), headers)

    def _authorize(self, parameters: Form) -> Reply:
        client = self._clients.get(parameters.get("client_id", ""))
        target = parameters.get("redirect_uri", "")
        if client is None or target not in client.redirect_uris:
            raise Refused("invalid_request")  # shown to the person: nobody may be redirected
        answer = {"state": parameters.get("state", ""), "iss": self.url}
        try:
            answer["code"] = self.grants.new_code(_consent(client, target, parameters))
        except Refused as refused:
            answer["error"] = refused.error
        return Reply(303, headers={"Location": f"{target}?{urlencode(answer)}"})

    def _token(self, request: Seen) -> dict[str, Any]:
        client, form = self._client(request)
        kind = _required(form, "grant_type")
        if kind not in client.grants:
            raise Refused("unauthorized_client")
        if kind == "client_credentials":
            family = Family(client=client, scopes=_scopes(form, client.scopes))
            return self._granted(family)
        if kind == "authorization_code":
            code, target = _required(form, "code"), _required(form, "redirect_uri")
            verifier = _required(form, "code_verifier")
            family = self.grants.redeem(client, code, target, verifier)
            return self._granted(family) | {"id_token": self._id_token(family)}
        family = self.grants.find(client, _required(form, "refresh_token"))
        _scopes(form, family.scopes)
        return self._granted(family)

    def _client(self, request: Seen) -> tuple[Client, Form]:
        """Return who calls and with what form; each has one way to prove itself, used alone."""
        if request.header("Content-Type").partition(";")[0] != _FORM:
            raise Refused("invalid_request")
        form = _pairs(request.body.decode())
        scheme, _, encoded = request.header("Authorization").partition(" ")
        if scheme and "client_secret" in form:
            raise Refused("invalid_request")  # RFC 6749 section 2.3
        method, client_id, secret = "client_secret_post", form.get("client_id", ""), ""
        if scheme == "Basic":
            method, pair = "client_secret_basic", base64.b64decode(encoded).decode()
            client_id, secret = (unquote_plus(part) for part in pair.split(":"))
        client = self._clients.get(client_id)
        secret = secret or form.get("client_secret", "")
        if client is None or (client.method, client.secret) != (method, secret):
            raise Refused("invalid_client", 401)
        if form.get("client_id", client_id) != client_id:
            raise Refused("invalid_request")
        return client, form

    def _granted(self, family: Family) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "access_token": self.grants.new_access_token(family),
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "scope": " ".join(sorted(family.scopes)),
        }
        if "offline_access" in family.scopes:
            answer["refresh_token"] = self.grants.new_refresh_token(family)
        return answer

    def _id_token(self, family: Family) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": family.client.id,
            "sub": "4711",
            "email": PERSON,
        }
        claims |= {"iat": now, "exp": now + 300} | ({"nonce": family.nonce} if family.nonce else {})
        self.id_tokens.append(jwt.encode(claims, _SIGNING_KEY))
        return self.id_tokens[-1]


def _consent(client: Client, target: str, parameters: Form) -> Consent:
    if parameters.get("response_type") != "code":
        raise Refused("unsupported_response_type")
    if parameters.get("response_mode", "query") != "query":
        raise Refused("invalid_request")
    challenge = parameters.get("code_challenge", "")
    if parameters.get("code_challenge_method") != "S256" or len(challenge) != _S256_LENGTH:
        raise Refused("invalid_request")
    if not parameters.get("state"):
        raise Refused("invalid_request")
    scopes = _scopes(parameters, client.scopes)
    if "consent" not in parameters.get("prompt", "").split():
        scopes -= {"offline_access"}  # OpenID Connect Core 11: ignored without consent
    return Consent(
        client=client,
        redirect_uri=target,
        challenge=challenge,
        scopes=scopes,
        nonce=parameters.get("nonce"),
    )


def _scopes(parameters: Form, allowed: frozenset[str]) -> frozenset[str]:
    """Return the scopes that are asked for, all that are allowed if none are; no other ones."""
    asked = frozenset(parameters.get("scope", "").split()) or allowed
    if not asked <= allowed:
        raise Refused("invalid_scope")
    return asked


def _pairs(encoded: str) -> Form:
    """Return the parameters, of which none may be there twice (RFC 6749 sections 3.1 and 3.2)."""
    pairs = parse_qsl(encoded, keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        raise Refused("invalid_request")
    return dict(pairs)


def _required(form: Form, name: str) -> str:
    if not form.get(name):
        raise Refused("invalid_request")
    return form[name]


def _json(answer: dict[str, Any]) -> Reply:
    return Reply(200, json.dumps(answer).encode(), _JSON)
