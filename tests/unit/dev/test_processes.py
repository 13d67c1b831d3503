"""The parts of the stack as processes; the parts here are one-line Python programs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dev.errors import DevError
from dev.paths import ROOT
from dev.stack.processes import Part, processes

PATIENCE_SECONDS = 20
WAIT_FOREVER = "import time; time.sleep(60)"
# Prints when it is ready to be ended, and then writes its name to a file.
FAREWELL = """
import signal, sys, time
def end(*_):
    with open(sys.argv[1], "a") as ended:
        print(sys.argv[2], file=ended)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""


def make_part(program, *, arguments=(), **changes):
    """Return a part that runs a program."""
    values = {
        "name": "part",
        "command": [sys.executable, "-S", "-c", program, *arguments],
        "port": 1,
        "tier": 0,
        "environment": dict(os.environ),
    }
    return Part(**values | changes)


def test_part_that_ends_is_named_with_its_last_lines(tmp_path):
    """Whoever waits for a part learns that it died, how, and what it said."""
    with processes(tmp_path) as started:
        started.start(make_part("print('no such table'); raise SystemExit(3)", name="storage"))

        with pytest.raises(DevError) as problem:
            started.wait_until(lambda: False, PATIENCE_SECONDS)

    assert "storage ended by itself (exit status 3)" in str(problem.value)
    assert "    no such table" in str(problem.value)
    assert str(tmp_path / "storage.log") in str(problem.value)


def test_waiting_ends_after_its_time(tmp_path):
    """Waiting is bounded: False says that it was in vain."""
    with processes(tmp_path) as started:
        assert started.wait_until(lambda: False, 0) is False


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_part_that_was_ended_starts_again_and_keeps_its_log(tmp_path, end):
    """What is ended on purpose is no failure, and what it said before is not lost."""
    with processes(tmp_path) as started:
        log = tmp_path / "part.log"
        started.start(make_part(f"print('ready', flush=True); {WAIT_FOREVER}"))
        assert started.wait_until(lambda: log.stat().st_size, PATIENCE_SECONDS)
        first = started.pid("part")

        getattr(started, end)("part")

        started.require_alive()
        assert started.listing() == []
        started.start_again("part")
        assert started.wait_until(lambda: log.read_text().count("ready") == 2, PATIENCE_SECONDS)
        assert started.listing() == [{"name": "part", "pid": started.pid("part"), "port": 1}]
        assert started.pid("part") != first


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
def test_parts_end_with_the_context_highest_tier_first(tmp_path):
    """What uses a part ends before that part does."""
    ended = tmp_path / "ended"
    with processes(tmp_path) as started:
        for name, tier in (("storage", 0), ("host", 1)):
            started.start(make_part(FAREWELL, name=name, tier=tier, arguments=[str(ended), name]))
        logs = [tmp_path / "storage.log", tmp_path / "host.log"]
        assert started.wait_until(lambda: all(log.stat().st_size for log in logs), PATIENCE_SECONDS)

    assert ended.read_text(encoding="utf-8").split() == ["host", "storage"]


@pytest.mark.parametrize("is_taken_back", [False, True], ids=["running", "ended before"])
def test_guard_ends_what_runs_when_a_stack_was_killed(is_taken_back):
    """The id of a part that has ended may belong to somebody else by then, who is let alone."""
    with subprocess.Popen([sys.executable, "-S", "-c", WAIT_FOREVER]) as process:  # noqa: S603
        subprocess.run(
            [sys.executable, "-S", "-m", "dev.stack.guard"],
            cwd=ROOT,
            input=f"{process.pid}\n{-process.pid}\n".encode()
            if is_taken_back
            else f"{process.pid}\n".encode(),
            check=True,
            timeout=PATIENCE_SECONDS,
        )

        if is_taken_back:
            assert process.poll() is None
            process.kill()
        assert process.wait(PATIENCE_SECONDS) != 0
