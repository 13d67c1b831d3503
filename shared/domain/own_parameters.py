"""The query parameters that end at the gateway, and what they ask of it. Pure."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from shared.domain.error_kinds import INVALID_PARAMETER, QUERY_NOT_ALLOWED
from shared.domain.errors import GatewayError
from shared.domain.queries import parse_query

if TYPE_CHECKING:
    from shared.domain.endpoint import Endpoint
    from shared.domain.queries import Pair

COMPANY = "gw_company"
_PAGE = "gw_page"
_ALL_PAGES = "gw_all_pages"
_KNOWN = (COMPANY, _PAGE, _ALL_PAGES)


def is_for_gateway(pair: Pair) -> bool:
    """Tell whether the gateway takes the pair; a misspelt name could mean the wrong company.

    Raises GatewayError `query_not_allowed` for a name that is almost one of the gateway's.
    """
    if not pair.is_for_gateway:
        return False
    meant = get_close_matches(pair.name, _KNOWN, n=1, cutoff=0.8)
    if meant and pair.name not in _KNOWN:
        raise GatewayError(
            QUERY_NOT_ALLOWED,
            f"The query parameter {pair.name[:80]} is not known.",
            hint=f"Did you mean {meant[0]}?",
        )
    return True


def page_link(query: str) -> str | None:
    """Return the sealed continuation in `gw_page`, if the caller brings one.

    Raises GatewayError `query_not_allowed` if there is anything beside it: the continuation
    replaces the whole query.
    """
    pairs = [pair for pair in parse_query(query) if pair.name != "code"]
    if not any(pair.name == _PAGE for pair in pairs):
        return None
    if len(pairs) > 1:
        raise GatewayError(
            QUERY_NOT_ALLOWED,
            "A continuation link takes no other parameters.",
            hint="Follow the link as it is.",
        )
    return pairs[0].value


def wants_all_pages(endpoint: Endpoint, query: str) -> bool:
    """Tell whether `gw_all_pages` asks for a list in one piece.

    Raises GatewayError `invalid_parameter` for another value than true, and for changes.
    """
    given = [pair.value for pair in parse_query(query) if pair.name == _ALL_PAGES]
    if not given:
        return False
    if given != ["true"]:
        raise GatewayError(
            INVALID_PARAMETER,
            f"{_ALL_PAGES} can only be true.",
            hint=f"Give {_ALL_PAGES}=true once, or leave it out.",
        )
    if endpoint.changes_data:
        raise GatewayError(
            INVALID_PARAMETER,
            f"{_ALL_PAGES} is for endpoints that only read.",
            hint="Leave it out; or, if the call changes nothing, mark the endpoint as read_only.",
        )
    return True
