"""What holds somebody's secrets or payload shows nothing of itself, and logs take no free text."""

from __future__ import annotations

import logging

import pytest

from shared.services.authorization import ProviderAnswer
from shared.services.invocation import Call
from tests.scenes import CODE, Scene, serving


def test_values_on_their_way_show_nothing(signed_in: Scene):
    """A traceback or a log line that names one of them gives nothing away."""
    authorization = signed_in.services.authorization
    values = [
        authorization.begin(CODE),
        authorization.create_link(CODE),
        ProviderAnswer("canary", "canary", "canary", "canary"),
        Call(
            integration=CODE,
            endpoint="X",
            method="POST",
            query="canary",
            headers={"authorization": "canary"},
            body=b"canary",
            request_id="1",
        ),
    ]

    for value in values:
        assert repr(value).startswith("<shared.services.")


@pytest.mark.parametrize(
    ("header", "logged"),
    [
        ("08584494", '"08584494"'),
        ("0858-A_b", '"0858-A_b"'),
        ("x" * 100, f'"{"x" * 100}"'),
        ("x" * 101, "null"),
        ('a","code":"b', "null"),
        ("", "null"),
    ],
)
def test_flow_run_is_logged_only_in_its_form(caplog, header, logged):
    """The header is the caller's: anything may stand in it."""
    scene = serving()
    caplog.set_level(logging.INFO, logger="gateway")

    scene.invoke(headers={"x-ms-workflow-run-id": header})

    assert f'"flow_run":{logged}}}' in caplog.text
