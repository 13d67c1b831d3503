"""A person at a browser, as far as signing in needs one: cookies, redirects, a form's button."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from dev.demo.gateway_client import TIMEOUT_SECONDS, http_session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests
    from requests.cookies import RequestsCookieJar

TEXT_ELEMENTS = ("h1", "p")


@dataclass(frozen=True, slots=True)
class Page:
    """What a person sees of a page: where it is, its texts, and its form."""

    status: int
    url: str
    texts: Sequence[str]
    form_action: str
    fields: Mapping[str, str]
    buttons: Mapping[str, tuple[str, str]]

    @classmethod
    def read(cls, status: int, url: str, html: str) -> Page:
        """Read a page's HTML."""
        reader = _PageReader()
        reader.feed(html)
        return cls(
            status=status,
            url=url,
            texts=reader.texts,
            form_action=urljoin(url, reader.action),
            fields=reader.fields,
            buttons=reader.buttons,
        )


class Browser:
    """One browser with its cookies."""

    def __init__(self, cookies: RequestsCookieJar) -> None:
        """Begin with the cookies of whoever started the sign-in."""
        self._session = http_session()
        self._session.cookies = cookies
        self._session.headers["Accept"] = "text/html,*/*;q=0.8"

    def open(self, url: str) -> Page:
        """Go to a URL, and on to where it redirects."""
        return _page(self._session.get(url, timeout=TIMEOUT_SECONDS))

    def press(self, page: Page, button: str) -> Page:
        """Press a button of a page's form, leaving all else as it is shown."""
        name, value = page.buttons[button]
        answer = self._session.post(
            page.form_action, data={**page.fields, name: value}, timeout=TIMEOUT_SECONDS
        )
        return _page(answer)


def _page(answer: requests.Response) -> Page:
    return Page.read(answer.status_code, answer.url, answer.text)


class _PageReader(HTMLParser):
    """Collect the texts, the form's target, its preset fields, and its buttons by their label."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.action = ""
        self.fields: dict[str, str] = {}
        self.buttons: dict[str, tuple[str, str]] = {}
        self._text = ""
        self._button = ("", "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in (*TEXT_ELEMENTS, "button"):
            self._text = ""
        if tag == "form":
            self.action = values.get("action", "")
        elif tag == "input" and (values.get("type") == "hidden" or "checked" in values):
            self.fields[values["name"]] = values["value"]
        elif tag == "button":
            self._button = (values.get("name", ""), values.get("value", ""))

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        text = " ".join(self._text.split())
        if tag in TEXT_ELEMENTS:
            self.texts.append(text)
        elif tag == "button":
            self.buttons[text] = self._button
