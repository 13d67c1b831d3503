"""The situation that a sign-in begins with."""

from __future__ import annotations

import pytest


@pytest.fixture
def scene(scene):
    """Return a gateway with an integration that nobody is signed in to."""
    scene.integrate()
    return scene
