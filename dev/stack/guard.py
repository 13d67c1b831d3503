"""Ends the parts of a stack whose own process was killed; they would run on and hold their ports.

Standard input is the life line: the stack writes the process id of each part to it, one a line, and
keeps it open. It closes with the stack, however that ended. This works on every system, and the
parts themselves need not know of it.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Read process ids until the input closes, then end them."""
    parts = [int(line) for line in sys.stdin]
    for part in reversed(parts):
        # It may have ended by itself. On Windows this kills, elsewhere it asks.
        with suppress(OSError):
            os.kill(part, signal.SIGTERM)


if __name__ == "__main__":
    main()
