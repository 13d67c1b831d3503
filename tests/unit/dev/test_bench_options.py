"""The command line of `python -m dev bench`."""

from __future__ import annotations

import pytest

from dev.options import Command, parse


def test_bench_alone_runs_everything_at_full_size():
    """Names choose, and nothing is left out without them."""
    assert parse(["bench"]) == Command(verb="bench")


def test_bench_takes_names_and_quick():
    """What is asked for arrives in the command."""
    command = parse(["bench", "timer", "invoke", "--quick"])

    assert command == Command(verb="bench", names=("timer", "invoke"), is_quick=True)


def test_unknown_benchmark_is_refused_with_those_there_are(capsys):
    """A typing error does not start a stack first."""
    with pytest.raises(SystemExit) as end:
        parse(["bench", "tea"])

    assert end.value.code == 2
    assert "'tea' is none of cold-start, invoke, memory, panel, timer" in capsys.readouterr().err
