"""Note how calls end: one line in the log, and one entry in the activity for each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.activity import CallEntry, shown_name
from shared.domain.events import log_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.domain.endpoint import Endpoint
    from shared.domain.records import StoredIntegration
    from shared.ports import Clock
    from shared.services.activity import ActivityLog
    from shared.services.callers import Callers

_FLOW_RUN = re.compile(r"[0-9A-Za-z_\-]{1,100}")


@dataclass(slots=True, kw_only=True, repr=False)
class CallNote:
    """What is known of a call: the names that were given, and what was found under them so far."""

    integration: str
    endpoint: str
    headers: Mapping[str, str]
    request_id: str
    began_on: datetime
    record: StoredIntegration | None = None
    definition: Endpoint | None = None


class CallNotes:
    """Takes the notes of calls down."""

    def __init__(self, activity: ActivityLog, callers: Callers, clock: Clock) -> None:
        """Record the calls in `activity`."""
        self._activity = activity
        self._callers = callers
        self._clock = clock

    def take(self, note: CallNote, status: int, code: str | None = None) -> None:
        """Note that a call has ended, and how; its duration is counted up to now."""
        now = self._clock.now()
        definition = note.definition
        entry = CallEntry(
            moment=now,
            integration=note.record.code if note.record else shown_name(note.integration),
            endpoint=definition.code if definition else shown_name(note.endpoint),
            method=definition.method if definition else None,
            status=status,
            code=code,
            milliseconds=int((now - note.began_on).total_seconds() * 1000),
            caller=self._callers.name_of(note.headers),
            request_id=note.request_id,
            flow_run=_flow_run(note.headers.get("x-ms-workflow-run-id", "")),
        )
        log_event(
            "invoked",
            integration=entry.integration,
            endpoint=entry.endpoint,
            status=status,
            code=code,
            milliseconds=entry.milliseconds,
            request_id=entry.request_id,
            flow_run=entry.flow_run,
        )
        self._activity.record(entry, is_known=note.record is not None)


def _flow_run(header: str) -> str | None:
    return header if _FLOW_RUN.fullmatch(header) else None
