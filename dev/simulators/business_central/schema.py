"""Vocabulary to declare services: fields, entity sets and what belongs to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dev.simulators.business_central.edm import BLANKS, Edm
from dev.simulators.business_central.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dev.simulators.business_central.database import Database, Row

    BoundAction = Callable[[Database, Row], None]


@dataclass(frozen=True, slots=True)
class Field:
    """A property of an entity; `column` is where the stored row keeps it.

    `related` names the table in whose column `no` a value must exist.
    """

    name: str
    edm: Edm = Edm.STRING
    column: str = ""
    is_read_only: bool = False
    related: str | None = None

    @property
    def source(self) -> str:
        """Return the column of the stored row."""
        return self.column or self.name

    def value(self, row: Row) -> Any:
        """Return the value of a row, blank where nothing was ever assigned."""
        return row.get(self.source, BLANKS[self.edm])


@dataclass(frozen=True, slots=True)
class Lines:
    """The nested set of a document: rows whose `column` holds the parent's `parent_column`."""

    entity_set: EntitySet
    column: str
    parent_column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySet:
    """A view on one table.

    `caption` names the record in messages; `number_series` numbers new rows in their column
    `no`; `sequence` is the column that numbers the lines of a document.
    """

    name: str
    entity: str
    caption: str
    table: str
    key: str
    fields: tuple[Field, ...]
    is_read_only: bool = False
    number_series: str | None = None
    sequence: str | None = None
    lines: Lines | None = None
    actions: Mapping[str, BoundAction] = field(default_factory=dict)
    has_picture: bool = False

    @property
    def key_field(self) -> Field:
        """Return the field that identifies an entity."""
        return self.field(self.key)

    def field(self, name: str) -> Field:
        """Find a field by name in any case, as a live tenant did (bc-api.md 1.3)."""
        for candidate in self.fields:
            if candidate.name.lower() == name.lower():
                return candidate
        raise bad_request(f"Could not find a property named '{name}' on type '{self.entity}'.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One OData service: its root below the environment, and what it publishes."""

    root: str
    namespace: str
    companies: EntitySet
    sets: tuple[EntitySet, ...]
    has_codeunits: bool = False

    def find_set(self, name: str) -> EntitySet | None:
        """Find a set by its exact name."""
        return next((published for published in self.sets if published.name == name), None)
