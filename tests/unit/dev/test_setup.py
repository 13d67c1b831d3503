"""Setting up `.venv` and Azurite: what tells that nothing is to be done, and failures."""

from __future__ import annotations

import sys

import pytest

from dev.errors import DevError
from dev.setup.node import is_new_enough
from dev.setup.packages import fingerprint, run_step, stamped


@pytest.fixture
def lock(tmp_path):
    """Return a lock file."""
    file = tmp_path / "requirements.txt"
    file.write_bytes(b"requests==2.34.2\nurllib3==2.8.0\n")
    return file


def test_fingerprint_of_unchanged_files_stays(lock):
    """A second start finds the stamp of the first."""
    assert fingerprint([lock], "Python 3.11") == fingerprint([lock], "Python 3.11")


def test_fingerprint_changes_with_a_file(lock):
    """A changed lock file is installed."""
    before = fingerprint([lock], "Python 3.11")
    lock.write_bytes(b"requests==2.34.3\nurllib3==2.8.0\n")

    assert fingerprint([lock], "Python 3.11") != before


def test_fingerprint_changes_with_the_python_version(lock):
    """Packages for another Python are not reused."""
    assert fingerprint([lock], "Python 3.11") != fingerprint([lock], "Python 3.12")


def test_fingerprint_does_not_mind_line_ends(lock):
    """A checkout on Windows has the same packages."""
    before = fingerprint([lock])
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))

    assert fingerprint([lock]) == before


def test_stamp_of_an_unfinished_setup_is_none(tmp_path):
    """A setup that did not get to its end is done again."""
    assert stamped(tmp_path / "setup-stamp") is None


def test_step_that_works_tells_its_title_only(capfd):
    """The output of pip and npm is noise while all goes well."""
    run_step("Installing", [sys.executable, "-c", "print('noise')"], hint="")

    shown = capfd.readouterr().out
    assert shown.startswith("Installing ...")
    assert "noise" not in shown


def test_step_that_fails_shows_its_output_and_what_to_do():
    """A failure is never silent."""
    script = "import sys; print('No matching distribution', file=sys.stderr); sys.exit(7)"

    with pytest.raises(DevError) as problem:
        run_step("Installing", [sys.executable, "-c", script], hint="Check the proxy.")

    assert "Installing failed (exit status 7)" in str(problem.value)
    assert "No matching distribution" in str(problem.value)
    assert "Check the proxy." in str(problem.value)


@pytest.mark.parametrize(
    ("version", "expected"),
    [("v20.0.0\n", True), ("v24.19.0\n", True), ("v18.20.4\n", False), ("", False), ("?", False)],
)
def test_node_from_20_on_will_do(version, expected):
    """An older Node.js is passed over for the one from PyPI."""
    assert is_new_enough(version) is expected
