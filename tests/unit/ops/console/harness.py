"""A console in a browser's place: an HTTP client that keeps cookies and sends what a browser sends."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import httpx
from starlette.types import ASGIApp

from ops.console.forms import Forms
from ops.console.server import Console, application
from ops.invoker import Invoker
from ops.session import Session
from ops.target import Target
from tests.unit.ops.test_commands import FakeFunction, local

HOST = "127.0.0.1:7300"
ORIGIN = f"http://{HOST}"


@dataclass(frozen=True)
class Browser:
    console: Console
    app: ASGIApp
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def enter(self) -> "Browser":
        assert self.get("/enter", params={"token": self.console.access.token}).status_code == 303
        return self

    def request(self, method: str, address: str, **more: Any) -> httpx.Response:
        """Redirects are not followed. `defects=True` lets a page have an error that is not ours."""
        defects = more.pop("defects", False)

        async def sent() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=not defects)
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=self.cookies) as client:
                answer = await client.request(method, address, **more)
                self.cookies.update(client.cookies)
                return answer

        return asyncio.run(sent())

    def get(self, address: str, **more: Any) -> httpx.Response:
        return self.request("GET", address, **more)

    def post(self, address: str, fields: Mapping[str, str], **headers: str) -> httpx.Response:
        sent = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self.request("POST", address, data=dict(fields), headers=sent)

    def form(self, address: str, action: str) -> dict[str, str]:
        """The hidden fields of the form on a page that is sent to `action`."""
        return hidden_fields(self.get(address).text, action)

    def new_form(self, address: str) -> dict[str, str]:
        """A form as a page has it, without the page."""
        return {"form": self.console.forms.new(self.console.access, address), "reason": "TICKET-1"}


def hidden_fields(page: str, action: str) -> dict[str, str]:
    found = [form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if f'action="{action}"' in form]
    assert len(found) == 1, f"{len(found)} forms for {action}"
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', found[0])
    return {name: unescape(value) for name, value in hidden}


def browser_of(
    invoke: Invoker | None = None,
    *,
    may_write: bool = False,
    environment: str = "local",
    target: Target | None = None,
    forms: Forms | None = None,
) -> Browser:
    """A closed console; `enter` opens it."""
    function = invoke or FakeFunction()
    session = Session(
        environment=environment,
        find_target=lambda name, _region: target or local(name=name),
        find_invoker=lambda _target, _function: function,
    )
    console = Console(session=session, may_write=may_write, host=HOST, forms=forms or Forms())
    return Browser(console, application(console))


def text_of_page(answer: httpx.Response) -> str:
    """What a person reads: the page without its tags, spaces folded."""
    assert answer.status_code == 200, answer.text
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split()).replace(" .", ".").replace(" :", ":")
