"""The files of others that the control panel serves are those that npm's lock file pins."""

import json

from dev import vendoring

FILES = {file.name for file in vendoring.FOLDER.iterdir()}


def test_files_are_those_of_the_locked_versions():
    """A version that was raised without `python -m dev vendor` has another name."""
    assert {*vendoring.sources().values(), vendoring.SUMS} == FILES


def test_files_have_the_sums_written_down():
    """A file that was edited by hand is no longer what its authors released."""
    written = (vendoring.FOLDER / vendoring.SUMS).read_text(encoding="utf-8")
    assert vendoring.sums() == written


def test_lock_file_pins_the_versions_that_are_asked_for():
    """No range is left to npm, and each package has a hash to be compared with."""
    asked, lock = (
        json.loads((vendoring.PACKAGES / name).read_text(encoding="utf-8"))
        for name in ("package.json", "package-lock.json")
    )
    locked = {
        path.removeprefix("node_modules/"): package
        for path, package in lock["packages"].items()
        if path
    }
    assert {name: each["version"] for name, each in locked.items()} == asked["dependencies"]
    assert all(each["integrity"].startswith("sha512-") for each in locked.values())


def test_each_file_has_its_licence_beside_it():
    """Whoever gets a copy of the app gets the licences of what is in it."""
    for name in FILES - {vendoring.SUMS}:
        stem = name.partition(".min.")[0].partition(".LICENSE")[0]
        assert any(other.startswith(f"{stem}.LICENSE") for other in FILES)
