"""The JSON that a vault takes and gives: https://learn.microsoft.com/rest/api/keyvault/secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from werkzeug.wrappers import Response

from dev.simulators.key_vault.store import RETENTION_DAYS, VaultError

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from dev.simulators.key_vault.store import Secret, Version

MAX_PAGE_SIZE = 25
SECONDS_A_DAY = 24 * 60 * 60


class Attributes(msgspec.Struct, frozen=True):
    """The attributes that a caller may set."""

    enabled: bool | None = None
    nbf: int | None = None
    exp: int | None = None


class Parameters(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a request that sets or updates a secret; null means the same as absent."""

    value: str | None = None
    content_type: str | None = None
    tags: dict[str, str] | None = None
    attributes: Attributes | None = None

    def properties(self) -> dict[str, Any]:
        """Return all that is given except the value, as the store names it."""
        given = msgspec.structs.asdict(self.attributes or Attributes())
        return _present(given | {"content_type": self.content_type, "tags": self.tags})


_PARAMETERS = msgspec.json.Decoder(Parameters)


def parameters(request: Request) -> Parameters:
    """Read the body of a request."""
    try:
        return _PARAMETERS.decode(request.get_data())
    except msgspec.DecodeError as error:
        raise VaultError(400, "BadParameter", str(error)) from error


class Bundles:
    """How a vault tells of its secrets, under the address by which the caller reached it."""

    def __init__(self, request: Request, *, recovery_level: str) -> None:
        """Tell of them to the sender of `request`."""
        self._origin = request.host_url
        self._recovery_level = recovery_level

    def version(self, secret: Secret, version: Version) -> dict[str, Any]:
        """Return a version without its value."""
        attributes = {
            "enabled": version.enabled,
            "nbf": version.nbf,
            "exp": version.exp,
            "created": version.created,
            "updated": version.updated,
            "recoveryLevel": self._recovery_level,
            "recoverableDays": RETENTION_DAYS,
        }
        bundle = {
            "id": f"{self._origin}secrets/{secret.name}/{version.id}",
            "contentType": version.content_type,
            "attributes": _present(attributes),
            "tags": version.tags,
        }
        return _present(bundle)

    def with_value(self, secret: Secret, version: Version) -> dict[str, Any]:
        """Return a version with its value."""
        return {"value": version.value} | self.version(secret, version)

    def item(self, secret: Secret) -> dict[str, Any]:
        """Return a secret as the list of secrets shows it."""
        identifier = {"id": f"{self._origin}secrets/{secret.name}"}
        return self.version(secret, secret.version()) | identifier

    def deleted(self, secret: Secret) -> dict[str, Any]:
        """Return a deleted secret."""
        return self.version(secret, secret.version()) | {
            "recoveryId": f"{self._origin}deletedsecrets/{secret.name}",
            "deletedDate": secret.deleted,
            "scheduledPurgeDate": secret.deleted + RETENTION_DAYS * SECONDS_A_DAY,
        }


def page_answer(request: Request, items: list[dict[str, Any]]) -> Response:
    """Answer with the items behind the one that `$skiptoken` names, in the order of their ids."""
    size = request.args.get("maxresults", MAX_PAGE_SIZE, type=int)
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise VaultError(400, "BadParameter", f"maxresults must be 1 to {MAX_PAGE_SIZE}.")
    last_seen = request.args.get("$skiptoken", "")
    rest = sorted((item for item in items if item["id"] > last_seen), key=lambda item: item["id"])
    page = rest[:size]
    link = None
    if len(rest) > size:
        query = {
            "api-version": request.args["api-version"],
            "$skiptoken": page[-1]["id"],
            "maxresults": size,
        }
        link = f"{request.base_url}?{urlencode(query, safe='$')}"
    return json_answer({"value": page, "nextLink": link})


def error_answer(error: VaultError) -> Response:
    """Answer with an error."""
    body = {"code": error.code, "message": error.message}
    inner = {"innererror": {"code": error.inner}} if error.inner else {}
    return json_answer({"error": body | inner}, error.status)


def json_answer(body: dict[str, Any], status: int = 200) -> Response:
    """Answer with a JSON document."""
    content_type = "application/json; charset=utf-8"
    return Response(msgspec.json.encode(body), status, content_type=content_type)


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
