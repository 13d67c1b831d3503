"""Somebody at a browser, who looks closely at every page of the control panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

SCREEN = {"width": 1280, "height": 900}
PHONE = {"width": 400, "height": 800}
_GRAVE = ("serious", "critical")
# All of axe's rules in light; in dark again what depends on colours.
_RULES = {
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast"]},
    "light": {"resultTypes": ["violations"]},
}
_axe = Axe()


class Visitor:
    """A browser with one page open, and what is watched in it."""

    def __init__(self, context: BrowserContext, origin: str, *, has_script: bool = True) -> None:
        """Open the browser at this origin."""
        self.context = context
        self._has_script = has_script
        self.watch = Watch(context, origin)
        self.page = context.new_page()
        self.panel = f"{origin}/api/panel"

    def open(self, path: str = "") -> None:
        """Go to a page of the panel."""
        self.page.goto(f"{self.panel}/{path}" if path else self.panel)

    def sign_in(self) -> None:
        """Sign in to the panel, from wherever it asks for it."""
        self.press("Sign in with Microsoft")
        self.press("Sign in")

    def press(self, name: str) -> None:
        """Press a button, or a link that looks like one."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follow a link."""
        self.page.get_by_role("link", name=name, exact=True).click()

    def unfold(self, name: str) -> None:
        """Show what is folded away under these words."""
        self.page.locator("summary").filter(has_text=name).click()

    def fill(self, **fields: str) -> None:
        """Fill in fields of the form, by their names."""
        for name, value in fields.items():
            self.page.locator(f"input[name='{name}'], textarea[name='{name}']").fill(value)

    def choose(self, **fields: str) -> None:
        """Choose from lists, by their names."""
        for name, value in fields.items():
            self.page.locator(f"select[name='{name}']").select_option(value)

    def see(self, *texts: str) -> None:
        """Require that the page shows these texts, now or soon."""
        for text in texts:
            expect(self.page.get_by_role("main")).to_contain_text(text)

    def see_heading(self, text: str) -> None:
        """Require that the page is the one with this heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)

    def look(self) -> None:
        """Require that the page, as it stands, is good for everybody and complains of nothing."""
        if self._has_script:  # axe is one
            require_good(self.page)
        assert not self.watch.complaints, self.watch.complaints


def require_good(page: Page) -> None:
    """Require that axe finds nothing grave in light and dark, and that the page fits a phone."""
    for tone, rules in _RULES.items():
        page.emulate_media(color_scheme=tone)
        found = _axe.run(page, options=rules).response["violations"]
        grave = [each for each in found if each["impact"] in _GRAVE]
        told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in grave]
        assert not told, f"{page.url} in {tone}: {told}"
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(SCREEN)
    assert width <= PHONE["width"], f"{page.url} is {width} wide on a phone"
