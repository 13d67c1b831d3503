"""Round `kills`: a process dies at each step of a renewal, and at random moments.

The provider rotates refresh tokens strictly, so a grant is lost with whoever dies between the
provider's answer and Key Vault: nobody could save that one. Every other must live on, and what is
lost must be told as what it is. The provider's own books say which is which.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dev.soak.asking import SIGN_IN_REQUIRED, WORKS, ask, ask_until
from dev.soak.books import is_lost, wait_until_expired
from dev.soak.holds import hold_next, wait_until_held
from dev.soak.load import running_load
from dev.soak.stage import INSTANCES, TOKEN_PATH, stage
from shared.domain.secret_names import tokens_name

if TYPE_CHECKING:
    from pathlib import Path

    from dev.soak.report import Report
    from dev.soak.simulator import Simulator
    from dev.soak.stage import Stage

TOKEN_CALL_SECONDS = 2
LEASE_SECONDS = 1.5 * TOKEN_CALL_SECONDS
# Far longer than a lease, and far shorter than a caller's own patience.
WEDGED_SECONDS = 15
LIFE_SECONDS = 4
# Until the simulators have noticed a death, and done what they had begun, on a busy machine too;
# and before anybody else can take the lease of the dead.
SETTLING_SECONDS = 1
SLOWNESS_SECONDS = 0.4
THINK_SECONDS = 0.05

_FINAL = (WORKS, SIGN_IN_REQUIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a renewal, held open by a rule until the process is dead.

    `is_costly` where the grant is lost then: the provider has spent a refresh token, and its
    successor is in no vault.
    """

    name: str
    code: str
    part: str
    rule: dict[str, Any]
    is_costly: bool = False

    def simulator(self, set_up: Stage) -> Simulator:
        """Give the simulator that holds the step's request."""
        return set_up.vault if self.part == "vault" else set_up.entra


def _step(name: str, code: str, part: str, *, is_costly: bool = False, **rule: Any) -> Step:
    path = f"/secrets/{tokens_name(code)}" if part == "vault" else TOKEN_PATH
    rule = {"path": path, "latency_seconds": WEDGED_SECONDS, "abandon": True, **rule}
    return Step(name=name, code=code, part=part, rule=rule, is_costly=is_costly)


STEPS = (
    _step("lease held, before the token call", "KILL_A", "vault", method="GET"),
    _step("token call sent, not executed", "KILL_B", "entra"),
    _step("token call executed, not answered", "KILL_C", "entra", after=True, is_costly=True),
    _step("token call answered, not saved", "KILL_D", "vault", method="PUT", is_costly=True),
    _step("saved, not recorded", "KILL_E", "vault", method="PUT", after=True),
)
CODES = tuple(step.code for step in STEPS)


@dataclass(slots=True)
class _Found:
    """What the deaths have led to."""

    deaths: int = 0
    lost_at_provider: int = 0
    lost_by_gateway: list[str] = field(default_factory=list)
    not_as_planned: list[str] = field(default_factory=list)
    handed_out_early: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    wedged: list[str] = field(default_factory=list)
    not_mended: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def run(report: Report, folder: Path, *, at_steps: int = 4, at_random: int = 24) -> None:
    """Kill a process so many times at all steps at once, and so many times at random."""
    found = _Found()
    with stage(folder, TOKEN_CALL_SECONDS=str(TOKEN_CALL_SECONDS)) as set_up:
        set_up.token_life(LIFE_SECONDS)
        for code in CODES:
            set_up.add_integration(code)
        for number in range(at_steps):
            _kill_at_steps(set_up, found, victim=INSTANCES[number % 2])
        for number in range(at_random):
            _kill_at_random(set_up, found, victim=INSTANCES[number % 2])
    _report(report, found)


def _kill_at_steps(set_up: Stage, found: _Found, *, victim: int) -> None:
    """Let one process die while it renews five sign-ins, each at another step."""
    for code in CODES:
        _ask(set_up, code, victim)
    wait_until_expired(set_up, *CODES)
    with ThreadPoolExecutor(len(STEPS)) as pool:
        calls = []
        for step in STEPS:
            hold_next(step.simulator(set_up), **step.rule)
            calls.append(pool.submit(ask, set_up, step.code, victim))
            wait_until_held(step.simulator(set_up), calls[-1])
        found.handed_out_early += [
            step.name for step, call in zip(STEPS, calls, strict=True) if call.done()
        ]
        set_up.stack.kill(victim)
    lost = _lost(set_up)
    found.not_as_planned += [step.name for step in STEPS if (step.code in lost) != step.is_costly]
    _look_after(set_up, found, victim=victim, lost=lost)


def _kill_at_random(set_up: Stage, found: _Found, *, victim: int) -> None:
    """Let a process die at any moment while both renew; one of the steps takes longer."""
    step = random.choice(STEPS)  # noqa: S311
    urls = [set_up.call_url(code, number) for code in CODES for number in INSTANCES]
    path = TOKEN_PATH if step.part == "entra" else "/secrets/.*-tokens"
    rule = step.rule | {"path": path, "latency_seconds": SLOWNESS_SECONDS}
    with (
        step.simulator(set_up).failing(**rule),
        running_load(urls, threads=1, think_seconds=THINK_SECONDS),
    ):
        time.sleep(random.uniform(LIFE_SECONDS / 2, LIFE_SECONDS))  # noqa: S311
        set_up.stack.kill(victim)
        lost = _lost(set_up)
    _look_after(set_up, found, victim=victim, lost=lost)


def _lost(set_up: Stage) -> set[str]:
    """Give the integrations whose grant is lost at the provider, once all has settled."""
    time.sleep(SETTLING_SECONDS)
    return {code for code in CODES if is_lost(set_up, code)}


def _look_after(set_up: Stage, found: _Found, *, victim: int, lost: set[str]) -> None:
    """Call both instances after a death, judge their answers, and sign in where that is due."""
    found.deaths += 1
    survivor = next(number for number in INSTANCES if number != victim)
    with ThreadPoolExecutor(2 * len(CODES)) as pool:
        asked = [(code, pool.submit(_ask, set_up, code, survivor)) for code in CODES]
        set_up.stack.start(victim)
        asked += [(code, pool.submit(_ask, set_up, code, victim)) for code in CODES]
    for code, call in asked:
        answer, seconds = call.result()
        found.seconds.append(seconds)
        if answer not in _FINAL or seconds > WEDGED_SECONDS:
            found.wedged.append(f"{code}: {answer} after {seconds:.0f} s")
        elif answer == SIGN_IN_REQUIRED and code not in lost:
            found.untrue.append(code)
    lost_now = _lost(set_up)
    if lost_now - lost:
        # A renewal that is under way looks like a loss until it has saved; its lease bounds it.
        time.sleep(LEASE_SECONDS)
        lost_now &= _lost(set_up)
    found.lost_at_provider += len(lost_now & lost)
    found.lost_by_gateway += sorted(lost_now - lost)
    for code in lost_now:
        set_up.sign_in(code)
        answers = {ask(set_up, code, number) for number in INSTANCES}
        if answers != {WORKS}:
            found.not_mended.append(f"{code}: {' and '.join(sorted(answers))}")


def _ask(set_up: Stage, code: str, instance: int) -> tuple[str, float]:
    return ask_until(_FINAL, set_up, code, instance, seconds=WEDGED_SECONDS)


def _report(report: Report, found: _Found) -> None:
    report.check(
        "the process dies at the step that is meant",
        is_ok=not found.not_as_planned,
        figures=_listed(found.not_as_planned) or ", ".join(step.name for step in STEPS),
    )
    report.check(
        "no token is handed out before it is saved",
        is_ok=not found.handed_out_early,
        figures=_listed(found.handed_out_early) or "no call was answered at a held step",
    )
    report.check(
        "a death loses no grant that was not lost at the provider",
        is_ok=found.deaths > 0 and not found.lost_by_gateway,
        figures=f"{found.deaths} deaths amid {len(CODES)} integrations, "
        f"{found.lost_at_provider} grants lost at the provider, "
        f"{len(found.lost_by_gateway)} by the gateway {_listed(found.lost_by_gateway)}".rstrip(),
    )
    report.check(
        "a lost grant is told as sign_in_required, and no other one",
        is_ok=not found.untrue,
        figures=_listed(found.untrue) or f"{found.lost_at_provider} times",
    )
    report.check(
        "the lease of the dead is taken over when it has run out",
        is_ok=not found.wedged,
        figures=_listed(found.wedged)
        or f"the next answer came after {max(found.seconds):.1f} s at the latest, "
        f"a lease lasts {LEASE_SECONDS:.0f} s",
    )
    report.check(
        "a new sign-in mends a lost grant at once, on both instances",
        is_ok=not found.not_mended,
        figures=_listed(found.not_mended) or f"{found.lost_at_provider} times",
    )


def _listed(names: list[str]) -> str:
    return "; ".join(names)
