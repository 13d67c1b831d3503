"""The operations of administrators on what is stored."""

from __future__ import annotations

from functools import partial

from shared.domain import error_kinds as kinds
from shared.services.openapi.headers import IF_MATCH, KEY, ONLY_IF_NEW
from shared.services.openapi.operations import (
    Operation,
    answer,
    empty_answer,
    in_query,
    json_body,
)
from shared.services.openapi.schemas import (
    CODE,
    FLAG,
    MOMENT,
    TEXT,
    Schema,
    page_of,
    record,
    ref,
)

_INTEGRATIONS = "/api/integrations"
_ENDPOINTS = f"{_INTEGRATIONS}/{{integration}}/endpoints"
_IDEMPOTENCY = f"{_ENDPOINTS}/{{endpoint}}/idempotency"

LIMIT = in_query(
    "limit",
    "The most entries of a page.",
    {"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
)
_PAGING = (
    in_query("after", "The code after which the page begins; nextLink has it.", CODE),
    LIMIT,
)

_READS = (kinds.GATEWAY_MISCONFIGURED, kinds.STORAGE_UNAVAILABLE)
_TAKES_JSON = (kinds.INVALID_PAYLOAD, kinds.LENGTH_REQUIRED, kinds.PAYLOAD_TOO_LARGE)
_TAKES_DEFINITION = (*_TAKES_JSON, kinds.INVALID_DEFINITION)
# The secret, and tokens that a change voids, lie in the vault.
_KEEPS_SECRETS = (kinds.VAULT_UNAVAILABLE,)
_NO_INTEGRATION = (kinds.INTEGRATION_NOT_FOUND,)
_NO_ENDPOINT = (kinds.INTEGRATION_NOT_FOUND, kinds.ENDPOINT_NOT_FOUND)


def operations() -> list[Operation]:
    """Return the operations on integrations, endpoints, and idempotency keys."""
    return [
        *_definitions("Integration", _INTEGRATIONS, missing=_NO_INTEGRATION, writes=_KEEPS_SECRETS),
        *_definitions("Endpoint", _ENDPOINTS, missing=_NO_ENDPOINT, collection=_NO_INTEGRATION),
        *_keys(),
    ]


def _definitions(
    name: str,
    path: str,
    *,
    missing: tuple[kinds.ErrorKind, ...],
    collection: tuple[kinds.ErrorKind, ...] = (),
    writes: tuple[kinds.ErrorKind, ...] = (),
) -> list[Operation]:
    """Return the operations on one collection and its members; each may raise what is named."""
    noun = name.lower()
    of_collection = partial(Operation, path=path, tag="Definitions")
    of_member = partial(Operation, path=f"{path}/{{{noun}}}", tag="Definitions")
    shown = answer(f"The {noun}.", ref(name), "ETag")
    created = answer(f"The {noun} is new.", ref(name), "ETag", "Location")
    definition, patch = ref(f"{name}Definition"), ref(f"{name}Patch")
    with_code: Schema = {"allOf": [definition, {"required": ["code"]}]}
    stores = (*_TAKES_DEFINITION, *writes, *_READS)
    return [
        of_collection(
            id=f"list{name}s",
            method="GET",
            summary=f"List the {noun}s.",
            parameters=_PAGING,
            answers={200: answer("One page.", page_of(name))},
            errors=(kinds.INVALID_PARAMETER, *collection, *_READS),
        ),
        of_collection(
            id=f"create{name}",
            method="POST",
            summary=f"Create an {noun}.",
            body=json_body(with_code),
            answers={201: created},
            errors=(kinds.ALREADY_EXISTS, *collection, *stores),
        ),
        of_member(
            id=f"get{name}",
            method="GET",
            summary=f"Show an {noun}.",
            answers={200: shown},
            errors=(*missing, *_READS),
        ),
        of_member(
            id=f"put{name}",
            method="PUT",
            summary=f"Create or replace an {noun}.",
            parameters=(IF_MATCH, ONLY_IF_NEW),
            body=json_body(definition),
            answers={200: shown, 201: created},
            errors=(kinds.ALREADY_EXISTS, kinds.CHANGED_MEANWHILE, *collection, *stores),
        ),
        of_member(
            id=f"patch{name}",
            method="PATCH",
            summary=f"Change an {noun} by a merge patch (RFC 7396).",
            parameters=(IF_MATCH,),
            body=json_body(patch),
            answers={200: shown},
            errors=(kinds.CHANGED_MEANWHILE, *missing, *stores),
        ),
        of_member(
            id=f"delete{name}",
            method="DELETE",
            summary=f"Delete an {noun} with all that belongs to it.",
            parameters=(IF_MATCH,),
            answers={204: empty_answer("It is gone.")},
            errors=(kinds.CHANGED_MEANWHILE, *missing, *writes, *_READS),
        ),
    ]


def _keys() -> list[Operation]:
    of_key = partial(Operation, path=_IDEMPOTENCY, tag="Idempotency", parameters=KEY)
    errors = (
        kinds.INVALID_IDEMPOTENCY_KEY,
        kinds.IDEMPOTENCY_KEY_NOT_FOUND,
        *(*_NO_ENDPOINT, *_READS),
    )
    kept = record(
        state={"enum": ["running", "done", "unknown"]},
        status={"type": ["integer", "null"]},
        created_on=MOMENT,
        expires_on=MOMENT,
        request_id=TEXT,
        is_body_kept=FLAG,
    )
    shown = answer("What is known of the call.", kept)
    settlement = record(outcome={"enum": ["done", "not_done"]}) | {"additionalProperties": False}
    return [
        of_key(
            id="getIdempotencyKey",
            method="GET",
            summary="Show what became of the call with a key.",
            answers={200: shown},
            errors=errors,
        ),
        of_key(
            id="settleIdempotencyKey",
            method="POST",
            summary="Say what became of a call whose outcome is unknown.",
            body=json_body(settlement),
            answers={200: shown, 204: empty_answer("The key is free: a call will be executed.")},
            errors=(
                *(kinds.INVALID_PARAMETER, kinds.NOTHING_TO_SETTLE, kinds.CHANGED_MEANWHILE),
                *(*_TAKES_JSON, *errors),
            ),
        ),
    ]
