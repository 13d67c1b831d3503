"""Query options and server-driven paging (bc-api.md section 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from dev.simulators.business_central.edm import comparable, format_literal, parse_literal
from dev.simulators.business_central.errors import bad_request
from dev.simulators.business_central.filtering import parse_filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev.simulators.business_central.database import Row
    from dev.simulators.business_central.schema import EntitySet, Field
    from dev.simulators.business_central.target import Target

PREFERENCE = re.compile(r"(?:odata\.)?maxpagesize=\"?([1-9]\d*)")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows, the number of all rows that match, and the link to the next page."""

    rows: Sequence[Row]
    total: int
    next_query: str | None


def preferred_page_size(prefer: str | None) -> int | None:
    """Read the page size that a `Prefer` header asks for."""
    match = PREFERENCE.search(prefer or "")
    return int(match[1]) if match else None


def select_rows(rows: Sequence[Row], entity_set: EntitySet, target: Target) -> list[Row]:
    """Apply `$filter`; an unknown option such as `$apply` is ignored, as a live server did."""
    text = target.option("$filter")
    if text is None:
        return list(rows)
    matches = parse_filter(text, entity_set)
    return [row for row in rows if matches(row)]


def selected_fields(entity_set: EntitySet, target: Target) -> tuple[Field, ...]:
    """Apply `$select`; the names come back in their own case."""
    text = target.option("$select")
    if not text or text == "*":
        return entity_set.fields
    chosen = {entity_set.field(name.strip()) for name in text.split(",")}
    return tuple(field for field in entity_set.fields if field in chosen)


def take_page(rows: Sequence[Row], entity_set: EntitySet, target: Target, size: int) -> Page:
    """Cut one page out of the rows.

    With `$top` up to the page size there is no next link, even if more rows exist; beyond it
    the link carries the remainder.
    """
    matching = select_rows(rows, entity_set, target)
    ordered = _sorted(matching, entity_set, target.option("$orderby"))
    remaining = _after_token(ordered, entity_set, target)[_number(target, "$skip") or 0 :]
    top = _number(target, "$top")
    wanted = len(remaining) if top is None else min(top, len(remaining))
    page = remaining[: min(size, wanted)]
    if len(page) == wanted:
        return Page(page, len(matching), None)
    key = entity_set.key_field
    token = format_literal(key.edm, key.value(page[-1]))
    return Page(page, len(matching), _next_query(target, top and top - len(page), token))


def _sorted(rows: list[Row], entity_set: EntitySet, order: str | None) -> list[Row]:
    key = entity_set.key_field
    ordered = sorted(rows, key=key.value)
    for term in reversed(order.split(",") if order else []):
        name, _, direction = term.strip().partition(" ")
        field = entity_set.field(name)
        if direction.strip() not in ("", "asc", "desc"):
            raise bad_request(f"Syntax error in '{term}'.")
        ordered.sort(
            key=lambda row, field=field: comparable(field.edm, field.value(row)),  # type: ignore[misc]
            reverse=direction.strip() == "desc",
        )
    return ordered


def _after_token(rows: list[Row], entity_set: EntitySet, target: Target) -> list[Row]:
    """Continue behind the row whose key is the token.

    Where the row is gone meanwhile, keys in their own order still tell the place. Real tokens
    of an `$orderby` carry more values for that (assumed); here such a link has ended.
    """
    token = target.option("$skiptoken")
    if token is None:
        return rows
    key = entity_set.key_field
    try:
        last = parse_literal(key.edm, token)
    except ValueError as error:
        raise bad_request(f"The skip token {token} is not valid.") from error
    if not target.option("$orderby"):
        return [row for row in rows if key.value(row) > last]
    for position, row in enumerate(rows, start=1):
        if key.value(row) == last:
            return rows[position:]
    raise bad_request(f"The skip token {token} is not valid any more.")


def _number(target: Target, name: str) -> int | None:
    text = target.option(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise bad_request(f"'{text}' is not a valid value of the query option '{name}'.")
    return int(text)


def _next_query(target: Target, remainder: int | None, token: str) -> str:
    replaced = {"$top", "$skip", "$skiptoken", "aid"}
    kept = [(name, value) for name, value in target.options if name.lower() not in replaced]
    if remainder is not None:
        kept.append(("$top", str(remainder)))
    options = [f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in kept]
    return "&".join([*options, "aid=FIN", f"$skiptoken={quote(token, safe=chr(39))}"])
