"""Round `slow-calls` of `python -m dev soak`, shortened."""

from dev.soak import slow_calls
from dev.soak.report import Report


def test_token_calls_that_outlast_leases_use_no_refresh_token_twice(tmp_path):
    """Nor does a process that was stopped undo what another one has stored meanwhile."""
    report = Report()

    slow_calls.run(report, tmp_path, rotations=1)

    assert report.failed == []
