"""`?gw_all_pages=true`: follow a list to its end, and answer it in one piece.

A limit of the gateway's own (rows, bytes, time) cuts the list off; the answer says so and holds the
link to what is left. A failure of the service fails the whole call: a list that is short by
accident would be taken for complete.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

import msgspec

from shared.domain.error_kinds import (
    ANSWER_TOO_LARGE,
    BROKEN_NEXT_LINK,
    INTEGRATION_BUSY,
    UPSTREAM_TIMEOUT,
    UPSTREAM_UNREACHABLE,
)
from shared.domain.errors import GatewayError
from shared.domain.next_links import NEXT_LINK, Members, next_url
from shared.domain.payloads import NotReadable, read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.domain.transport import OutboundAnswer
    from shared.ports import Clock
    from shared.services.upstream import UpstreamCall

    Send = Callable[[UpstreamCall], OutboundAnswer]

MAX_ROWS = 50_000  # no page is fetched once there are as many
_VALUE = "value"
_CONDITIONS = frozenset({"if-match", "if-none-match"})  # those of the first page alone
# How a page fails that found no turn, or could not be begun, before the time was over.
_KINDS_OF_LATENESS = (INTEGRATION_BUSY, UPSTREAM_UNREACHABLE)

Limit = Literal["rows", "bytes", "time"]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as one answer; `cut_off_by` names the limit that left some of it out."""

    answer: OutboundAnswer
    cut_off_by: Limit | None = None


def read_all_pages(first: UpstreamCall, send: Send, *, max_bytes: int, clock: Clock) -> Listing:
    """Return the list that begins with `first`; what is no list comes back as it is.

    Raises what `send` raises, and GatewayError `foreign_next_link` or `broken_next_link`.
    """
    answer = send(first)
    page = _read_page(first, answer)
    if page is None or page.next_url is None:
        return Listing(answer)
    pages = _Pages(first, page, bytes_left=max_bytes - len(answer.body))
    limit = None
    while (url := pages.next_url) is not None and (limit := pages.limit()) is None:
        call = pages.call(url)
        try:
            following = send(call)
        except GatewayError as error:
            limit = _limit_behind(error, call, clock)
            if limit is None:
                raise
            break
        if following.status >= HTTPStatus.MULTIPLE_CHOICES:
            return Listing(following)
        pages.add(_read_page(call, following), len(following.body))
    return Listing(replace(answer, body=pages.joined()), limit)


def _limit_behind(error: GatewayError, call: UpstreamCall, clock: Clock) -> Limit | None:
    """Return which limit of the gateway's own made a page fail, if one did."""
    if error.kind is ANSWER_TOO_LARGE:
        return "bytes"
    if error.kind is UPSTREAM_TIMEOUT:
        return "time"
    is_late = clock.now() >= call.latest_start
    return "time" if is_late and error.kind in _KINDS_OF_LATENESS else None


@dataclass(frozen=True, slots=True)
class _Page:
    members: Members
    rows: bytes  # what stands between the brackets, byte for byte
    count: int
    next_url: str | None


def _read_page(call: UpstreamCall, answer: OutboundAnswer) -> _Page | None:
    if answer.status != HTTPStatus.OK:
        return None
    try:
        members: Members = read_json(answer.body, Members)
        value = members.pop(_VALUE)
        count = len(read_json(value, list[msgspec.Raw]))
    except (NotReadable, KeyError):
        return None
    target = next_url(call.record.definition.base_url, call.url, members)
    # Copied, since what msgspec gives would keep the whole answer in memory.
    own = {name: raw.copy() for name, raw in members.items() if name != NEXT_LINK}
    return _Page(own, bytes(value).strip()[1:-1], count, target)


class _Pages:
    """The pages so far: the members of the first one, and the rows of all."""

    def __init__(self, first: UpstreamCall, page: _Page, *, bytes_left: int) -> None:
        self.next_url = page.next_url
        self._first = first
        self._members = page.members
        self._pieces = [page.rows] if page.count else []
        self._count = page.count
        self._bytes_left = bytes_left
        self._visited = {first.url}

    def limit(self) -> Limit | None:
        """Return which limit is reached, if one is; how late it is, sending the next call tells."""
        if self._count >= MAX_ROWS:
            return "rows"
        return "bytes" if self._bytes_left <= 0 else None

    def call(self, url: str) -> UpstreamCall:
        """Return the call for the next page, with the room that is left."""
        if url in self._visited:
            raise GatewayError(BROKEN_NEXT_LINK, "The list leads back to a page that was read.")
        self._visited.add(url)
        headers = {
            name: value
            for name, value in self._first.caller_headers.items()
            if name.lower() not in _CONDITIONS
        }
        return replace(
            self._first,
            endpoint=msgspec.structs.replace(self._first.endpoint, method="GET"),
            url=url,
            caller_headers=headers,
            body=None,
            max_answer_bytes=self._bytes_left,
        )

    def add(self, page: _Page | None, size: int) -> None:
        """Add a page that came in so many bytes."""
        if page is None:
            raise GatewayError(BROKEN_NEXT_LINK, "The list continues with what is no list.")
        self.next_url = page.next_url
        self._bytes_left -= size
        self._count += page.count
        if page.count:
            self._pieces += [b",", page.rows] if self._pieces else [page.rows]

    def joined(self) -> bytes:
        """Return one document: the first page's members, all rows, the link to what is left."""
        members = dict(self._members)
        if self.next_url is not None:
            members[NEXT_LINK] = msgspec.Raw(msgspec.json.encode(self.next_url))
        # By hand: to encode the rows once more would copy all of them once more.
        start = msgspec.json.encode(members)[:-1] + (b"," if members else b"")
        return b"".join([start, b'"value":[', *self._pieces, b"]}"])
