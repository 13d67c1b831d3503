"""No secret reaches a table, a log, an error, an answer or a page; the vault alone keeps them.

One long scenario is run once, with all that can go well and badly, and looked through afterwards.
What a service itself says to a caller is not the gateway's to censor: only there may a token stand.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import traceback
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.domain.errors import GatewayError
from shared.domain.oauth import Grant
from shared.domain.secret import Secret
from shared.domain.tokens import TokenSet
from shared.domain.transport import AnswerLost, NotSent, OutboundAnswer, OutboundRequest, TimedOut
from shared.services.authorization import ProviderAnswer, SignInLink, StartedSignIn
from shared.services.invocation import Call
from tests.builders import endpoint_document, integration_document
from tests.fakes import FakeAssertionSource, json_answer
from tests.fakes.machine import START
from tests.scenes import BC, LISTING, TOKEN_URL, claims, parameters
from tests.support import make_settings
from tests.unit.functions.test_every_answer import Gateway, functions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.unit.functions.test_every_answer import Answer

CLIENT_SECRET = "canary0client0secret"
BASIC_SECRET = "canary/basic~secret"
AUTHORIZATION_CODE = "canary.authorization.code"
FUNCTION_KEY = "canary-function-key=="
IDEMPOTENCY_KEY = "canary-idempotency-key"
MANAGED_ASSERTION = "canary.managed.assertion"
BROKEN = "canary-of-what-cannot-be-used"
REVOCATION_URL = "https://login.microsoftonline.com/revoke"
HTML = {"Accept": "text/html"}

PERSON, SHOP, ROBOT, MANAGED = "PERSON", "SHOP", "ROBOT", "MANAGED"


class Provider:
    """A token endpoint; it notes what it is sent, and may repeat it all in place of an answer."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.granted: list[str] = []
        self.instead: Callable[[str], OutboundAnswer] | None = None

    def __call__(self, request: OutboundRequest) -> OutboundAnswer:
        """Grant canaries, or answer as a test wants, with all that is secret in its words."""
        form = dict(parse_qsl((request.body or b"").decode()))
        confidential = ("client_secret", "client_assertion", "code_verifier", "code")
        self.seen |= {form[name] for name in confidential if name in form}
        if basic := request.headers.get("Authorization"):
            self.seen.add(basic.removeprefix("Basic "))
        if self.instead is not None:
            return self.instead(" ".join([*sorted(self.seen), *self.granted[-4:]]))
        number = len(self.granted)
        granted = {"access_token": f"canary-access-{number}", "expires_in": 3600}
        if form["grant_type"] != "client_credentials":
            granted["refresh_token"] = f"canary+refresh/{number}"
            granted["id_token"] = claims(preferred_username="anna@cronus.example")
        self.granted += [granted[name] for name in granted if name.endswith("s_token")]
        self.granted += [granted[name] for name in granted if name == "refresh_token"]
        return json_answer(granted)


class Lines(logging.Handler):
    """Every record of every logger, with its arguments and its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record."""
        self.lines.append(f"{self.format(record)} {record.__dict__}")


@dataclass
class Recording:
    """All that a scenario left where secrets must not be, and where they may."""

    tables: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    vault: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    canaries: set[str] = field(default_factory=set)


class Scenario:
    """What administrators, people, callers and the timer do, and what goes wrong."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assertions = FakeAssertionSource()
        monkeypatch.setattr(assertions, "assertion", lambda: Secret(MANAGED_ASSERTION))
        self.gateway = Gateway(monkeypatch, assertions=assertions)
        self.scene = self.gateway.scene
        self.provider = Provider()
        self.recording = Recording(
            canaries={CLIENT_SECRET, BASIC_SECRET, AUTHORIZATION_CODE, FUNCTION_KEY,
                      MANAGED_ASSERTION, BROKEN, IDEMPOTENCY_KEY}
        )  # fmt: skip
        self.scene.http.script(TOKEN_URL, self.provider)
        self.scene.http.on(BC, json_answer({"value": "done"}))

    def call(self, method: str, address: str, document: object = None, **options: Any) -> Answer:
        """Call with the key in the URL, and keep all that this leaves."""
        mark = "&" if "?" in address else "?"
        keyed = address if "/callback" in address else f"{address}{mark}code={quote(FUNCTION_KEY)}"
        answer = self.gateway.call(method, keyed, document, **options)
        headers = [pair for pair in answer.headers if pair[0] != "Set-Cookie"]
        self.recording.answers.append(f"{answer.status} {headers} {answer.text}")
        self._look()
        return answer

    def expect(self, status: int, method: str, address: str, *rest: object) -> None:
        """Call, and make sure that the scenario is where it is believed to be."""
        answer = self.call(method, address, *rest)
        assert answer.status_code == status, f"{method} {address}: {answer.text}"

    def fire(self) -> None:
        """Let the timer look for what is due."""
        (timer,) = [function for function in functions() if function.is_timer]
        timer.handler(None)
        self._look()

    def sign_in(self, address: str, **back: str) -> int:
        """Sign in with a browser, and return the status of the way back."""
        started = self.call("GET", address)
        cookie = started.headers["Set-Cookie"].partition(";")[0]
        self.recording.canaries.add(cookie.partition("=")[2])
        given = {"state": parameters(started.headers["Location"])["state"]}
        given |= back or {"code": AUTHORIZATION_CODE}
        query = "&".join(f"{name}={quote(value)}" for name, value in given.items())
        headers = {"Cookie": cookie} | HTML
        return self.call("GET", f"/api/callback?{query}", headers=headers).status_code

    def finish(self) -> Recording:
        """Return all that was found."""
        self.recording.canaries |= self.provider.seen | set(self.provider.granted)
        return self.recording

    def _look(self) -> None:
        scene = self.scene
        stores = (scene.integrations, scene.endpoints, scene.states, scene.sign_ins,
                  scene.idempotency, scene.audit)  # fmt: skip
        rows = [list(store.rows.values()) for store in stores]
        self.recording.tables.append(msgspec.json.encode(rows).decode())
        for versions in scene.secrets.versions.values():
            self.recording.vault |= {secret.reveal() for secret in versions.values()}


def certificate() -> str:
    """Return a private key with its certificate, as Key Vault keeps them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START.replace(tzinfo=None))
        .not_valid_after(START.replace(tzinfo=None) + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return (private + made.public_bytes(serialization.Encoding.PEM)).decode()


def definitions(scenario: Scenario) -> None:
    """Store one integration for each way in which a client proves itself."""
    pem = certificate()
    scenario.recording.canaries |= set(pem.partition("-----END")[0].splitlines()[1:])
    scenario.scene.secrets.set("robot-certificate", Secret(pem))
    robot = {"grant_type": "client_credentials", "client_secret": None}
    changes = {
        PERSON: {"client_secret": CLIENT_SECRET, "revocation_url": REVOCATION_URL},
        SHOP: {
            "client_secret": BASIC_SECRET,
            "client_auth": "client_secret_basic",
            "revocation_url": REVOCATION_URL,
        },
        ROBOT: robot | {"client_auth": "certificate", "certificate_name": "robot-certificate"},
        MANAGED: robot | {"client_auth": "managed_identity"},
    }
    for code, change in changes.items():
        document = integration_document(code=code) | change
        scenario.expect(201, "POST", "/api/integrations", document)
        path = f"/api/integrations/{code}/endpoints"
        scenario.expect(201, "POST", path, endpoint_document(response_schema={"type": "object"}))


def main_job(scenario: Scenario) -> None:
    """Sign in, by key and by link, and call: with the first token, a renewed and a forced one."""
    assert scenario.sign_in(f"/api/authorize/{PERSON}") == 200
    link = scenario.gateway.manage("POST", f"/api/integrations/{SHOP}/signin-link")["url"]
    scenario.recording.canaries.add(link.rpartition("/")[2])
    assert scenario.sign_in(link) == 200
    for code in (ROBOT, MANAGED):
        scenario.expect(200, "GET", f"/api/authorize/{code}")
    for code in (PERSON, SHOP, ROBOT, MANAGED):
        scenario.expect(200, "POST", f"/api/invoke/{code}/{LISTING}", {})
    for _ in range(2):
        keyed = {"Idempotency-Key": IDEMPOTENCY_KEY}
        assert scenario.call("POST", f"/api/invoke/{PERSON}/{LISTING}", {}, headers=keyed).json
    scenario.scene.clock.advance(minutes=50)
    scenario.fire()
    scenario.scene.clock.advance(minutes=70)
    for code in (PERSON, SHOP, ROBOT, MANAGED):
        scenario.expect(200, "POST", f"/api/invoke/{code}/{LISTING}", {})
    scenario.scene.http.on(BC, json_answer({}, status=401), json_answer({"value": "done"}))
    scenario.expect(200, "POST", f"/api/invoke/{PERSON}/{LISTING}", {})


def read_all(scenario: Scenario) -> None:
    """Read whatever shows a definition or a state."""
    for address in ("/api/health", "/api/integrations", f"/api/integrations/{PERSON}/endpoints"):
        scenario.expect(200, "GET", address)
    for code in (PERSON, SHOP, ROBOT, MANAGED):
        scenario.expect(200, "GET", f"/api/integrations/{code}")
        scenario.expect(200, "GET", f"/api/integrations/{code}/status")


def html(text: str, status: int) -> OutboundAnswer:
    """Return a page."""
    return OutboundAnswer(status, {"content-type": "text/html"}, f"<p>{text}</p>".encode())


def lost(error: Exception) -> Callable[[str], OutboundAnswer]:
    """Return an exchange that ends so."""

    def fail(_: str) -> OutboundAnswer:
        raise error

    return fail


FAILURES: dict[str, Callable[[str], OutboundAnswer]] = {
    "in the description": lambda secrets: json_answer(
        {"error": "invalid_client", "error_description": secrets, "error_uri": secrets}, status=401
    ),
    "with a number": lambda secrets: json_answer(
        {"error": "invalid_grant", "error_description": f"AADSTS50173: {secrets}", "x": secrets},
        status=400,
    ),
    "as the error": lambda _: json_answer({"error": CLIENT_SECRET}, status=400),
    "as all errors": lambda secrets: json_answer(
        {"error": secrets, "error_codes": [secrets], "suberror": secrets}, status=400
    ),
    "as a page": lambda secrets: html(secrets, 500),
    "as a page of success": lambda secrets: html(secrets, 200),
    "as a redirect": lambda secrets: json_answer(
        {}, status=302, headers={"location": f"https://x.example/?{quote(secrets)}"}
    ),
    "as a time": lambda secrets: json_answer({}, status=429, headers={"retry-after": secrets}),
    "as no token": lambda _: json_answer(
        {"access_token": f"{BROKEN}\n", "expires_in": BROKEN, "id_token": f"a.{BROKEN}.b"}
    ),
    "not sent": lost(NotSent("no connection")),
    "forbidden": lost(NotSent("no connection", is_forbidden=True)),
    "lost": lost(AnswerLost("connection lost")),
    "too late": lost(TimedOut("time was up")),
    "unexpected": lost(RuntimeError("something broke")),
}


def provider_failures(scenario: Scenario) -> None:
    """Let the provider fail in each way: at a sign-in, before calls, and for the timer."""
    for name, failure in FAILURES.items():
        scenario.provider.instead = None
        for code in (PERSON, SHOP):
            assert scenario.sign_in(f"/api/authorize/{code}") == 200, name
        scenario.expect(200, "GET", f"/api/authorize/{MANAGED}")
        for code in (PERSON, SHOP, MANAGED):
            scenario.expect(200, "POST", f"/api/invoke/{code}/{LISTING}", {})
        scenario.scene.clock.advance(minutes=50)
        scenario.provider.instead = failure
        scenario.fire()
        scenario.scene.clock.advance(minutes=70)
        for code in (PERSON, SHOP, MANAGED):
            answer = scenario.call("POST", f"/api/invoke/{code}/{LISTING}", {})
            assert answer.status_code in {424, 503}, name
        read_all(scenario)
        assert scenario.sign_in(f"/api/authorize/{PERSON}") >= 400
        scenario.call("GET", f"/api/authorize/{MANAGED}", headers=HTML)
    scenario.provider.instead = None
    repeated = f"{CLIENT_SECRET} {AUTHORIZATION_CODE}"
    for error in (CLIENT_SECRET, repeated, "access_denied"):
        address = f"/api/authorize/{PERSON}"
        assert scenario.sign_in(address, error=error, error_description=repeated) == 400
    assert scenario.sign_in(f"/api/authorize/{PERSON}") == 200


def outages(scenario: Scenario) -> None:
    """Let vault and storage fail while tokens are needed, kept, or forgotten."""
    scene = scenario.scene
    for store in (scene.secrets, scene.states, scene.integrations, scene.sign_ins):
        store.fail()
        for code in (PERSON, ROBOT):
            scenario.call("POST", f"/api/invoke/{code}/{LISTING}", {})
            change = {"client_secret": CLIENT_SECRET}
            scenario.call("PATCH", f"/api/integrations/{code}", change)
            scenario.call("POST", f"/api/deauthorize/{code}")
        store.recover()
    scene.secrets.fail("set")
    granted = len(scenario.provider.granted)
    assert scenario.sign_in(f"/api/authorize/{PERSON}") == 503
    scenario.recording.lost = set(scenario.provider.granted[granted:])
    scene.secrets.recover()


def bad_documents(scenario: Scenario) -> None:
    """Send secrets where they do not belong, and documents that hold them and are refused."""
    path = f"/api/integrations/{PERSON}"
    torn = json.dumps({"client_secret": CLIENT_SECRET}).encode()[:-1]
    assert scenario.call("PUT", path, body=torn).status_code == 400
    refused = [
        {"client_secret": [CLIENT_SECRET]},
        {"client_secret": CLIENT_SECRET * 1000},
        {"client_secret": CLIENT_SECRET, "base_url": "ftp://x", "colour": "red"},
        {"code": CLIENT_SECRET, "client_secret": CLIENT_SECRET},
        {"client_secret": CLIENT_SECRET, "grant_type": CLIENT_SECRET, "max_in_flight": "1"},
        {"base_url": "https://elsewhere.example"},
    ]
    for document in refused:
        scenario.expect(422, "PATCH", path, document)
    broken = f"-----BEGIN PRIVATE KEY-----\n{BROKEN}\n-----END PRIVATE KEY-----\n"
    for text in (broken, BROKEN, base64.b64encode(BROKEN.encode()).decode()):
        scenario.scene.secrets.set("robot-certificate", Secret(text))
        scenario.expect(424, "GET", f"/api/authorize/{ROBOT}")


def ends(scenario: Scenario) -> None:
    """Forget tokens where the provider fails to revoke them, and delete what is left."""
    scenario.scene.http.script(
        REVOCATION_URL, lambda request: html((request.body or b"").decode(), 500)
    )
    scenario.expect(200, "POST", f"/api/deauthorize/{PERSON}")
    scenario.expect(424, "POST", f"/api/invoke/{PERSON}/{LISTING}", {})
    scenario.scene.http.on(REVOCATION_URL, AnswerLost("connection lost"))
    scenario.expect(200, "POST", f"/api/deauthorize/{SHOP}")
    for code in (PERSON, SHOP, ROBOT, MANAGED):
        scenario.expect(204, "DELETE", f"/api/integrations/{code}")


@pytest.fixture(scope="module")
def recording() -> Iterator[Recording]:
    """Return what the whole scenario left."""
    made: list[GatewayError] = []
    begin = GatewayError.__init__

    def noting(error: GatewayError, *args: object, **kwargs: object) -> None:
        begin(error, *args, **kwargs)
        made.append(error)

    log, root = Lines(), logging.getLogger()
    level = root.level
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(GatewayError, "__init__", noting)
        root.addHandler(log)
        root.setLevel(logging.DEBUG)
        try:
            scenario = Scenario(monkeypatch)
            for act in (definitions, main_job, read_all, provider_failures, outages,
                        bad_documents, ends):  # fmt: skip
                act(scenario)
        finally:
            root.removeHandler(log)
            root.setLevel(level)
    recorded = scenario.finish()
    recorded.logs = log.lines
    told = [*made, *scenario.scene.background.errors]
    recorded.errors = [f"{error!r} {''.join(traceback.format_exception(error))}" for error in told]
    return recorded


def leaks(canaries: set[str], texts: list[str]) -> list[str]:
    """Return what surrounds each canary that stands in a text, as it is or encoded."""
    everything = "\n".join(texts)
    forms = {form for canary in canaries for form in (canary, quote(canary), quote_plus(canary))}
    places = [everything.find(form) for form in forms]
    return [everything[max(0, place - 200) : place + 200] for place in places if place >= 0]


def test_no_table_holds_a_secret(recording):
    """After every step, so that rows that live only during a sign-in are seen too."""
    assert any('"binding"' in text and '"expires_on"' in text for text in recording.tables)
    assert leaks(recording.canaries, recording.tables) == []


def test_no_log_line_holds_a_secret(recording):
    """Every logger at every level, with what was logged besides the text."""
    events = set(re.findall(r'"event":"(\w+)"', "\n".join(recording.logs)))
    assert {"token_obtained", "sign_in_needed", "identity_misconfigured", "tokens_lost"} <= events
    assert {"token_refresh_failed", "scheduled_refresh_failed", "revocation_failed"} <= events
    assert leaks(recording.canaries, recording.logs) == []


def test_no_error_holds_a_secret(recording):
    """Its text, its repr and its traceback, with all the errors behind it."""
    assert len(recording.errors) > 100
    assert "RuntimeError" in "".join(recording.logs)
    assert leaks(recording.canaries, recording.errors) == []


def test_no_answer_and_no_page_holds_a_secret(recording):
    """Definitions, lists, states, redirects, problems and pages."""
    assert len([text for text in recording.answers if "<!doctype html>" in text]) > 20
    assert leaks(recording.canaries, recording.answers) == []


def test_vault_holds_what_has_to_be_kept(recording):
    """What was looked for exists; and what need not be kept is not, not even in the vault."""
    kept = "\n".join(recording.vault)
    assert {CLIENT_SECRET, BASIC_SECRET} <= recording.vault
    tokens = {each for each in recording.canaries if re.match(r"canary(-access-|\+refresh/)", each)}
    assert len(tokens) > 50
    assert AUTHORIZATION_CODE not in kept
    assert MANAGED_ASSERTION not in kept
    assert {each for each in tokens if each not in kept} == recording.lost


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 500])
def test_service_that_repeats_its_token_tells_nobody_but_its_caller(monkeypatch, caplog, status):
    """What it says is its own affair; the gateway adds nothing to it, and keeps nothing of it."""
    caplog.set_level(logging.DEBUG)
    scenario = Scenario(monkeypatch)
    scenario.call("POST", "/api/integrations",
                  integration_document(code=PERSON, client_secret=CLIENT_SECRET))  # fmt: skip
    scenario.call("POST", f"/api/integrations/{PERSON}/endpoints", endpoint_document())
    scenario.sign_in(f"/api/authorize/{PERSON}")
    scenario.scene.http.script(
        BC,
        lambda request: json_answer(
            {"you_sent": request.headers},
            status=status,
            headers={"x-you-sent": request.headers["authorization"]},
        ),
    )

    answer = scenario.gateway.call("POST", f"/api/invoke/{PERSON}/{LISTING}")

    token = scenario.provider.granted[-2]
    assert f"Bearer {token}" == scenario.scene.http.sent[-1].headers["authorization"]
    own = answer.json if "title" in answer.json else {}
    own.pop("upstream", None)
    recording = scenario.finish()
    assert leaks(recording.canaries, [str(own), str(answer.headers)]) == []
    assert leaks(recording.canaries, [*recording.tables, caplog.text]) == []


SHOWN = {
    "a secret": lambda: Secret(CLIENT_SECRET),
    "tokens": lambda: TokenSet(Secret(CLIENT_SECRET), Secret(BASIC_SECRET), START, START, 1, ""),
    "a grant": lambda: Grant(Secret(CLIENT_SECRET), Secret(BASIC_SECRET), START, None, None),
    "a request": lambda: OutboundRequest("POST", BROKEN, {BROKEN: BROKEN}, BROKEN.encode()),
    "an answer": lambda: OutboundAnswer(200, {BROKEN: BROKEN}, BROKEN.encode()),
    "a sign-in": lambda: StartedSignIn("https://x.example", "name", BROKEN),
    "a link": lambda: SignInLink(BROKEN, START),
    "a way back": lambda: ProviderAnswer("state", AUTHORIZATION_CODE, "", BROKEN),
    "a call": lambda: Call(integration="I", endpoint="E", method="POST", request_id="1",
                           query=f"code={FUNCTION_KEY}", headers={"x": FUNCTION_KEY},
                           body=BROKEN.encode()),
    "settings": lambda: make_settings(AzureWebJobsStorage=f"AccountKey={BROKEN}"),
}  # fmt: skip


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_object_that_holds_a_secret_does_not_show_it(make):
    """Whoever logs it by accident, alone or inside something else, logs no secret."""
    held = make()

    shown = [repr(held), str(held), f"{held}", repr([held])]
    canaries = {CLIENT_SECRET, BASIC_SECRET, BROKEN, AUTHORIZATION_CODE, FUNCTION_KEY}
    assert leaks(canaries, shown) == []
