"""The endpoints of an integration: table, switch, deletion, presets."""

from __future__ import annotations

import re
from html import unescape

import pytest

from shared.domain.presets import WAREHOUSE_FLOW
from tests.builders import endpoint_document
from tests.scenes import CODE, LISTING, UNCONDITIONAL
from tests.unit.functions.panel.conftest import ADMINISTRATOR
from tests.urls import api

HOME = f"integrations/{CODE}"
FOLDER = f"{HOME}/endpoints"
PLACE = f"{FOLDER}/{LISTING}"
PRESETS = f"{FOLDER}/presets"
ADDRESS = f"/api/panel/{PLACE}"
ALL = [document["code"] for document in WAREHOUSE_FLOW]
LEAST = {
    "kind": "codeunit",
    "method": "POST",
    "api_url": "GetOther",
    "api_route": "v2.0",
    "timeout_seconds": "9",
    "query_choice": "any",
}
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')


@pytest.fixture
def owner(panel):
    """Return the panel of a gateway with an integration."""
    panel.scene.integrate()
    return panel


def is_enabled(panel, code=LISTING):
    """Tell whether the stored endpoint is on."""
    return panel.scene.endpoints.rows[CODE, code].definition.is_enabled


def listed(answer):
    """Return the codes in the table."""
    return re.findall(r'<th scope="row"><a href="[^"]*">(\w+)</a>', answer.text)


def etag_in(answer):
    """Return the ETag that the page would send."""
    return unescape(re.search(r'name="etag" value="([^"]*)"', answer.text)[1])


def test_table_tells_what_each_endpoint_is(owner):
    """Code, name, method, kind, URI, and whether it is on; and what can be done with it."""
    owner.scene.offer(**api("items", code="ITEMS", name="Items"), is_enabled=False)

    page = owner.get(HOME).text

    row = page.split('<th scope="row">')[1].split("</tr>")[0]
    words = " ".join(re.sub(r"<[^>]*>", " ", row).split())
    assert words == "ITEMS Items GET API items Off Turn on Try Edit Duplicate Delete"
    links = re.findall(r'href="([^"]*)"', row)
    place = f"/api/panel/{FOLDER}/ITEMS"
    edit, new = place, f"/api/panel/{FOLDER}/new?from=ITEMS"
    assert links == [edit, f"{place}/try", edit, new, f"{place}/delete"]
    assert re.findall(r'aria-label="(\w+(?: \w+)? ITEMS)"', row) == [
        "Turn on ITEMS", "Try ITEMS", "Edit ITEMS", "Duplicate ITEMS", "Delete ITEMS",
    ]  # fmt: skip


def test_empty_table_leads_on(owner):
    """To the presets, and to an endpoint of one's own."""
    page = owner.get(HOME).text

    assert "There is none yet." in page
    assert f'href="/api/panel/{PRESETS}"' in page
    assert f'href="/api/panel/{FOLDER}/new"' in page


def test_long_table_comes_in_pages(owner):
    """A hundred at once, each of them once."""
    for number in range(101):
        owner.scene.offer(code=f"E{number:03}")

    first = owner.get(HOME)
    assert len(listed(first)) == 100
    assert f'href="/api/panel/{HOME}?after=E099#endpoints"' in first.text
    second = owner.get(f"{HOME}?after=E099")
    assert listed(second) == ["E100"]
    assert "From the beginning" in second.text
    assert "There are no further endpoints." in owner.get(f"{HOME}?after=E100").text


@pytest.mark.parametrize("after", ["%27%20or%20true", "~", "e"])
def test_strange_beginning_of_a_page_is_harmless(owner, after):
    """A made up address shows the table all the same."""
    owner.scene.offer(code="F")

    assert listed(owner.get(f"{HOME}?after={after}")) == ["F"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("path", [HOME, f"{PLACE}/delete"])
def test_markup_in_names_is_shown_as_text(owner, path, text):
    """In the table and where deletion is confirmed."""
    owner.scene.offer(name=text)

    page = owner.get(path).text

    assert text not in page
    assert text in unescape(page)


@pytest.mark.parametrize("before", [True, False], ids=["off", "on"])
def test_switch_is_a_plain_form(owner, before):
    """Without JavaScript the page comes again and says what holds now."""
    owner.scene.offer(is_enabled=before)
    form = owner.get(HOME).text.split(f'action="{ADDRESS}/switch"')[1].split("</form>")[0]
    wanted = re.search(r'name="is_enabled" value="(\w+)"', form)[1]

    answer = owner.post(f"{PLACE}/switch", {"is_enabled": wanted})

    done = "disabled" if before else "enabled"
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/api/panel/{HOME}?done={done}"
    assert is_enabled(owner) is not before


def test_switch_by_htmx_gives_the_cell(owner):
    """With the other button, under the same id so that it keeps the focus; and it is announced."""
    owner.scene.offer()

    answer = owner.post(f"{PLACE}/switch", {"is_enabled": "false"}, by_htmx=True)

    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert (
        f'id="switch-{LISTING}" class="outline small" aria-label="Turn on {LISTING}"' in answer.text
    )
    assert 'id="results" hx-swap-oob="innerHTML"' in answer.text
    assert "The endpoint is off." in answer.text
    assert is_enabled(owner) is False


def test_pressing_twice_switches_once(owner):
    """The form says which state is wanted, whatever somebody else has done meanwhile."""
    owner.scene.offer()

    for _ in range(2):
        owner.post(f"{PLACE}/switch", {"is_enabled": "false"})

    assert is_enabled(owner) is False


def test_deletion_asks_first(owner):
    """The page names the endpoint and what it means for callers; only its form deletes."""
    owner.scene.offer()

    page = owner.get(f"{PLACE}/delete")
    assert f"Delete {LISTING}?" in page.text
    assert "endpoint_not_found" in page.text
    answer = owner.post(f"{PLACE}/delete", {"etag": etag_in(page)})

    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/api/panel/{HOME}?done=deleted",
    )
    assert not owner.scene.endpoints.rows


def test_changed_endpoint_is_not_deleted(owner):
    """What is stored now is shown, and asked about again."""
    owner.scene.offer()
    shown = etag_in(owner.get(f"{PLACE}/delete"))
    changes = {"name": "Something else"}
    owner.scene.services.endpoints.patch(CODE, LISTING, changes, UNCONDITIONAL)

    answer = owner.post(f"{PLACE}/delete", {"etag": shown})

    assert answer.status_code == 412
    assert "Something else" in answer.text
    assert owner.scene.endpoints.rows
    assert owner.post(f"{PLACE}/delete", {"etag": etag_in(answer)}).status_code == 303


def test_deletion_without_an_etag_deletes_nothing(owner):
    """It would not be known what was shown."""
    owner.scene.offer()

    assert owner.post(f"{PLACE}/delete").status_code == 412
    assert owner.scene.endpoints.rows


def test_chosen_presets_are_added(owner):
    """The page then shows them as existing."""
    page = owner.get(PRESETS).text
    assert re.findall(r'name="code" value="(\w+)" aria-describedby="\w+-told" checked', page) == ALL

    answer = owner.post(PRESETS, [("code", ALL[0]), ("code", ALL[6])])

    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/api/panel/{HOME}?done=presets_added",
    )
    again = owner.get(PRESETS).text
    taken = re.findall(r'name="code" value="(\w+)" aria-describedby="\w+-told" disabled', again)
    assert taken == [ALL[0], ALL[6]]
    assert again.count("Exists already") == 2


def test_no_chosen_preset_is_told(owner):
    """Nothing is added, and nothing is chosen for the administrator."""
    answer = owner.post(PRESETS)

    assert answer.status_code == 422
    assert "Choose at least one." in answer.text
    assert " checked" not in answer.text
    assert not owner.scene.endpoints.rows


def test_presets_that_all_exist_leave_nothing_to_add(owner):
    """There is only the way back."""
    owner.scene.services.presets.add(CODE, ALL, by="Anna")

    page = owner.get(PRESETS).text

    assert "Add the chosen ones" not in page
    assert "All of them exist" in page


@pytest.mark.parametrize(
    ("service", "words"),
    [("Warehouse", "<code>Warehouse</code>, which is"), ("", "names no service yet")],
)
def test_presets_say_which_codeunit_they_need(panel, service, words):
    """They run procedures of the service that the integration names."""
    panel.scene.integrate(service_name=service)

    assert words in panel.get(PRESETS).text


def test_each_change_is_noted_with_who_made_it(owner):
    """The audit names the administrator, where the API knows only a key."""
    owner.post(PRESETS, [("code", LISTING)])
    owner.post(f"{PLACE}/switch", {"is_enabled": "false"})
    owner.post(f"{FOLDER}/new", LEAST | {"code": "NEW"})
    owner.post(PLACE, LEAST | {"etag": etag_in(owner.get(PLACE))})
    owner.post(f"{PLACE}/delete", {"etag": etag_in(owner.get(f"{PLACE}/delete"))})

    noted = [entry for entry in owner.scene.audit.rows.values() if entry.endpoint]
    made = sorted((entry.endpoint, entry.action) for entry in noted)
    assert made == [
        (LISTING, "changed"),
        (LISTING, "changed"),
        (LISTING, "created"),
        (LISTING, "deleted"),
        ("NEW", "created"),
    ]
    assert {entry.by for entry in noted} == {ADMINISTRATOR}


def test_pages_take_few_calls_to_storage(owner):
    """However many endpoints there are."""
    for number in range(50):
        owner.scene.services.endpoints.create(CODE, endpoint_document(code=f"E{number}"))
    before = owner.scene.stored_calls()

    owner.get(PRESETS)

    assert owner.scene.stored_calls() - before == 3
