"""A payer's browser at a provider's page: addresses, redirects, and what the page shows."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from sandbox.hosted_pages import SENTENCES, PageState
from sandbox.http_types import Reply, Request

_MAX_REDIRECTS: Final = 5
_AMOUNT: Final = re.compile(r"<h1>([^<]+)</h1>")
_METHODS: Final = re.compile(r"name='method' value='(\w+)'")

Handle = Callable[[str, Request], Reply | None]
"""Answers a request at a host; None for a host that is no provider's."""


@dataclass(frozen=True, slots=True)
class Tab:
    """The page that a browser shows. `html` is empty at an address outside of all providers."""

    url: str
    html: str
    methods: tuple[str, ...] = field(default=())

    @property
    def state(self) -> str:
        """`open`, `processing`, `paid` or `closed`."""
        if "<form method='post'>" in self.html:
            return PageState.OPEN.value
        shown = (state.value for state, sentence in SENTENCES.items() if sentence in self.html)
        return next(shown, PageState.CLOSED.value)

    @property
    def amount(self) -> str:
        """The amount, as the page shows it."""
        found = _AMOUNT.search(self.html)
        return found[1] if found else ""


def opened(handle: Handle, url: str, fields: Mapping[str, str] | None = None) -> Tab:
    """Open an address, by a form where it has fields."""
    return _gone(handle, "POST" if fields else "GET", url, fields or {})


def pressed(handle: Handle, tab: Tab, act: str, method: str) -> Tab:
    """Submit the form of a page, which the page may not have any more."""
    return _gone(handle, "POST", tab.url, {"act": act, "method": method})


def _gone(handle: Handle, method: str, url: str, fields: Mapping[str, str]) -> Tab:
    for _ in range(_MAX_REDIRECTS):
        parts = urlsplit(url)
        request = Request(
            method=method,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode(dict(fields)).encode(),
        )
        reply = handle(parts.hostname or "", request)
        if reply is None:
            return Tab(url, "")
        if reply.status != 303:
            html = reply.body.decode()
            return Tab(url, html, tuple(_METHODS.findall(html)))
        method, url, fields = "GET", urljoin(url, reply.headers["location"]), {}
    raise AssertionError("too many redirects")
