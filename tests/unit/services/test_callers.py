"""Endpoints that name their callers: those alone pass, where the platform says who calls."""

from __future__ import annotations

import pytest

from tests.builders import CLIENT_ID
from tests.fakes import json_answer
from tests.scenes import BC, LISTING, UNCONDITIONAL, Scene, failure
from tests.support import make_settings
from tests.unit.domain.test_principals import header

READER = ("roles", "Orders.Read")
WEB_SHOP = ("azp", CLIENT_ID)


def guarded(easy_auth="True", **endpoint):
    """Return a gateway whose one endpoint names its callers."""
    scene = Scene(settings=make_settings(WEBSITE_AUTH_ENABLED=easy_auth))
    scene.http.on(BC, json_answer({"value": "done"}))
    scene.integrate()
    scene.offer(**endpoint)
    scene.sign_in()
    return scene


def called_by(*claims):
    """Return the headers of a caller with these claims."""
    return {"headers": {"x-ms-client-principal": header(*claims)}}


@pytest.mark.parametrize(
    ("endpoint", "claims"),
    [
        ({"allowed_roles": ["Orders.Read"]}, [READER]),
        ({"allowed_roles": ["Orders.Post", "Orders.Read"]}, [("roles", "Else"), READER]),
        ({"allowed_clients": [CLIENT_ID.upper()]}, [WEB_SHOP]),
        ({"allowed_roles": ["Orders.Read"], "allowed_clients": [CLIENT_ID]}, [WEB_SHOP]),
        ({"allowed_roles": ["Orders.Read"], "allowed_clients": [CLIENT_ID]}, [READER]),
        ({}, []),
    ],
    ids=["role", "one-of-several", "client", "client-beside-roles", "role-beside-clients", "open"],
)
def test_named_caller_passes(endpoint, claims):
    """One role, or the app, is enough."""
    assert guarded(**endpoint).invoke(**called_by(*claims)).status == 200


@pytest.mark.parametrize(
    "call",
    [
        {},
        called_by(),
        called_by(("roles", "orders.read")),
        called_by(("roles", "Orders.Read.All"), ("azp", "Orders.Read")),
        called_by(("roles", CLIENT_ID)),
        {"headers": {"x-ms-client-principal": "e30="}},
        {"headers": {"x-ms-client-principal-name": "Orders.Read"}},
    ],
    ids=["nobody", "no-claims", "other-case", "resembling", "id-as-role", "unreadable", "name"],
)
def test_other_caller_is_refused(call):
    """Nothing is sent, and the answer does not tell who would be let in."""
    scene = guarded(allowed_roles=["Orders.Read"], allowed_clients=[CLIENT_ID])

    error = failure(lambda: scene.invoke(**call))

    assert (error.kind.status, error.kind.code) == (403, "caller_not_allowed")
    assert scene.http.sent_to(BC) == []
    assert "Orders.Read" not in f"{error.detail} {error.hint}"
    assert CLIENT_ID not in f"{error.detail} {error.hint}"


@pytest.mark.parametrize("easy_auth", ["", "False", "1", "yes"])
def test_header_counts_for_nothing_while_easy_auth_is_off(easy_auth):
    """Then anybody can send it: such an endpoint is shut, and the hint says what is missing."""
    scene = guarded(easy_auth, allowed_roles=["Orders.Read"])

    error = failure(lambda: scene.invoke(**called_by(READER)))

    assert (error.kind.status, error.kind.code) == (403, "caller_not_allowed")
    assert "App Service Authentication" in error.hint
    assert scene.http.sent_to(BC) == []


def test_restriction_counts_before_anything_else_is_told():
    """Neither the right method nor what a payload must look like is everybody's business."""
    scene = guarded(allowed_roles=["Orders.Read"], request_schema={"type": "string"})

    error = failure(lambda: scene.invoke(method="PATCH", body=b"5"))

    assert error.kind.code == "caller_not_allowed"


def test_continuation_link_is_bound_to_the_callers_too():
    """A link that was passed on opens nothing to somebody else."""
    page = {"kind": "odata", "method": "GET", "api_url": "Items"}
    scene = guarded(allowed_roles=["Orders.Read"], **page)
    scene.http.on(BC, json_answer({"value": [], "@odata.nextLink": f"{BC}/v2.0/next"}))
    link = scene.invoke(**called_by(READER)).body.decode().split('nextLink":"')[1].split('"')[0]

    error = failure(lambda: scene.invoke(method="GET", query=link.partition("?")[2]))

    assert error.kind.code == "caller_not_allowed"


def test_restriction_can_be_lifted():
    """Both lists empty: whoever has a key that opens invoke."""
    scene = guarded(allowed_roles=["Orders.Read"])
    scene.services.endpoints.patch("CRONUS", LISTING, {"allowed_roles": []}, UNCONDITIONAL)

    assert scene.invoke().status == 200
