"""Make `.venv` with the locked packages. Standard library alone: nothing is installed yet."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from dev.errors import DevError
from dev.paths import ROOT, VENV, VENV_PYTHON

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LOCKS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
STAMP = VENV / "setup-stamp"
NETWORK_HINT = (
    "Is this machine online, and may it reach the package registries? Behind a company proxy, set\n"
    "HTTPS_PROXY (and, if the proxy signs with its own certificate, PIP_CERT and\n"
    "NODE_EXTRA_CA_CERTS). Then run the same command again: it goes on where it stopped."
)
SHOWN_LINES = 25


def prepare_packages() -> None:
    """Make `.venv` hold what the lock files name; do nothing if it does already."""
    wanted = fingerprint(LOCKS, f"Python {sys.version_info.major}.{sys.version_info.minor}")
    if VENV_PYTHON.exists() and stamped(STAMP) == wanted:
        return
    if not _is_usable():
        _make_venv()
    install(ROOT / "requirements-dev.txt", "Installing the Python packages into .venv")
    STAMP.write_text(wanted, encoding="utf-8")


def prepare_local_settings() -> None:
    """Give Core Tools the settings that go with the stack, unless somebody made their own."""
    settings = ROOT / "local.settings.json"
    if not settings.exists():
        shutil.copyfile(ROOT / "local.settings.example.json", settings)


def install(requirements: Path, title: str) -> None:
    """Install a requirements file into `.venv`."""
    pip = [str(VENV_PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    run_step(title, [*pip, "install", "-r", str(requirements)], hint=NETWORK_HINT)


def run_step(title: str, command: Sequence[str], *, hint: str, cwd: Path = ROOT) -> None:
    """Run one command of the setup, shown by its title; its output is shown only if it fails."""
    print(f"{title} ...", flush=True)
    started = time.monotonic()
    done = run_captured(command, cwd)
    if done.returncode != 0:
        output = "\n".join(f"    {line}" for line in done.stdout.splitlines()[-SHOWN_LINES:])
        raise DevError(f"{title} failed (exit status {done.returncode}):\n\n{output}\n\n{hint}")
    print(f"  done in {time.monotonic() - started:.0f} s", flush=True)


def run_captured(command: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command and give its exit status with all that it printed, in its order."""
    return subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def fingerprint(files: Sequence[Path], *others: str) -> str:
    """Give a text that changes when a file or one of the other texts does."""
    digest = hashlib.sha256()
    for file in files:
        # Git may turn line ends on Windows; that is no change.
        digest.update(file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    for other in others:
        digest.update(other.encode() + b"\0")
    return digest.hexdigest()


def stamped(stamp: Path) -> str | None:
    """Read what an earlier setup wrote when it was done, None if none was."""
    try:
        return stamp.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def is_inside_venv() -> bool:
    """Tell whether this process runs on the Python of `.venv`."""
    return os.path.realpath(sys.prefix) == os.path.realpath(VENV)


def rerun_inside_venv(arguments: Sequence[str]) -> int:
    """Run the same command on the Python of `.venv` and give its exit status."""
    command = [str(VENV_PYTHON), "-m", "dev", *arguments]
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)  # noqa: S606 (no shell is wanted)
    with subprocess.Popen(command) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # Windows hands Ctrl+C to both; the other one stops its parts and ends.
                continue


def _is_usable() -> bool:
    """Tell whether `.venv` works, has pip and is of this Python's version."""
    version = "import pip, sys; print(*sys.version_info[:2])"
    try:
        found = subprocess.run(
            [str(VENV_PYTHON), "-c", version], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return found.stdout.split() == [str(part) for part in sys.version_info[:2]]


def _make_venv() -> None:
    if is_inside_venv():
        raise DevError(
            f"The virtual environment {VENV} has no working pip.\n"
            "Delete that folder and run this again with the Python that you installed."
        )
    run_step(
        "Making the virtual environment .venv",
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        hint="On Debian and Ubuntu the module is a package of its own: apt install python3-venv",
    )
