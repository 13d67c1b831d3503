"""All definitions with their token states, read page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.errors import StorageUnavailable
from shared.domain.records import StoredIntegration
from shared.domain.tokens import TokenState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.ports import Clock, IntegrationStore, TokenStateStore

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Surveyed:
    """An integration and its token state, empty where none is stored, as read at a moment."""

    record: StoredIntegration
    state: TokenState
    read_on: datetime


class TokenSurvey:
    """Reads the stores by pages, not by rows: it may be of thousands."""

    def __init__(
        self, integrations: IntegrationStore, states: TokenStateStore, clock: Clock
    ) -> None:
        """Read from both stores."""
        self._integrations = integrations
        self._states = states
        self._clock = clock

    def read(self) -> tuple[list[Surveyed], StorageUnavailable | None]:
        """Return all in the order of their codes, or what could be read and what went wrong."""
        return _as_far_as_possible(self._all())

    def read_again(
        self, chosen: Sequence[Surveyed]
    ) -> tuple[list[Surveyed], StorageUnavailable | None]:
        """Return those chosen, in the order of their codes, with their states as they are now."""
        return _as_far_as_possible(self._again(chosen))

    def _all(self) -> Iterator[Surveyed]:
        after = ""
        while page := self._integrations.list(after=after, limit=_PAGE):
            read_on = self._clock.now()
            after = page[-1].code
            states = self._states.between(page[0].code, after)
            for record in page:
                yield Surveyed(record, states.get(record.code, TokenState()), read_on)

    def _again(self, chosen: Sequence[Surveyed]) -> Iterator[Surveyed]:
        for start in range(0, len(chosen), _PAGE):
            page = chosen[start : start + _PAGE]
            states = self._states.between(page[0].record.code, page[-1].record.code)
            for each in page:
                yield replace(each, state=states.get(each.record.code, TokenState()))


def _as_far_as_possible(
    pages: Iterator[Surveyed],
) -> tuple[list[Surveyed], StorageUnavailable | None]:
    found: list[Surveyed] = []
    try:
        for each in pages:
            found.append(each)  # noqa: PERF402 - what was read before an error counts
    except StorageUnavailable as error:
        return found, error
    return found, None
