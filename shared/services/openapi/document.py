"""The document as it is served: made once, the same for everybody, and nothing confidential."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from shared import __version__
from shared.services.openapi import invoke, management, sign_in
from shared.services.openapi.operations import Operation
from shared.services.openapi.schemas import TEXT, schemas

_DESCRIPTION = (
    "Calls Business Central by name: nobody but the gateway handles tokens, tenants and URLs. "
    "An error of the gateway is `application/problem+json`; the header `X-Gateway-Source` tells "
    "who speaks. Power Automate resends 408, 429 and 5xx by itself: the gateway answers so only "
    "where that is safe."
)
_HEADERS = {
    "X-Gateway-Source": "Who speaks: gateway, identity or upstream.",
    "X-Gateway-Request-Id": "The id of this call, in the gateway's log and in Business Central's.",
    "X-Gateway-Warning": "What must not be believed.",
    "X-Gateway-Truncated": "Which limit cut gw_all_pages off: rows, bytes or time.",
    "X-Gateway-Hint": "What to do about this error of Business Central.",
    "Idempotency-Replayed": "true where the answer is that of an earlier call with the same key.",
    "Retry-After": "After how many seconds to send the call again.",
    "Allow": "The methods that are allowed.",
    "ETag": "The version, for If-Match and If-None-Match.",
    "Location": "Where it is.",
    "Set-Cookie": "Ties the sign-in to this browser.",
    "Preference-Applied": "Which of Prefer the service went by.",
    "OData-Version": "The version of OData.",
    "request-id": "The id that Business Central gave to the call.",
}


@dataclass(frozen=True, slots=True)
class Served:
    """The bytes of the document, and their ETag."""

    body: bytes
    etag: str


@functools.cache
def served() -> Served:
    """Return the document as it is served."""
    body = msgspec.json.encode(document())
    return Served(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def document() -> dict[str, Any]:
    """Return the document (OpenAPI 3.1.0)."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Business Central Gateway",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": _paths([*invoke.operations(), *management.operations(), *sign_in.operations()]),
        "components": {
            "schemas": schemas(),
            "headers": {
                name: {"description": description, "schema": TEXT}
                for name, description in _HEADERS.items()
            },
            "securitySchemes": {
                "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "functionKeyInUrl": {"type": "apiKey", "in": "query", "name": "code"},
            },
        },
    }


def _paths(operations: list[Operation]) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = operation.described()
    return paths
