"""The command line of `python -m dev`."""

from __future__ import annotations

import pytest

from dev.options import Command, StackOptions, parse
from dev.paths import DEV_FOLDER


def test_up_alone_starts_one_instance_on_the_default_port():
    """Without options the stack is the one that the documentation shows."""
    command = parse(["up"])

    assert command == Command(
        verb="up",
        stack=StackOptions(port=7071, instances=1, state=DEV_FOLDER, settings={}),
    )


def test_up_with_options_takes_them_all(tmp_path):
    """Every option of `up` arrives in the stack's options."""
    options = ["--port", "8000", "--instances", "2", "--empty", "--fresh", "--state", str(tmp_path)]

    stack = parse(["up", *options, "--set", "A=1", "--set", "B="]).stack

    assert stack == StackOptions(
        port=8000,
        instances=2,
        state=tmp_path,
        is_empty=True,
        is_fresh=True,
        settings={"A": "1", "B": ""},
    )


def test_run_once_stops_after_the_main_job():
    """`--once` is for scripts that want the walk-through alone."""
    assert parse(["run", "--once"]).is_once
    assert not parse(["run"]).is_once


def test_lock_keeps_versions_unless_upgrade():
    """Versions move only when somebody wants it."""
    assert not parse(["lock"]).is_upgrade
    assert parse(["lock", "--upgrade"]).is_upgrade


def test_soak_runs_the_named_rounds_for_so_long():
    """Without names it runs them all."""
    assert parse(["soak"]) == Command(verb="soak", names=(), seconds=60)
    assert parse(["soak", "--seconds", "10", "rotation"]) == Command(
        verb="soak", names=("rotation",), seconds=10
    )


@pytest.mark.parametrize(
    "arguments",
    [[], ["-k", "ports", "-x"], ["tests/unit", "--", "-h"], ["--fresh"]],
    ids=["none", "options", "paths", "an option that other verbs have"],
)
def test_arguments_of_test_go_to_pytest(arguments):
    """Whatever follows `test` is pytest's."""
    command = parse(["test", *arguments])

    assert command == Command(verb="test", pytest_arguments=tuple(arguments))


@pytest.mark.parametrize(
    ("setting", "pair"),
    [
        ("REFRESH_AHEAD_SECONDS=60", ("REFRESH_AHEAD_SECONDS", "60")),
        ("REFRESH_SCHEDULE=0 */5 * * * *", ("REFRESH_SCHEDULE", "0 */5 * * * *")),
        ("AzureWebJobsStorage=A=1;B=2", ("AzureWebJobsStorage", "A=1;B=2")),
        ("TABLES_URL=", ("TABLES_URL", "")),
    ],
    ids=["number", "spaces", "equals signs in the value", "empty"],
)
def test_setting_splits_at_the_first_equals_sign(setting, pair):
    """A value may hold anything."""
    assert parse(["up", "--set", setting]).stack.settings == dict([pair])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["up", "--set", "NAME"], "not of the form NAME=VALUE"),
        (["up", "--set", "=value"], "not of the form NAME=VALUE"),
        (["up", "--set", "A B=value"], "not of the form NAME=VALUE"),
        (["up", "--instances", "0"], "not a number from 1 to 20"),
        (["up", "--instances", "21"], "not a number from 1 to 20"),
        (["up", "--port", "65510"], "not a number from 1024 to 65509"),
        (["up", "--port", "x"], "not a number from 1024 to 65509"),
        (["soak", "marathon"], "'marathon' is none of rotation, "),
        (["walk"], "invalid choice"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_end_with_a_reason(arguments, complaint, capsys):
    """A wrong call says what is wrong before anything is installed or started."""
    with pytest.raises(SystemExit) as end:
        parse(arguments)

    assert end.value.code == 2
    assert complaint in capsys.readouterr().err
