"""What the rounds found: one line for each check."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Report:
    """Prints each check with its figures, and remembers which failed."""

    failed: list[str] = field(default_factory=list)

    def check(self, what: str, *, is_ok: bool, figures: str) -> None:
        """Tell how a check went."""
        if not is_ok:
            self.failed.append(f"{what}: {figures}")
        print(f"  {'ok' if is_ok else 'FAILED':<7}{what}: {figures}", flush=True)
