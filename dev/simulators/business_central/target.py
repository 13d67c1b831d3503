"""Read a request target as OData does: split while it is encoded, decode part by part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

SEGMENT = re.compile(r"(?P<name>[^(]*)(?:\((?P<key>.*)\))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Segment:
    """One path segment: as it was sent, its name, and what stands in its parentheses."""

    text: str
    name: str
    key: str | None


@dataclass(frozen=True, slots=True)
class Target:
    """A request target: the path as it was sent, its segments and the query options."""

    path: str
    segments: tuple[Segment, ...]
    options: tuple[tuple[str, str], ...]

    def option(self, name: str) -> str | None:
        """Return a query option, matched whatever its case (`company` was seen so)."""
        return next((value for key, value in self.options if key.lower() == name), None)


def parse_target(raw: str) -> Target:
    """Split the raw target of a request line."""
    path, _, query = raw.partition("?")
    segments = tuple(_segment(text) for text in path.split("/") if text)
    return Target(path, segments, tuple(parse_qsl(query, keep_blank_values=True)))


def _segment(text: str) -> Segment:
    decoded = unquote(text)
    match = SEGMENT.fullmatch(decoded)
    if match is None:
        return Segment(text, decoded, None)
    return Segment(text, match["name"], match["key"])
