"""Idempotency keys while processes die, storage fails and twins cut in, at any step of a call.

The service counts what it executes. Whatever happens, that is never two; and in the end a clean
call gets the answer of the one execution, or is told that the outcome is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.errors import GatewayError, StorageUnavailable
from shared.domain.transport import AnswerLost, NotSent
from tests.fakes import json_answer
from tests.scenes import BC, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.domain.transport import OutboundAnswer, SendError

KEY = {"idempotency-key": "order-4711"}
STEPS = 5  # reservation, sending, outcome; with a look or two
SERVICES = {
    "executes": (True, json_answer({"no": "S-1"})),
    "executes and is not heard": (True, AnswerLost("cut")),
    "executes and fails": (True, json_answer({}, status=503)),
    "refuses": (False, json_answer({}, status=400)),
    "is gone": (False, NotSent("gone")),
}


class Death(BaseException):
    """The end of a process: no code of the gateway expects it."""


@dataclass(frozen=True)
class Blow:
    """What hits a call at one of its steps: before the step, or after it, as nobody hears."""

    step: int
    is_after: bool
    kind: str  # death, outage, twin


@dataclass(frozen=True)
class Sent:
    """One call: how the service behaves, what hits it, and how much time passes before it."""

    service: str
    blow: Blow | None
    pause_seconds: int


class Ordeal:
    """A gateway whose calls are hit."""

    def __init__(self) -> None:
        self.scene = serving()
        self.scene.clock.advance(seconds=1)
        self.executed = 0
        self._service = "executes"
        self._blow: Blow | None = None
        self._steps = 0
        self.scene.http.script(BC, self._serve)
        self._watch(self.scene.idempotency, "get", "insert", "replace", "delete")

    def call(self, sent: Sent) -> int:
        """Make a call on an instance of its own; return its status, 0 where nobody answers."""
        self.scene.clock.advance(seconds=sent.pause_seconds)
        self._service, self._blow, self._steps = sent.service, sent.blow, 0
        instance = self.scene.another_instance()
        try:
            reply = self.scene.invoke(headers=KEY, services=instance)
        except GatewayError as error:
            return error.kind.status
        except Death:
            return 0
        assert self.executed == (1 if reply.status < 300 else self.executed)
        return reply.status

    def _serve(self, _: object) -> OutboundAnswer | SendError:
        executes, reply = SERVICES[self._service]

        def work() -> OutboundAnswer | SendError:
            self.executed += executes
            assert self.executed <= 1
            return reply

        return self._step(work, NotSent("no connection"), AnswerLost("cut"))

    def _watch(self, store: Any, *methods: str) -> None:
        for method in methods:
            real = getattr(store, method)

            def step(*args: Any, real: Callable[..., Any] = real) -> Any:
                down = StorageUnavailable("The storage is down.")
                return self._step(lambda: real(*args), down, down)

            setattr(store, method, step)

    def _step(self, work: Callable[[], Any], before: Exception, after: Exception) -> Any:
        self._steps += 1
        blow = self._blow if self._blow and self._blow.step == self._steps else None
        if blow is None:
            return work()
        self._blow = None
        if blow.is_after:
            result = work()
            self._hit(blow.kind, after)
            return result
        self._hit(blow.kind, before)
        return work()

    def _hit(self, kind: str, outage: Exception) -> None:
        if kind == "death":
            raise Death
        if kind == "outage":
            raise outage
        self.call(Sent(self._service, None, 0))


blows = st.builds(
    Blow, st.integers(1, STEPS), st.booleans(), st.sampled_from(["death", "outage", "twin"])
)
calls = st.lists(
    st.builds(
        Sent,
        st.sampled_from(sorted(SERVICES)),
        st.none() | blows,
        st.sampled_from([0, 30, 200]),
    ),
    min_size=1,
    max_size=5,
)


@given(calls)
@example([Sent("executes", Blow(2, is_after=True, kind="death"), 0)])
@example([Sent("executes", Blow(3, is_after=False, kind="outage"), 0)])
@example([Sent("executes", Blow(2, is_after=True, kind="twin"), 0)])
def test_call_is_executed_at_most_once_whatever_happens(sent):
    """And the last word is the answer of the one execution, or that nobody knows."""
    ordeal = Ordeal()

    answered = [ordeal.call(each) for each in sent]
    last = ordeal.call(Sent("executes", None, 200))

    assert ordeal.executed <= 1
    assert last in {200, 409}
    assert ordeal.executed == 1 or last == 409
    assert 200 not in answered or ordeal.executed == 1
