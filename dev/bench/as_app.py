"""A benchmark that runs as one more process of the app, with its settings and no server in it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dev.bench.findings import Findings
from dev.bench.places import Places
from dev.errors import DevError
from dev.paths import ROOT
from dev.stack.ports import PortBlock

if TYPE_CHECKING:
    from dev.bench.stage import Stage


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the process is to do, as its command line says."""

    places: Places
    is_quick: bool
    _findings: Path

    @classmethod
    def read(cls) -> Assignment:
        """Read the command line that `run_as_app` wrote."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument("--findings", type=Path, required=True)
        parser.add_argument("--quick", action="store_true")
        options = parser.parse_args()
        return cls(Places(PortBlock(options.port)), options.quick, options.findings)

    def deliver(self, findings: Findings) -> None:
        """Hand over what was found."""
        self._findings.write_bytes(msgspec.json.encode(findings))


def run_as_app(stage: Stage, module: str, *, is_quick: bool) -> Findings:
    """Run a module of the benchmark and return its findings; DevError if it fails."""
    findings = stage.stack.folder / "findings.json"
    findings.unlink(missing_ok=True)
    options = ["--port", str(stage.places.ports.base), "--findings", str(findings)]
    command = [sys.executable, "-m", module, *options, *(["--quick"] if is_quick else [])]
    done = subprocess.run(command, cwd=ROOT, env=stage.app_environment, check=False)
    if done.returncode != 0:
        stage.stack.require_alive()
        raise DevError(f"{module} did not work; what it printed says why.")
    return msgspec.json.decode(findings.read_bytes(), type=Findings)
