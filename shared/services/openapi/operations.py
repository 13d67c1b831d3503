"""One operation of the API, and how OpenAPI writes it (spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from shared.domain.error_kinds import (
    ANSWER_TOO_LARGE,
    INTERNAL_ERROR,
    OUTCOME_UNKNOWN,
    UPSTREAM_REDIRECT,
    ErrorKind,
)
from shared.services.openapi.headers import ON_OWN_ANSWER, answer_headers
from shared.services.openapi.schemas import CODE, TEXT, Schema, ref

_KEYS: list[dict[str, list[str]]] = [{"functionKey": []}, {"functionKeyInUrl": []}]
_OWN = "The service's own answer, as it gave it."
_WITH_RETRY_AFTER = frozenset({429, 503})
# With a key these are kept, and told again to whoever sends the call again.
_REPLAYED = frozenset({ANSWER_TOO_LARGE, OUTCOME_UNKNOWN, UPSTREAM_REDIRECT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a caller may do, and every answer that the gateway gives to it."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    answers: dict[int, Schema]
    errors: tuple[ErrorKind, ...] = ()
    parameters: tuple[Schema, ...] = ()
    body: Schema | None = None
    is_anonymous: bool = False
    is_page: bool = False  # for browsers; scripts ask for JSON
    passes_on: bool = False  # what the service answers, as it is

    def described(self) -> dict[str, Any]:
        """Return the operation object."""
        described: dict[str, Any] = {
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "security": [] if self.is_anonymous else _KEYS,
            "parameters": [*_path_parameters(self.path), *self.parameters],
            "responses": self._responses(),
        }
        if self.body is not None:
            described["requestBody"] = self.body
        return described

    def _responses(self) -> dict[str, Any]:
        responses = {str(status): answer for status, answer in sorted(self.answers.items())}
        if not self.is_anonymous:
            responses["401"] = {"description": "The key is missing or wrong; from Azure, empty."}
        kinds = sorted({*self.errors, INTERNAL_ERROR}, key=attrgetter("status", "code"))
        for status, same in groupby(kinds, attrgetter("status")):
            responses[str(status)] = self._error(status, list(same))
        if self.passes_on:
            responses["default"] = any_answer(
                _OWN, "Idempotency-Replayed", "X-Gateway-Hint", *ON_OWN_ANSWER
            )
        return responses

    def _error(self, status: int, kinds: list[ErrorKind]) -> Schema:
        codes = {"properties": {"code": {"enum": [kind.code for kind in kinds]}}}
        content: Schema = {
            "application/problem+json": {"schema": {"allOf": [ref("Problem"), codes]}}
        }
        told = "\n".join(f"- `{kind.code}`: {kind.when}" for kind in kinds)
        names = ["Retry-After"] if status in _WITH_RETRY_AFTER else []
        names += ["Allow"] if status == 405 else []  # noqa: PLR2004
        names += ["Idempotency-Replayed"] if _REPLAYED.intersection(kinds) else []
        if self.passes_on:
            told += f"\n- {_OWN}"
            content["*/*"] = {}
            names += ["X-Gateway-Hint", *ON_OWN_ANSWER]
        if self.is_page:
            content["text/html"] = {}
        return empty_answer(told, *names) | {"content": content}


def empty_answer(description: str, *header_names: str) -> Schema:
    """Return the description of an answer without a body."""
    return {"description": description, "headers": answer_headers(*header_names)}


def answer(description: str, schema: Schema, *header_names: str) -> Schema:
    """Return the description of an answer in JSON."""
    content = {"application/json": {"schema": schema}}
    return empty_answer(description, *header_names) | {"content": content}


def any_answer(description: str, *header_names: str) -> Schema:
    """Return the description of an answer in whatever form the service gives it."""
    return empty_answer(description, *header_names) | {"content": {"*/*": {}}}


def json_body(schema: Schema) -> Schema:
    """Return the description of a body that has to be sent, in JSON."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def in_query(name: str, description: str, schema: Schema = TEXT) -> Schema:
    """Return the description of a parameter in the query."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _path_parameters(path: str) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": TEXT if name == "token" else CODE}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
