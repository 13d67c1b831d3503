"""The local stack: the platform around the app, and the app, as processes on this machine."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from dev.demo.gateway_client import http_session
from dev.errors import DevError
from dev.setup.locking import locked
from dev.stack.parts import host_name, stack_parts
from dev.stack.ports import PortBlock, require_free, url
from dev.stack.processes import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dev.options import StackOptions
    from dev.stack.processes import Processes

STARTING_SECONDS = 60
WATCH_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Stack:
    """A started stack, with all that its parts keep and log under `folder`."""

    ports: PortBlock
    folder: Path
    _processes: Processes

    @property
    def gateway(self) -> str:
        """The gateway's URL."""
        return url(self.ports.instance(1))

    @property
    def logs(self) -> Path:
        """The folder with the output of each part."""
        return _logs(self.folder)

    def require_alive(self) -> None:
        """Raise DevError if a part has ended."""
        self._processes.require_alive()

    def kill(self, number: int) -> None:
        """Kill an instance of the host at once, whatever it is doing."""
        self._processes.kill(host_name(number))
        self.list_processes()

    def stop(self, number: int) -> None:
        """Ask an instance of the host to end, as the platform does when it scales in."""
        self._processes.stop(host_name(number))
        self.list_processes()

    def start(self, number: int) -> None:
        """Start an instance that was ended, with nothing in its memory; wait for its health."""
        self._processes.start_again(host_name(number))
        self.list_processes()
        _wait_until_healthy(url(self.ports.instance(number)), self._processes)

    def pid(self, number: int) -> int:
        """Give the process id of a running instance of the host."""
        return self._processes.pid(host_name(number))

    def list_processes(self) -> None:
        """Write to `processes.json` what runs now."""
        listing = json.dumps(self._processes.listing(), indent=1)
        _listing(self.folder).write_text(listing + "\n", encoding="utf-8")

    def serve(self) -> None:
        """Keep serving until the stack is told to stop; DevError if a part ends before."""
        try:
            while True:
                self.require_alive()
                time.sleep(WATCH_SECONDS)
        except KeyboardInterrupt:
            return


@contextmanager
def running_stack(options: StackOptions) -> Iterator[Stack]:
    """Start the stack, give it when every instance is healthy, and end it with the context."""
    listing = _listing(options.state)
    with locked(options.state / "stack.lock", on_busy=lambda: _refuse(options.state)):
        # A stack that was killed could not do this itself.
        listing.unlink(missing_ok=True)
        _forget(options)
        ports = PortBlock(options.port)
        require_free(ports, options.instances)
        parts = stack_parts(
            ports,
            instances=options.instances,
            state=options.state / "state",
            overrides=options.settings,
        )
        with processes(_logs(options.state)) as started:
            for part in parts:
                started.start(part)
            started.wait_until_listening(STARTING_SECONDS)
            for number in range(1, options.instances + 1):
                _wait_until_healthy(url(ports.instance(number)), started)
            stack = Stack(ports, options.state, started)
            try:
                stack.list_processes()
                yield stack
            finally:
                listing.unlink(missing_ok=True)


def _logs(folder: Path) -> Path:
    return folder / "logs"


def _listing(folder: Path) -> Path:
    return folder / "processes.json"


def _refuse(state: Path) -> None:
    raise DevError(
        f"Another stack is running on the state in {state}.\n"
        "Stop it, or start this one beside it: --state .dev/second --port 7171"
    )


def _forget(options: StackOptions) -> None:
    """Delete what earlier runs left, as far as the developer wants it."""
    state = options.state / "state"
    forgotten = []
    if options.is_fresh:
        forgotten = [state, _logs(options.state)]
    elif options.is_empty:
        forgotten = [state / "azurite", state / "key-vault"]
    for folder in forgotten:
        if folder.exists():
            shutil.rmtree(folder)


def _wait_until_healthy(instance: str, started: Processes) -> None:
    """Wait for `GET /api/health` of an instance; while it starts, its answers may be errors."""
    health = f"{instance}/api/health"
    session = http_session()
    answers = ["none"]

    def is_healthy() -> bool:
        try:
            answer = session.get(health, timeout=STARTING_SECONDS)
        except requests.RequestException as error:
            answers.append(str(error))
            return False
        answers.append(f"{answer.status_code} {answer.text}")
        return answer.ok

    if not started.wait_until(is_healthy, STARTING_SECONDS):
        raise DevError(
            f"{health} is not healthy after {STARTING_SECONDS} s; its last answer:\n\n{answers[-1]}"
        )
