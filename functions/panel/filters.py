"""How values are shown on the panel's pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def time(moment: datetime | None, missing: str = "never") -> Markup | str:
    """Show a moment in UTC; the panel's script shows it in the viewer's own time zone."""
    if moment is None:
        return missing
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        utc.isoformat(timespec="seconds"), utc.strftime("%Y-%m-%d %H:%M")
    )


def as_json(value: Any) -> str:
    """Show a value as JSON that a person can read."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def duration(seconds: float | None, missing: str = "-") -> str:
    """Show a span of time by its two largest units at most."""
    if seconds is None:
        return missing
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    left, shown = round(seconds), []
    for unit, length in units:
        amount, left = divmod(left, length)
        if amount:
            shown.append(f"{amount} {unit}")
    return " ".join(shown[:2]) or "0 s"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "time": time,
    "as_json": as_json,
    "duration": duration,
}
