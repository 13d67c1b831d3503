"""Single calls to the gateway, each with its answer in a word."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import requests

from dev.soak.load import OK

if TYPE_CHECKING:
    from collections.abc import Collection

    from dev.soak.stage import Stage

WORKS = "works"
SIGN_IN_REQUIRED = "sign_in_required"
_THINK_SECONDS = 0.05


def ask(set_up: Stage, code: str, instance: int) -> str:
    """Call once; give the code of the problem, or that it works, or why there is no answer."""
    try:
        answer = set_up.call(code, instance)
    except requests.RequestException as error:
        return type(error).__name__
    return WORKS if answer.status_code == OK else str(answer.json()["code"])


def ask_until(
    answers: Collection[str], set_up: Stage, code: str, instance: int, *, seconds: float
) -> tuple[str, float]:
    """Call until the answer is one of these, or the time is up; give the last, and how long."""
    began = time.monotonic()
    while True:
        answer, took = ask(set_up, code, instance), time.monotonic() - began
        if answer in answers or took > seconds:
            return answer, took
        time.sleep(_THINK_SECONDS)
