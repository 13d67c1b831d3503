"""What holds for every test."""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

ROOT = Path(__file__).parent.parent
UNIT_TESTS = Path(__file__).parent / "unit"


def pytest_collection_modifyitems(items):
    """Keep the unit tests off the network, be it the machine's own."""
    for item in items:
        if UNIT_TESTS in item.path.parents:
            item.add_marker("disable_socket")


# The same examples in every run, and nothing written beside pytest's own cache. For a long search:
# --hypothesis-profile=long
set_hypothesis_home_dir(ROOT / ".pytest_cache" / "hypothesis")
settings.register_profile("suite", derandomize=True, deadline=None, database=None)
settings.register_profile("long", settings.get_profile("suite"), derandomize=False,
                          max_examples=5000)  # fmt: skip
settings.load_profile("suite")
