"""The same call straight to Business Central and through the gateway, side by side."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dev import sample
from dev.bench.report import percentile, say_table
from dev.bench.stage import APP, LISTING, require_ok
from dev.demo.gateway_client import TIMEOUT_SECONDS, http_session
from dev.demo.warehouse_definitions import integration
from dev.stack.ports import url

if TYPE_CHECKING:
    from dev.stack.running import Stack

THREADS = (1, 16)
CALLS_OF_A_TURN = 160
TURNS, QUICK_TURNS = 10, 2


@dataclass(slots=True)
class Way:
    """One way of a call to Business Central, and how long its answers took."""

    url: str
    headers: dict[str, str]
    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0

    def take_turn(self, workers: ThreadPoolExecutor, connection: _Connection) -> None:
        """Make the calls of one turn."""
        started = time.perf_counter()
        calls = [workers.submit(connection.milliseconds, self) for _ in range(CALLS_OF_A_TURN)]
        self.milliseconds += [call.result() for call in calls]
        self.seconds += time.perf_counter() - started


class _Connection(threading.local):
    """A connection of each thread, kept open between calls."""

    def __init__(self) -> None:
        self.session = http_session()

    def milliseconds(self, way: Way) -> float:
        """Call once and return how long the answer took; DevError if it is an error."""
        started = time.perf_counter()
        answer = self.session.post(way.url, json={}, headers=way.headers, timeout=TIMEOUT_SECONDS)
        taken = time.perf_counter() - started
        require_ok(answer)
        return taken * 1000


def show(stack: Stack, *, is_quick: bool) -> None:
    """Let both ways take turns, with one caller and with many, and print what they took."""
    turns = QUICK_TURNS if is_quick else TURNS
    rows = []
    for threads in THREADS:
        direct, gateway = _ways(stack)
        connection = _Connection()
        with ThreadPoolExecutor(threads) as workers:
            for _ in range(turns):
                direct.take_turn(workers, connection)
                gateway.take_turn(workers, connection)
        rows.append((str(threads), *_compared(direct, gateway)))
    say_table(
        (
            *("callers", "direct p50 ms", "gateway p50 ms", "ratio"),
            *("direct p95 ms", "gateway p95 ms", "ratio", "direct calls/s", "gateway calls/s"),
        ),
        rows,
    )


def _compared(direct: Way, gateway: Way) -> list[str]:
    cells = []
    for percent in (50, 95):
        of_direct, of_gateway = (percentile(way.milliseconds, percent) for way in (direct, gateway))
        cells += [f"{of_direct:.1f}", f"{of_gateway:.1f}", f"{of_gateway / of_direct:.2f}"]
    return cells + [f"{len(way.milliseconds) / way.seconds:.0f}" for way in (direct, gateway)]


def _ways(stack: Stack) -> tuple[Way, Way]:
    """Return the same call straight to Business Central and through the gateway, both warm."""
    connection = _Connection()
    gateway = Way(
        f"{stack.gateway}/api/invoke/{APP}/{LISTING['code']}",
        {"x-functions-key": sample.INVOKE_KEY},
    )
    connection.milliseconds(gateway)
    service = url(stack.ports.business_central)
    log = connection.session.get(f"{service}/_control/log", timeout=TIMEOUT_SECONDS)
    require_ok(log)
    direct = Way(
        # What the gateway has just called.
        service + log.json()[-1]["target"],
        {"Authorization": f"Bearer {_token(stack)}"},
    )
    connection.milliseconds(direct)
    return direct, gateway


def _token(stack: Stack) -> str:
    """Return a token of the app that the gateway calls as."""
    form = {
        "grant_type": "client_credentials",
        "client_id": sample.CLIENT_ID,
        "client_secret": sample.CLIENT_SECRET,
        "scope": f"{sample.BUSINESS_CENTRAL_RESOURCE}/.default",
    }
    token_url = integration(stack.ports)["token_url"]
    answer = http_session().post(token_url, data=form, timeout=TIMEOUT_SECONDS)
    require_ok(answer)
    return str(answer.json()["access_token"])
