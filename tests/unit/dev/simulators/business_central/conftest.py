from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.test import Client

from dev import sample
from dev.simulators.business_central.app import create_app

ORIGIN = "http://127.0.0.1:7092"
BASE = f"/v2.0/{sample.TENANT_ID}/Production"
COMPANY, OTHER_COMPANY = sample.COMPANIES
COMPANY_ID = sample.COMPANIES[COMPANY]


class Caller:
    """A simulator and an application that calls it with tokens of a throw-away key."""

    origin = ORIGIN
    base = BASE
    service = f"{ORIGIN}{BASE}/api/v2.0"
    company = COMPANY
    company_id = COMPANY_ID
    other_company = OTHER_COMPANY

    def __init__(self, private_key):
        self._private_key = private_key
        self.moment = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.during_delay = lambda _seconds: None
        self.client = Client(
            create_app(
                find_key=self._find_key,
                now=lambda: self.moment,
                sleep=self._sleep,
            )
        )

    def _find_key(self, kid):
        if kid != "throw-away":
            raise jwt.PyJWKClientError(kid)
        return self._private_key.public_key()

    def _sleep(self, seconds):
        self.during_delay(seconds)

    def pass_time(self, seconds):
        """Turn the clock."""
        self.moment += timedelta(seconds=seconds)

    def token(self, key=None, kid="throw-away", **changes):
        """Return a token; a claim that is None is left out."""
        issued = int(self.moment.timestamp())
        claims = {
            "aud": sample.BUSINESS_CENTRAL_RESOURCE,
            "iat": issued,
            "nbf": issued,
            "exp": issued + 3600,
            "sub": "anna",
            "jti": "token-1",
            "appid": sample.CLIENT_ID,
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key or self._private_key, algorithm="RS256", headers={"kid": kid})

    def send(self, method, path, *, token=None, headers=None, **options):
        """Send a request; a path without a leading slash is below the environment."""
        url = path if path.startswith("/") else f"{BASE}/{path}"
        sent = {"Authorization": f"Bearer {token or self.token()}", **(headers or {})}
        return self.client.open(url, method=method, base_url=ORIGIN, headers=sent, **options)

    def get(self, path, **options):
        """Send a GET."""
        return self.send("GET", path, **options)

    def post(self, path, document=None, **options):
        """Send a POST with a JSON body, if there is one."""
        return self.send("POST", path, json=document, **options)

    def patch(self, path, document, **options):
        """Send a PATCH with a JSON body."""
        return self.send("PATCH", path, json=document, **options)

    def call(self, procedure, arguments=None, *, company=COMPANY, **options):
        """Call a procedure of the codeunit."""
        query = f"?company={quote(company, safe='')}" if company else ""
        return self.post(f"ODataV4/APICodeunits_{procedure}{query}", arguments or {}, **options)

    def first(self, collection):
        """Return the first entity of a collection."""
        return self.get(f"{collection}?$top=1").json["value"][0]

    @staticmethod
    def error(response):
        """Return the status and the code of an error."""
        return response.status_code, response.json["error"]["code"]

    def control(self, method, name, document=None):
        """Use a control URL."""
        return self.client.open(f"/_control/{name}", method=method, json=document)


@pytest.fixture(scope="session")
def private_key():
    """Return a key that exists for this run only."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def bc(private_key):
    """Return a caller of a fresh simulator."""
    return Caller(private_key)


@pytest.fixture
def api():
    """Return the path of the sample company in the standard API."""
    return f"api/v2.0/companies({COMPANY_ID})"
