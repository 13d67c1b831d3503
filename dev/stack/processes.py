"""Start the parts of the stack as processes, watch them, and end them all."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from dev.errors import DevError
from dev.paths import ROOT
from dev.stack.ports import is_listening
from dev.stack.signals import stop_signals_ignored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

POLL_SECONDS = 0.05
GRACE_SECONDS = 5
SHOWN_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process of the stack. Parts of a higher `tier` use the lower ones and end first."""

    name: str
    command: Sequence[str]
    port: int
    tier: int
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Processes:
    """The running parts of one stack, each with its output in a file of its name under `logs`."""

    logs: Path
    _life_line: IO[bytes]
    _parts: dict[str, Part] = field(default_factory=dict)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, part: Part) -> None:
        """Start a part and tell the guard of it."""
        self._parts[part.name] = part
        self._launch(part, "wb")

    def kill(self, name: str) -> None:
        """End a part at once, without asking it."""
        process = self._running[name]
        process.kill()
        process.wait()
        self._forget(name)

    def stop(self, name: str) -> None:
        """Ask a part to end, and wait until it has."""
        _end([self._running[name]])
        self._forget(name)

    def start_again(self, name: str) -> None:
        """Start a part that was killed or stopped, with nothing in its memory."""
        self._launch(self._parts[name], "ab")

    def wait_until_listening(self, timeout_seconds: float) -> None:
        """Wait until every part accepts connections; DevError if one dies or takes too long."""
        waiting = [self._parts[name] for name in self._running]

        def is_done() -> bool:
            waiting[:] = [part for part in waiting if not is_listening(part.port)]
            return not waiting

        if not self.wait_until(is_done, timeout_seconds):
            late = waiting[0]
            raise DevError(
                f"{late.name} does not listen on port {late.port} after {timeout_seconds:.0f} s."
                f" {self.last_lines(late)}"
            )

    def wait_until(self, is_done: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait until `is_done` and give True, or False after the time; DevError if a part dies."""
        deadline = time.monotonic() + timeout_seconds
        while not is_done():
            self.require_alive()
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def require_alive(self) -> None:
        """Raise DevError, with the part's last words, if a part has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise DevError(
                    f"{name} ended by itself (exit status {process.returncode})."
                    f" {self.last_lines(self._parts[name])}"
                )

    def last_lines(self, part: Part) -> str:
        """Show the end of what a part has printed."""
        log = self._log(part)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LINES:]
        shown = "\n".join(f"    {line}" for line in lines) or "    (it printed nothing)"
        return f"The end of {log}:\n\n{shown}"

    def pid(self, name: str) -> int:
        """Give the process id of a running part."""
        return self._running[name].pid

    def listing(self) -> list[dict[str, str | int]]:
        """List name, process id and port of every part."""
        return [
            {"name": name, "pid": process.pid, "port": self._parts[name].port}
            for name, process in self._running.items()
        ]

    def end(self) -> None:
        """End every part, the highest tier first."""
        tiers = {name: self._parts[name].tier for name in self._running}
        for tier in sorted(set(tiers.values()), reverse=True):
            _end([self._running[name] for name in tiers if tiers[name] == tier])

    def _launch(self, part: Part, log_mode: str) -> None:
        with self._log(part).open(log_mode) as log:
            process = _start(part.command, stdout=log, environment=part.environment)
        self._running[part.name] = process
        self._tell_guard(process.pid)

    def _forget(self, name: str) -> None:
        self._tell_guard(-self._running.pop(name).pid)

    def _tell_guard(self, number: int) -> None:
        self._life_line.write(f"{number}\n".encode())
        self._life_line.flush()

    def _log(self, part: Part) -> Path:
        return self.logs / f"{part.name}.log"


@contextmanager
def processes(logs: Path) -> Iterator[Processes]:
    """Give the means to start parts; leaving the context ends them, however it is left."""
    logs.mkdir(parents=True, exist_ok=True)
    guard = _start([sys.executable, "-S", "-m", "dev.stack.guard"], stdin=subprocess.PIPE)
    assert guard.stdin is not None  # noqa: S101 (it was started with a pipe)
    parts = Processes(logs, guard.stdin)
    try:
        yield parts
    finally:
        with stop_signals_ignored():
            parts.end()
            _end([guard])
            guard.stdin.close()


def _start(
    command: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process out of reach of Ctrl+C, which is for the stack alone to act on."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=os.name != "nt",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _end(group: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask the processes to end, and kill those that do not; on Windows there is no asking."""
    for process in group:
        process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for process in group:
        try:
            process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
