"""What Python imports before the first answer, by `python -X importtime`."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING

from dev.bench.report import say, say_table
from dev.errors import DevError
from dev.paths import ROOT
from dev.stack.app_settings import process_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Each does what the one before it does, and more.
PROGRAMS = {
    "azure.functions": "import azure.functions",
    "function_app": "import function_app",
    "first call": "import function_app, shared.bootstrap; shared.bootstrap.get_services()",
}
# Nobody answers there, and building the services asks nobody.
SETTINGS = {
    "KEY_VAULT_URL": "https://vault.example",
    "TABLES_URL": "https://tables.example",
    "PUBLIC_URL": "https://gateway.example",
}
SHOWN_MODULES = 10
LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")


def show(*, is_quick: bool) -> None:
    """Run each program several times, by turns, and print what its imports take."""
    startup = own_milliseconds("pass").keys()
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in PROGRAMS}
    for number in range(3 if is_quick else 8):
        for name, program in PROGRAMS.items():
            imported = own_milliseconds(program)
            if number > 0:  # the first run may have to compile
                runs[name].append({each: imported[each] for each in imported.keys() - startup})
    totals = {
        name: statistics.median(sum(run.values()) for run in each) for name, each in runs.items()
    }
    base = totals["azure.functions"]
    say_table(
        ("imports of", "modules", "ms", "ratio"),
        [
            (name, str(len(runs[name][0])), f"{total:.0f}", f"{total / base:.2f}")
            for name, total in totals.items()
        ],
    )
    say()
    say_table(("heaviest modules", "own ms", "imported by"), heaviest(runs))


def heaviest(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> list[tuple[str, str, str]]:
    """Return the rows of the modules that take most, each with the first program that needs it."""
    needed_by = {module: name for name in reversed(PROGRAMS) for module in runs[name][0]}
    everything = runs["first call"]
    medians = {
        module: statistics.median(run[module] for run in everything) for module in everything[0]
    }
    modules = sorted(medians, key=medians.__getitem__, reverse=True)[:SHOWN_MODULES]
    return [(module, f"{medians[module]:.1f}", needed_by[module]) for module in modules]


def own_milliseconds(program: str) -> dict[str, float]:
    """Run a program and return the time that each module took without those it imports itself."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program],
        cwd=ROOT,
        env=process_environment() | SETTINGS,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DevError(f"{program!r} does not run:\n\n{done.stderr[-2000:]}")
    return read_own_milliseconds(done.stderr)


def read_own_milliseconds(output: str) -> dict[str, float]:
    """Read what `-X importtime` prints: microseconds of each module, alone and with its own."""
    return {name: int(own) / 1000 for own, name in LINE.findall(output)}
