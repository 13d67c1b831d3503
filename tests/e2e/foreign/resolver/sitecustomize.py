"""Resolve the names under .example as the test says, in the process that imports this."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

_NAMES = Path(os.environ["NAMES_OF_TESTS"])
_resolve = socket.getaddrinfo


def _resolve_as_told(host: Any, *args: Any, **options: Any) -> list[Any]:
    if isinstance(host, str) and host.endswith(".example"):
        host = json.loads(_NAMES.read_text(encoding="utf-8")).get(host, host)
    return _resolve(host, *args, **options)


socket.getaddrinfo = _resolve_as_told
