"""One log line per event, as JSON: the host forwards a message's text and nothing else of it."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

_log = logging.getLogger("gateway")


def log_event(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Log `event` with its fields; a Secret among them fails, as it should."""
    if _log.isEnabledFor(level):
        _log.log(level, "%s", msgspec.json.encode({"event": event} | fields).decode())
