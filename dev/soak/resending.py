"""A caller as Power Automate is one: what fails in passing is sent again, with the same key."""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests

from dev.demo.gateway_client import http_session
from dev.sample import INVOKE_KEY
from dev.soak.load import problem_code

if TYPE_CHECKING:
    from collections.abc import Sequence

LOST = 0
# Longer than any call of the rounds may take: who waits in vain counts it as lost.
_PATIENCE_SECONDS = 10
# Power Automate waits seconds, and longer each time; here only the order of things matters.
_LONGEST_PAUSE_SECONDS = 0.2
# Of the final answers; they are noted all the same, since the gateway has given them.
_SHARE_LOST_ON_THE_WAY = 1 / 3
_PASSING = (LOST, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `LOST` for a status where nothing did, and the body of a success."""

    status: int
    code: str = ""
    body: bytes = b""
    is_replayed: bool = False
    has_warning: bool = False

    @property
    def is_passing(self) -> bool:
        """Tell whether the caller sends the call again."""
        return self.status in _PASSING or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def send(urls: Sequence[str], body: Any, *, key: str, resends: int) -> list[Answer]:
    """Call until the answer is final or the resends are used up, each URL in turn.

    A final answer may get lost on its way to the caller, who sends the call again then.
    """
    answers: list[Answer] = []
    with http_session() as session:
        session.headers.update({"x-functions-key": INVOKE_KEY, "Idempotency-Key": key})
        for url in itertools.islice(itertools.cycle(urls), 1 + resends):
            answers.append(_call(session, url, body))
            is_lost = random.random() < _SHARE_LOST_ON_THE_WAY  # noqa: S311
            if not (answers[-1].is_passing or is_lost):
                break
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311
    return answers


def _call(session: requests.Session, url: str, body: Any) -> Answer:
    try:
        answer = session.post(url, json=body, timeout=_PATIENCE_SECONDS)
    except requests.RequestException:
        return Answer(LOST)
    return Answer(
        answer.status_code,
        "" if answer.ok else problem_code(answer),
        answer.content if answer.ok else b"",
        is_replayed="Idempotency-Replayed" in answer.headers,
        has_warning="X-Gateway-Warning" in answer.headers,
    )
