"""Round `duplicates` of `python -m dev soak`, shortened."""

from dev.soak import duplicates
from dev.soak.report import Report


def test_key_is_executed_once_or_its_callers_are_told_that_nobody_knows(tmp_path):
    """Twins and resends on two instances that die, amid faults of the service and the storage."""
    report = Report()

    duplicates.run(report, tmp_path, rounds=30, waits=False)

    assert report.failed == []
