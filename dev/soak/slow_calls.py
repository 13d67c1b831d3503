"""Round `slow-calls`: a provider that takes longer than a lease lasts, and holders that stop.

The provider notices when a client has gone and then does not work, as a good server does: only so
is a call that is cut short free of cost.
"""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dev.errors import DevError
from dev.soak.asking import SIGN_IN_REQUIRED, WORKS, ask, ask_until
from dev.soak.books import kept_tokens, wait_until_expired
from dev.soak.holds import hold_next, wait_until_held
from dev.soak.load import failed, outcomes, running_load
from dev.soak.stage import INSTANCES, TOKEN_PATH, stage

if TYPE_CHECKING:
    from pathlib import Path

    from dev.soak.load import Call
    from dev.soak.report import Report
    from dev.soak.stage import Stage
    from shared.domain.tokens import TokenSet

TOKEN_CALL_SECONDS = 2
LEASE_SECONDS = 1.5 * TOKEN_CALL_SECONDS
LIFE_SECONDS = 4
# Half of a life is left when the first renewal begins, a quarter when the token is not used again.
DUE_AFTER_SECONDS = LIFE_SECONDS / 2
EXPIRED_AFTER_SECONDS = 0.75 * LIFE_SECONDS
# The one attempt has failed by then, and the next one, which waits 2.5 s at least, not begun.
BACK_AFTER_SECONDS = DUE_AFTER_SECONDS + TOKEN_CALL_SECONDS + 1.5
# The next attempt waits five seconds at most.
RECOVERY_SECONDS = 8
TOO_SLOW_SECONDS = 2 * LEASE_SECONDS
SLOW_SECONDS = 0.75 * TOKEN_CALL_SECONDS
SETTLING_SECONDS = 0.3
THREADS = 8
THINK_SECONDS = 0.1


def run(report: Report, folder: Path, *, rotations: int = 6) -> None:
    """Play all cases; the slow provider for so many rotations."""
    with stage(folder, TOKEN_CALL_SECONDS=str(TOKEN_CALL_SECONDS)) as set_up:
        set_up.token_life(LIFE_SECONDS)
        _too_slow(report, set_up)
        _slow(report, set_up, rotations)
        if hasattr(signal, "SIGSTOP"):  # Windows has none
            # The token calls of the stopped one and of the other are both to succeed.
            set_up.entra.control("POST", "settings", {"strict_rotation": False})
            _stopped(report, set_up)


def _too_slow(report: Report, set_up: Stage) -> None:
    """Let every token call take longer than a lease, until calls have failed; then recover."""
    code = "TOO_SLOW"
    began = time.time()
    set_up.add_integration(code)
    spent, reused = set_up.refreshes(), set_up.reuse_detections()
    urls = [set_up.call_url(code, number) for number in INSTANCES]
    slow = {"path": TOKEN_PATH, "latency_seconds": TOO_SLOW_SECONDS, "abandon": True}
    with running_load(urls, threads=THREADS, think_seconds=THINK_SECONDS) as load:
        with set_up.entra.failing(**slow):
            time.sleep(began + BACK_AFTER_SECONDS - time.time())
            spent = set_up.refreshes() - spent
        answers = [
            ask_until([WORKS], set_up, code, number, seconds=RECOVERY_SECONDS)
            for number in INSTANCES
        ]
    valid = [call for call in load.calls if call.began < began + EXPIRED_AFTER_SECONDS - 0.5]
    report.check(
        "while token calls outlast the lease, no call fails before the token expires",
        is_ok=bool(valid) and not failed(valid),
        figures=f"{len(failed(valid))} of {len(valid)} failed ({outcomes(valid)})",
    )
    late = failed(load.calls)
    report.check(
        "past expiry, every call is told to come back",
        is_ok=bool(late) and all(_is_told_to_come_back(call) for call in late),
        figures=outcomes(late),
    )
    reused = set_up.reuse_detections() - reused
    report.check(
        "no refresh token is used twice",
        is_ok=spent == 0 == reused,
        figures=f"{spent} came to work at the slow provider, {reused} reuse detections",
    )
    report.check(
        "calls succeed again by themselves",
        is_ok=all(answer == WORKS for answer, _ in answers),
        figures=" and ".join(f"{answer} after {seconds:.1f} s" for answer, seconds in answers),
    )


def _slow(report: Report, set_up: Stage, rotations: int) -> None:
    """Let token calls take almost the time that they have."""
    code = "SLOW"
    set_up.add_integration(code)
    first, spent = kept_tokens(set_up, code).generation, set_up.refreshes()
    urls = [set_up.call_url(code, number) for number in INSTANCES]
    with set_up.entra.failing(path=TOKEN_PATH, latency_seconds=SLOW_SECONDS, abandon=True):
        with running_load(urls, threads=THREADS, think_seconds=THINK_SECONDS) as load:
            time.sleep(rotations * (DUE_AFTER_SECONDS + SLOW_SECONDS) + 1)
        time.sleep(SLOW_SECONDS + 1)  # until a renewal that is under way has ended
    rotated, spent = kept_tokens(set_up, code).generation - first, set_up.refreshes() - spent
    report.check(
        "a slow provider is called once for each rotation, and no call fails",
        is_ok=rotations <= rotated == spent and not failed(load.calls),
        figures=f"{spent} token calls, {rotated} rotations, "
        f"{len(failed(load.calls))} of {len(load.calls)} calls failed ({outcomes(load.calls)})",
    )


def _stopped(report: Report, set_up: Stage) -> None:
    """Stop a holder of two leases until the other instance has renewed both, then continue it.

    It is in the middle of one token call; of the other it has the answer, and asks whether the
    lease is still its own.
    """
    calling, answered = "STOPPED_CALLING", "STOPPED_ANSWERED"
    for code in (calling, answered):
        set_up.add_integration(code)
    wait_until_expired(set_up, calling, answered)
    with ThreadPoolExecutor(2) as pool:
        hold_next(set_up.entra, path=TOKEN_PATH, latency_seconds=SETTLING_SECONDS)
        late = {answered: pool.submit(ask, set_up, answered, 1)}
        wait_until_held(set_up.entra, late[answered])
        row = f"tokenstate.*{answered}"
        hold_next(set_up.storage, path=row, latency_seconds=LEASE_SECONDS + 1)
        wait_until_held(set_up.storage, late[answered])
        hold_next(set_up.entra, path=TOKEN_PATH, after=True, latency_seconds=SETTLING_SECONDS)
        late[calling] = pool.submit(ask, set_up, calling, 1)
        wait_until_held(set_up.entra, late[calling])
        winners = _renewed_while_stopped(set_up, [calling, answered])
    time.sleep(SETTLING_SECONDS)
    kept = {code: kept_tokens(set_up, code) for code in winners}
    report.check(
        "a holder that was stopped overwrites nothing newer",
        is_ok=all(_is_in_force(kept[code], winners[code]) for code in kept),
        figures=", ".join(
            f"{code}: generation {kept[code].generation} of {winners[code].generation}"
            for code in kept
        ),
    )
    answers = [ask(set_up, code, number) for code in kept for number in INSTANCES]
    told = {code: call.result() for code, call in late.items()}
    report.check(
        "after a holder was stopped, calls work, and its own were told no untruth",
        is_ok=set(answers) == {WORKS} and SIGN_IN_REQUIRED not in told.values(),
        figures=f"its own: {told}; then {', '.join(answers)}",
    )


def _is_in_force(kept: TokenSet, winner: TokenSet) -> bool:
    """Tell whether the winner's tokens are there, or have been renewed since."""
    return kept.generation > winner.generation or kept == winner


def _renewed_while_stopped(set_up: Stage, codes: list[str]) -> dict[str, TokenSet]:
    """Stop the first instance until the other has renewed, which it can when the leases end."""
    holder = set_up.stack.pid(1)
    os.kill(holder, signal.SIGSTOP)
    try:
        for code in codes:
            answer, _ = ask_until([WORKS], set_up, code, 2, seconds=RECOVERY_SECONDS)
            if answer != WORKS:
                raise DevError(f"The other instance could not renew: {answer}.")
        time.sleep(1 + SETTLING_SECONDS)  # what is held for the stopped one comes by then
        return {code: kept_tokens(set_up, code) for code in codes}
    finally:
        os.kill(holder, signal.SIGCONT)


def _is_told_to_come_back(call: Call) -> bool:
    return (call.status, call.code) == (503, "identity_unavailable") and bool(call.retry_after)
