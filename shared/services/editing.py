"""What the administration of integrations and of endpoints has in common."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.domain.codes import fold
from shared.domain.error_kinds import ALREADY_EXISTS, CHANGED_MEANWHILE
from shared.domain.errors import FieldProblem, GatewayError, invalid_definition
from shared.ports import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet


@dataclass(frozen=True, slots=True)
class Precondition:
    """The headers If-Match and If-None-Match of a write (RFC 9110 section 13)."""

    if_match: str | None = None
    if_none_match: str | None = None

    def check(self, etag: str | None) -> None:
        """Raise GatewayError `changed_meanwhile` unless the stored `etag` satisfies them."""
        if self.if_none_match is not None and etag is not None:
            raise changed_meanwhile("It exists already.")
        if self.if_match is None:
            return
        if etag is None:
            raise changed_meanwhile("It does not exist any more.")
        wanted = {part.strip() for part in self.if_match.split(",")}
        if wanted.isdisjoint({"*", etag}):
            raise changed_meanwhile("The ETag in If-Match is not the current one.")


@dataclass(frozen=True, slots=True)
class Saved:
    """What a write leaves: the document as GET shows it, its ETag, and whether it is new."""

    document: dict[str, Any]
    etag: str
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `next_after` is the code after which the next one begins."""

    documents: list[dict[str, Any]]
    next_after: str | None


def changed_meanwhile(detail: str) -> GatewayError:
    """Return the error for a write that rests on something older."""
    return GatewayError(CHANGED_MEANWHILE, detail)


@contextmanager
def conflicts_told(code: str, *, is_new: bool = False) -> Iterator[None]:
    """Tell a store's Conflict as the error that it is for the one who writes."""
    try:
        yield
    except Conflict as error:
        if is_new:
            raise already_exists(code) from error
        raise changed_meanwhile("Somebody changed it at the same time.") from error


def already_exists(code: str) -> GatewayError:
    """Return the error for a code that is taken."""
    return GatewayError(ALREADY_EXISTS, f"There is already a definition with the code {code}.")


def with_code(document: dict[str, Any], code: str) -> dict[str, Any]:
    """Return the document with the URL's code; a body that names another one is refused."""
    given = document.get("code")
    if given is not None and not (isinstance(given, str) and fold(given) == code):
        raise invalid_definition([FieldProblem("/code", f"must be {code}, as in the URL")])
    return document | {"code": code}


def without(document: dict[str, Any], names: AbstractSet[str]) -> dict[str, Any]:
    """Return the document without the named fields."""
    return {name: value for name, value in document.items() if name not in names}
