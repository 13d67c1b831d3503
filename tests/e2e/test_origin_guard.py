"""A management key cannot make the gateway send what is stored to another origin.

Who holds such a key may write what he likes. He listens at a server of his own, and after every
attack everything is done that makes the gateway send something.
"""

import pytest

from tests.e2e.foreign.server import Reply
from tests.e2e.foreign.shop import endpoint
from tests.e2e.processes import INSTANCES
from tests.e2e.vault import values_in_vault

ATTACKERS_SECRET = "of-the-attacker"
ENDPOINTS = (endpoint(), endpoint("API", kind="api", company="CRONUS"))


@pytest.fixture(params=["person", "app"])
def victim(request, gateway, shop):
    """Return the shop with somebody, or the app itself, signed in: with tokens to be stolen."""
    is_app = request.param == "app"
    gateway.store(shop.for_app() if is_app else shop.for_person(), *ENDPOINTS)
    if not is_app:
        gateway.sign_in(shop.code)
    assert gateway.invoke(f"{shop.code}/ORDERS").status_code == 200
    return shop


@pytest.fixture
def attack(gateway, victim, evil):
    """Return a function that sends writes of the integration, each (method, body)."""
    path = f"integrations/{victim.code}"

    def run(*writes):
        for method, body in writes:
            place = path.rpartition("/")[0] if method == "POST" else path
            gateway.call(method, place, evil.filled(body, victim))
            _provoke(gateway, victim)
        gateway.run_timer()
        gateway.call("POST", f"deauthorize/{victim.code}")
        assert evil.loot(victim) == []

    return run


def _provoke(gateway, victim):
    """Do all that makes the gateway send something: calls, refreshes, a sign-in."""
    for instance in INSTANCES:
        gateway.invoke(f"{victim.code}/ORDERS", instance=instance)
    victim.provider.grants.expire_access_tokens()
    gateway.invoke(f"{victim.code}/API")
    browser, started = gateway.start_sign_in(victim.code)
    if started.status_code == 302:
        browser.open(started.headers["Location"])
        gateway.invoke(f"{victim.code}/ORDERS")


WRITES = {
    "own-secret-service": [
        {"base_url": "EVIL", "client_secret": ATTACKERS_SECRET},
        {"base_url": "SERVICE", "client_secret": ATTACKERS_SECRET},
    ],
    "own-secret-provider": [
        {"token_url": "EVIL/token", "client_secret": ATTACKERS_SECRET},
        {"token_url": "PROVIDER/token", "client_secret": ATTACKERS_SECRET},
    ],
    "no-secret": [
        {"token_url": "EVIL/token", "revocation_url": "EVIL/revoke", "client_secret": None},
        {"token_url": "PROVIDER/token", "revocation_url": "PROVIDER/revoke"},
    ],
    "by-certificate": [
        {"token_url": "EVIL/t", "client_auth": "certificate", "certificate_name": "c"},
        {"client_auth": "client_secret_basic"},
    ],
    "by-identity": [
        {"base_url": "EVIL", "client_auth": "managed_identity"},
        {"client_auth": "client_secret_basic"},
    ],
    "other-grant": [
        {"grant_type": "client_credentials", "base_url": "EVIL", "client_auth": "certificate"},
        {"grant_type": "authorization_code", "base_url": "EVIL", "client_auth": "client_secret"},
    ],
}


@pytest.mark.parametrize("name", WRITES)
def test_written_definition_sends_nothing_that_is_stored_elsewhere(attack, name):
    """Step by step, whatever detour the writes take."""
    attack(*[("PATCH", patch) for patch in WRITES[name]])


@pytest.mark.parametrize("victim", ["person"], indirect=True)
@pytest.mark.parametrize("change", ["base_url", "token_url"])
def test_replaced_integration_sends_nothing_that_is_stored_elsewhere(
    gateway, victim, attack, change
):
    """A PUT of what GET shows, with one address changed; then deleting and storing it anew."""
    path = f"integrations/{victim.code}"
    shown = gateway.manage("GET", path) | {change: "EVIL"}
    attack(("PUT", shown), ("PUT", shown | {"client_secret": None}))
    gateway.manage("DELETE", path)
    attack(("POST", shown), ("PUT", shown))
    gateway.manage("PUT", f"{path}/endpoints/ORDERS", ENDPOINTS[0])
    attack(("PUT", shown))
    assert gateway.manage("GET", path)["has_client_secret"] is False


def test_integration_that_is_stored_anew_as_it_was_finds_nothing_of_the_old_one(
    gateway, victim, stack
):
    """Deleting takes endpoints, secrets and tokens along; the same definition starts from zero."""
    path = f"integrations/{victim.code}"
    shown = gateway.manage("GET", path)
    gateway.manage("DELETE", path)
    newest = [versions[-1] for versions in values_in_vault(stack).values()]
    held = "\n".join(newest)
    assert [token for token in victim.provider.grants.tokens if token in held] == []
    assert gateway.manage("PUT", path, shown)["has_client_secret"] is False
    assert gateway.manage("GET", f"{path}/endpoints")["value"] == []
    assert gateway.status(victim.code)["last_used_on"] is None
    gateway.manage("PUT", f"{path}/endpoints/ORDERS", ENDPOINTS[0])
    before = len(victim.upstream.seen)
    assert gateway.invoke(f"{victim.code}/ORDERS").status_code == 424
    assert len(victim.upstream.seen) == before


def test_sign_in_under_way_does_not_end_at_another_provider(gateway, shop, evil):
    """A code that was given for one provider's token endpoint is never sent to another one."""
    definition = shop.for_person()
    gateway.store(definition, *ENDPOINTS)
    browser, address = gateway.begin_sign_in(shop.code)
    change = {"token_url": f"{evil.url}/token", "client_secret": ATTACKERS_SECRET}
    gateway.manage("PATCH", f"integrations/{shop.code}", change)
    page = browser.open(address)
    assert (page.status, page.texts[1]) == (400, "This sign-in cannot be finished")
    assert shop.provider.grants.issued != []
    assert evil.seen == []


def test_redirects_of_any_service_are_not_followed(gateway, victim, evil):
    """Neither a call, nor a token request, nor a revocation goes where a redirect points."""
    elsewhere = Reply(307, headers={"Location": f"{evil.url}/x"})
    victim.upstream.replies["/orders"] = elsewhere
    for instance in INSTANCES:
        gateway.invoke(f"{victim.code}/ORDERS", instance=instance)
    victim.provider.instead = elsewhere
    victim.provider.grants.expire_access_tokens()
    victim.upstream.replies.clear()
    for instance in INSTANCES:
        gateway.invoke(f"{victim.code}/ORDERS", instance=instance)
    ended = gateway.manage("POST", f"deauthorize/{victim.code}")
    assert ended["revoked"] is False
    assert evil.seen == []


@pytest.mark.parametrize("victim", ["person"], indirect=True)
def test_links_in_answers_and_choices_of_callers_lead_nowhere_else(gateway, victim, evil):
    """A nextLink, and what begins with gw_, never makes the gateway call another host."""
    link = f'{{"value": [], "@odata.nextLink": "{evil.url}/orders?$skiptoken=1"}}'.encode()
    reply = Reply(200, link, {"Content-Type": "application/json", "Location": f"{evil.url}/x"})
    victim.upstream.replies["/orders"] = reply
    everything = {"allowed_companies": ["*"], "url_template": "{base_url}/{company}/{endpoint}"}
    for query in ("", f"gw_page={evil.url}/orders", f"gw_page=//{evil.host}", "gw_base_url=x"):
        gateway.invoke(f"{victim.code}/ORDERS?{query}", method="GET")
    gateway.manage("PATCH", f"integrations/{victim.code}", everything)
    for company in (f"{evil.url}/", f"//{evil.host}", f"@{evil.host}", "..", "../..", "x\\..\\y"):
        answer = gateway.invoke(f"{victim.code}/ORDERS?gw_company={company}", method="GET")
        assert answer.status_code in {200, 403}
    assert evil.seen == []
    assert all(seen.header("Host") in victim.upstream.url for seen in victim.upstream.seen)
