"""The files of others that the control panel serves, pinned by npm's lock file in `dev/vendored`.

They stand in the repository, since the app is deployed without a build step.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dev.paths import ROOT
from dev.setup.node import install_locked

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGES = ROOT / "dev/vendored"
FOLDER = ROOT / "functions/panel/static/vendor"
SUMS = "SHA256SUMS"
# Per package: what is taken of it, and under which name; {} is its version.
_TAKEN: Mapping[str, Mapping[str, str]] = {
    "@picocss/pico": {
        "css/pico.min.css": "pico-{}.min.css",
        "LICENSE.md": "pico-{}.LICENSE.md",
    },
    "htmx.org": {
        "dist/htmx.min.js": "htmx-{}.min.js",
        "LICENSE": "htmx-{}.LICENSE",
    },
}


def write() -> None:
    """Copy the files anew from their packages, and write down their SHA-256 sums."""
    with TemporaryDirectory() as temporary:
        installed = Path(temporary)
        install_locked(PACKAGES, installed, title="Getting the panel's files through npm")
        shutil.rmtree(FOLDER)
        FOLDER.mkdir()
        for source, name in sources().items():
            shutil.copyfile(installed / "node_modules" / source, FOLDER / name)
    (FOLDER / SUMS).write_text(sums(), encoding="utf-8", newline="\n")
    print(f"{FOLDER.relative_to(ROOT)} is made from {PACKAGES.relative_to(ROOT)}.")


def sources() -> dict[str, str]:
    """Give the files by where they come from below `node_modules`, at the locked versions."""
    lock = json.loads((PACKAGES / "package-lock.json").read_text(encoding="utf-8"))
    versions = {
        package: lock["packages"][f"node_modules/{package}"]["version"] for package in _TAKEN
    }
    return {
        f"{package}/{source}": name.format(versions[package])
        for package, files in _TAKEN.items()
        for source, name in files.items()
    }


def sums() -> str:
    """Give the sums of the files as they are, in the form that `sha256sum --check` reads."""
    files = sorted(file for file in FOLDER.iterdir() if file.name != SUMS)
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files
    )
