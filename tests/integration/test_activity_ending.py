"""A process that ends in an orderly way writes its last activity, and is not held up by it."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from dev.paths import ROOT

PROGRAM = """
import atexit, sys, time
from datetime import UTC, datetime
from shared.adapters.system import DaemonBackground, SystemClock
from shared.domain.activity import TokenEntry
from shared.domain.errors import StorageUnavailable
from shared.services.activity import ActivityLog

class Store:
    def write(self, partition, batches, roll_ups):
        if sys.argv[1] == "down":
            raise StorageUnavailable("The storage is down.")
        if sys.argv[1] == "hanging":
            time.sleep(60)
        print(*[entry.event for batch in batches for entry in batch.entries], flush=True)

log = ActivityLog(Store(), SystemClock(), DaemonBackground())
atexit.register(log.close)
log.token_event("CRONUS", "first")
if len(sys.argv) > 2:
    time.sleep(float(sys.argv[2]))
log.token_event("CRONUS", "last")
"""


def end(*situation):
    """Run a process to its end; return what it wrote, and how long it took."""
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "error", "-c", PROGRAM, *situation],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split(), time.monotonic() - began


def test_last_entries_are_written():
    """Those of the second that has just begun, too."""
    assert end("up")[0] == ["first", "last"]
    assert end("up", "1.5")[0] == ["first", "last"]


@pytest.mark.parametrize(
    "situation", [("down",), ("hanging",), ("down", "1.5")], ids=["down", "hanging", "long-down"]
)
def test_storage_that_does_not_answer_does_not_hold_the_process(situation):
    """Two seconds at most, beside what the process itself needs to start."""
    written, seconds = end(*situation)

    assert written == []
    assert seconds < 10
