"""Rules for the names and values of headers and query parameters that a definition stores."""

from __future__ import annotations

import re

from shared.domain.documents import pointer
from shared.domain.errors import FieldProblem
from shared.domain.paths import control_problem
from shared.domain.queries import canonical_name

_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # token, RFC 9110 section 5.6.2
_CREDENTIAL = re.compile(
    r"authorization|cookie|token|secret|passw|credential|signature|api[-_]?key|[-_]key$"
    r"|^(code|key|sig)$"
)
_CONNECTION_HEADERS = frozenset(
    {
        "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer",
        "transfer-encoding", "upgrade", "accept-encoding", "client-request-id",
    }
)  # fmt: skip
# Some servers let these replace the method, host or path of the request.
_OVERRIDE = re.compile(
    r"forwarded|x-forwarded-.*|x-(http-)?method(-override)?|x-(original|rewrite)-url"
)


def header_problems(headers: dict[str, str]) -> list[FieldProblem]:
    """Check stored request headers."""
    problems = []
    for name, value in headers.items():
        message = None
        if not _HEADER_NAME.fullmatch(name):
            message = "is not a valid header name"
        elif name.lower() in _CONNECTION_HEADERS:
            message = "is set by the gateway itself"
        elif _OVERRIDE.fullmatch(name.lower()):
            message = "may not be stored: it can turn the call into another one"
        elif carries_credentials(name):
            message = "may not be stored: the name stands for a credential"
        elif control_problem(value) or not value.isascii() or value != value.strip():
            message = "must have a value of printable ASCII, without a space at either end"
        if message:
            problems.append(FieldProblem(pointer("headers", name), message))
    return problems


def query_problems(query: dict[str, str]) -> list[FieldProblem]:
    """Check stored query parameters."""
    problems = []
    for name, value in query.items():
        message = None
        if not name or control_problem(name) or any(mark in name for mark in "&=?#%+ "):
            message = "is not a valid parameter name"
        elif carries_credentials(canonical_name(name)):
            message = "may not be stored: the name stands for a credential"
        elif canonical_name(name) == "company":
            message = "is set from the company; use the field company"
        elif control_problem(value):
            message = "must not hold control characters in its value"
        if message:
            problems.append(FieldProblem(pointer("query", name), message))
    return problems


def carries_credentials(name: str) -> bool:
    """Tell whether a header or parameter of this name would carry a credential."""
    return _CREDENTIAL.search(name.lower()) is not None
