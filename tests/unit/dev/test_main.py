"""`python -m dev` before anything is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dev.__main__ import complaint
from dev.paths import ROOT


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_supported_python_in_the_repository_starts(version):
    """Nothing is in the way of the Pythons that Azure Functions runs."""
    assert complaint(version, package="dev", folder=ROOT) is None


@pytest.mark.parametrize("version", [(3, 10), (3, 14)], ids=["too old", "not yet supported"])
def test_other_python_is_told_what_to_install(version):
    """The message names the Python that was found and those that will do."""
    message = complaint(version, package="dev", folder=ROOT)

    assert f"Python {version[0]}.{version[1]}" in message
    assert "3.11, 3.12 or 3.13" in message


@pytest.mark.parametrize(
    ("package", "folder"),
    [("dev", Path("/")), ("", ROOT), (None, ROOT)],
    ids=["another folder", "python dev", "python dev/__main__.py"],
)
def test_other_place_is_told_where_to_run(package, folder):
    """The message names the folder to change to."""
    message = complaint((3, 13), package=package, folder=folder)

    assert str(ROOT) in message


def test_command_line_needs_no_installed_package():
    """Help comes up with the standard library alone, as on a fresh machine."""
    shown = subprocess.run(
        [sys.executable, "-S", "-m", "dev", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "usage: python -m dev" in shown.stdout
