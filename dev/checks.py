"""The checks of the repository, and the lock files."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dev import chromium
from dev.errors import DevError
from dev.paths import ROOT
from dev.setup.packages import run_captured

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPTS = Path(sysconfig.get_path("scripts"))
CHECKS = {
    "ruff check": [str(SCRIPTS / "ruff"), "check"],
    "ruff format": [str(SCRIPTS / "ruff"), "format", "--check"],
    "mypy": [sys.executable, "-m", "mypy"],
    "import-linter": [str(SCRIPTS / "lint-imports")],
}
PYTEST = [sys.executable, "-m", "pytest"]
LOCKS: tuple[tuple[str, str, list[str]], ...] = (
    ("requirements.in", "requirements.txt", []),
    ("requirements-dev.in", "requirements-dev.txt", ["--constraint", "requirements.txt"]),
)


def test(pytest_arguments: Sequence[str]) -> int:
    """Run every check and give an exit status; with arguments, run pytest alone with them."""
    if pytest_arguments:
        return _run([*PYTEST, *pytest_arguments])
    failed = [title for title, command in CHECKS.items() if not _passes(title, command)]
    print("pytest", flush=True)
    if _run(PYTEST) != 0:
        failed.append("pytest")
    if chromium.find() is None:
        print(f"\n{chromium.MISSING}", file=sys.stderr)
    if failed:
        print(f"\nFailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def lock(*, is_upgrade: bool) -> int:
    """Make the lock files anew; what is pinned stays as it is unless an upgrade is wanted."""
    for source, target, options in LOCKS:
        compiling = ["pip", "compile", source, "--output-file", target, "--quiet", *options]
        environment = ["--universal", "--python-version", "3.11", "--no-header"]
        upgrade = ["--upgrade"] if is_upgrade else []
        if _run([sys.executable, "-m", "uv", *compiling, *environment, *upgrade]) != 0:
            raise DevError(f"uv found no set of packages that fits {source}; it says why above.")
        file = ROOT / target
        header = f"# Locked for Python 3.11 to 3.13 from {source} by `python -m dev lock`.\n"
        file.write_text(header + file.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")
        print(f"{target} is made from {source}.")
    return 0


def _passes(title: str, command: Sequence[str]) -> bool:
    """Run a check and print its output only where it fails."""
    started = time.monotonic()
    done = run_captured(command, ROOT)
    verdict = "ok" if done.returncode == 0 else "FAILED"
    print(f"{title:<14} {verdict:<7} {time.monotonic() - started:5.1f} s", flush=True)
    if done.returncode != 0:
        print(done.stdout, flush=True)
    return done.returncode == 0


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
