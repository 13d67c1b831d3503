"""From the command line to the work: set up, change over to `.venv`, run the verb."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dev import options
from dev.errors import DevError
from dev.paths import DEV_FOLDER
from dev.setup import node, packages
from dev.setup.locking import locked

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run one command and give its exit status."""
    command = options.parse(arguments)
    try:
        with locked(DEV_FOLDER / "setup.lock", on_busy=_say_waiting):
            packages.prepare_packages()
            packages.prepare_local_settings()
            if command.verb not in ("lock", "vendor"):
                node.prepare_azurite()
        if not packages.is_inside_venv():
            return packages.rerun_inside_venv(arguments)
        from dev import commands  # noqa: PLC0415 (its packages are there only from here on)

        return commands.run(command)
    except DevError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return INTERRUPTED


def _say_waiting() -> None:
    print("Another `python -m dev` is setting things up; waiting for it ...", flush=True)
