"""Clear what happened too long ago, and all that deleted integrations left behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.activity import NO_INTEGRATION
from shared.domain.activity_tally import slot_of
from shared.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from shared.ports import ActivityStore, IntegrationStore

# Milliseconds for each row at worst: a round stays below a minute, and there is one every five.
_MOST_PARTITIONS = 100
_MOST_ROWS = 5_000


class ActivityClearing:
    """Goes through the partitions, a bounded part at a time."""

    def __init__(
        self, store: ActivityStore, integrations: IntegrationStore, *, kept_for: timedelta
    ) -> None:
        """Keep what happened in the last `kept_for`, and since the integration was created."""
        self._store = store
        self._integrations = integrations
        self._kept_for = kept_for
        self._after = ""

    def run(self, now: datetime) -> None:
        """Clear the next partitions, from where the last round ended; StorageUnavailable."""
        partitions = self._store.partitions(after=self._after, limit=_MOST_PARTITIONS)
        left = _MOST_ROWS
        for partition in partitions:
            left -= self._store.delete_before(
                partition, self._kept_since(partition, now), limit=left
            )
            if left <= 0:
                return  # the next round goes on with this partition
            self._after = partition
        if len(partitions) < _MOST_PARTITIONS:
            self._after = ""

    def _kept_since(self, partition: str, now: datetime) -> datetime:
        oldest = now - self._kept_for
        if partition == NO_INTEGRATION:
            return oldest
        try:
            record = self._integrations.get(partition)
        except StorageUnavailable:
            return oldest  # its definition may be unreadable; an outage is met right after
        if record is None:
            return now
        # The numbers of its first calls stand in a slot that began before it was created.
        return max(oldest, slot_of(record.created_on))
