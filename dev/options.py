"""The command line: what the developer may ask for."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dev.bench import NAMES as BENCHMARKS
from dev.paths import DEV_FOLDER
from dev.soak import NAMES as ROUNDS
from dev.soak import ROTATION_SECONDS
from dev.stack.ports import DEFAULT_PORT, MAX_INSTANCES, MAX_PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """How the local stack is to be started."""

    port: int = DEFAULT_PORT
    instances: int = 1
    state: Path = DEV_FOLDER
    is_empty: bool = False
    is_fresh: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One call of `python -m dev`."""

    verb: str
    stack: StackOptions = field(default_factory=StackOptions)
    is_once: bool = False
    is_upgrade: bool = False
    names: tuple[str, ...] = ()
    is_quick: bool = False
    seconds: int = ROTATION_SECONDS
    pytest_arguments: tuple[str, ...] = ()


def parse(arguments: Sequence[str]) -> Command:
    """Read the command line; argparse ends the process where it is wrong or asks for help."""
    if arguments[:1] == ["test"] and arguments[1:] not in (["-h"], ["--help"]):
        # Options among them are pytest's, so argparse must not see them.
        return Command(verb="test", pytest_arguments=tuple(arguments[1:]))
    found = vars(_parser().parse_args(arguments or ["--help"]))
    return Command(
        verb=found["verb"],
        stack=StackOptions(
            port=found.get("port", DEFAULT_PORT),
            instances=found.get("instances", 1),
            state=found.get("state", DEV_FOLDER).resolve(),
            is_empty=found.get("empty", False),
            is_fresh=found.get("fresh", False),
            settings=dict(found.get("set", [])),
        ),
        is_once=found.get("once", False),
        is_upgrade=found.get("upgrade", False),
        names=tuple(found.get("names", ())),
        is_quick=found.get("quick", False),
        seconds=found.get("seconds", ROTATION_SECONDS),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dev",
        description="The gateway and all it needs, on this machine: no cloud, no account, no cost.",
        epilog="`python -m dev VERB --help` tells more about a verb. Start with `run`.",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _add_run(verbs)
    _add_up(verbs)
    verbs.add_parser(
        "test",
        help="run every check: ruff, mypy, import-linter, pytest",
        description="Run every check. With arguments: run pytest alone and hand them to it.",
        usage="python -m dev test [PYTEST ARGUMENT]...",
    )
    _add_bench(verbs)
    _add_soak(verbs)
    lock = verbs.add_parser(
        "lock",
        help="pin the packages anew after requirements*.in changed",
        description="Make requirements.txt and requirements-dev.txt from their .in files.",
    )
    lock.add_argument("--upgrade", action="store_true", help="take the newest versions of all")
    verbs.add_parser(
        "docs",
        help="make docs/errors.md anew after the catalogue of errors changed",
        description="Make docs/errors.md from the catalogue of errors.",
    )
    verbs.add_parser(
        "vendor",
        help="copy the control panel's files of others anew after dev/vendored changed",
        description="Copy htmx and Pico.css from the packages that dev/vendored pins.",
    )
    return parser


def _add_run(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = verbs.add_parser(
        "run",
        help="start everything, show the main job step by step, keep serving",
        description="Start the local stack, walk through the main job for all to see, and serve.",
    )
    run.add_argument("--once", action="store_true", help="stop after the main job (exit status 0)")
    _add_common(run)


def _add_up(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    up = verbs.add_parser(
        "up",
        help="start the local stack and serve until Ctrl+C",
        description="Start the local stack in the foreground and serve until Ctrl+C.",
    )
    up.add_argument(
        "--instances",
        type=_number(1, MAX_INSTANCES),
        default=1,
        metavar="N",
        help="processes of the app, on ports PORT, PORT+1, ... (default 1)",
    )
    up.add_argument(
        "--empty", action="store_true", help="start with no integration, definition or secret"
    )
    up.add_argument(
        "--set",
        action="append",
        default=[],
        type=setting,
        metavar="NAME=VALUE",
        help="an app setting in place of the stack's own; may be given more than once",
    )
    _add_common(up)


def _add_bench(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bench = verbs.add_parser(
        "bench",
        help="measure what the gateway costs",
        description="Run the benchmarks on a stack of their own. docs/benchmark.md explains them.",
    )
    bench.add_argument(
        "names",
        nargs="*",
        type=_one_of(BENCHMARKS),
        metavar="NAME",
        help=f"{', '.join(BENCHMARKS)} (default: all)",
    )
    bench.add_argument("--quick", action="store_true", help="fewer and smaller, to see it work")


def _add_soak(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    soak = verbs.add_parser(
        "soak",
        help="run the long fault rounds, minutes",
        description="Let the platform fail in every way, each round on a fresh stack of its own;"
        " the exit status is 1 if a check failed.",
    )
    soak.add_argument(
        "names",
        nargs="*",
        type=_one_of(ROUNDS),
        metavar="ROUND",
        help=f"{', '.join(ROUNDS)} (default: all)",
    )
    soak.add_argument(
        "--seconds",
        type=_number(1, 86_400),
        default=ROTATION_SECONDS,
        metavar="N",
        help=f"how long the rotation goes on (default {ROTATION_SECONDS})",
    )


def _add_common(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--port",
        type=_number(1024, MAX_PORT),
        default=DEFAULT_PORT,
        metavar="PORT",
        help=f"where the gateway listens; the other parts follow it (default {DEFAULT_PORT})",
    )
    verb.add_argument("--fresh", action="store_true", help="forget all state of earlier runs first")
    verb.add_argument(
        "--state",
        type=Path,
        default=DEV_FOLDER,
        metavar="DIR",
        help="where state, logs and processes.json go (default .dev)",
    )


def setting(text: str) -> tuple[str, str]:
    """Split NAME=VALUE; the value may be empty, which unsets the name."""
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=VALUE")
    return name, value


def _one_of(names: Collection[str]) -> Callable[[str], str]:
    def one_of(text: str) -> str:
        if text in names:
            return text
        raise argparse.ArgumentTypeError(f"'{text}' is none of {', '.join(names)}")

    return one_of


def _number(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from {low} to {high}")

    return number
