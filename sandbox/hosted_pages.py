"""The pages of hosted objects: what a payer sees at a provider. Plain forms; a POST answers with 303."""

from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import Final
from urllib.parse import parse_qsl

from sandbox.http_types import Reply, Request, html_reply
from sandbox.simulator import Simulator

PAGES: Final = "/pages/"


class Choice(StrEnum):
    """The buttons of a page, with their visible names."""

    PAY = "Pay"
    FAIL = "Fail"
    INSUFFICIENT_FUNDS = "Insufficient funds"
    BANK_ANSWERS_LATER = "Bank answers later"
    PAY_AT_CLOSING = "Pay in the second of the closing"
    PAY_AFTER_EXPIRY = "Pay after expiry"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedPage:
    """What the page of an object shows. `status` is `open`, or the reason why it cannot be paid."""

    object_id: str
    provider: str
    amount: int
    currency: str
    methods: tuple[str, ...]
    status: str
    return_url: str
    last_error: str | None = None


class HostedPages(Simulator):
    """Serves `/pages/{object id}` without credentials: the payer's browser opens it."""

    @abstractmethod
    def page_of(self, object_id: str, now: float) -> HostedPage | None:
        """The page of an object, None for an unknown one."""

    @abstractmethod
    def choose(self, object_id: str, choice: Choice, now: float) -> None:
        """Take the payer's choice, if the object is open."""

    def page_url(self, object_id: str) -> str:
        return f"{self.public_url}{PAGES}{object_id}"

    def handle(self, request: Request, now: float) -> Reply:
        if not request.path.startswith(PAGES):
            return super().handle(request, now)
        object_id = request.path.removeprefix(PAGES)
        page = self.page_of(object_id, now)
        if page is None:
            return html_reply(404, "<html lang=en><body>There is nothing to pay here.</body></html>")
        if request.method == "POST":
            return self._chosen(request, page, now)
        return html_reply(200, _html(page))

    def _chosen(self, request: Request, page: HostedPage, now: float) -> Reply:
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        if form.get("choice") in list(Choice):
            self.choose(page.object_id, Choice(form["choice"]), now)
        stays = form.get("choice") in {Choice.FAIL, Choice.INSUFFICIENT_FUNDS}
        to = self.page_url(page.object_id) if stays else page.return_url
        return Reply(status=303, headers={"location": to})


def _html(page: HostedPage) -> str:
    buttons = "".join(
        f"<p><button name=choice value='{escape(c.value)}'>{escape(c.value)}</button></p>" for c in Choice
    )
    form = f"<form method=post>{buttons}</form>" if page.status == "open" else f"<p>This page is {page.status}.</p>"
    error = f"<p role=alert>{escape(page.last_error)}</p>" if page.last_error else ""
    leave = "<form method=post><button name=choice value=Leave>Leave</button></form>"
    head = f"<h1>{page.provider}: {page.currency} {page.amount}</h1>"
    return f"<!doctype html><html lang=en><title>{page.provider}</title><body>{head}{error}{form}{leave}</body></html>"
