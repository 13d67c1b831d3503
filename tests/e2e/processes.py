"""The stack that the end-to-end tests share."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from dev.options import StackOptions
from dev.stack.ports import free_block
from dev.stack.running import running_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dev.stack.running import Stack

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


def wait_until(check: Callable[[], Found], seconds: float, what: str) -> Found:
    """Return what `check` gives as soon as that is true; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return found


@contextmanager
def shared_stack(folder: Path) -> Iterator[Stack]:
    """Start an empty stack of two instances on free ports, and end it with the context."""
    options = StackOptions(
        port=free_block(len(INSTANCES)).base,
        instances=len(INSTANCES),
        state=folder,
        is_empty=True,
        settings=SETTINGS,
    )
    with running_stack(options) as stack:
        yield stack
