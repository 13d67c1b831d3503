"""The document as it is served: made once, the same for everybody, and nothing confidential."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from shared import __version__
from shared.services.openapi import audit, invoke, management, sign_in
from shared.services.openapi.headers import header_components
from shared.services.openapi.operations import Operation
from shared.services.openapi.schemas import schemas

_DESCRIPTION = (
    "Calls Business Central by name: nobody but the gateway handles tokens, tenants and URLs. "
    "An error of the gateway is `application/problem+json`; the header `X-Gateway-Source` tells "
    "who speaks. Power Automate resends 408, 429 and 5xx by itself: the gateway answers so only "
    "where that is safe."
)


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
        "paths": _paths(
            [
                *invoke.operations(),
                *management.operations(),
                *audit.operations(),
                *sign_in.operations(),
            ]
        ),
        "components": {
            "schemas": schemas(),
            "headers": header_components(),
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
