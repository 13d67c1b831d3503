"""The browser of the browser tests: the one that this machine has."""

from __future__ import annotations

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
# Where installers put it on macOS and Windows, outside PATH.
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
# Nothing but the stack is asked for anything, and Chromium's sandbox needs a user who is not root.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
MISSING = (
    "Found no Chromium, so the browser tests (tests/browser) were NOT run.\n"
    "Install it: `apt install chromium` on Debian, `chromium-browser` on Ubuntu; Chrome or Edge\n"
    "from its maker on Windows and macOS. Then run this again."
)


def find() -> str | None:
    """Return the path of Chromium, Chrome or Edge, or None."""
    return next(filter(None, map(shutil.which, (*NAMES, *PLACES))), None)
