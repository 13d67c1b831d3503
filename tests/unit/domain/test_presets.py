"""The presets are endpoints that can be stored as they are."""

from __future__ import annotations

import pytest

from shared.domain.endpoint import read_endpoint
from shared.domain.presets import WAREHOUSE_FLOW

READING = {"GET_WHSE_SHPT_LINES", "GET_WHSE_PICKS", "GET_WHSE_PICK"}


@pytest.mark.parametrize("document", WAREHOUSE_FLOW, ids=lambda document: document["code"])
def test_preset_is_a_valid_endpoint(document):
    """Nothing has to be corrected; and only what changes nothing may be sent again."""
    endpoint, problems = read_endpoint(document)

    assert problems == []
    assert endpoint.name
    assert endpoint.description
    assert endpoint.changes_data == (endpoint.code not in READING)


def test_presets_cover_the_warehouse_flow():
    """From the list of shipments to the posted one, and the next order's number."""
    assert [document["code"] for document in WAREHOUSE_FLOW] == [
        "GET_WHSE_SHPT_LINES",
        "GET_WHSE_PICKS",
        "GET_WHSE_PICK",
        "UPDATE_WHSE_PICK",
        "REGISTER_WHSE_PICK",
        "POST_WHSE_SHPT",
        "GET_NEXT_SO_NO",
    ]
