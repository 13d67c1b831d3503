"""A name service for the gateway's hosts: a test says where each name under .example leads.

Python imports `sitecustomize` from the PYTHONPATH when a process starts, so that what answers is
the app as it is, with another `socket.getaddrinfo`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_RESOLVER = Path(__file__).parent / "resolver"


class Names:
    """Addresses by name, from the next connection on."""

    def __init__(self, folder: Path) -> None:
        """Keep them under `folder`."""
        self._file = folder / "names.json"
        self.settings = {"PYTHONPATH": str(_RESOLVER), "NAMES_OF_TESTS": str(self._file)}
        self.point({})

    def point(self, addresses: Mapping[str, str]) -> None:
        """Let these names lead to these addresses, and no others anywhere."""
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(json.dumps(dict(addresses)), encoding="utf-8")
        unfinished.replace(self._file)
