"""A collection of entities: the rows of a set in one database, or the lines of a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from dev.simulators.business_central.edm import format_literal, parse_literal
from dev.simulators.business_central.errors import query_syntax_error, record_not_found

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dev.simulators.business_central.database import Database, Row
    from dev.simulators.business_central.schema import EntitySet


QUOTE = "'"


@dataclass(frozen=True, slots=True)
class Collection:
    """What a URL names: `path` stands in contexts, `parent` holds the values all rows share."""

    entity_set: EntitySet
    database: Database
    path: str
    parent: Mapping[str, Any] = field(default_factory=dict)

    def rows(self) -> list[Row]:
        """Return all rows."""
        return self.database.select(self.entity_set.table, **self.parent)

    def row(self, key: str) -> Row:
        """Find a row by the literal of its key: `{guid}`, `'10000'` or `No='10000'`."""
        wanted = self.entity_set.key_field
        literal = key.removeprefix(f"{wanted.name}=")
        try:
            value = parse_literal(wanted.edm, literal)
        except ValueError as error:
            raise query_syntax_error() from error
        for row in self.rows():
            if wanted.value(row) == value:
                return row
        raise record_not_found(self.entity_set.caption, f"{wanted.name}={literal}")

    def key(self, row: Row) -> str:
        """Return the literal of a row's key."""
        key_field = self.entity_set.key_field
        return format_literal(key_field.edm, key_field.value(row))

    def entity_path(self, row: Row) -> str:
        """Return the path of one of the rows below the service root."""
        return f"{self.path}({quote(self.key(row), safe=QUOTE)})"

    def lines(self, row: Row) -> Collection | None:
        """Return the collection nested in one of the rows, if the set has one."""
        lines = self.entity_set.lines
        if lines is None:
            return None
        return Collection(
            lines.entity_set,
            self.database,
            f"{self.entity_path(row)}/{lines.entity_set.name}",
            {lines.column: row[lines.parent_column]},
        )
