"""What happened lately: calls and token events, as administrators look through them.

An entry holds only the fields that stand here: no payload, no URL, no query and no header of a
caller, each of which may carry a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import msgspec

# Where calls are kept whose integration does not exist: whoever types names makes no partitions.
NO_INTEGRATION = "_"
# Entries that are stored together lie no further apart, whatever kept them from being written.
BATCH_SPAN = timedelta(seconds=2)


class CallEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="call"):
    """A call that has ended; `method` is the endpoint's own, and unknown where there is none."""

    moment: datetime
    integration: str
    endpoint: str
    status: int
    milliseconds: int
    request_id: str
    method: str | None = None
    code: str | None = None
    caller: str | None = None
    flow_run: str | None = None

    @property
    def is_error(self) -> bool:
        """Tell whether the caller was answered with an error."""
        return self.status >= 400  # noqa: PLR2004 - RFC 9110, section 15


class TokenEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="token"):
    """Something that happened to an integration's sign-in; `reason` is in the gateway's words."""

    moment: datetime
    integration: str
    event: str
    code: str | None = None
    reason: str | None = None


Entry = CallEntry | TokenEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Entries that are stored together, in the order of time; no other batch has the same id."""

    id: str
    entries: tuple[Entry, ...]

    @property
    def newest(self) -> datetime:
        """The moment of the last entry."""
        return self.entries[-1].moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFilter:
    """Which entries are wanted; what is None leaves them all in.

    `text` is looked for in the ids of request and flow run. A `status_class` is 2, 3, 4 or 5.
    """

    kind: Literal["call", "token"] | None = None
    endpoint: str | None = None
    status_class: int | None = None
    code: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, entry: Entry) -> bool:
        """Tell whether the entry is wanted."""
        if self.since is not None and entry.moment < self.since:
            return False
        if self.until is not None and entry.moment > self.until:
            return False
        if self.code is not None and entry.code != self.code:
            return False
        if isinstance(entry, TokenEntry):
            asks_for_calls = (self.endpoint, self.status_class, self.text) != (None, None, None)
            return self.kind != "call" and not asks_for_calls
        return self.kind != "token" and self._matches_call(entry)

    def _matches_call(self, entry: CallEntry) -> bool:
        if self.endpoint is not None and entry.endpoint != self.endpoint:
            return False
        if self.status_class is not None and entry.status // 100 != self.status_class:
            return False
        return self.text is None or any(
            self.text.lower() in found.lower()
            for found in (entry.request_id, entry.flow_run)
            if found is not None
        )


def shown_name(name: str) -> str:
    """Return a name that a caller typed, short and fit to be stored: it may be anything."""
    return name[:50].upper() if name.isprintable() else "?"
