"""What Python imports before the first answer, and how long the first answer takes."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from dev.bench.findings import Findings, Goal
from dev.bench.report import say, say_table
from dev.bench.stage import APPS
from dev.errors import DevError
from dev.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dev.bench.stage import Stage

# Each does what the one before it does, and more.
PROGRAMS = {
    "azure.functions": "import azure.functions",
    "function_app": "import function_app",
    "first call": "import function_app, shared.bootstrap; shared.bootstrap.get_services()",
}
# What any app on Functions pays that uses these services, and does nothing yet.
SDKS = "import azure.functions, azure.identity, azure.keyvault.secrets, azure.data.tables, requests"
FIRST_CALL = ("-m", "dev.bench.first_call", APPS["http"])
RUNS, QUICK_RUNS = 7, 2
SHOWN_MODULES = 10
LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")


def run(stage: Stage, *, is_quick: bool) -> Findings:
    """Measure and print both."""
    times = QUICK_RUNS if is_quick else RUNS
    environment = stage.app_environment
    imports = imported(environment, times)
    totals = {
        name: statistics.median(sum(run.values()) for run in each) for name, each in imports.items()
    }
    base = totals["azure.functions"]
    say_table(
        ("imports of", "modules", "ms", "ratio"),
        [
            (name, str(len(imports[name][0])), f"{total:.0f}", f"{total / base:.2f}")
            for name, total in totals.items()
        ],
    )
    say()
    say_table(("heaviest modules", "own ms", "imported by"), heaviest(imports))
    sdks, first_call = started(environment, times)
    say()
    say_table(
        ("from the start of the process to", "ms", "ratio"),
        [
            ("the imports of the SDKs", f"{sdks:.0f}", "1.00"),
            ("the first answered call", f"{first_call:.0f}", f"{first_call / sdks:.2f}"),
        ],
    )
    return Findings(
        {"import_ms": totals, "process_ms": {"sdks": sdks, "first_call": first_call}},
        [
            Goal(
                text="import of function_app to that of azure.functions",
                figure=totals["function_app"] / base,
                at_most=1.8,
            ),
            Goal(
                text="process start to first answer, to that of importing the SDKs",
                figure=first_call / sdks,
                at_most=2.5,
            ),
        ],
    )


def imported(environment: Mapping[str, str], times: int) -> dict[str, list[dict[str, float]]]:
    """Run each program so many times, by turns, and return what each module took."""
    startup = own_milliseconds("pass", environment).keys()
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in PROGRAMS}
    for number in range(times + 1):
        for name, program in PROGRAMS.items():
            found = own_milliseconds(program, environment)
            if number > 0:  # the first run may have to compile
                runs[name].append({each: found[each] for each in found.keys() - startup})
    return runs


def started(environment: Mapping[str, str], times: int) -> tuple[float, float]:
    """Return the milliseconds until the SDKs are imported, and until the first call is answered."""
    runs = [
        (
            milliseconds_to_line(("-c", f"{SDKS}; print(flush=True)"), environment),
            milliseconds_to_line(FIRST_CALL, environment),
        )
        for _ in range(times + 1)
    ]
    sdks, first_calls = zip(*runs[1:], strict=True)
    return statistics.median(sdks), statistics.median(first_calls)


def milliseconds_to_line(arguments: Sequence[str], environment: Mapping[str, str]) -> float:
    """Start Python and return how long it takes to print its first line."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    ) as process:
        line = process.stdout.readline() if process.stdout else b""
        taken = time.perf_counter() - began
    if not line or process.returncode != 0:
        raise DevError(f"{arguments} did not work; what it printed says why.")
    return taken * 1000


def heaviest(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> list[tuple[str, str, str]]:
    """Return the rows of the modules that take most, each with the first program that needs it."""
    needed_by = {module: name for name in reversed(PROGRAMS) for module in runs[name][0]}
    everything = runs["first call"]
    medians = {
        module: statistics.median(run[module] for run in everything) for module in everything[0]
    }
    modules = sorted(medians, key=medians.__getitem__, reverse=True)[:SHOWN_MODULES]
    return [(module, f"{medians[module]:.1f}", needed_by[module]) for module in modules]


def own_milliseconds(program: str, environment: Mapping[str, str]) -> dict[str, float]:
    """Run a program and return the time that each module took without those it imports itself."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program],
        cwd=ROOT,
        env=environment,
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
