"""Finding the browser of the browser tests, and saying loudly that there is none."""

from __future__ import annotations

import os

import pytest

from dev import checks, chromium


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """Return the only folder of programs, an empty one."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "PLACES", ())
    return tmp_path


@pytest.mark.parametrize("name", chromium.NAMES)
def test_browser_on_the_path_is_found(nowhere, name):
    """Each distribution calls it by another name."""
    program = nowhere / (f"{name}.exe" if os.name == "nt" else name)
    program.touch(mode=0o755)

    assert chromium.find() == str(program)


@pytest.mark.usefixtures("nowhere")
def test_machine_without_a_browser_is_told_how_to_get_one(monkeypatch, capsys):
    """The checks go on without it, but their last words are that tests were not run."""
    monkeypatch.setattr(checks, "CHECKS", {})
    monkeypatch.setattr(checks, "_run", lambda _: 0)

    assert chromium.find() is None
    assert checks.test([]) == 0
    assert "(tests/browser) were NOT run" in capsys.readouterr().err
