"""The gateway over HTTP, as administrators, callers and people who sign in meet it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dev import sample
from dev.demo.browser import Browser
from dev.demo.gateway_client import http_session
from dev.host.keys import MASTER_KEY
from dev.stack.ports import url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests
    from requests.cookies import RequestsCookieJar

    from dev.demo.browser import Page
    from dev.stack.ports import PortBlock

    Note = Callable[..., None]

TIMEOUT_SECONDS = 30


class Gateway:
    """The instances of the gateway, called with keys."""

    def __init__(self, ports: PortBlock, *, note: Note | None = None) -> None:
        """Call the instances on these ports; `note` gets every answer, also a browser's."""
        self.ports = ports
        self._hooks = [note] if note else []
        self._session = self._watched(http_session())

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def url(self, path: str, *, instance: int = 1) -> str:
        """Return the URL of a route."""
        return f"{url(self.ports.instance(instance))}/api/{path}"

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        instance: int = 1,
        key: str | None = sample.HOST_KEY,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> requests.Response:
        """Send a request with a JSON body, or the bytes in `data`; redirects are not followed."""
        answer = self._session.request(
            method,
            self.url(path, instance=instance),
            json=body,
            data=data,
            headers=({"x-functions-key": key} if key else {}) | dict(headers or {}),
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
        self._session.cookies.clear()  # keys are for programs, which keep none
        return answer

    def manage(self, method: str, path: str, body: Any = None, *, instance: int = 1) -> Any:
        """Call the management API, which must succeed, and return the answer's JSON."""
        answer = self.call(method, path, body, instance=instance)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def store(self, integration: Mapping[str, Any], *endpoints: Mapping[str, Any]) -> str:
        """Store an integration with its endpoints, and return its code."""
        path = f"integrations/{integration['code']}"
        self.manage("PUT", path, integration)
        for endpoint in endpoints:
            self.manage("PUT", f"{path}/endpoints/{endpoint['code']}", endpoint)
        return str(integration["code"])

    def invoke(
        self,
        path: str,
        body: Any = None,
        *,
        method: str = "POST",
        instance: int = 1,
        key: str | None = sample.INVOKE_KEY,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Run an endpoint as callers do: with the key that opens nothing else."""
        body = {} if body is None and method == "POST" else body
        path = f"invoke/{path}"
        return self.call(method, path, body, instance=instance, key=key, headers=headers)

    def run_timer(self) -> None:
        """Let instance 1 run the timer function now, as the platform's administrators can."""
        answer = self._session.post(
            f"{url(self.ports.instance(1))}/admin/functions/refresh",
            json={"input": ""},
            headers={"x-functions-key": MASTER_KEY},
            timeout=TIMEOUT_SECONDS,
        )
        assert answer.status_code == 202, answer.text

    def browser(self, cookies: RequestsCookieJar) -> Browser:
        """Return a browser with these cookies."""
        browser = Browser(cookies)
        self._watched(browser._session)
        return browser

    def start_sign_in(self, code: str, *, instance: int = 1) -> tuple[Browser, requests.Response]:
        """Ask for a sign-in; return the browser that may finish it, and the gateway's answer."""
        with self._watched(http_session()) as session:
            started = session.get(
                self.url(f"authorize/{code}", instance=instance),
                headers={"x-functions-key": sample.HOST_KEY},
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        return self.browser(session.cookies), started

    def begin_sign_in(self, code: str, *, instance: int = 1) -> tuple[Browser, str]:
        """Start a sign-in; return the browser that may finish it, and where it goes next."""
        browser, started = self.start_sign_in(code, instance=instance)
        assert started.status_code == 302, started.text
        return browser, started.headers["Location"]

    def sign_in(self, code: str, *, instance: int = 1) -> Page:
        """Sign in from beginning to end, and return the page that a person is left with."""
        browser, address = self.begin_sign_in(code, instance=instance)
        return consent(browser, browser.open(address))

    def status(self, code: str, *, instance: int = 1) -> Any:
        """Return the status document of an integration."""
        return self.manage("GET", f"integrations/{code}/status", instance=instance)

    def _watched(self, session: requests.Session) -> requests.Session:
        session.hooks["response"].extend(self._hooks)
        return session


def consent(browser: Browser, page: Page) -> Page:
    """Press the button of a sign-in page, if it has one; return the page after it."""
    return browser.press(page, "Sign in") if "Sign in" in page.buttons else page


def problem(answer: requests.Response, status: int, code: str) -> dict[str, Any]:
    """Return a problem document that is whole (RFC 9457 and the contract) and says what it must."""
    told = (answer.status_code, answer.headers.get("Content-Type"))
    assert told == (status, "application/problem+json"), answer.text
    document = answer.json()
    assert (document["status"], document["code"]) == (status, code), answer.text
    assert all(document[name] for name in ("type", "title", "detail", "hint"))
    assert document["instance"] == urlsplit(answer.url).path
    assert document["source"] == answer.headers["X-Gateway-Source"]
    assert document["request_id"] == answer.headers["X-Gateway-Request-Id"]
    assert isinstance(document["retryable"], bool)
    return dict(document)


def refused_at(answer: requests.Response) -> list[str]:
    """Return the pointers to all that is wrong with a refused definition."""
    document = problem(answer, 422, "invalid_definition")
    assert all(each["message"] for each in document["errors"])
    return sorted(each["pointer"] for each in document["errors"])
