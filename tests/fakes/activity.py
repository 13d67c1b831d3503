"""The activity in memory."""

# ruff: noqa: D102 - the ports describe their methods

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from shared.domain.errors import StorageUnavailable
from tests.fakes.base import Fake, call

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from shared.domain.activity import Batch, Entry
    from shared.domain.activity_tally import RollUp

Key = tuple[str, str]


class FakeActivityStore(Fake):
    """The port ActivityStore."""

    outage = StorageUnavailable

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[Key, Batch] = {}
        self.counted: dict[Key, RollUp] = {}

    def entries(self, partition: str) -> list[Entry]:
        """Return what is kept of a partition, in the order in which it was written."""
        return [each for (of, _), batch in self.kept.items() if of == partition
                for each in batch.entries]  # fmt: skip

    @call
    def write(self, partition: str, batches: Sequence[Batch], roll_ups: Sequence[RollUp]) -> None:
        self.kept |= {(partition, batch.id): batch for batch in batches}
        self.counted |= {(partition, each.id): deepcopy(each) for each in roll_ups}

    @call
    def batches(
        self, partition: str, *, since: datetime, until: datetime | None = None
    ) -> Iterator[Batch]:
        found = [
            batch
            for (of, _), batch in self.kept.items()
            if of == partition and since <= batch.newest <= (until or batch.newest)
        ]
        found.sort(key=lambda batch: batch.id)
        return iter(sorted(found, key=lambda batch: batch.newest, reverse=True))

    @call
    def roll_ups(self, partition: str, *, since: datetime) -> Iterator[RollUp]:
        return iter([
            deepcopy(each)
            for (of, _), each in self.counted.items()
            if of == partition and each.began_on >= since
        ])  # fmt: skip

    @call
    def partitions(self, *, after: str, limit: int) -> list[str]:
        return sorted({of for of, _ in (*self.kept, *self.counted) if of > after})[:limit]

    @call
    def delete_before(self, partition: str, moment: datetime, *, limit: int) -> int:
        old = [key for key, batch in self.kept.items() if batch.newest < moment]
        counted = [key for key, each in self.counted.items() if each.began_on < moment]
        deleted = 0
        for rows, keys in ((self.kept, old), (self.counted, counted)):
            for key in [key for key in keys if key[0] == partition][:limit]:
                del rows[key]
                deleted += 1
        return deleted
