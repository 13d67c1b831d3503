"""Continuation links: what an upstream calls `@odata.nextLink`, as a sealed link to the endpoint.

The link of the upstream names tenant and host, and would need a token; the sealed one needs only a
key that opens `invoke`. (OData JSON Format 4.0, sections 4.3 and 4.5.5.)
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from shared.domain.egress import origin
from shared.domain.error_kinds import FOREIGN_NEXT_LINK, INVALID_PAGE
from shared.domain.errors import GatewayError
from shared.domain.events import log_event
from shared.domain.paths import control_problem, lenient
from shared.domain.payloads import NotReadable, read_json
from shared.services.sealing import BrokenSeal

if TYPE_CHECKING:
    from shared.domain.endpoint import Endpoint
    from shared.domain.integration import Integration
    from shared.domain.records import StoredIntegration
    from shared.services.sealing import Sealer

PAGE_LIFE = timedelta(hours=1)
_NEXT_LINK = "@odata.nextLink"
_CONTEXT = "@odata.context"
_URL_SAFE = "/%:$&'()*+,;=!~@?[]#"


class PageTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where a list continues, and how it was asked for."""

    integration: str
    endpoint: str
    binding: str
    url: str
    prefer: str | None


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
        body: bytes,
    ) -> bytes:
        """Return the body with its continuation link sealed; `url` is where it came from.

        Raises GatewayError `foreign_next_link`, VaultUnavailable or StorageUnavailable; but after
        a change, whose answer must not get lost, the link is left out instead.
        """
        if _NEXT_LINK.encode() not in body:
            return body
        try:
            members: dict[str, msgspec.Raw] = read_json(body, dict[str, msgspec.Raw])
            link: str = read_json(members[_NEXT_LINK], str)
            context: str = read_json(members.get(_CONTEXT, '""'), str)
        except (NotReadable, KeyError):
            return body  # not an answer that continues
        try:
            sealed = self._sealed(record, endpoint, _resolved(url, context, link), prefer)
        except GatewayError as error:
            if not endpoint.changes_data:
                raise
            del members[_NEXT_LINK]
            log_event("next_link_dropped", level=logging.WARNING, integration=record.code,
                      endpoint=endpoint.code, reason=error.detail)  # fmt: skip
        else:
            path = f"/api/invoke/{record.code}/{endpoint.code}?gw_page={sealed}"
            members[_NEXT_LINK] = msgspec.Raw(msgspec.json.encode(f"{self._public_url}{path}"))
        return msgspec.json.encode(members)

    def _sealed(
        self, record: StoredIntegration, endpoint: Endpoint, target: str, prefer: str | None
    ) -> str:
        if not _is_inside(record.definition, target):
            raise GatewayError(FOREIGN_NEXT_LINK, "The list continues outside of base_url.")
        page = PageTarget(
            integration=record.code,
            endpoint=endpoint.code,
            binding=record.binding,
            url=quote(target, safe=_URL_SAFE),
            prefer=prefer,
        )
        return self._sealer.seal(msgspec.json.encode(page))

    def open(self, record: StoredIntegration, endpoint: Endpoint, sealed: str) -> PageTarget:
        """Return what a link continues; GatewayError `invalid_page`."""
        try:
            opened = self._sealer.open(sealed, life=PAGE_LIFE)
            page = msgspec.json.decode(opened, type=PageTarget)
        except (BrokenSeal, msgspec.MsgspecError) as error:
            raise _invalid_page() from error
        belongs_here = (page.integration, page.endpoint, page.binding) == (
            record.code,
            endpoint.code,
            record.binding,
        )
        if not belongs_here or not _is_inside(record.definition, page.url):
            raise _invalid_page()
        return page


def _invalid_page() -> GatewayError:
    return GatewayError(INVALID_PAGE, "The link is too old, or belongs to another endpoint.")


def _resolved(url: str, context: str, link: str) -> str:
    try:
        return urljoin(urljoin(url, context), link)
    except ValueError:
        return ""  # no URL at all, and so nowhere inside


def _is_inside(integration: Integration, url: str) -> bool:
    """Tell whether a URL has the integration's origin and base path, and nothing that leaves it."""
    try:
        parts = urlsplit(url)
        same_origin = origin(url) == origin(integration.base_url)
    except ValueError:
        return False
    base_path = urlsplit(integration.base_url).path.rstrip("/") + "/"
    # Some servers decode a path before they resolve its dots.
    has_plain_path = ".." not in lenient(parts.path).split("/") and "\\" not in url
    return (
        same_origin
        and parts.path.startswith(base_path)
        and has_plain_path
        and "@" not in parts.netloc
        and control_problem(url) is None
    )
