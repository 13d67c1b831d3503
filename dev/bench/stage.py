"""Where the benchmark takes place: a stack of its own, with an app and a person signed in."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dev import sample
from dev.demo.browser import Browser
from dev.demo.gateway_client import TIMEOUT_SECONDS, GatewayClient, http_session
from dev.demo.warehouse_definitions import ENDPOINTS, integration
from dev.errors import DevError
from dev.options import StackOptions
from dev.paths import DEV_FOLDER, ROOT
from dev.stack.app_settings import app_settings, process_environment
from dev.stack.certificates import prepare_certificates
from dev.stack.ports import free_block, url
from dev.stack.running import running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from dev.stack.ports import PortBlock
    from dev.stack.running import Stack

# The integrations that are there from the start: one of each grant.
APP, PERSON = "BENCH_APP", "BENCH_PERSON"
LISTING = ENDPOINTS[0]
# The benchmark itself does the timer's work.
SETTINGS = {"REFRESH_SCHEDULE": "0 0 0 1 1 *"}
# Business Central's limits are not what is measured.
LIMITS = {"running": 64, "requests_per_window": 1_000_000}


@contextmanager
def stage() -> Iterator[Stack]:
    """Start the stack on free ports, store and sign in; end it with the context."""
    options = StackOptions(
        port=free_block(1).base, state=DEV_FOLDER / "bench", is_fresh=True, settings=SETTINGS
    )
    with running_stack(options) as stack:
        _lift_limits(stack.ports)
        administrator = GatewayClient(stack.gateway, key=sample.HOST_KEY, key_name="host key")
        person = integration(stack.ports) | {"code": PERSON}
        app = integration(stack.ports) | {"code": APP, "grant_type": "client_credentials"}
        for definition in (person, app):
            place = f"integrations/{definition['code']}"
            require_ok(administrator.call("PUT", place, definition))
        place = f"integrations/{APP}/endpoints/{LISTING['code']}"
        require_ok(administrator.call("PUT", place, LISTING))
        _sign_in(administrator)
        yield stack


def run_as_app(stack: Stack, module: str, *arguments: str) -> None:
    """Run a module as one more process of the app, with its settings; DevError if it fails."""
    trusted = prepare_certificates(stack.folder / "state").bundle
    settings = app_settings(stack.ports, trusted=trusted, overrides=SETTINGS)
    command = [sys.executable, "-m", module, *arguments]
    environment = process_environment() | settings
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
        stack.require_alive()
        raise DevError(f"{module} did not work; what it printed says why.")


def require_ok(answer: requests.Response) -> None:
    """Raise DevError with the answer if it is an error."""
    if not answer.ok:
        raise DevError(f"{answer.url} answers {answer.status_code}:\n\n{answer.text}")


def _lift_limits(ports: PortBlock) -> None:
    settings = f"{url(ports.business_central)}/_control/settings"
    require_ok(http_session().post(settings, json=LIMITS, timeout=TIMEOUT_SECONDS))


def _sign_in(administrator: GatewayClient) -> None:
    started = administrator.call("GET", f"authorize/{PERSON}")
    require_ok(started)
    browser = Browser(administrator.cookies)
    result = browser.press(browser.open(started.json()["authorization_url"]), "Sign in")
    if result.status != 200:
        raise DevError(f"The sign-in failed: {' '.join(result.texts)}")
