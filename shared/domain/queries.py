"""Query strings as callers send them, and how a server may come to read them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_plus

from shared.domain.paths import control_problem, lenient

_ALWAYS_RESERVED = frozenset({"company", "tenant"})


@dataclass(frozen=True, slots=True)
class Pair:
    """One `name=value` of a query: as it came, and as it is compared and used."""

    raw: str
    name: str
    value: str

    @property
    def is_for_gateway(self) -> bool:
        """Tell whether it ends at the gateway: the function key, and what begins with gw_."""
        return self.name == "code" or self.name.startswith("gw_")

    @property
    def names(self) -> set[str]:
        """Return all names that some server might find in it: some split at semicolons too."""
        return {self.name} | {_name(part) for part in self.raw.split(";") if part}

    @property
    def is_reserved(self) -> bool:
        """Tell whether some server might take it for a name that no caller may set."""
        # Some servers end a name at a control character.
        return bool(self.names & _ALWAYS_RESERVED) or control_problem(self.name) is not None


def parse_query(query: str) -> list[Pair]:
    """Split a raw query (without its question mark) into its pairs."""
    return [
        Pair(raw=raw, name=_name(raw), value=unquote_plus(raw.partition("=")[2]))
        for raw in filter(None, query.split("&"))
    ]


def canonical_name(name: str) -> str:
    """Return the one form of a parameter's name, however a server may come to read it."""
    # Servers ignore case and OData 4.01 the dollar sign of system options; some trim.
    return lenient(name).casefold().strip().lstrip("?$ ")


def _name(raw: str) -> str:
    return canonical_name(raw.partition("=")[0].replace("+", " "))
