"""The managed identity endpoint that App Service puts beside an app.

An app finds it in `IDENTITY_ENDPOINT` and proves with `IDENTITY_HEADER` that it is the app itself.
Microsoft describes request and answer under "REST endpoint reference" in
https://learn.microsoft.com/azure/app-service/overview-managed-identity; the errors are the ones
that people report. What a wrong header is answered with is written nowhere: 401 is our guess.

The endpoint serves one identity. It is system-assigned to whoever names none, and user-assigned to
whoever names it by one of its ids. A token is a JWT signed with a key in the state folder, where
the simulated services read it as the real ones read Entra's public keys.
"""

from __future__ import annotations

import argparse
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import msgspec
from werkzeug.wrappers import Request, Response

from dev.faults import Faults
from dev.sample import TENANT_ID
from dev.serving import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from jwt.types import Options

PATH = "/msi/token"
API_VERSION = "2019-08-01"
TOKEN_LIFETIME = timedelta(hours=24)

CLIENT_ID = "bbbbbbbb-cccc-4ddd-8eee-ffffffffffff"
PRINCIPAL_ID = "cccccccc-dddd-4eee-8fff-aaaaaaaaaaaa"
# MSAL says `object_id` where Microsoft's page says `principal_id`.
IDENTIFIERS = {"client_id": CLIENT_ID, "principal_id": PRINCIPAL_ID, "object_id": PRINCIPAL_ID}

# What an app asks for to sign in elsewhere without a secret (workload identity federation).
TOKEN_EXCHANGE = "api://AzureADTokenExchange"

KEY_FILE = "identity.key"
ALGORITHM = "HS256"


class ManagedIdentity:
    """The endpoint as a WSGI application."""

    def __init__(self, *, header: str, key: bytes, now: Callable[[], datetime]) -> None:
        """Give tokens signed with `key` to whoever knows `header`."""
        self._header = header
        self._key = key
        self._now = now

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request for a token."""
        request = Request(environ)
        status, answer = self._refusal(request) or (200, self._token(request.args["resource"]))
        response = Response(msgspec.json.encode(answer), status, content_type="application/json")
        return response(environ, start_response)

    def _refusal(self, request: Request) -> tuple[int, dict[str, Any]] | None:
        named = {name: request.args[name] for name in IDENTIFIERS if name in request.args}
        if (request.method, request.path) != ("GET", PATH):
            return _error(404, "Not Found")
        if request.headers.get("X-IDENTITY-HEADER") != self._header:
            return _error(401, "The header X-IDENTITY-HEADER is missing or wrong.")
        if request.args.get("api-version") != API_VERSION or not request.args.get("resource"):
            return _error(400, f"api-version={API_VERSION} and a resource are required.")
        if any(IDENTIFIERS[name] != value.lower() for name, value in named.items()):
            return _error(
                400,
                "No User Assigned or Delegated Managed Identity found for specified "
                "ClientId/ResourceId/PrincipalId.",
            )
        # Entra knows resources here, not scopes, and its refusal of an unknown one comes out so.
        if request.args["resource"].endswith("/.default"):
            return _error(500, "An unexpected error occured while fetching the AAD Token.")
        return None

    def _token(self, resource: str) -> dict[str, str]:
        issued = self._now()
        expires = issued + TOKEN_LIFETIME
        claims = {
            "aud": resource,
            "iat": int(issued.timestamp()),
            "nbf": int(issued.timestamp()),
            "exp": int(expires.timestamp()),
            "sub": PRINCIPAL_ID,
            "oid": PRINCIPAL_ID,
            "tid": TENANT_ID,
        }
        # The audience decides which version of the token Entra issues.
        if resource == TOKEN_EXCHANGE:
            issuer = f"https://login.microsoftonline.com/{TENANT_ID}/v2.0"
            claims |= {"iss": issuer, "azp": CLIENT_ID, "ver": "2.0"}
        else:
            issuer = f"https://sts.windows.net/{TENANT_ID}/"
            claims |= {"iss": issuer, "appid": CLIENT_ID, "ver": "1.0"}
        return {
            "access_token": jwt.encode(claims, self._key, ALGORITHM),
            "client_id": CLIENT_ID.upper(),
            "expires_on": str(claims["exp"]),
            "resource": resource,
            "token_type": "Bearer",
        }


def _error(status: int, message: str) -> tuple[int, dict[str, Any]]:
    correlation_id = str(uuid.uuid4())
    return status, {"statusCode": status, "message": message, "correlationId": correlation_id}


def signing_key(state: Path) -> bytes:
    """Return the key of this state folder, made on first use; only this simulator may make it."""
    path = state / KEY_FILE
    if not path.exists():
        state.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(secrets.token_bytes(32))
        unfinished.replace(path)
    return path.read_bytes()


def read_claims(token: str, *, key: bytes) -> dict[str, Any]:
    """Return the claims of a token that this identity signed, else raise `jwt.InvalidTokenError`.

    Whether audience and times fit is for the called service to judge, by its own name and clock.
    """
    unjudged: Options = {
        "verify_aud": False,
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
    }
    return jwt.decode(token, key, algorithms=[ALGORITHM], options=unjudged)


def main() -> None:
    """Serve the endpoint until the process is told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--header", required=True, help="what the app finds in IDENTITY_HEADER")
    options = parser.parse_args()
    identity = ManagedIdentity(
        header=options.header, key=signing_key(options.state), now=partial(datetime.now, UTC)
    )
    LoopbackServer(Faults(identity), port=options.port).serve()


if __name__ == "__main__":
    main()
