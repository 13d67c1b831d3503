"""Files of the simulator that survive a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file at `path`, so that a reader finds the old or the new content, whole."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
