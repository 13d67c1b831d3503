"""How large a definition may be: what a property of Table Storage holds."""

from __future__ import annotations

import msgspec
import pytest

from shared.domain.endpoint import read_endpoint
from tests.builders import endpoint_document, make_endpoint

MOST = 30_000
EMPTY = len(msgspec.json.encode(make_endpoint(request_schema={"description": ""})))


def read(description):
    """Read an endpoint with a schema that says so."""
    return read_endpoint(endpoint_document(request_schema={"description": description}))


@pytest.mark.parametrize(("text", "takes"), [("x", 1), ("\u00e9", 1), ("\U0001f600", 2)], ids=ascii)
def test_definition_has_thirty_thousand_characters_at_most(text, takes):
    """Whatever they are: an emoji counts twice, an accent once."""
    fits = text * ((MOST - EMPTY) // takes)

    definition, problems = read(fits)
    _, refused = read(fits + text)

    assert definition is not None, problems
    [problem] = refused
    assert problem.pointer == ""
    assert "30 000 characters" in problem.message
