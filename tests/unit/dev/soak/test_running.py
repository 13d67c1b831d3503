"""The verb `soak`: which rounds there are, and what a failed check means."""

from __future__ import annotations

from dev.soak import NAMES
from dev.soak.report import Report
from dev.soak.running import rounds


def test_every_round_can_be_named():
    """The command line and the verb know the same rounds."""
    assert tuple(rounds(60)) == NAMES


def test_failed_check_is_remembered_with_its_figures(capsys):
    """One line for each check, and the failed ones again at the end."""
    report = Report()

    report.check("no call fails", is_ok=True, figures="0 of 10")
    report.check("no token is used twice", is_ok=False, figures="1 reuse detection")

    assert report.failed == ["no token is used twice: 1 reuse detection"]
    assert capsys.readouterr().out.splitlines() == [
        "  ok     no call fails: 0 of 10",
        "  FAILED no token is used twice: 1 reuse detection",
    ]
