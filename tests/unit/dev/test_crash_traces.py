"""A part of the stack that crashes in native code says where; nobody could find out later."""

from __future__ import annotations

import sys

import pytest

from dev.errors import DevError
from dev.stack.app_settings import process_environment
from dev.stack.processes import Part, processes

PATIENCE_SECONDS = 20
CRASH = """
import faulthandler
def read_what_is_not_there():
    faulthandler._sigsegv()
read_what_is_not_there()
"""


def test_trace_of_a_crash_is_in_the_log(tmp_path):
    """The function that crashed is named where whoever waits for the part reads it."""
    crashing = Part(
        name="host-1",
        command=[sys.executable, "-c", CRASH],
        port=1,
        tier=0,
        environment=process_environment(),
    )
    with processes(tmp_path) as started:
        started.start(crashing)

        with pytest.raises(DevError, match="host-1 ended by itself") as problem:
            started.wait_until(lambda: False, PATIENCE_SECONDS)

    assert "in read_what_is_not_there" in str(problem.value)
    assert "in read_what_is_not_there" in (tmp_path / "host-1.log").read_text(encoding="utf-8")
