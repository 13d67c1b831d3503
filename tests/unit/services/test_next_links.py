"""What a caller can do with a continuation link: follow it, here, for an hour, and nothing else."""

from __future__ import annotations

import base64
import json

import pytest

from shared.domain.transport import OutboundAnswer
from tests.builders import TENANT_ID
from tests.fakes import json_answer
from tests.scenes import BC, CODE, LISTING, UNCONDITIONAL, failure, parameters, serving
from tests.support import PUBLIC_URL

ROOT = f"{BC}/v2.0/{TENANT_ID}/Production/ODataV4/Company('CRONUS%20USA%2C%20Inc.')"
NEXT = f"{ROOT}/Items?$skiptoken='1000'&aid=FIN"
LINK = f"{PUBLIC_URL}/api/invoke/{CODE}/{LISTING}"


def continues_at(link):
    """Return an answer that continues there."""
    return json_answer({"@odata.context": f"{ROOT}/$metadata#Items", "@odata.nextLink": link})


def listing(link=NEXT, **endpoint):
    """Return a gateway whose endpoint lists items, page by page."""
    page = {"kind": "odata", "method": "GET", "api_url": "Items"}
    return serving(continues_at(link), **page | endpoint)


def next_link(reply) -> str:
    """Return the link in a caller's answer."""
    return json.loads(reply.body)["@odata.nextLink"]


def follow(scene, link, **changes):
    """Call what a link names, as a caller does."""
    return scene.invoke(method="GET", query=link.partition("?")[2], **changes)


def sent_urls(scene):
    """Return the URLs that reached the service."""
    return [request.url for request in scene.http.sent_to(BC)]


def test_link_shows_nothing_of_what_lies_behind():
    """It names the endpoint, and needs a key of the gateway."""
    link = next_link(listing().invoke())

    assert link.startswith(f"{LINK}?gw_page=")
    assert parameters(link).keys() == {"gw_page"}
    sealed = base64.urlsafe_b64decode(parameters(link)["gw_page"])
    for hidden in (b"Production", TENANT_ID.encode(), b"skiptoken"):
        assert hidden not in sealed


def test_pages_go_on_and_on():
    """Each page's link is sealed anew, and leads byte for byte where the service said."""
    scene = listing()
    link = next_link(scene.invoke())
    for number in (2, 3):
        scene.http.on(BC, continues_at(f"{NEXT}{number}"))
        link = next_link(follow(scene, link))

    follow(scene, link)

    assert sent_urls(scene)[1:] == [NEXT, f"{NEXT}2", f"{NEXT}3"]
    assert scene.http.sent[-1].headers["authorization"] == "Bearer access-1"


def test_link_works_on_every_instance():
    """The key to the seal lies in the vault, and is made once."""
    scene = listing()
    link = next_link(scene.invoke())

    reply = follow(scene, link, services=scene.another_instance())

    assert reply.status == 200
    assert len(scene.secrets.versions["gateway-seal-key"]) == 1


def test_two_instances_that_need_the_key_at_once_make_one():
    """It is made under a lease; the second one finds it."""
    scene = listing()
    other = scene.another_instance()
    other.tokens.for_call(scene.record())
    links = []
    scene.states.before("put", lambda: links.append(next_link(scene.invoke(services=other))))

    links.append(next_link(scene.invoke()))

    assert len(links) == 2
    assert len(scene.secrets.versions["gateway-seal-key"]) == 1
    for link in links:
        assert follow(scene, link).status == 200


def test_link_carries_how_the_list_was_asked_for():
    """The page size holds for all pages, unless the caller says otherwise."""
    scene = listing()
    link = next_link(scene.invoke(headers={"prefer": "odata.maxpagesize=20"}))

    follow(scene, link)
    follow(scene, link, headers={"prefer": "odata.maxpagesize=5"})

    sizes = [request.headers.get("prefer") for request in scene.http.sent_to(BC)]
    assert sizes == ["odata.maxpagesize=20", "odata.maxpagesize=20", "odata.maxpagesize=5"]


def test_rest_of_the_answer_stays_what_it_is():
    """Digit for digit; only the link is another one."""
    body = b'{"value": [{"n": 12345678901234567890, "d": 0.10}], "@odata.nextLink": "%s"}'
    scene = listing()
    scene.http.on(BC, OutboundAnswer(200, {}, body % NEXT.encode()))

    assert b'"value":[{"n": 12345678901234567890, "d": 0.10}]' in scene.invoke().body


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("Items?$skiptoken=2", f"{ROOT}/Items?$skiptoken=2"),
        ("/v2.0/other?x=1", f"{BC}/v2.0/other?x=1"),
        (f"{ROOT}/Items?q=a b\u20ac", f"{ROOT}/Items?q=a%20b%E2%82%AC"),
    ],
    ids=["relative", "absolute-path", "unencoded"],
)
def test_link_is_resolved_as_odata_says(link, expected):
    """Relative to the context of the answer (OData JSON Format 4.0, section 4.3)."""
    scene = listing(link)

    follow(scene, next_link(scene.invoke()))

    assert sent_urls(scene)[-1] == expected


def test_relative_link_follows_the_context_of_its_answer():
    """Which need not be where the answer came from."""
    scene = listing()
    context = f"{ROOT}/deeper/$metadata#Items"
    scene.http.on(BC, json_answer({"@odata.context": context, "@odata.nextLink": "Items?x=2"}))

    follow(scene, next_link(scene.invoke()))

    assert sent_urls(scene)[-1] == f"{ROOT}/deeper/Items?x=2"


def test_relative_link_without_a_context_is_resolved_at_its_own_page():
    """With odata.metadata=none there is none."""
    scene = listing()
    scene.http.on(BC, json_answer({"value": [], "@odata.nextLink": "Items?$skiptoken=2"}))

    follow(scene, next_link(scene.invoke()))

    assert sent_urls(scene)[-1] == f"{ROOT}/Items?$skiptoken=2"


@pytest.mark.parametrize(
    "link",
    [
        "https://host.example/other/Items",
        "https://host.example/bcother/Items",
        "https://host.example/bc/../other/Items",
        "https://host.example/bc/%2e%2e/other/Items",
        "https://host.example/bc/..%2fother/Items",
        "https://host.example/bc/%252e%252e/other",
    ],
)
def test_link_stays_below_the_base_path(link):
    """A host may serve others than this integration."""
    scene = listing()
    changes = {"base_url": "https://host.example/bc", "client_secret": "x"}
    scene.services.integrations.patch(CODE, changes, UNCONDITIONAL)
    scene.http.on("https://host.example", continues_at(link))
    scene.sign_in()

    assert failure(scene.invoke).kind.code == "foreign_next_link"


def test_link_lives_for_an_hour():
    """Then the list has to be started again."""
    scene = listing()
    link = next_link(scene.invoke())

    scene.clock.advance(minutes=60)
    in_time = follow(scene, link)
    scene.clock.advance(seconds=1)
    error = failure(lambda: follow(scene, link))

    assert in_time.status == 200
    assert (error.kind.status, error.kind.code) == (400, "invalid_page")
    assert "again" in error.hint


def test_changed_link_is_refused():
    """A caller can neither make a link nor alter one."""
    scene = listing()
    link = next_link(scene.invoke())
    middle = len(link) // 2
    other = "A" if link[middle] != "A" else "B"

    error = failure(lambda: follow(scene, link[:middle] + other + link[middle + 1 :]))

    assert error.kind.code == "invalid_page"
    assert len(sent_urls(scene)) == 1


def test_link_belongs_to_its_endpoint():
    """What one endpoint restricts cannot be read through another."""
    scene = listing()
    scene.offer(code="OTHER", kind="odata", method="GET", api_url="Customers")
    link = next_link(scene.invoke())

    error = failure(lambda: scene.invoke("OTHER", method="GET", query=link.partition("?")[2]))

    assert error.kind.code == "invalid_page"


def test_link_belongs_to_its_integration_as_it_was():
    """After a move it leads nowhere, whoever is signed in by then."""
    scene = listing()
    link = next_link(scene.invoke())
    changes = {"tenant_id": "other.example.com", "client_secret": "x"}
    scene.services.integrations.patch(CODE, changes, UNCONDITIONAL)
    scene.http.script("https://login.microsoftonline.com/other.example.com", scene.provider)
    scene.sign_in()

    assert failure(lambda: follow(scene, link)).kind.code == "invalid_page"


def test_link_of_a_disabled_endpoint_leads_nowhere():
    """What is switched off is so for pages too."""
    scene = listing()
    link = next_link(scene.invoke())
    scene.services.endpoints.patch(CODE, LISTING, {"is_enabled": False}, UNCONDITIONAL)

    assert failure(lambda: follow(scene, link)).kind.code == "endpoint_disabled"


def test_link_takes_no_other_parameters():
    """Except the function key, which a client may put beside it."""
    scene = listing()
    link = next_link(scene.invoke())

    reply = follow(scene, f"{link}&code=the-key")
    error = failure(lambda: follow(scene, f"{link}&$top=5"))

    assert reply.status == 200
    assert sent_urls(scene)[-1] == NEXT
    assert (error.kind.status, error.kind.code) == (400, "query_not_allowed")


def test_vault_outage_before_the_first_link_is_told():
    """Nothing was changed, and the page can be read again."""
    scene = listing()
    scene.secrets.fail()

    error = failure(scene.invoke)

    assert (error.kind.status, error.kind.code) == (503, "vault_unavailable")


def test_vault_outage_later_does_not_matter():
    """The key is at hand from its first use on."""
    scene = listing()
    link = next_link(scene.invoke())
    scene.secrets.fail()

    assert follow(scene, link).status == 200
