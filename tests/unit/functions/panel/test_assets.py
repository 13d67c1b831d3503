"""The panel's own files: few, small, and kept by browsers for ever."""

from __future__ import annotations

import gzip
import hashlib
import re

import pytest

from dev import vendoring
from functions.panel import assets
from tests.unit.functions.panel.test_access import PRINCIPAL

NAMES = ("pico.css", "panel.css", "htmx.js", "panel.js", "icon.svg")
LONGEST_SCRIPT_LINES = 120
FIRST_LOAD_BYTES = 120_000


def fetch(panel, path, **headers):
    """Get a file as a browser does, which has no session for it."""
    return panel.send("GET", path.removeprefix("/api/panel/"), headers)


@pytest.mark.parametrize("name", NAMES)
def test_file_is_named_after_its_content(panel, name):
    """So it may be kept for ever: what changes has another name."""
    path = assets.asset_path(name)

    answer = fetch(panel, path)

    digest = hashlib.sha256(answer.get_data()).hexdigest()
    stem, _, ending = name.partition(".")
    assert answer.status_code == 200
    assert path == f"/api/panel/assets/{stem}.{digest[:12]}.{ending}"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("panel.css", "text/css"), ("htmx.js", "text/javascript"), ("icon.svg", "image/svg+xml")],
)
def test_file_has_its_type(panel, name, media_type):
    """With `nosniff`, browsers take it for nothing else."""
    assert fetch(panel, assets.asset_path(name)).mimetype == media_type


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br, zstd"])
def test_file_is_compressed_for_those_who_take_it(panel, name, accepted):
    """Nothing in front of the app would do it; caches keep both forms apart."""
    path = assets.asset_path(name)

    plain, packed = fetch(panel, path), fetch(panel, path, **{"Accept-Encoding": accepted})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.get_data()) == plain.get_data()
    assert {plain.headers["Vary"], packed.headers["Vary"]} == {"Accept-Encoding"}


@pytest.mark.parametrize("name", ["pico.css", "htmx.js"])
def test_file_of_others_is_as_they_released_it(panel, name):
    """By the sums that were written down when it was taken from their package."""
    sums = (vendoring.FOLDER / vendoring.SUMS).read_text(encoding="utf-8")

    content = fetch(panel, assets.asset_path(name)).get_data()

    assert hashlib.sha256(content).hexdigest() in sums


@pytest.mark.parametrize(
    "path",
    [
        "assets/panel.css",
        "assets/panel.000000000000.css",
        "assets/",
        "assets/SHA256SUMS",
        "assets/vendor/htmx-2.0.11.min.js",
        "assets/../templates/layout.html",
        "assets/..%2f..%2faccess.py",
        "assets//etc/passwd",
        "assets/panel.css\x00",
    ],
)
def test_what_is_not_in_the_table_is_not_there(panel, path):
    """No path leads to a file: only names that were made from the contents."""
    answer = fetch(panel, path)

    assert answer.status_code == 404
    assert "<code>page_not_found</code>" in answer.text


def test_file_cannot_be_posted_to(panel):
    """Only reading is for everybody."""
    path = assets.asset_path("panel.js").removeprefix("/api/panel/")
    headers = {name: value for name, value in panel.headers.items() if name != PRINCIPAL}

    assert panel.send("POST", path, headers).status_code == 401
    assert panel.send("POST", path, panel.headers).status_code == 404


def test_script_stays_small():
    """It makes pages more comfortable, and no page needs it."""
    script = assets._FOLDER / "panel.js"

    assert len(script.read_text(encoding="utf-8").splitlines()) <= LONGEST_SCRIPT_LINES


def test_first_load_is_small(panel):
    """The page and all its files, as they are transferred to a browser that has none of them."""
    panel.scene.integrate()
    page = panel.get()

    paths = set(re.findall(r'(?:src|href)="(/api/panel/assets/[^"]+)"', page.text))
    files = [fetch(panel, path, **{"Accept-Encoding": "gzip"}) for path in paths]

    assert len(files) == len(NAMES)
    assert sum(len(each.get_data()) for each in [page, *files]) < FIRST_LOAD_BYTES
