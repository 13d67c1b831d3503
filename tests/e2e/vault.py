"""What the simulated vault keeps on the disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.processes import SharedStack


def values_in_vault(stack: SharedStack) -> dict[str, list[str]]:
    """Return all versions of every secret by its name, the newest one last."""
    text = (stack.folder / "state" / "key-vault.json").read_text(encoding="utf-8")
    return {
        name: [version["value"] for version in secret["versions"]]
        for name, secret in json.loads(text).items()
    }
