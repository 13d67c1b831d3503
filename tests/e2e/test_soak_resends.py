"""Round `resends` of `python -m dev soak`, shortened."""

from dev.soak import resends
from dev.soak.report import Report


def test_nothing_is_executed_twice_and_reads_get_through(tmp_path):
    """Random faults, before and after Business Central has done its work."""
    report = Report()

    resends.run(report, tmp_path, rounds=180)

    assert report.failed == []
