"""A process of the app that answers one call: `python -m dev.bench.first_call INTEGRATION`."""

from __future__ import annotations

import os
import sys

import function_app  # noqa: F401 - what the host imports before it knows the functions
from dev.bench.ways import in_process

ANSWERED = "answered"


def main() -> None:
    """Call, tell of the answer, and end at once."""
    in_process(sys.argv[1])(b"{}")
    print(ANSWERED, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
