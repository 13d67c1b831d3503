"""The vault over HTTP: who may enter, and which operation a request means.

Every identity with a token may do everything; roles and backups are not imitated.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import jwt
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from dev.sample import TENANT_ID
from dev.simulators.identity import read_claims
from dev.simulators.key_vault.messages import (
    Bundles,
    error_answer,
    json_answer,
    page_answer,
    parameters,
)
from dev.simulators.key_vault.store import VaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from wsgiref.types import StartResponse, WSGIEnvironment

    from dev.simulators.key_vault.store import Vault


class KeyVault:
    """The data plane as a WSGI application."""

    def __init__(
        self, vault: Vault, *, key: Callable[[], bytes], now: Callable[[], datetime]
    ) -> None:
        """Serve `vault` to whoever shows a token that is signed with `key` and made for it."""
        self._vault = vault
        self._key = key
        self._now = now
        self._routes = Map(
            [
                _route("GET", "/secrets", self._list),
                _route("GET", "/secrets/<name>", self._get),
                _route("PUT", "/secrets/<name>", self._set),
                _route("PATCH", "/secrets/<name>", self._update),
                _route("DELETE", "/secrets/<name>", self._delete),
                _route("GET", "/secrets/<name>/versions", self._list_versions),
                _route("GET", "/secrets/<name>/<version>", self._get),
                _route("PATCH", "/secrets/<name>/<version>", self._update),
                _route("GET", "/deletedsecrets", self._list_deleted),
                _route("GET", "/deletedsecrets/<name>", self._get_deleted),
                _route("DELETE", "/deletedsecrets/<name>", self._purge),
                _route("POST", "/deletedsecrets/<name>/recover", self._recover),
            ],
            # The client asks for the latest version by an empty one: `/secrets/name/`.
            strict_slashes=False,
            merge_slashes=False,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        response = self._challenge(request) or self._answer(request)
        return response(environ, start_response)

    def _challenge(self, request: Request) -> Response | None:
        """Refuse a request that carries no good token, and say where to get one."""
        resource = challenge_resource(request)
        problem = self._token_problem(request, resource)
        if problem is None:
            return None
        response = error_answer(VaultError(401, "Unauthorized", problem))
        response.headers["WWW-Authenticate"] = (
            f'Bearer authorization="https://login.microsoftonline.com/{TENANT_ID}", '
            f'resource="{resource}"'
        )
        return response

    def _token_problem(self, request: Request, resource: str) -> str | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return "AKV10000: Request is missing a Bearer or PoP token."
        try:
            claims = read_claims(token, key=self._key())
        except jwt.InvalidTokenError:
            return "AKV10046: Unable to resolve the key used for signature validation."
        if claims["aud"] != resource:
            return f"AKV10022: Invalid audience. Expected {resource}, found: {claims['aud']}."
        if claims["exp"] <= self._now().timestamp():
            return "Error validating token: IDX10223"
        return None

    def _answer(self, request: Request) -> Response:
        try:
            return self._perform(request)
        except VaultError as error:
            return error_answer(error)
        except HTTPException as error:
            status = HTTPStatus(error.code or 500)
            return error_answer(VaultError(status, status.phrase.replace(" ", ""), status.phrase))

    def _perform(self, request: Request) -> Response:
        if not request.args.get("api-version"):
            raise VaultError(400, "BadParameter", "api-version must be specified")
        operation, arguments = self._routes.bind_to_environ(request.environ).match()
        response: Response = operation(request, **arguments)
        return response

    def _list(self, request: Request) -> Response:
        bundles = self._bundles(request)
        return page_answer(request, [bundles.item(secret) for secret in self._vault.secrets()])

    def _get(self, request: Request, name: str, version: str = "") -> Response:
        secret = self._vault.find(name)
        found = secret.version(version)
        if not found.enabled:
            message = "Operation get is not allowed on a disabled secret."
            raise VaultError(403, "Forbidden", message, "SecretDisabled")
        return json_answer(self._bundles(request).with_value(secret, found))

    def _set(self, request: Request, name: str) -> Response:
        given = parameters(request)
        if given.value is None:
            raise VaultError(400, "BadParameter", "The property value is required.")
        secret = self._vault.set(name, given.value, **given.properties())
        return json_answer(self._bundles(request).with_value(secret, secret.version()))

    def _update(self, request: Request, name: str, version: str = "") -> Response:
        secret = self._vault.update(name, version, **parameters(request).properties())
        return json_answer(self._bundles(request).version(secret, secret.version(version)))

    def _delete(self, request: Request, name: str) -> Response:
        return json_answer(self._bundles(request).deleted(self._vault.delete(name)))

    def _list_versions(self, request: Request, name: str) -> Response:
        bundles = self._bundles(request)
        secret = self._vault.find(name)
        return page_answer(request, [bundles.version(secret, each) for each in secret.versions])

    def _list_deleted(self, request: Request) -> Response:
        bundles = self._bundles(request)
        deleted = self._vault.secrets(deleted=True)
        return page_answer(request, [bundles.deleted(secret) for secret in deleted])

    def _get_deleted(self, request: Request, name: str) -> Response:
        return json_answer(self._bundles(request).deleted(self._vault.find_deleted(name)))

    def _purge(self, _request: Request, name: str) -> Response:
        self._vault.purge(name)
        return Response(status=204)

    def _recover(self, request: Request, name: str) -> Response:
        secret = self._vault.recover(name)
        return json_answer(self._bundles(request).version(secret, secret.version()))

    def _bundles(self, request: Request) -> Bundles:
        level = "Recoverable+Purgeable" if self._vault.allow_purge else "Recoverable"
        return Bundles(request, recovery_level=level)


def challenge_resource(request: Request) -> str:
    """Return the resource that a token for this vault must be made for.

    The client accepts a challenge only if the vault's host ends with "." and the resource's host
    (https://aka.ms/azsdk/blog/vault-uri): as `https://vault.azure.net` is to
    `https://name.vault.azure.net`, so `https://0.0.1:7093` is to `https://127.0.0.1:7093`.
    """
    return f"https://{request.host.partition('.')[2]}"


def _route(method: str, path: str, operation: Callable[..., Response]) -> Rule:
    return Rule(path, methods=[method], endpoint=operation)
