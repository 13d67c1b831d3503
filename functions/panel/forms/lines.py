"""Fields of several values, written as lines: lists one value each, maps as `name=value`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def to_list(text: str) -> list[str]:
    """Return the lines that hold something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def to_map(text: str) -> dict[str, str]:
    """Return the pairs; ValueError for a line without an equals sign, or a name twice."""
    pairs: dict[str, str] = {}
    for line in to_list(text):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise ValueError(f"write {line!r} as name=value")
        if name in pairs:
            raise ValueError(f"names {name!r} twice")
        pairs[name] = value
    return pairs


def from_list(values: Iterable[str]) -> str:
    """Return a list as lines."""
    return "\n".join(values)


def from_map(pairs: Mapping[str, str]) -> str:
    """Return a map as lines."""
    return "\n".join(f"{name}={value}" for name, value in pairs.items())
