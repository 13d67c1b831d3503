"""Ready-made endpoints: which an integration has, and adding the others."""

from __future__ import annotations

import pytest

from shared.domain.presets import WAREHOUSE_FLOW
from tests.builders import endpoint_document
from tests.scenes import CODE, failure

ALL = [document["code"] for document in WAREHOUSE_FLOW]


@pytest.fixture
def presets(scene):
    """Return the service, with an integration to work on."""
    scene.integrate()
    return scene.services.presets


def existing(presets):
    """Return the codes that are there already."""
    return [offer.document["code"] for offer in presets.offers(CODE) if offer.exists]


def test_chosen_presets_are_added(presets, scene):
    """The others are left out, and so is what is no preset."""
    presets.add(CODE, ["POST_WHSE_SHPT", "GET_NEXT_SO_NO", "NO_PRESET"], by="Anna")

    assert existing(presets) == ["POST_WHSE_SHPT", "GET_NEXT_SO_NO"]
    assert {code for _, code in scene.endpoints.rows} == {"POST_WHSE_SHPT", "GET_NEXT_SO_NO"}


def test_existing_endpoint_is_left_as_it_is(presets, scene):
    """Somebody may have changed it, or have another endpoint of that code."""
    own = endpoint_document(code=ALL[0], name="Our own")
    scene.services.endpoints.create(CODE, own)

    presets.add(CODE, ALL, by="Anna")

    assert scene.services.endpoints.get(CODE, ALL[0]).document["name"] == "Our own"
    assert existing(presets) == ALL


def test_existing_ones_are_found_among_many(presets, scene):
    """However many endpoints come before them."""
    for number in range(501):
        scene.offer(code=f"A{number}")
    presets.add(CODE, ALL[-1:], by="Anna")

    assert existing(presets) == ALL[-1:]


def test_unknown_integration_is_not_found(presets):
    """Neither offered to it nor stored for it."""
    for act in (lambda: presets.offers("NOPE"), lambda: presets.add("NOPE", ALL, by="Anna")):
        assert failure(act).kind.code == "integration_not_found"
