"""Cashfree's hosted page of an order: opened by a form with the order's session, paid in one or several tries.

A try is an ordinary payment of the order. The order stays open after a failed one. A payment that the bank processes
goes on after the order expired, and delays its termination.
"""

from abc import abstractmethod
from typing import Final
from urllib.parse import parse_qs

from sandbox.behaviours import Behaviour
from sandbox.hosted_pages import Act, HostedPage, PageState, no_page, page_request_of, page_url, see_other, show
from sandbox.http_types import Reply, Request
from sandbox.ledger import CourseSimulator, step
from sandbox.simulator import DECLINED, PENDING
from sandbox.store import Record

SESSION: Final = "session"
FORM_PATH: Final = "/pg/view/sessions/checkout"
METHOD_WORDS: Final = {
    **dict.fromkeys(("cc", "dc", "ccc", "ppc"), "card"),
    "upi": "upi",
    "nb": "netbanking",
    "app": "wallet",
}
"""Cashfree's words for the payment methods of an order, as far as this page has them."""
GROUPS: Final = {"card": "credit_card", "upi": "upi", "netbanking": "net_banking", "wallet": "wallet"}
"""The group of a payment, by method."""
_STATES: Final = {"ACTIVE": PageState.OPEN, "PAID": PageState.PAID}


class HostedOrders(CourseSimulator):
    """The orders' pages, for `CashfreeSimulator`."""

    @abstractmethod
    def order_of(self, order_id: str) -> Record:
        """The stored order."""

    @abstractmethod
    def payments_of(self, order: Record, now: float) -> list[Record]:
        """The payments of the order up to `now`, oldest first."""

    @abstractmethod
    def status_of(self, order: Record, now: float) -> str:
        """The order's status at `now`, in Cashfree's words."""

    @abstractmethod
    def take_payment(self, order: Record, method: str, behaviour: Behaviour) -> Record:
        """Book a payment on the order and return it without a course."""

    @abstractmethod
    def success_of(self, payment: Record, when: float) -> list[Record]:
        """The course of a payment that succeeds at `when`."""

    def open_page(self, request: Request) -> Reply:
        """The form that Cashfree's script submits in the browser. It needs no credentials but the session."""
        sessions = parse_qs(request.body.decode(errors="replace")).get("payment_session_id", [])
        if request.method != "POST" or len(sessions) != 1 or self.store.get(SESSION, sessions[0]) is None:
            return no_page()
        return see_other(page_url(self.public_url, sessions[0]))

    def answer_page(self, request: Request, now: float) -> Reply:
        asked = page_request_of(request)
        session = self.store.get(SESSION, asked.object_id) if asked else None
        if asked is None or session is None:
            return no_page()
        order = self.order_of(session["order_id"])
        if asked.act is None:
            return show(self._page(order, now))
        if asked.act is not Act.LEAVE and self.status_of(order, now) == "ACTIVE":
            self._try(order, asked.method or _methods(order)[0], asked.act, now)
        page = page_url(self.public_url, order["session"])
        return see_other(page if asked.act.fails else order["meta"].get("return_url", page))

    def _try(self, order: Record, method: str, act: Act, now: float) -> None:
        if method not in _methods(order):
            return
        payment = self.take_payment(order, method, act.behaviour)
        if act.fails:
            course = [step(now, DECLINED, ended_at=now)]
        elif act.bank_seconds:
            course = [step(now, PENDING), *self.success_of(payment, now + act.bank_seconds)]
        else:
            course = self.success_of(payment, now)
        self.begin(payment, course, now)

    def _page(self, order: Record, now: float) -> HostedPage:
        status = self.status_of(order, now)
        has_failed = any(record["state"] == DECLINED for record in self.payments_of(order, now))
        return HostedPage(
            provider="Cashfree",
            amount=order["amount"],
            currency=order["currency"],
            methods=_methods(order),
            state=_STATES.get(status, PageState.CLOSED),
            description=order["note"] or "",
            error="The payment failed. Please try again." if has_failed and status == "ACTIVE" else "",
            back_url=order["meta"].get("return_url", ""),
        )


def _methods(order: Record) -> tuple[str, ...]:
    """The methods that the order allows; all, if it names none."""
    words = [word.strip() for word in order["meta"].get("payment_methods", "").split(",") if word.strip()]
    allowed = [METHOD_WORDS[word] for word in words if word in METHOD_WORDS] or list(GROUPS)
    return tuple(dict.fromkeys(allowed))
