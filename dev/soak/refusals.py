"""Round `refusals`: an answer that only a person can change is asked for once, any other again.

The sign-in is revoked, or the client secret is wrong: after one call of the provider every instance
knows, and callers are told until somebody acts. A provider that throttles, fails or talks nonsense
is asked again, and nobody has to sign in.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dev import sample
from dev.soak.asking import SIGN_IN_REQUIRED, WORKS, ask, ask_until
from dev.soak.books import wait_until_expired
from dev.soak.holds import hold_next
from dev.soak.load import outcomes, running_load
from dev.soak.stage import CACHE_SECONDS, INSTANCES, TOKEN_PATH, Stage, stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dev.soak.report import Report

TOKEN_CALL_SECONDS = 2
LIFE_SECONDS = 4
# The first wait after a failure is five seconds at most.
RECOVERY_SECONDS = 8
THREADS = 16
THINK_SECONDS = 0.05

# The integration that meets it -> what the provider does, once.
TRANSIENT: Mapping[str, dict[str, Any]] = {
    "STATUS_429": {"status": 429, "headers": {"Retry-After": "1"}},
    "STATUS_500": {"status": 500, "body": '{"error": "invalid_grant"}'},
    "HTML_200": {"status": 200, "body": "<html>Maintenance</html>"},
    "HTML_400": {"status": 400, "body": "<html>Maintenance</html>"},
    "DROPPED": {"drop": True},
    "TIMEOUT": {"latency_seconds": 2 * TOKEN_CALL_SECONDS, "abandon": True},
}


@dataclass(frozen=True, slots=True)
class _Case:
    """A refusal that only a person can change: how it comes, what callers are told, who helps."""

    what: str
    code: str
    refuse: Callable[[Stage, str], None]
    told: str
    mend: Callable[[Stage, str], None]


def _revoke(set_up: Stage, _code: str) -> None:
    set_up.entra.control("POST", "revoke", {})  # every grant that there is yet


def _break_secret(set_up: Stage, code: str) -> None:
    set_up.manage("PATCH", f"integrations/{code}", {"client_secret": "wrong"})


def _mend_secret(set_up: Stage, code: str) -> None:
    set_up.manage("PATCH", f"integrations/{code}", {"client_secret": sample.CLIENT_SECRET})


_CASES = (
    _Case("a revoked grant", "REVOKED", _revoke, SIGN_IN_REQUIRED, Stage.sign_in),
    _Case(
        "a wrong client secret",
        "WRONG_SECRET",
        _break_secret,
        "identity_misconfigured",
        _mend_secret,
    ),
)


def run(report: Report, folder: Path, *, seconds: float = 10) -> None:
    """Play all cases; the terminal ones under load for so many seconds."""
    with stage(folder, TOKEN_CALL_SECONDS=str(TOKEN_CALL_SECONDS)) as set_up:
        set_up.token_life(LIFE_SECONDS)
        for case in _CASES:
            set_up.add_integration(case.code)
            case.refuse(set_up, case.code)
        for code in TRANSIENT:
            set_up.add_integration(code)
        wait_until_expired(set_up, *(case.code for case in _CASES), *TRANSIENT)
        _terminal(report, set_up, seconds)
        _transient(report, set_up)


def _terminal(report: Report, set_up: Stage, seconds: float) -> None:
    """Call integrations that the provider refuses, from all sides; then let somebody act."""
    calls = set_up.refreshes()
    urls = {
        set_up.call_url(case.code, number): case.told for case in _CASES for number in INSTANCES
    }
    with running_load(urls, threads=THREADS, think_seconds=THINK_SECONDS) as load:
        time.sleep(seconds)
    calls = set_up.refreshes() - calls
    report.check(
        "a refusal that only a person can change costs one call of the provider",
        is_ok=calls == len(_CASES),
        figures=f"{calls} for {len(_CASES)} integrations, which were called {len(load.calls)}"
        f" times on two instances in {seconds:.0f} s",
    )
    report.check(
        "every caller is told what has to be done",
        is_ok=bool(load.calls)
        and all((call.status, call.code) == (424, urls[call.url]) for call in load.calls),
        figures=outcomes(load.calls),
    )
    for case in _CASES:
        case.mend(set_up, case.code)
        # Within the time that an instance may go on with what it knew.
        answers = [
            ask_until([WORKS], set_up, case.code, number, seconds=CACHE_SECONDS)
            for number in INSTANCES
        ]
        report.check(
            f"{case.what} is forgotten as soon as somebody has acted",
            is_ok=all(answer == WORKS for answer, _ in answers),
            figures=" and ".join(f"{answer} after {took:.1f} s" for answer, took in answers),
        )


def _transient(report: Report, set_up: Stage) -> None:
    """Let the provider fail once in every way, each time for another integration."""
    told = {}
    for code, rule in TRANSIENT.items():
        hold_next(set_up.entra, path=TOKEN_PATH, **rule)
        told[code] = ask(set_up, code, 1)
    for code in TRANSIENT:
        status = set_up.status(code)["status"]
        answer, took = ask_until([WORKS], set_up, code, 2, seconds=RECOVERY_SECONDS)
        report.check(
            f"a provider with {code} never makes anybody sign in",
            is_ok=(told[code], status, answer) == ("identity_unavailable", "authorized", WORKS),
            figures=f"{told[code]}, status {status}, then {answer} after {took:.1f} s",
        )
