"""Round `refusals` of `python -m dev soak`, shortened."""

from dev.soak import refusals
from dev.soak.report import Report


def test_refusal_is_asked_for_once_and_an_outage_makes_nobody_sign_in(tmp_path):
    """After one call both instances tell what has to be done, until somebody has done it."""
    report = Report()

    refusals.run(report, tmp_path, seconds=2)

    assert report.failed == []
