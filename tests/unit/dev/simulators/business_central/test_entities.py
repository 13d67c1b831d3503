"""Create, read, change and delete entities."""

from __future__ import annotations

import base64
import re

import pytest


def test_entity_is_read_by_its_id(bc, api):
    """One entity carries its context and its etag."""
    customer = bc.first(f"{api}/customers")

    response = bc.get(f"{api}/customers({customer['id']})")

    assert response.json == customer | {
        "@odata.context": f"{bc.service}/$metadata#companies({bc.company_id})/customers/$entity"
    }


def test_etag_has_the_form_of_the_service(bc, api):
    """An etag is weak, and its base64 holds a quoted row version."""
    match = re.fullmatch(r'W/"(.+)"', bc.first(f"{api}/customers")["@odata.etag"])

    assert re.fullmatch(rb"'19;\d{20};00;'", base64.b64decode(match[1]))


def test_created_entity_has_a_location(bc, api):
    """POST answers 201 with the entity, which its Location then shows."""
    response = bc.post(f"{api}/customers", {"displayName": "O'Neil", "taxLiable": True})

    assert response.status_code == 201
    assert response.json["number"] == "C00001"
    assert response.json["balanceDue"] == 0
    location = response.headers["Location"]
    assert location == (f"{bc.service}/companies({bc.company_id})/customers({response.json['id']})")
    assert bc.get(location.removeprefix(bc.origin)).json["displayName"] == "O'Neil"


def test_pages_share_records_with_the_api(bc, api):
    """A customer of the API is on the page, under the page's names."""
    bc.post(f"{api}/customers", {"number": "X'1", "displayName": "Apostrophe"})

    page = bc.get("ODataV4/Company('CRONUS%20USA%2C%20Inc.')/Customer('X%27%271')")

    assert page.json["Name"] == "Apostrophe"


def test_location_of_a_page_encodes_the_key(bc):
    """A string key is a literal with its apostrophe doubled."""
    response = bc.post(f"ODataV4/Customer?company={bc.company_id}", {"No": "X'1 &"})

    assert response.headers["Location"] == (
        f"{bc.origin}{bc.base}/ODataV4/Company('CRONUS%20USA%2C%20Inc.')/Customer('X''1%20%26')"
    )


def test_change_with_the_current_etag_succeeds(bc, api):
    """PATCH returns the changed entity with a new etag; a read does not change it."""
    customer = bc.first(f"{api}/customers")
    path = f"{api}/customers({customer['id']})"

    response = bc.patch(path, {"displayName": "New"}, headers={"If-Match": customer["@odata.etag"]})

    assert response.status_code == 200
    assert response.json["displayName"] == "New"
    assert response.json["@odata.etag"] != customer["@odata.etag"]
    assert response.json["@odata.etag"] == bc.get(path).json["@odata.etag"]


def test_annotations_in_a_body_are_ignored(bc, api):
    """Control information that a read gave may be sent back."""
    path = f"{api}/customers({bc.first(f'{api}/customers')['id']})"

    response = bc.patch(path, {"@odata.etag": "x", "city": "Oslo"}, headers={"If-Match": "*"})

    assert response.json["city"] == "Oslo"


def test_change_with_any_etag_succeeds(bc, api):
    """A star matches every version."""
    path = f"{api}/customers({bc.first(f'{api}/customers')['id']})"

    assert bc.patch(path, {"city": "Oslo"}, headers={"If-Match": "*"}).status_code == 200


def test_change_without_an_etag_is_refused(bc, api):
    """If-Match is required."""
    path = f"{api}/customers({bc.first(f'{api}/customers')['id']})"

    assert bc.error(bc.patch(path, {"city": "Oslo"})) == (400, "BadRequest_InvalidToken")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_write_with_a_stale_etag_is_a_conflict(bc, api, method):
    """Somebody else was faster: 409, where the standard has 412."""
    customer = bc.first(f"{api}/customers")
    path = f"{api}/customers({customer['id']})"
    bc.patch(path, {"city": "Oslo"}, headers={"If-Match": "*"})

    response = bc.send(
        method, path, json={"city": "Rome"}, headers={"If-Match": customer["@odata.etag"]}
    )

    assert bc.error(response) == (409, "Request_EntityChanged")


def test_deleted_entity_is_gone(bc, api):
    """DELETE needs no etag; a second one finds nothing."""
    path = f"{api}/customers({bc.first(f'{api}/customers')['id']})"

    assert bc.send("DELETE", path).status_code == 204
    assert bc.error(bc.get(path)) == (404, "Internal_RecordNotFound")
    assert bc.error(bc.send("DELETE", path)) == (404, "Internal_RecordNotFound")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param({"nickname": "x"}, (400, "BadRequest"), id="unknown property"),
        pytest.param({"displayName": 1}, (400, "BadRequest"), id="wrong type"),
        pytest.param({"balanceDue": 1}, (400, "BadRequest_InvalidOperation"), id="read-only"),
        pytest.param(
            {"number": "10000"}, (400, "Internal_EntityWithSameKeyExists"), id="duplicate"
        ),
    ],
)
def test_unfit_entity_is_refused(bc, api, document, expected):
    """Names, types and keys are checked when creating and when changing."""
    path = f"{api}/customers({bc.get(f'{api}/customers').json['value'][1]['id']})"

    assert bc.error(bc.post(f"{api}/customers", document)) == expected
    assert bc.error(bc.patch(path, document, headers={"If-Match": "*"})) == expected


def test_unreadable_key_is_a_bad_query(bc, api):
    """An id that is no GUID is refused."""
    assert bc.error(bc.get(f"{api}/customers(10000)")) == (400, "BadRequest_NotFound")


def test_put_is_not_offered(bc, api):
    """Replacing is not part of the service."""
    path = f"{api}/customers({bc.first(f'{api}/customers')['id']})"

    response = bc.send("PUT", path, json={})

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, PATCH, DELETE"


def test_picture_is_binary(bc, api):
    """Media is no JSON."""
    item = bc.first(f"{api}/items")

    response = bc.get(f"{api}/items({item['id']})/picture/pictureContent")

    assert response.mimetype == "application/octet-stream"
    assert response.data.startswith(b"\x89PNG\r\n")


def test_decimals_keep_their_digits(bc, api):
    """A price comes back as it was sent."""
    response = bc.send(
        "POST",
        f"{api}/items",
        data='{"displayName": "Screw", "unitPrice": 0.10000000000000000001}',
        content_type="application/json",
    )

    assert '"unitPrice":0.10000000000000000001' in response.text
