"""Ends the parts of a stack whose own process was killed; they would run on and hold their ports.

Standard input is the life line: the stack writes the process id of each part to it, one a line, and
keeps it open. The same number below zero takes it back: the part has ended, and the id may come to
somebody else. It closes with the stack, however that ended. This works on every system, and the
parts themselves need not know of it.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Read process ids until the input closes, then end them."""
    parts: list[int] = []
    for number in map(int, sys.stdin):
        if number > 0:
            parts.append(number)
        else:
            parts.remove(-number)
    for part in reversed(parts):
        # It may have ended by itself. On Windows this kills, elsewhere it asks.
        with suppress(OSError):
            os.kill(part, signal.SIGTERM)


if __name__ == "__main__":
    main()
