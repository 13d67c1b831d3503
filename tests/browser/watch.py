"""Notes what must not happen on any page, whatever a test looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request, WebError

# Chromium tells of violations in the console as well, but not of all.
_TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`violates ${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`);
});
"""


class Watch:
    """Console errors, violations of the policy, failed requests, dialogs."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        """Watch every page of the context that belongs to the origin, popups too."""
        self.complaints: list[str] = []
        self._pages = f"{origin}/api/"
        self._expected: list[str] = []
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._note_console)
        context.on("weberror", self._note_error)
        context.on("requestfailed", self._note_request)
        context.on("dialog", self._note_dialog)

    def expect(self, status: int) -> None:
        """Let one page be answered with an error, which Chromium tells in the console."""
        self._expected.append(f"a status of {status} ")

    def _note_console(self, message: ConsoleMessage) -> None:
        where = message.location["url"]
        if message.type != "error" or not where.startswith(self._pages):
            return
        for told in self._expected:
            if told in message.text:
                self._expected.remove(told)
                return
        self.complaints.append(f"{message.type} at {where}: {message.text}")

    def _note_error(self, error: WebError) -> None:
        self.complaints.append(f"script: {error.error}")

    def _note_request(self, request: Request) -> None:
        self.complaints.append(f"{request.method} {request.url}: {request.failure}")

    def _note_dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()
