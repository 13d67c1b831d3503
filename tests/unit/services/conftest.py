"""Situations that the tests of the services begin with."""

from __future__ import annotations

import pytest

from tests.fakes import json_answer
from tests.scenes import BC, Scene


@pytest.fixture
def scene() -> Scene:
    """Return a gateway with nothing stored."""
    return Scene()


@pytest.fixture
def signed_in() -> Scene:
    """Return a gateway with an integration, an endpoint, and a person signed in."""
    scene = Scene()
    scene.http.on(BC, json_answer({"value": "done"}))
    scene.integrate()
    scene.offer()
    scene.sign_in()
    return scene
