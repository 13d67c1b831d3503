"""Hold a request of the gateway at a simulator, so that something can happen meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dev.errors import DevError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from dev.soak.simulator import Simulator

_PATIENCE_SECONDS = 10
_POLL_SECONDS = 0.01


def hold_next(simulator: Simulator, **rule: Any) -> None:
    """Let the next request that a rule of `dev.faults` is about meet it, and no other."""
    simulator.control("POST", "faults", {"times": 1, **rule})


def wait_until_held(simulator: Simulator, call: Future[Any]) -> None:
    """Wait until a rule has met the request that `call` makes; DevError if none comes."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while simulator.control("GET", "faults"):
        if call.done() or time.monotonic() > deadline:
            outcome = call.result() if call.done() else "still under way"
            raise DevError(f"The request to be held has not come; its call: {outcome}.")
        time.sleep(_POLL_SECONDS)
