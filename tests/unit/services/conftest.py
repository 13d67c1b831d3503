"""Situations that the tests of the services begin with."""

from __future__ import annotations

import pytest

from tests.scenes import Scene, serving


@pytest.fixture
def scene() -> Scene:
    """Return a gateway with nothing stored."""
    return Scene()


@pytest.fixture
def signed_in() -> Scene:
    """Return a gateway with an integration, an endpoint, and a person signed in."""
    return serving()


@pytest.fixture
def expired(signed_in) -> Scene:
    """Return a gateway whose access token has just expired."""
    signed_in.clock.advance(minutes=60)
    return signed_in
