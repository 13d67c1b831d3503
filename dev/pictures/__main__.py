"""Take the pictures: a stack, some hours of work, and Chromium."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from dev import chromium, sample
from dev.demo.gateway_client import GatewayClient
from dev.demo.signing_in import sign_in
from dev.demo.warehouse_definitions import INTEGRATION
from dev.errors import DevError
from dev.options import StackOptions
from dev.paths import DEV_FOLDER, ROOT
from dev.pictures.past import SANDBOX
from dev.stack.app_settings import app_settings, process_environment
from dev.stack.certificates import prepare_certificates
from dev.stack.ports import free_block
from dev.stack.running import running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page, ViewportSize

    from dev.stack.running import Stack

FOLDER = ROOT / "docs/images"
SIZE: ViewportSize = {"width": 1280, "height": 900}
TALLER: ViewportSize = {"width": 1280, "height": 1060}
# Nothing happens by itself while the pictures are taken.
SETTINGS = {"REFRESH_SCHEDULE": "0 0 0 1 1 *"}
TRIED = f"integrations/{INTEGRATION}/endpoints/GET_NEXT_SO_NO/try"


def main() -> None:
    """Take all pictures anew."""
    FOLDER.mkdir(exist_ok=True)
    state = DEV_FOLDER / "pictures"
    options = StackOptions(port=free_block(1).base, state=state, is_fresh=True, settings=SETTINGS)
    with running_stack(options) as stack:
        _live_some_hours(stack)
        with _panel(stack) as page:
            _take(page, "integrations")
            page.goto(f"{stack.gateway}/api/panel/integrations/{INTEGRATION}")
            _take(page, "integration")
            page.goto(f"{stack.gateway}/api/panel/{TRIED}")
            page.get_by_label("This changes data").check()
            page.get_by_role("button", name="Run").click()
            page.get_by_text("The request that was sent").click()
            _take(page, "try-it")
            page.set_viewport_size(TALLER)
            page.goto(f"{stack.gateway}/api/panel/activity?integration={INTEGRATION}&hours=6")
            _take(page, "activity")


def _live_some_hours(stack: Stack) -> None:
    certificates = prepare_certificates(stack.folder / "state")
    settings = app_settings(stack.ports, trusted=certificates.bundle, overrides=SETTINGS)
    command = [sys.executable, "-m", "dev.pictures.past", "--port", str(stack.ports.base)]
    subprocess.run(command, cwd=ROOT, env=process_environment() | settings, check=True)
    administrator = GatewayClient(stack.gateway, key=sample.HOST_KEY, key_name="host key")
    for code in (INTEGRATION, SANDBOX):
        sign_in(administrator, code)


@contextmanager
def _panel(stack: Stack) -> Iterator[Page]:
    """Open the panel as somebody who has signed in."""
    program = chromium.find()
    if program is None:
        raise DevError("Found no Chromium, Chrome or Edge, which takes the pictures.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=chromium.FLAGS)
        page = browser.new_page(viewport=SIZE, locale="en-GB", timezone_id="Europe/Copenhagen")
        page.goto(f"{stack.gateway}/api/panel")
        page.get_by_role("button", name="Sign in with Microsoft").click()
        page.get_by_role("button", name="Sign in").click()
        yield page
        browser.close()


def _take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=FOLDER / f"panel-{name}.png")


if __name__ == "__main__":
    main()
