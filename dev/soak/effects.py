"""The verdict on calls with a key: what callers were told, beside what the service has done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dev.soak.report import Report
    from dev.soak.resending import Answer

DONE = HTTPStatus.CREATED
UNKNOWN = "outcome_unknown"
IN_PROGRESS = "idempotency_in_progress"


@dataclass(frozen=True, slots=True)
class Ended:
    """One key: all answers to its callers, those of each in order, and how often it was done."""

    answers: Sequence[Answer]
    effects: int

    @property
    def final(self) -> list[Answer]:
        """The answers after which nobody sends the call again."""
        return [answer for answer in self.answers if not answer.is_passing]

    @property
    def is_orphan(self) -> bool:
        """Tell whether its callers are still told to wait for a call that died."""
        return not self.final and self.answers[-1].code == IN_PROGRESS

    @property
    def says_unknown(self) -> bool:
        """Tell whether a caller was told that nobody knows."""
        return any(answer.code == UNKNOWN for answer in self.final)

    @property
    def is_true(self) -> bool:
        """Tell whether it was done exactly once, or once at most where that is what is told."""
        if any(answer.status == DONE for answer in self.final):
            return self.effects == 1
        return (self.says_unknown or self.is_orphan) and self.effects <= 1

    @property
    def is_consistent(self) -> bool:
        """Tell whether all were told the same; a warning says that later ones will not be."""
        told = {(answer.status, answer.code, answer.body) for answer in self.final}
        done = {answer.body for answer in self.final if answer.status == DONE}
        return len(told) <= 1 or (
            len(done) <= 1 and any(answer.has_warning for answer in self.final)
        )


def judge(report: Report, ended: Sequence[Ended], *, kills: int, has_waited: bool) -> None:
    """Check what became of each key; orphans are right only before their time is over."""
    answers = [answer for each in ended for answer in each.answers]
    orphans = [each for each in ended if each.is_orphan]
    twice = sum(each.effects > 1 for each in ended)
    replays = sum(answer.is_replayed for answer in answers)
    effects = Counter(each.effects for each in ended)
    report.check(
        "no key is executed twice",
        is_ok=bool(ended) and twice == 0,
        figures=f"{twice} of {len(ended)} keys; "
        + ", ".join(f"{count} x {number} effects" for number, count in sorted(effects.items())),
    )
    untrue = [each for each in ended if not each.is_true]
    report.check(
        "every key is executed once, or its callers are told that nobody knows",
        is_ok=not untrue,
        figures=f"{len(untrue)} are not; "
        f"{sum(each.says_unknown for each in ended)} unknown, of which "
        f"{sum(each.says_unknown and each.effects == 1 for each in ended)} executed",
    )
    differing = [each for each in ended if not each.is_consistent]
    report.check(
        "all callers of a key are told the same",
        is_ok=not differing,
        figures=f"{len(differing)} keys differ, {replays} answers were replayed",
    )
    report.check(
        "who waits for a call that died is told so, for as long as it might live",
        is_ok=not (has_waited and orphans),
        figures=f"{len(orphans)} keys still wait",
    )
    passing = sum(answer.is_passing for answer in answers)
    report.check(
        "the calls have met what they are to survive",
        is_ok=kills > 0 and passing > 0 and replays > 0,
        figures=f"{kills} kills, {passing} answers in passing ({_endings(answers)})",
    )


def _endings(answers: Iterable[Answer]) -> str:
    counted = Counter(f"{each.status or 'lost'} {each.code}".rstrip() for each in answers)
    return ", ".join(f"{count} x {ending}" for ending, count in counted.most_common())
