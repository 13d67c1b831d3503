"""Round `duplicates`: calls with a key come again and again, and the gateway dies amid them.

Every key makes a customer of its own, so the customers that Business Central has in the end tell
how often each key was executed.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from dev.demo.gateway_client import GatewayClient
from dev.demo.warehouse_definitions import CUSTOMERS
from dev.sample import INVOKE_KEY
from dev.soak.effects import IN_PROGRESS, Ended, judge
from dev.soak.holds import hold_next
from dev.soak.resending import send
from dev.soak.stage import INSTANCES, call_path, stage
from shared.domain.idempotency import RESERVATION_GRACE, hash_of

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from dev.soak.report import Report
    from dev.soak.resending import Answer
    from dev.soak.stage import Stage

CODE, ENDPOINT = "DUPLICATES", "NEW_CUSTOMER"
ROUNDS = 1_000
KEYS_AT_ONCE = 8
RESENDS = (2, 4, 8)
# Short, since those who wait for a call that died wait as long each time.
TIMEOUT_OF_A_CALL = 1
# Its lease lasts half as long again. Who dies while making the key that seals answers leaves one
# behind, and until it has run out no call with a key gets on.
TOKEN_CALL_SECONDS = 2
SLOWNESS_SECONDS = 0.4
TOO_SLOW_SECONDS = TIMEOUT_OF_A_CALL + SLOWNESS_SECONDS
LIFE_SECONDS = (0.3, 1.5)

# Each meets one request, of whichever key it is. Every key sends one at least: no more than that.
FAULTS_OF_A_KEY = (0, 0, 0, 0, 1, 2)
_LATE = ({"latency_seconds": SLOWNESS_SECONDS}, {"latency_seconds": TOO_SLOW_SECONDS})
_OPEN: tuple[dict[str, Any], ...] = (
    {"drop": True},
    *({"status": status} for status in (408, 500, 503, 504)),
    *_LATE,
)
SERVICE_FAULTS = (
    {"status": HTTPStatus.TOO_MANY_REQUESTS},
    *_OPEN,
    *(rule | {"after": True} for rule in _OPEN),
)
# At the row of the key: its reservation found, or its outcome stored.
STORAGE_FAULTS: tuple[dict[str, Any], ...] = (
    *({}, {}, {}),
    {"drop": True},
    {"drop": True, "after": True},
)


def run(report: Report, folder: Path, *, rounds: int = ROUNDS, waits: bool = True) -> None:
    """Play so many keys; `waits` until those of calls that died may be told that nobody knows."""
    with (
        stage(folder, TOKEN_CALL_SECONDS=str(TOKEN_CALL_SECONDS)) as set_up,
        ThreadPoolExecutor(KEYS_AT_ONCE) as keys_at_once,
    ):
        _add_endpoints(set_up)
        playing = {
            key: keys_at_once.submit(_play, set_up, key)
            for key in (f"order-{number}" for number in range(rounds))
        }
        kills = _kill_until_begun(set_up, list(playing.values())[-1])
        answers = {key: future.result() for key, future in playing.items()}
        for simulator in (set_up.business_central, set_up.storage):
            simulator.control("DELETE", "faults")
        time.sleep(TOO_SLOW_SECONDS)  # until Business Central has done what it still works on
        if waits:
            time.sleep(RESERVATION_GRACE.total_seconds())
        unsettled = [key for key in answers if all(each.is_passing for each in answers[key])]
        settled = keys_at_once.map(lambda key: _settle(set_up, key), unsettled)
        for key, told in zip(unsettled, settled, strict=True):
            answers[key] += told
        effects = _effects(set_up)
    ended = [Ended(answers[key], effects[key]) for key in answers]
    judge(report, ended, kills=kills, has_waited=waits)


def _add_endpoints(set_up: Stage) -> None:
    set_up.add_integration(CODE)
    create = {
        "code": ENDPOINT,
        "kind": "api",
        "method": "POST",
        "api_url": "customers",
        "timeout_seconds": TIMEOUT_OF_A_CALL,
    }
    for endpoint in (create, CUSTOMERS):
        set_up.manage("PUT", f"integrations/{CODE}/endpoints/{endpoint['code']}", endpoint)


def _play(set_up: Stage, key: str) -> list[Answer]:
    """Send a call as one caller or as twins do, amid faults; give the answers to all of them."""
    for _ in range(random.choice(FAULTS_OF_A_KEY)):  # noqa: S311
        fault = random.choice(SERVICE_FAULTS)  # noqa: S311
        hold_next(set_up.business_central, path="/customers$", method="POST", **fault)
    if fault := random.choice(STORAGE_FAULTS):  # noqa: S311
        hold_next(set_up.storage, path=hash_of(key, endpoint=ENDPOINT), **fault)
    callers = random.choice((INSTANCES[:1], INSTANCES[1:], INSTANCES))  # noqa: S311
    resends = random.choice(RESENDS)  # noqa: S311
    with ThreadPoolExecutor(len(callers)) as pool:
        told = pool.map(lambda first: _send(set_up, key, first=first, resends=resends), callers)
        return [answer for answers in told for answer in answers]


def _settle(set_up: Stage, key: str) -> list[Answer]:
    """Ask what became of a call whose callers gave up, until that or its being open is told."""
    answers: list[Answer] = []
    for _ in range(max(RESENDS)):
        answers += _send(set_up, key)
        if not answers[-1].is_passing or answers[-1].code == IN_PROGRESS:
            break
    return answers


def _send(set_up: Stage, key: str, *, first: int = 1, resends: int = 0) -> list[Answer]:
    """Send a call to one instance first, and again to the other and back."""
    urls = [
        set_up.call_url(CODE, number, endpoint=ENDPOINT)
        for number in sorted(INSTANCES, key=lambda number: number != first)
    ]
    return send(urls, {"displayName": key}, key=key, resends=resends)


def _kill_until_begun(set_up: Stage, last: Future[Any]) -> int:
    """Let one instance after the other die at any moment, until the last key is sent."""
    kills = 0
    while kills == 0 or not (last.running() or last.done()):
        victim = INSTANCES[kills % 2]
        time.sleep(random.uniform(*LIFE_SECONDS))  # noqa: S311
        set_up.stack.kill(victim)
        set_up.stack.start(victim)
        kills += 1
    return kills


def _effects(set_up: Stage) -> Counter[str]:
    """Count the customers that Business Central has under each name."""
    caller = GatewayClient(set_up.stack.gateway, key=INVOKE_KEY, key_name="invoke key")
    answer = caller.call("GET", call_path(CODE, CUSTOMERS["code"]))
    answer.raise_for_status()
    return Counter(customer["displayName"] for customer in answer.json()["value"])
