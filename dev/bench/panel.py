"""The control panel: how long each page takes, warm, and what a browser loads at first."""

from __future__ import annotations

import re
import statistics
import time
from typing import TYPE_CHECKING

from dev import sample
from dev.bench.findings import Findings, Goal
from dev.bench.report import say, say_table
from dev.bench.stage import APPS, ENDPOINT, PERSON
from dev.demo.gateway_client import TIMEOUT_SECONDS, GatewayClient, http_session
from dev.demo.warehouse_definitions import ENDPOINTS
from dev.errors import DevError
from shared.domain.principals import ADMINISTRATOR_ROLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from dev.bench.stage import Stage

PANEL = "/api/panel"
_HOME = f"{PANEL}/integrations/{PERSON}"
_ENDPOINT = f"{_HOME}/endpoints/{ENDPOINTS[0]['code']}"
PAGES = {
    "integrations": PANEL,
    "new integration": f"{PANEL}/integrations/new",
    "integration": _HOME,
    "its status, by itself": f"{_HOME}/health",
    "presets": f"{_HOME}/endpoints/presets",
    "new endpoint": f"{_HOME}/endpoints/new",
    "endpoint": _ENDPOINT,
    "try it": f"{_ENDPOINT}/try",
    "activity": f"{PANEL}/activity?integration={APPS['http']}",
    "audit": f"{PANEL}/audit",
}
ROUNDS, QUICK_ROUNDS = 21, 3
# What the activity page has to tell of.
CALLS = 60
MOST_MS, MOST_KB = 50, 120
FILE = re.compile(rf'(?:src|href)="({PANEL}/assets/[^"]+)"')


class Browser:
    """A signed-in administrator's browser, without its cache."""

    def __init__(self, gateway: str) -> None:
        """Sign in at the stand-in of App Service Authentication."""
        self._gateway = gateway
        self._session = http_session()
        form = {"name": sample.USER_NAME, "role": ADMINISTRATOR_ROLE}
        target = f"{gateway}/.auth/login/aad"
        self._session.post(target, form, timeout=TIMEOUT_SECONDS, allow_redirects=False)

    def open(self, path: str) -> requests.Response:
        """Get a page or a file; DevError if it is none."""
        answer = self._session.get(f"{self._gateway}{path}", timeout=TIMEOUT_SECONDS)
        if answer.status_code != 200:
            raise DevError(f"GET {path} answers {answer.status_code}:\n\n{answer.text}")
        return answer


def run(stage: Stage, *, is_quick: bool) -> Findings:
    """Measure and print both."""
    _prepare(stage)
    browser = Browser(stage.stack.gateway)
    medians = page_milliseconds(browser, QUICK_ROUNDS if is_quick else ROUNDS)
    say_table(("page", "ms"), [(name, f"{each:.1f}") for name, each in medians.items()])
    loaded = first_load(browser)
    say()
    say_table(("first load", "bytes"), [(path, str(size)) for path, size in loaded.items()])
    slowest = max(medians, key=medians.__getitem__)
    kilobytes = sum(loaded.values()) / 1000
    return Findings(
        {"page_ms": medians, "first_load_bytes": loaded},
        [
            Goal(
                text=f"the slowest page ({slowest}), ms", figure=medians[slowest], at_most=MOST_MS
            ),
            Goal(text="first load of the panel, kB", figure=kilobytes, at_most=MOST_KB),
        ],
    )


def page_milliseconds(browser: Browser, rounds: int) -> dict[str, float]:
    """Open all pages so many times, by turns, and return the median time of each."""
    taken: dict[str, list[float]] = {name: [] for name in PAGES}
    for number in range(rounds + 1):
        for name, path in PAGES.items():
            before = time.perf_counter()
            browser.open(path)
            if number > 0:  # the first round loads what the pages need
                taken[name].append((time.perf_counter() - before) * 1000)
    return {name: statistics.median(each) for name, each in taken.items()}


def first_load(browser: Browser) -> Mapping[str, int]:
    """Return the bytes of the first page and its files, as they are transferred."""
    page = browser.open(PANEL)
    files = sorted(set(FILE.findall(page.text)))
    answers = {PANEL: page} | {path: browser.open(path) for path in files}
    return {path: int(answer.headers["Content-Length"]) for path, answer in answers.items()}


def _prepare(stage: Stage) -> None:
    """Store the endpoints of the warehouse flow, and make some calls."""
    administrator = GatewayClient(stage.stack.gateway, key=sample.HOST_KEY, key_name="host key")
    for endpoint in ENDPOINTS:
        place = f"integrations/{PERSON}/endpoints/{endpoint['code']}"
        administrator.require("PUT", place, endpoint)
    for _ in range(CALLS):
        administrator.require("POST", f"invoke/{APPS['http']}/{ENDPOINT}", {})
