"""The stack that the end-to-end tests share, whose instances can be stopped and started again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import requests

from dev.demo.gateway_client import http_session
from dev.options import StackOptions
from dev.paths import ROOT
from dev.stack.parts import stack_parts
from dev.stack.ports import PortBlock, is_free, is_listening, url
from dev.stack.running import running_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Found = TypeVar("Found")

INSTANCES = (1, 2)
CACHE_SECONDS = 2
# What the tests must exceed is kept small; what they wait for, short; and what they count, alone.
SETTINGS = {
    "DEFINITION_CACHE_SECONDS": str(CACHE_SECONDS),
    "REFRESH_SCHEDULE": "0 0 0 1 1 *",
    "MAX_PAYLOAD_BYTES": "100000",
    "MAX_ANSWER_BYTES": "300000",
}
# Below the ports that systems give to outgoing connections, which come and go.
_BASES = range(20_000, 32_000, 100)
_STARTING_SECONDS = 30


def wait_until(check: Callable[[], Found], seconds: float, what: str) -> Found:
    """Return what `check` gives as soon as that is true; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class SharedStack:
    """The running stack, and the processes that tests have started in place of its own."""

    ports: PortBlock
    options: StackOptions
    _restarted: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The folder with all that the stack's parts keep and log."""
        return self.options.state

    def restart(self, number: int) -> None:
        """Stop an instance of the host, and start it anew with nothing in its memory."""
        name, port = f"host-{number}", self.ports.instance(number)
        listing = json.loads((self.folder / "processes.json").read_text(encoding="utf-8"))
        pid = next(each["pid"] for each in listing if each["name"] == name)
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not is_listening(port), _STARTING_SECONDS, f"{name} stops")
        parts = stack_parts(
            self.ports,
            instances=self.options.instances,
            state=self.folder / "state",
            overrides=self.options.settings,
        )
        part = next(each for each in parts if each.name == name)
        with (self.folder / "logs" / f"{name}-restarted.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603
                part.command, cwd=ROOT, env=part.environment, stdout=log, stderr=subprocess.STDOUT
            )
        self._restarted.append(process)
        wait_until(lambda: _is_healthy(port), _STARTING_SECONDS, f"{name} is healthy")

    def end_restarted(self) -> None:
        """End the processes that the stack itself does not know of."""
        for process in self._restarted:
            process.terminate()
            process.wait()


@contextmanager
def shared_stack(folder: Path) -> Iterator[SharedStack]:
    """Start an empty stack of two instances on free ports, and end it with the context."""
    options = StackOptions(
        port=_free_block(),
        instances=len(INSTANCES),
        state=folder,
        is_empty=True,
        settings=SETTINGS,
    )
    with running_stack(options) as started:
        shared = SharedStack(started.ports, options)
        try:
            yield shared
        finally:
            shared.end_restarted()


def _free_block() -> int:
    for base in random.sample(_BASES, len(_BASES)):
        if all(is_free(port) for _, port in PortBlock(base).by_part(len(INSTANCES))):
            return base
    raise AssertionError("no free block of ports")


def _is_healthy(port: int) -> bool:
    with http_session() as session:
        try:
            return session.get(f"{url(port)}/api/health", timeout=_STARTING_SECONDS).ok
        except requests.ConnectionError:
            return False
