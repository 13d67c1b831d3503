"""The answer to a call, as its caller gets it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers and body; usually the upstream's own."""

    status: int
    headers: dict[str, str]
    body: bytes
