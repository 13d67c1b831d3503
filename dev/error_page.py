"""Make docs/errors.md from the tables that the gateway answers by: `python -m dev docs`."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from dev.paths import ROOT
from shared.domain import error_kinds
from shared.domain.aadsts import EXPLANATIONS
from shared.domain.bc_errors import STEPS, STEPS_OF_GROUPS
from shared.domain.error_kinds import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE = ROOT / "docs" / "errors.md"

_INTRODUCTION = """\
# Errors

<!-- Made by `python -m dev docs` from shared/domain/{error_kinds,bc_errors,aadsts}.py. -->

An error of the gateway is `application/problem+json` (RFC 9457) with these members: `code` (below),
`type` (`urn:business-central-gateway:error:` and the code), `title`, `status`, `detail` (what
happened in this call), `instance`, `source` (`gateway`, `identity` or `upstream`: where the cause
lies), `retryable`, `hint` (the next step), `request_id`, and where they help `errors` (places in a
document, as JSON pointers) and `upstream` (the answer of the service). `detail` and `hint` are for
people and may change; programs go by `code`.

*Send again* says whether the same call may be sent again as it is; Power Automate does that by
itself for 408, 429 and 5xx. An answer with an empty body comes from Azure: 401 for a key that is
missing or wrong, 404 for an unknown path or method.
"""
_BUSINESS_CENTRAL = """\
## Codes of Business Central

An error of Business Central comes back as it gave it. Where its `error.code` is known, the header
`X-Gateway-Hint` says what to do; an error of the gateway that wraps such an answer says it in
`hint`. A code that is not listed counts as one of its group, such as `Application`.
"""
_ENTRA = """\
## Numbers of Microsoft Entra

Where Entra gives one of these numbers (AADSTS and digits), `detail` and `hint` say what it means.
"""


def write() -> None:
    """Write the page anew."""
    PAGE.write_text(text(), encoding="utf-8", newline="\n")


def text() -> str:
    """Return the page."""
    kinds = sorted(
        (value for value in vars(error_kinds).values() if isinstance(value, ErrorKind)),
        key=lambda kind: (kind.code, kind.status),
    )
    sections = [
        _INTRODUCTION,
        *_table(("code", "status", "source", "send again"), map(_overview, kinds)),
        *(line for _, same in groupby(kinds, lambda kind: kind.code) for line in _entry(same)),
        _BUSINESS_CENTRAL,
        *_table(("code", "what to do"), _bc_codes()),
        _ENTRA,
        *_table(("number", "what it means", "what to do"), _entra_numbers()),
    ]
    return "\n".join(sections)


def _overview(kind: ErrorKind) -> tuple[object, ...]:
    again = "yes" if kind.retryable else "no"
    return f"[`{kind.code}`](#{kind.code})", kind.status, kind.source, again


def _entry(kinds: Iterable[ErrorKind]) -> Iterator[str]:
    """Give the section of one code, which may stand for several statuses."""
    for number, kind in enumerate(kinds):
        if number == 0:
            yield f"## {kind.code}\n"
        yield f"**{kind.status}: {kind.title}.** {kind.when}\n"
        yield f"What to do: {kind.hint}\n"


def _bc_codes() -> Iterator[tuple[object, ...]]:
    yield from ((f"`{code}`", step) for code, step in STEPS.items())
    yield from ((f"`{group}` (group)", step) for group, step in STEPS_OF_GROUPS.items())


def _entra_numbers() -> Iterator[tuple[object, ...]]:
    return ((number, *EXPLANATIONS[number]) for number in sorted(EXPLANATIONS))


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    for cells in (header, ("---",) * len(header), *rows):
        yield f"| {' | '.join(map(str, cells))} |"
    yield ""
