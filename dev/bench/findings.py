"""What a benchmark finds: its figures, and how they compare with what was aimed at."""

from __future__ import annotations

from typing import Any

import msgspec

from dev.bench.report import say_table


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """A figure and the bound that it is to keep."""

    text: str
    figure: float
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_met(self) -> bool:
        """Tell whether the figure keeps its bound."""
        is_too_high = self.at_most is not None and self.figure > self.at_most
        is_too_low = self.at_least is not None and self.figure < self.at_least
        return not (is_too_high or is_too_low)

    @property
    def bound(self) -> str:
        """The bound in words."""
        if self.at_most is not None:
            return f"at most {self.at_most:g}"
        return f"at least {self.at_least:g}"


class Findings(msgspec.Struct, frozen=True):
    """The figures of a benchmark, in the form in which JSON tells them, and its goals."""

    figures: Any
    goals: list[Goal] = []


def say_goals(goals: list[Goal]) -> None:
    """Print each goal with its figure, and whether it is met."""
    say_table(
        ("goal", "bound", "figure", ""),
        [
            (goal.text, goal.bound, f"{goal.figure:.2f}", "met" if goal.is_met else "MISSED")
            for goal in goals
        ],
    )
