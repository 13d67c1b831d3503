"""Tell a person of HTTP calls, step by step."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING, Any, TextIO

from dev.demo.shortening import WIDTH, ascii_only, masked_url, shortened_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import requests

BOLD, DIM, GREEN, RED = "1", "2", "32", "31"


class Narrator:
    """Prints the story of the walk-through; in colour where a terminal shows it."""

    def __init__(self, out: TextIO) -> None:
        """Print to `out`."""
        self._out = out
        self._is_coloured = out.isatty() and _understands_colour(os.environ)
        self._step = 0
        self.title = ""

    def start_step(self, title: str, explanation: str) -> None:
        """Begin the next step with its title and what the reader should know."""
        self._step += 1
        self.title = f"{self._step}. {title}"
        self.start_section(self.title)
        self.explain(explanation)

    def start_section(self, title: str) -> None:
        """Print a headline."""
        self.say()
        self.say(self._styled(title, BOLD))
        self.say(self._styled("-" * len(title), DIM))

    def explain(self, text: str) -> None:
        """Print a paragraph."""
        self.say(textwrap.fill(" ".join(text.split()), WIDTH))

    def say(self, line: str = "") -> None:
        """Print a line as it is."""
        print(line, file=self._out, flush=True)

    def show_request(self, method: str, url: str, header: str, body: Any = None) -> None:
        """Print a request with the header that opens it; the caller has masked that."""
        self.say()
        self.say(f"  > {self._styled(f'{method} {masked_url(url)}', BOLD)}")
        self.say(f"  > {header}")
        if body is not None:
            self._show_lines("> ", shortened_json(body))

    def show_answer(
        self, answer: requests.Response, milliseconds: float, only: Collection[str] = ()
    ) -> None:
        """Print an answer: its status and its text or JSON, of which `only` some members."""
        status = f"{answer.status_code} {answer.reason}"
        self.say(f"  < {self._styled(status, GREEN if answer.ok else RED)} ({milliseconds:.0f} ms)")
        if "json" not in answer.headers.get("Content-Type", ""):
            self._show_lines("< ", answer.text)
            return
        document = answer.json()
        if only and answer.ok:
            rest = len(document) - len(only)
            document = {name: document.get(name) for name in only}
            document |= {"...": f"{rest} more"} if rest else {}
        self._show_lines("< ", shortened_json(document))

    def show_page(self, texts: Sequence[str]) -> None:
        """Print what a person reads on a page."""
        for text in texts:
            for line in textwrap.wrap(ascii_only(text), WIDTH - 6):
                self.say(f"    | {line}")

    def conclude(self, text: str) -> None:
        """Print how the story ends."""
        self.say()
        self.say(self._styled(text, GREEN))

    def _show_lines(self, mark: str, text: str) -> None:
        for line in text.splitlines():
            self.say(f"  {mark}{line}")

    def _styled(self, text: str, style: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self._is_coloured else text


def _understands_colour(environ: Mapping[str, str]) -> bool:
    """Tell whether a terminal in this environment shows colour; old Windows consoles do not."""
    return "NO_COLOR" not in environ and (os.name != "nt" or "WT_SESSION" in environ)
