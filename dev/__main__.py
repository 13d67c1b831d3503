"""`python -m dev`: sets itself up with nothing but Python, then runs the command."""

from __future__ import annotations

import sys
from pathlib import Path

OLDEST = (3, 11)
NEWEST = (3, 13)


def complaint(version: tuple[int, int], *, package: str | None, folder: Path) -> str | None:
    """Tell why the command cannot start like this, or None where it can.

    Kept apart from the other modules, which an older Python could not even read.
    """
    root = Path(__file__).resolve().parent.parent
    if not package or folder.resolve() != root:
        return f"Run it from the repository's folder:\n\n    cd {root}\n    python -m dev"
    if not OLDEST <= version <= NEWEST:
        return (
            f"This is Python {version[0]}.{version[1]}; the gateway needs 3.11, 3.12 or 3.13.\n"
            "Install one of them beside it (from python.org, your system's packages or\n"
            "`winget install Python.Python.3.13`) and call it by its name:\n\n"
            "    python3.13 -m dev        Linux, macOS\n"
            "    py -3.13 -m dev          Windows"
        )
    return None


def main() -> int:
    """Run the command line and give its exit status."""
    problem = complaint(sys.version_info[:2], package=__package__, folder=Path.cwd())
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1
    from dev.cli import main as run  # noqa: PLC0415 (only a supported Python can read it)

    return run(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
