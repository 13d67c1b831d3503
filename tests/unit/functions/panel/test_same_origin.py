"""Whether a page of the panel sent a request: what browsers say about it, and what is no proof."""

from __future__ import annotations

import pytest

from functions.panel.errors import CROSS_SITE_REQUEST
from functions.panel.same_origin import require_own_page
from tests.scenes import failure
from tests.support import PUBLIC_URL

OWN = {"origin": PUBLIC_URL}
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}


@pytest.mark.parametrize(
    "headers",
    [OWN | SAME_ORIGIN, OWN, SAME_ORIGIN, {"sec-fetch-site": "none"}],
    ids=["both", "origin", "same-origin", "typed"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_request_of_the_panel_passes(method, headers):
    """One of the two headers is enough: older browsers send no Sec-Fetch-Site."""
    require_own_page(method, headers, PUBLIC_URL)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "Same-Origin"},
        {"sec-fetch-site": ""},
        OWN | {"sec-fetch-site": "cross-site"},
        SAME_ORIGIN | {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://gateway.example"},
        {"origin": f"{PUBLIC_URL}:8443"},
        {"origin": f"{PUBLIC_URL}.evil.example"},
        {"origin": "https://evil.gateway.example"},
        {"origin": f"{PUBLIC_URL}/"},
    ],
    ids=[
        "cross-site", "same-site", "no-such-site", "empty-site", "site-contradicts",
        "origin-contradicts", "null", "empty-origin", "http", "port", "longer", "subdomain", "path",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_request_of_another_site_is_refused(method, headers):
    """Either header is enough to refuse it, whatever the other says."""
    error = failure(lambda: require_own_page(method, headers, PUBLIC_URL))

    assert error.kind is CROSS_SITE_REQUEST


def test_post_without_either_header_is_refused():
    """It comes from no browser that would tell, and the session may come from one."""
    error = failure(lambda: require_own_page("POST", {}, PUBLIC_URL))

    assert error.kind is CROSS_SITE_REQUEST


def test_get_without_either_header_passes():
    """As older browsers open a link."""
    require_own_page("GET", {}, PUBLIC_URL)


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("https://Gateway.Example", "https://gateway.example"),
        ("https://gateway.example:443", "https://gateway.example"),
        ("https://gateway.example:8443", "https://gateway.example:8443"),
        ("https://gateway.example/base", "https://gateway.example"),
        ("http://127.0.0.1:7071", "http://127.0.0.1:7071"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:7071", "http://[::1]:7071"),
    ],
)
def test_origin_is_compared_as_browsers_write_it(public_url, origin):
    """In lower case, without the port that the scheme has by itself, and without a path."""
    require_own_page("POST", {"origin": origin}, public_url)
