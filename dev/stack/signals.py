"""How the stack is told to stop: Ctrl+C, SIGTERM, Ctrl+Break."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# SIGBREAK is Windows' alone.
STOP_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
]


def raise_on_stop_signals() -> None:
    """Let every stop signal raise KeyboardInterrupt, as Ctrl+C does."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)


@contextmanager
def stop_signals_ignored() -> Iterator[None]:
    """Ignore stop signals for a while: an impatient second Ctrl+C must leave no process behind."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
