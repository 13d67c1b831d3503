"""The operations of administrators on what is stored."""

from __future__ import annotations

from shared.domain import error_kinds as kinds
from shared.services.openapi.operations import (
    Operation,
    answer,
    empty_answer,
    in_header,
    in_query,
    json_body,
)
from shared.services.openapi.schemas import (
    CODE,
    MOMENT,
    TEXT,
    Schema,
    page_of,
    record,
    ref,
)

_INTEGRATIONS = "/api/integrations"
_INTEGRATION = "/api/integrations/{integration}"
_ENDPOINTS = "/api/integrations/{integration}/endpoints"
_ENDPOINT = "/api/integrations/{integration}/endpoints/{endpoint}"
_IDEMPOTENCY = "/api/integrations/{integration}/endpoints/{endpoint}/idempotency"

_PAGING = (
    in_query("after", "The code after which the page begins; nextLink has it.", CODE),
    in_query("limit", "The most entries of a page.",
             {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}),
)  # fmt: skip
_IF_MATCH = in_header("If-Match", "The ETag of the version that the change is meant for.")
_IF_NONE_MATCH = in_header("If-None-Match", "With *, create and never replace.")

_READS = (kinds.GATEWAY_MISCONFIGURED, kinds.STORAGE_UNAVAILABLE)
_TAKES_DOCUMENT = (
    kinds.INVALID_PAYLOAD,
    kinds.LENGTH_REQUIRED,
    kinds.PAYLOAD_TOO_LARGE,
    kinds.INVALID_DEFINITION,
)
# The secret, and tokens that a change voids, lie in the vault.
_KEEPS_SECRETS = (kinds.VAULT_UNAVAILABLE,)
_NO_INTEGRATION = (kinds.INTEGRATION_NOT_FOUND,)
_NO_ENDPOINT = (kinds.INTEGRATION_NOT_FOUND, kinds.ENDPOINT_NOT_FOUND)


def operations() -> list[Operation]:
    """Return the operations on integrations, endpoints, and idempotency keys."""
    return [
        *_definitions(
            "Integration",
            _INTEGRATIONS,
            _INTEGRATION,
            writes=_KEEPS_SECRETS,
            missing=_NO_INTEGRATION,
        ),
        *_definitions(
            "Endpoint",
            _ENDPOINTS,
            _ENDPOINT,
            collection=_NO_INTEGRATION,
            missing=_NO_ENDPOINT,
        ),
        *_keys(),
    ]


def _definitions(
    name: str,
    collection_path: str,
    member_path: str,
    *,
    missing: tuple[kinds.ErrorKind, ...],
    collection: tuple[kinds.ErrorKind, ...] = (),
    writes: tuple[kinds.ErrorKind, ...] = (),
) -> list[Operation]:
    """Return the operations on one collection and its members; each may raise what is named."""
    noun, tag = name.lower(), "Definitions"
    shown = answer(f"The {noun}.", ref(name), "ETag")
    created = answer(f"The {noun} is new.", ref(name), "ETag", "Location")
    definition, patch = ref(f"{name}Definition"), ref(f"{name}Patch")
    with_code: Schema = {"allOf": [definition, {"required": ["code"]}]}
    return [
        Operation(
            id=f"list{name}s",
            method="GET",
            path=collection_path,
            tag=tag,
            summary=f"List the {noun}s.",
            parameters=_PAGING,
            answers={200: answer("One page.", page_of(name))},
            errors=(kinds.INVALID_PARAMETER, *collection, *_READS),
        ),
        Operation(
            id=f"create{name}",
            method="POST",
            path=collection_path,
            tag=tag,
            summary=f"Create an {noun}.",
            body=json_body(with_code),
            answers={201: created},
            errors=(kinds.ALREADY_EXISTS, *_TAKES_DOCUMENT, *collection, *writes, *_READS),
        ),
        Operation(
            id=f"get{name}",
            method="GET",
            path=member_path,
            tag=tag,
            summary=f"Show an {noun}.",
            answers={200: shown},
            errors=(*missing, *_READS),
        ),
        Operation(
            id=f"put{name}",
            method="PUT",
            path=member_path,
            tag=tag,
            summary=f"Create or replace an {noun}.",
            parameters=(_IF_MATCH, _IF_NONE_MATCH),
            body=json_body(definition),
            answers={200: shown, 201: created},
            errors=(
                *(kinds.ALREADY_EXISTS, kinds.CHANGED_MEANWHILE),
                *(*_TAKES_DOCUMENT, *collection, *writes, *_READS),
            ),
        ),
        Operation(
            id=f"patch{name}",
            method="PATCH",
            path=member_path,
            tag=tag,
            summary=f"Change an {noun} by a merge patch (RFC 7396).",
            parameters=(_IF_MATCH,),
            body=json_body(patch),
            answers={200: shown},
            errors=(kinds.CHANGED_MEANWHILE, *_TAKES_DOCUMENT, *missing, *writes, *_READS),
        ),
        Operation(
            id=f"delete{name}",
            method="DELETE",
            path=member_path,
            tag=tag,
            summary=f"Delete an {noun} with all that belongs to it.",
            parameters=(_IF_MATCH,),
            answers={204: empty_answer("It is gone.")},
            errors=(kinds.CHANGED_MEANWHILE, *missing, *writes, *_READS),
        ),
    ]


def _keys() -> list[Operation]:
    key = in_header("Idempotency-Key", "The key that a call came with.") | {"required": True}
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
        is_body_kept={"type": "boolean"},
    )
    shown = answer("What is known of the call.", kept)
    settlement = record(outcome={"enum": ["done", "not_done"]}) | {"additionalProperties": False}
    return [
        Operation(
            id="getIdempotencyKey",
            method="GET",
            path=_IDEMPOTENCY,
            tag="Idempotency",
            summary="Show what became of the call with a key.",
            parameters=(key,),
            answers={200: shown},
            errors=errors,
        ),
        Operation(
            id="settleIdempotencyKey",
            method="POST",
            path=_IDEMPOTENCY,
            tag="Idempotency",
            summary="Say what became of a call whose outcome is unknown.",
            parameters=(key,),
            body=json_body(settlement),
            answers={200: shown, 204: empty_answer("The key is free: a call will be executed.")},
            errors=(
                *(kinds.INVALID_PARAMETER, kinds.INVALID_PAYLOAD, kinds.LENGTH_REQUIRED),
                *(kinds.PAYLOAD_TOO_LARGE, kinds.NOTHING_TO_SETTLE, kinds.CHANGED_MEANWHILE),
                *errors,
            ),
        ),
    ]
