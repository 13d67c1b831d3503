"""Whether the gateway can do its work, asked of its dependencies now and then."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.scenes import Scene


@pytest.mark.parametrize(
    ("port", "checks"),
    [
        ("integrations", {"storage": "unavailable", "vault": "ok"}),
        ("secrets", {"storage": "ok", "vault": "unavailable"}),
    ],
)
def test_outage_is_named(scene, port, checks):
    """Each dependency has its own state."""
    getattr(scene, port).fail()

    report = scene.services.health.report()

    assert (report.status, report.checks) == ("unavailable", checks)


def test_outage_degrades_what_can_still_serve(signed_in):
    """An instance that holds definitions and a valid token goes on; when that ends, so does it."""
    signed_in.invoke()
    signed_in.secrets.fail()
    signed_in.integrations.fail()

    degraded = signed_in.services.health.report()
    signed_in.clock.advance(minutes=60)

    assert degraded.status == "degraded"
    assert signed_in.services.health.report().status == "unavailable"


def test_end_of_an_outage_is_seen_after_some_seconds(scene):
    """A report counts for five seconds, so that nobody can wear the vault out by asking."""
    scene.secrets.fail()
    first = scene.services.health.report()
    scene.secrets.recover()
    scene.clock.advance(seconds=4)
    second = scene.services.health.report()
    scene.clock.advance(seconds=1)
    third = scene.services.health.report()

    assert [each.status for each in (first, second, third)] == ["unavailable", "unavailable", "ok"]
    assert scene.secrets.calls["ping"] == 2


def test_slow_dependency_does_not_pile_up_askers(scene):
    """While one asks, the others get what was found before."""
    first = scene.services.health.report()
    scene.clock.advance(seconds=5)
    is_asking, may_go_on = threading.Event(), threading.Event()

    def hang():
        is_asking.set()
        may_go_on.wait(5)

    scene.secrets.before("ping", hang)
    with ThreadPoolExecutor(4) as threads:
        threads.submit(scene.services.health.report)
        assert is_asking.wait(5)
        told = [threads.submit(scene.services.health.report).result() for _ in range(3)]
        may_go_on.set()

    assert told == [first] * 3
    assert scene.secrets.calls["ping"] == 2


def test_report_counts_from_its_end():
    """A probe that takes longer than a report counts is not repeated at once."""
    scene = Scene()
    scene.secrets.before("ping", lambda: scene.clock.advance(seconds=20))
    scene.services.health.report()

    scene.services.health.report()

    assert scene.secrets.calls["ping"] == 1
