"""No secret ever reaches a table, a log, an error, an export or a page; the vault holds them."""

import itertools
import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest
from azure.data.tables import TableServiceClient
from requests.cookies import RequestsCookieJar

from dev import sample
from dev.demo.warehouse_definitions import ENDPOINTS, integration
from dev.stack.app_settings import storage_connection
from dev.stack.ports import url
from tests.e2e.foreign.provider import Provider
from tests.e2e.foreign.server import Reply
from tests.e2e.foreign.shop import CLIENT_SECRET, Shop, endpoint
from tests.e2e.foreign.upstream import Upstream
from tests.e2e.gateway import Gateway, consent
from tests.e2e.processes import INSTANCES
from tests.e2e.vault import values_in_vault

BC, SHOP = "CANARY_BC", "CANARY_SHOP"
# Of what a provider sends that cannot be used.
BAD_TOKEN = "canary-of-a-broken-answer"
# What the simulators of other people's services keep for themselves.
SIMULATED = {"entra-grants.json", "entra-key.pem", "identity.key", "key-vault"}


@dataclass
class Recording:
    """Every answer of the gateway, and what was confidential about the requests.

    What is `told` must be in an answer once, such as a sign-in link, and nowhere else.
    """

    ours: tuple[str, ...]
    answers: list[str] = field(default_factory=list)
    confidential: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=lambda: {sample.HOST_KEY, sample.INVOKE_KEY})

    def note(self, answer, **_):
        """Note an answer, but for the cookie, which is meant for the browser."""
        address = urlsplit(answer.request.url)
        query = parse_qs(address.query)
        self.confidential.update(query.get("code", ()))
        self.told.update(query.get("state", ()))
        if not answer.url.startswith(self.ours):
            return
        if address.path.startswith("/api/signin/"):
            self.told.add(address.path.rpartition("/")[2])
        headers = {name.lower(): value for name, value in answer.headers.items()}
        cookies = re.findall(r"gateway_signin_\w+=([^;]+);", headers.pop("set-cookie", ""))
        self.confidential.update(cookies)
        lines = [f"{name}: {value}" for name, value in headers.items()]
        self.answers.append("\n".join([*lines, "", answer.text]))


@pytest.fixture(scope="module")
def recording(stack):
    """Return what the gateway answered while everything was done that handles secrets."""
    ports = stack.ports
    recorded = Recording(tuple(url(ports.instance(number)) for number in INSTANCES))
    gateway = Gateway(ports, note=recorded.note)
    with Provider() as provider, Upstream(provider.grants.is_active) as upstream:
        shop = Shop(SHOP, gateway.url("callback"), provider, upstream)
        gateway.store(integration(ports) | {"code": BC}, *ENDPOINTS)
        gateway.store(shop.for_person("client_secret_basic"), endpoint())
        _sign_in(gateway, BC)
        _sign_in(gateway, SHOP)
        _call(gateway)
        provider.grants.expire_access_tokens()
        _call(gateway)
        _read_all(gateway)
        _fail(gateway, shop)
        _read_all(gateway)
        forms = provider.calls("/token")
        recorded.confidential.update(
            *[provider.grants.issued, provider.id_tokens],
            *[{form["code_verifier"] for form in forms if "code_verifier" in form}],
        )
    gateway.close()
    recorded.confidential |= {CLIENT_SECRET, sample.CLIENT_SECRET, BAD_TOKEN, *_tokens_of_bc(stack)}
    recorded.confidential -= recorded.told  # a function key is called code in a query too
    return recorded


def _sign_in(gateway, code):
    """Sign in with the key in the URL, as a browser brings it; and again by a link."""
    with gateway.browser(RequestsCookieJar())._session as session:
        answer = session.get(
            f"{gateway.url(f'authorize/{code}')}?code={sample.HOST_KEY}", allow_redirects=False
        )
        browser = gateway.browser(session.cookies)
    assert consent(browser, browser.open(answer.headers["Location"])).status == 200
    link = gateway.manage("POST", f"integrations/{code}/signin-link")["url"]
    browser = gateway.browser(RequestsCookieJar())
    assert consent(browser, browser.open(link)).status == 200


def _call(gateway):
    for instance in INSTANCES:
        assert gateway.invoke(f"{BC}/GET_WHSE_SHPT_LINES", instance=instance).status_code == 200
        path = f"{SHOP}/ORDERS?code={sample.INVOKE_KEY}"
        assert gateway.invoke(path, key=None, instance=instance).status_code == 200


def _read_all(gateway):
    """Read whatever shows a definition or a state."""
    gateway.call("GET", "health")
    for code in (BC, SHOP):
        for path in ("", f"/{code}", f"/{code}/endpoints", f"/{code}/status"):
            assert gateway.call("GET", f"integrations{path}").status_code == 200
        shown = gateway.manage("GET", f"integrations/{code}")
        gateway.manage("PUT", f"integrations/{code}", shown)


def _fail(gateway, shop):
    """Let a provider repeat in its errors what it was sent, and send what cannot be used."""
    echo = " ".join([CLIENT_SECRET, *shop.provider.grants.issued])
    error = {"error": "invalid_grant", "error_description": echo, "error_uri": f"http://x/{echo}"}
    broken = {
        "access_token": f"{BAD_TOKEN}\n",
        "expires_in": BAD_TOKEN,
        "id_token": f"a.{BAD_TOKEN}",
    }
    replies = [
        Reply(500, echo.encode()),
        Reply(200, json.dumps(broken).encode()),
        Reply(200, echo.encode()),
        Reply(302, headers={"Location": f"http://x/?{quote(echo)}"}),
        Reply(401, json.dumps(error | {"error": echo}).encode()),
        Reply(400, json.dumps(error).encode()),
    ]
    for reply in replies:
        shop.provider.instead = None
        browser, address = gateway.begin_sign_in(shop.code)
        with browser._session as session:
            callback = session.get(address, allow_redirects=False).headers["Location"]
            shop.provider.instead = reply
            assert session.get(callback).status_code >= 400
        gateway.call(
            "GET",
            f"callback?error={quote(echo)}&error_description={quote(echo)}&state=canary-state",
        )
    shop.provider.grants.expire_access_tokens()
    for instance in INSTANCES:
        assert gateway.invoke(f"{shop.code}/ORDERS", instance=instance).status_code == 424
    wrong = {"client_secret": [CLIENT_SECRET], "colour": "red"}
    assert gateway.call("PATCH", f"integrations/{shop.code}", wrong).status_code == 422
    torn = json.dumps({"client_secret": CLIENT_SECRET}).encode()[:-1]
    assert gateway.call("PATCH", f"integrations/{shop.code}", data=torn).status_code == 400


def _tokens_of_bc(stack):
    name = f"{BC.replace('_', '-')}-tokens".lower()
    kept = json.loads(values_in_vault(stack)[name][-1])
    return kept["access_token"], kept["refresh_token"]


def found(canaries, text):
    """Return the canaries that are in a text, as they are or encoded."""
    return [
        canary
        for canary in canaries
        if any(form in text for form in (canary, quote(canary), quote_plus(canary), repr(canary)))
    ]


def test_no_table_holds_a_secret(stack, recording):
    """Every row of every table, by Microsoft's own SDK."""
    with TableServiceClient.from_connection_string(storage_connection(stack.ports)) as service:
        tables = [table.name for table in service.list_tables()]
        rows = {name: list(service.get_table_client(name).list_entities()) for name in tables}
    assert {"integrations", "endpoints", "tokenstate"} <= set(tables)
    assert BC in str(rows["integrations"])
    assert found(recording.confidential | recording.told, str(rows)) == []


def test_no_file_outside_the_simulators_own_holds_a_secret(stack, recording):
    """No log of any part, no file of the storage emulator, and nothing else on the disk."""
    files = [path for path in stack.folder.rglob("*") if path.is_file()]
    read = {
        path.name: path.read_text(encoding="utf-8", errors="replace")
        for path in files
        if SIMULATED.isdisjoint({path.name, path.parent.name})
    }
    assert "token_obtained" in read["host-1.log"]
    canaries = recording.confidential | recording.told
    leaks = {name: found(canaries, text) for name, text in read.items()}
    assert {name: leaked for name, leaked in leaks.items() if leaked} == {}


def test_no_answer_and_no_page_holds_a_secret(recording):
    """Definitions, lists, states, problems and pages."""
    kinds = ("application/json", "application/problem+json", "text/html")
    counts = [sum(f"content-type: {kind}" in text for text in recording.answers) for kind in kinds]
    assert all(count >= 8 for count in counts), counts
    assert found(recording.confidential, "\n".join(recording.answers)) == []


def test_vault_holds_the_secrets(stack, recording):
    """What is looked for everywhere else is really there."""
    values = list(itertools.chain.from_iterable(values_in_vault(stack).values()))
    assert {CLIENT_SECRET, sample.CLIENT_SECRET} <= set(values)
    tokens = "\n".join(values)
    held = [each for each in recording.confidential if each in tokens]
    for kind, is_held in (("access", True), ("refresh", True), ("code", False)):
        assert any(each.startswith(f"foreign-{kind}-") for each in held) == is_held, kind
    assert BAD_TOKEN not in held
