"""What the simulated vault keeps on the disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dev.stack.running import Stack


def values_in_vault(stack: Stack) -> dict[str, list[str]]:
    """Return all versions of every secret by its name, the newest one last."""
    files = (stack.folder / "state" / "key-vault").glob("*.json")
    return {
        file.stem: [version["value"] for version in json.loads(file.read_text("utf-8"))["versions"]]
        for file in files
    }
