"""Count calls for the chart, slot by slot, on behalf of this instance."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from shared.domain.activity import CallEntry, Entry
from shared.domain.activity_tally import SLOT, RollUp, Tally, slot_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class ActivityCounts:
    """Keeps the numbers of the last slots, which are stored whole again and again as they grow.

    A slot that was forgotten and is met again is counted beside what is stored of it, never over
    it: each count has an id of its own.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._slots: dict[tuple[str, datetime], RollUp] = {}

    def add(self, partition: str, entries: Iterable[Entry]) -> list[RollUp]:
        """Count the calls among the entries, and return the slots that they lie in."""
        changed = {}
        for call in (entry for entry in entries if isinstance(entry, CallEntry)):
            began_on = slot_of(call.moment)
            slot = self._slots.get((partition, began_on))
            if slot is None:
                slot = RollUp(id=secrets.token_hex(8), began_on=began_on, tally=Tally())
                self._slots[partition, began_on] = slot
            slot.tally.add(call.milliseconds, is_error=call.is_error)
            changed[began_on] = slot
        return list(changed.values())

    def forget_before(self, moment: datetime) -> None:
        """Forget the slots that no call can lie in any more, by the latest call's moment."""
        oldest = slot_of(moment) - SLOT
        self._slots = {key: slot for key, slot in self._slots.items() if key[1] >= oldest}
