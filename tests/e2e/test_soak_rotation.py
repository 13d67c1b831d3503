"""Round `rotation` of `python -m dev soak`, shortened."""

from dev.soak import rotation
from dev.soak.report import Report


def test_two_processes_share_rotating_tokens_without_a_failed_call(tmp_path):
    """32 threads on each of two processes: no failure, no token used twice, none too many."""
    report = Report()

    rotation.run(report, tmp_path, seconds=6)

    assert report.failed == []
