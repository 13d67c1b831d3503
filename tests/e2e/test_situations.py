"""The contract's table of situations, row by row: here those that no other file plays.

Elsewhere are played, in the order of the table:

- unknown and disabled names: test_bad_requests, test_main_job
- payloads and methods: test_bad_requests, test_hostile_inputs
- answers over the limit: test_bad_surroundings, test_large_answers
- sign-ins, secrets and refused tokens: test_bad_surroundings, test_conditional_access
- the identity provider down: test_bad_surroundings, test_soak_outages
- services that cannot be reached, are late, or leave the outcome open: test_resending
- too many calls at once, and throttling by the service: test_resending
- keys: test_idempotency
- other answers of the service: test_foreign_calls, test_reading
- addresses that may not be called, which the table does not name: test_outbound_policy
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dev.demo.warehouse_definitions import CUSTOMERS, integration
from dev.soak.stage import stage
from shared.domain import error_kinds
from shared.domain.bc_errors import STEPS
from shared.domain.error_kinds import (
    INTERNAL_ERROR,
    OUTCOME_UNKNOWN,
    UPSTREAM_UNAUTHORIZED,
    ErrorKind,
)
from tests.e2e.foreign.server import Reply
from tests.e2e.foreign.shop import endpoint
from tests.e2e.gateway import problem

NOT_PLAYED = {INTERNAL_ERROR}  # no caller shall ever meet it
KINDS = {each for each in vars(error_kinds).values() if isinstance(each, ErrorKind)}


@pytest.mark.parametrize("code", sorted({kind.code for kind in KINDS - NOT_PLAYED}))
def test_every_error_is_played_from_end_to_end(code):
    """Whoever adds an error lets a caller meet it, through the whole stack."""
    files = Path(__file__).parent.glob("*.py")
    assert any(f'"{code}"' in file.read_text(encoding="utf-8") for file in files)


def app(gateway, code, **changes):
    """Return an integration that needs no person, and that this test alone uses."""
    own = {"code": code, "grant_type": "client_credentials"}
    return integration(gateway.ports) | own | changes


@pytest.mark.parametrize(
    ("changes", "status", "step"),
    [({"company": "Nowhere Ltd."}, None, ""), ({"environment": "Nowhere"}, 404, "NoEnvironment")],
    ids=["company", "environment"],
)
def test_company_that_is_not_listed_is_told_with_what_business_central_says(
    gateway, code, changes, status, step
):
    """A wrong name and a wrong environment look alike from afar, and are told apart."""
    gateway.store(app(gateway, code, company_id=None, **changes), CUSTOMERS)
    answer = gateway.invoke(f"{code}/{CUSTOMERS['code']}", method="GET")
    document = problem(answer, 424, "company_not_found")
    assert (document["source"], document["retryable"]) == ("upstream", False)
    assert document.get("upstream", {}).get("status") == status
    assert STEPS.get(step, "spelling") in document["hint"]


def test_error_of_business_central_comes_back_as_it_is_with_a_hint_beside_it(gateway, standing):
    """Status and body are untouched; a header from a fixed table says what to do."""
    answer = gateway.invoke(f"{standing}/{CUSTOMERS['code']}?$filter=nonsense", method="GET")
    code = answer.json()["error"]["code"]
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Gateway-Source"] == "upstream"
    assert answer.headers["X-Gateway-Hint"] == STEPS[code]


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (500, "Internal_TenantUnavailable", OUTCOME_UNKNOWN),
        (401, "Internal_CompanyNotFound", UPSTREAM_UNAUTHORIZED),
    ],
)
def test_error_that_wraps_an_answer_explains_its_code(gateway, shop, status, said, kind):
    """The gateway's own next step comes first, then what the code adds to it."""
    body = f'{{"error": {{"code": "{said}", "message": "x"}}}}'.encode()
    gateway.store(shop.for_app(), endpoint(method="POST"))
    shop.upstream.replies["/orders"] = Reply(status, body)
    document = problem(gateway.invoke(f"{shop.code}/ORDERS"), kind.status, kind.code)
    assert document["hint"] == f"{kind.hint} {STEPS[said]}"
    assert document["upstream"]["status"] == status


def test_declined_sign_in_is_told_to_a_script_too(gateway, code):
    """Who asks for JSON gets the same as a problem document."""
    gateway.store(integration(gateway.ports) | {"code": code})
    _, started = gateway.start_sign_in(code)
    state = parse_qs(urlsplit(started.headers["Location"]).query)["state"][0]
    cookie = started.headers["Set-Cookie"].partition(";")[0]
    answer = gateway.call(
        "GET",
        f"callback?state={state}&error=access_denied",
        key=None,
        headers={"Accept": "application/json", "Cookie": cookie},
    )
    document = problem(answer, 400, "sign_in_refused")
    assert (document["source"], document["retryable"]) == ("identity", False)


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """Return a stack whose storage and vault fail on command, with one integration in memory."""
    with stage(tmp_path_factory.mktemp("situations")) as set_up:
        for code in ("KNOWN", "UNKNOWN"):
            set_up.add_integration(code)
        assert set_up.call("KNOWN", instance=2).ok
        yield set_up


@pytest.mark.parametrize(
    ("part", "code"), [("storage", "storage_unavailable"), ("vault", "vault_unavailable")]
)
def test_platform_that_is_down_fails_only_what_is_not_in_memory(failing, part, code):
    """503 with Retry-After for an integration that the instance has not served; others go on."""
    with getattr(failing, part).failing(status=503):
        refused = failing.call("UNKNOWN", instance=2)
        served = failing.call("KNOWN", instance=2)
    assert problem(refused, 503, code)["retryable"]
    assert int(refused.headers["Retry-After"]) > 0
    assert served.ok
