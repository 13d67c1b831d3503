"""Which view answers which path of the panel."""

from __future__ import annotations

import pytest

from functions.panel.errors import PAGE_NOT_FOUND
from functions.panel.routes import ROUTES
from functions.panel.routing import Route, find
from tests.scenes import failure

TABLE = (
    Route(""),
    Route("integrations/new"),
    Route("integrations/{integration}"),
    Route("integrations/{integration}/endpoints/{endpoint}"),
)


@pytest.mark.parametrize(
    ("path", "route", "values"),
    [
        ("", 0, {}),
        ("/", 0, {}),
        ("integrations/new", 1, {}),
        ("integrations/new/", 1, {}),
        ("integrations/NEW", 2, {"integration": "NEW"}),
        ("integrations/a b%2F", 2, {"integration": "a b%2F"}),
        ("integrations/A/endpoints/new", 3, {"integration": "A", "endpoint": "new"}),
    ],
)
def test_first_route_that_fits_is_found(path, route, values):
    """With what stands in place of the names in braces, as it is."""
    assert find(TABLE, path) == (TABLE[route], values)


@pytest.mark.parametrize(
    "path",
    ["x", "integrations", "Integrations/new", "integrations/A/endpoints", "integrations/A//B/C"],
)
def test_path_that_fits_nowhere_has_no_page(path):
    """Nothing is guessed: neither case, nor what was left out."""
    assert failure(lambda: find(TABLE, path)).kind is PAGE_NOT_FOUND


def test_no_route_hides_another():
    """Each path of the panel leads to its own route, though the first that fits is taken."""
    found = [find(ROUTES, route.path)[0] for route in ROUTES]

    assert found == list(ROUTES)
