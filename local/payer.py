"""A payer without script: opens addresses, follows redirects, fills in forms and presses buttons.

It acts on the HTML alone, as a browser with scripts off does, and keeps no cookie.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlencode, urljoin

import urllib3

from local.errors import LocalEnvironmentError

_MAX_REDIRECTS: Final = 8
_TIMEOUT_SECONDS: Final = 30
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(slots=True, kw_only=True)
class Form:
    """A form of a page: `fields` with their values, and the buttons by their text."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Reads forms, links and text. The first radio button of a group counts, or the one that is checked."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.text: list[str] = []
        self._open: list[tuple[str, Mapping[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(action=known.get("action", ""), method=known.get("method", "get").upper()))
        elif tag == "input" and self.forms and known.get("name"):
            is_first = known["name"] not in self.forms[-1].fields
            if known.get("type") != "radio" or is_first or "checked" in known:
                self.forms[-1].fields[known["name"]] = known.get("value", "")
        elif tag in {"button", "a", "style", "script"}:
            self._open.append((tag, known))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        tag, known = self._open[-1] if self._open else ("", {})
        if not words or tag in {"style", "script"}:
            return
        if tag == "a":
            self.links[words] = known.get("href", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons[words] = (known.get("name", ""), known.get("value", ""))
        else:
            self.text.append(words)


@dataclass(slots=True, kw_only=True)
class Payer:
    """One tab. `url`, `status` and `text` are those of the page that it shows."""

    pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(retries=False, timeout=_TIMEOUT_SECONDS)
    )
    url: str = ""
    status: int = 0
    text: str = ""
    forms: list[Form] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)

    def open(self, url: str) -> None:
        """Open an address, as by a link."""
        self._go("GET", url, None)

    def press(self, button: str, **values: str) -> None:
        """Submit the form that has this button, with these values in its fields.

        Raises `LocalEnvironmentError` for a page without it.
        """
        for form in self.forms:
            if button in form.buttons:
                name, value = form.buttons[button]
                fields = {**form.fields, **values, **({name: value} if name else {})}
                self._go(form.method, urljoin(self.url, form.action), fields)
                return
        shown = [text for form in self.forms for text in form.buttons]
        raise LocalEnvironmentError(f"The page at {self.url} has no button {button!r}, only {shown}.")

    def follow(self, link: str) -> None:
        """Follow a link by its text. Raises `LocalEnvironmentError` for a page without it."""
        if link not in self.links:
            raise LocalEnvironmentError(f"The page at {self.url} has no link {link!r}, only {sorted(self.links)}.")
        self.open(urljoin(self.url, self.links[link]))

    def _go(self, method: str, url: str, fields: Mapping[str, str] | None) -> None:
        for _ in range(_MAX_REDIRECTS):
            body = urlencode(fields) if fields is not None and method == "POST" else None
            if fields and method == "GET":
                url = f"{url}?{urlencode(fields)}"
            headers = {"Content-Type": _FORM} if body is not None else {}
            answer = self.pool.request(method, url, body=body, headers=headers, redirect=False)
            self.url, self.status = url, answer.status
            if answer.status not in {302, 303}:
                self._show(answer.data.decode("utf-8", "replace"))
                return
            method, url, fields = "GET", urljoin(url, answer.headers["Location"]), None
        raise LocalEnvironmentError(f"{self.url} redirects too often.")

    def _show(self, html: str) -> None:
        reader = _Reader()
        reader.feed(html)
        self.text = " ".join(reader.text)
        self.forms, self.links = reader.forms, reader.links
