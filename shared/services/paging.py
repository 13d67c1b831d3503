"""Continuation links: what an upstream calls `@odata.nextLink`, as a sealed link to the endpoint.

The link of the upstream names tenant and host, and would need a token; the sealed one needs only a
key that opens `invoke`.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.domain.error_kinds import INVALID_PAGE
from shared.domain.errors import GatewayError
from shared.domain.events import log_event
from shared.domain.next_links import NEXT_LINK, Members, is_inside, next_url
from shared.domain.payloads import NotReadable, read_json
from shared.services.sealing import BrokenSeal

if TYPE_CHECKING:
    from shared.domain.endpoint import Endpoint
    from shared.domain.records import StoredIntegration
    from shared.services.sealing import Sealer

PAGE_LIFE = timedelta(hours=1)


class PageTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where a list continues, and how it was asked for."""

    integration: str
    endpoint: str
    binding: str
    url: str
    prefer: str | None
    all_pages: bool = False  # what an earlier version sealed does not say it


_PAGE_TARGETS = msgspec.json.Decoder(PageTarget)


class Paging:
    """Seals and opens continuation links."""

    def __init__(self, sealer: Sealer, public_url: str) -> None:
        """Make links to `{public_url}/api/invoke/...`."""
        self._sealer = sealer
        self._public_url = public_url

    def seal_next_link(
        self,
        record: StoredIntegration,
        endpoint: Endpoint,
        *,
        url: str,
        prefer: str | None,
        all_pages: bool,
        body: bytes,
    ) -> bytes:
        """Return the body with its continuation link sealed; `url` is where it came from.

        Raises GatewayError `foreign_next_link`, VaultUnavailable or StorageUnavailable; but after
        a change, whose answer must not get lost, the link is left out instead.
        """
        if NEXT_LINK.encode() not in body:
            return body
        try:
            members: Members = read_json(body, Members)
        except NotReadable:
            return body
        try:
            target = next_url(record.definition.base_url, url, members)
            if target is None:
                return body
            page = PageTarget(
                integration=record.code,
                endpoint=endpoint.code,
                binding=record.binding,
                url=target,
                prefer=prefer,
                all_pages=all_pages,
            )
            sealed = self._sealer.seal(msgspec.json.encode(page))
        except GatewayError as error:
            if not endpoint.changes_data:
                raise
            del members[NEXT_LINK]
            log_event("next_link_dropped", level=logging.WARNING, integration=record.code,
                      endpoint=endpoint.code, reason=error.detail)  # fmt: skip
        else:
            path = f"/api/invoke/{record.code}/{endpoint.code}?gw_page={sealed}"
            members[NEXT_LINK] = msgspec.Raw(msgspec.json.encode(f"{self._public_url}{path}"))
        return msgspec.json.encode(members)

    def open(self, record: StoredIntegration, endpoint: Endpoint, sealed: str) -> PageTarget:
        """Return what a link continues; GatewayError `invalid_page`."""
        try:
            opened = self._sealer.open(sealed, life=PAGE_LIFE)
            page = _PAGE_TARGETS.decode(opened)
        except (BrokenSeal, msgspec.MsgspecError) as error:
            raise _invalid_page() from error
        belongs_here = (page.integration, page.endpoint, page.binding) == (
            record.code,
            endpoint.code,
            record.binding,
        )
        if not belongs_here or not is_inside(record.definition.base_url, page.url):
            raise _invalid_page()
        return page


def _invalid_page() -> GatewayError:
    return GatewayError(INVALID_PAGE, "The link is too old, or belongs to another endpoint.")
