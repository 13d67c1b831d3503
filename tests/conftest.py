"""What holds for every test."""

from __future__ import annotations

from pathlib import Path

UNIT_TESTS = Path(__file__).parent / "unit"


def pytest_collection_modifyitems(items):
    """Keep the unit tests off the network, be it the machine's own."""
    for item in items:
        if UNIT_TESTS in item.path.parents:
            item.add_marker("disable_socket")
