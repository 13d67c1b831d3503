"""Whatever goes wrong on the way to a service: no change is sent twice, and every answer is true.

For a long search: `pytest --hypothesis-profile=long`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import GatewayError
from shared.domain.retry_policy import LONGEST_JITTER_SECONDS, PATIENCE
from shared.domain.transport import AnswerLost, NotSent, TimedOut
from tests.fakes import json_answer
from tests.fakes.machine import START
from tests.scenes import BC, Scene, serving

MOST_FAULTS = len(LONGEST_JITTER_SECONDS)
NOT_EXECUTED = ("refused", "429", "401")
LEFT_OPEN = ("408", "500", "502", "503", "504", "520", "lost")
WORKS = "200"


@dataclass(frozen=True, slots=True)
class Fault:
    """How the service meets one request; `is_executed` counts where the caller cannot know."""

    kind: str
    seconds: float = 0
    is_executed: bool = False
    retry_after: int | None = None

    @property
    def longest_seconds(self) -> float:
        """How long it keeps a call at most, apart from the back-off."""
        return self.seconds + (self.retry_after or 0)


@dataclass(slots=True)
class Service:
    """A service that meets request after request as planned, and then works."""

    scene: Scene
    faults: list[Fault]
    executed: int = 0
    met: list[str] = field(default_factory=list)

    def __call__(self, request):
        """Answer as a service on a network does; whoever is too slow is cut off."""
        del request
        fault = self.faults.pop(0) if self.faults else Fault(WORKS)
        time_left = self.scene.http.timeouts[-1]
        assert time_left > 0
        is_late = fault.seconds >= time_left
        self.scene.clock.advance(seconds=min(fault.seconds, time_left))
        self.executed += fault.kind == WORKS or (
            fault.is_executed and fault.kind not in NOT_EXECUTED
        )
        if fault.kind == "refused":
            self.met.append("refused")
            return NotSent("no connection")
        self.met.append("late" if is_late else fault.kind)
        if is_late:
            return TimedOut("time was up")
        if fault.kind == "lost":
            return AnswerLost("connection lost")
        headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
        return json_answer({}, status=int(fault.kind), headers=headers)


plans = st.lists(
    st.builds(
        Fault,
        kind=st.sampled_from([*NOT_EXECUTED, *LEFT_OPEN, WORKS]),
        seconds=st.sampled_from([0, 0.1, 1, 5, 20, 60, 150]),
        is_executed=st.booleans(),
        retry_after=st.none() | st.sampled_from([0, 1, 7, 30, 3600]),
    ),
    max_size=MOST_FAULTS + 2,
)
times = st.sampled_from([1, 5, 20, 100, 220])


def play(plan, seconds, **endpoint):
    """Call once; return the service and how the call ended, which was in time."""
    scene = serving(timeout_seconds=seconds, **endpoint)
    service = Service(scene, list(plan))
    scene.http.script(BC, service)
    try:
        ended = str(scene.invoke().status)
    except GatewayError as error:
        ended = error.kind.code
    assert scene.clock.now() - START <= timedelta(seconds=seconds)
    return service, ended


def has_budget(plan, seconds):
    """Tell whether a read that meets this can succeed, whatever chance makes of the waits."""
    before = list(itertools.takewhile(lambda fault: fault.kind != WORKS, plan))
    success = plan[len(before)] if len(before) < len(plan) else Fault(WORKS)
    refused_tokens = sum(fault.kind == "401" for fault in before)
    longest = sum(fault.longest_seconds for fault in before) + sum(LONGEST_JITTER_SECONDS)
    return (
        refused_tokens <= 1  # a fresh token that is refused as well is no matter of patience
        and len(before) - refused_tokens <= MOST_FAULTS
        and longest < seconds * 0.9
        and longest - (before[0].seconds if before else 0) < PATIENCE.total_seconds()
        and longest + success.seconds < seconds
    )


@given(plan=plans, seconds=times)
def test_change_is_never_sent_after_it_may_have_been_executed(plan, seconds):
    """And what the caller is told of it is true."""
    service, ended = play(plan, seconds)

    assert set(service.met[:-1]) <= set(NOT_EXECUTED)
    if ended == "outcome_unknown":
        assert service.executed <= 1
    else:
        assert service.executed == (ended == WORKS)


@given(plan=plans, seconds=times)
def test_read_succeeds_where_faults_and_time_allow(plan, seconds):
    """However many of them there are, and whatever it did for nothing."""
    _, ended = play(plan, seconds, read_only=True)

    assert ended == WORKS or not has_budget(plan, seconds)
