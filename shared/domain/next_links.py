"""Where a list continues: reading `@odata.nextLink`, and keeping it at its own service. Pure.

The token goes wherever such a link leads, so it must have the integration's origin and base path.
(OData JSON Format 4.0, sections 4.3 and 4.5.5.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from shared.domain.egress import origin
from shared.domain.error_kinds import FOREIGN_NEXT_LINK
from shared.domain.errors import GatewayError
from shared.domain.paths import control_problem, lenient
from shared.domain.payloads import NotReadable, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

NEXT_LINK = "@odata.nextLink"
_CONTEXT = "@odata.context"
_URL_SAFE = "/%:$&'()*+,;=!~@?[]#"

Members = dict[str, msgspec.Raw]


def next_url(base_url: str, url: str, members: Mapping[str, msgspec.Raw]) -> str | None:
    """Return where the answer of these members, which came from `url`, continues.

    None where it does not; GatewayError `foreign_next_link` where that is outside of `base_url`.
    """
    try:
        link: str = read_json(members[NEXT_LINK], str)
        context: str = read_json(members.get(_CONTEXT, '""'), str)
    except (NotReadable, KeyError):
        return None
    target = _resolved(url, context, link)
    # What joins URLs leaves line breaks out without a word.
    if control_problem(link) or not is_inside(base_url, target):
        raise GatewayError(FOREIGN_NEXT_LINK, "The list continues outside of base_url.")
    return quote(target, safe=_URL_SAFE)


def is_inside(base_url: str, url: str) -> bool:
    """Tell whether a URL has the origin and path of `base_url`, and nothing that leaves them."""
    try:
        parts = urlsplit(url)
        same_origin = origin(url) == origin(base_url)
    except ValueError:
        return False
    base_path = urlsplit(base_url).path.rstrip("/") + "/"
    # Some servers decode a path before they resolve its dots.
    has_plain_path = ".." not in lenient(parts.path).split("/") and "\\" not in url
    return (
        same_origin
        and parts.path.startswith(base_path)
        and has_plain_path
        and "@" not in parts.netloc
        and control_problem(url) is None
    )


def _resolved(url: str, context: str, link: str) -> str:
    try:
        return urljoin(urljoin(url, context), link)
    except ValueError:
        return ""  # no URL at all, and so nowhere inside
