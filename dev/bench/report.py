"""Figures for reading: percentiles, and tables in plain text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest of the values that so many percent of them do not exceed."""
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(rank, 1) - 1]


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Set rows below their headers: the first column to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    ruler = ["-" * width for width in widths]
    return "\n".join(_line(cells, widths) for cells in (headers, ruler, *rows))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])


def say(text: str = "") -> None:
    """Print at once: a process that this one starts prints to the same place."""
    print(text, flush=True)


def say_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below their headers."""
    say(table(headers, rows))
