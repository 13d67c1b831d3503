"""What the benchmark of the control panel opens."""

from __future__ import annotations

import pytest

from dev.bench.panel import FILE, PAGES, PANEL
from functions.panel.routes import ROUTES
from functions.panel.routing import find


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_page_is_one_of_the_panel(path):
    """A page that has moved is noticed here, before somebody waits for the benchmark."""
    place = path.partition("?")[0].removeprefix(PANEL).removeprefix("/")

    assert find(ROUTES, place)[0].get is not None


def test_files_of_a_page_are_found():
    """Its own files alone, whatever else it links to."""
    text = '<a href="/api/panel/audit"><script src="/api/panel/assets/a.1.js"></script>'

    assert FILE.findall(text) == ["/api/panel/assets/a.1.js"]
