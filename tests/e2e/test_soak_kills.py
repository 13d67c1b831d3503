"""Round `kills` of `python -m dev soak`, shortened."""

from dev.soak import kills
from dev.soak.report import Report


def test_process_that_dies_in_a_renewal_costs_no_grant_and_nobody_waits_for_it(tmp_path):
    """At each step and at random moments, the next call works or truly needs a sign-in."""
    report = Report()

    kills.run(report, tmp_path, at_steps=1, at_random=2)

    assert report.failed == []
