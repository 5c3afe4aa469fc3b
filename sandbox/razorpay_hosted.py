"""Razorpay's payment links, beside the orders. Facts about Razorpay that are reproduced here:

* `reference_id` is unique: a second link with the same one is refused.
* The link lists the payments that took money only. With `shows_order_at_once` it has its order from the beginning,
  else after the payer's first try: no page of Razorpay's says which.
* A payment that began before a link was cancelled or expired goes on, and may be captured afterwards.
* `expire_by` is at least 15 minutes after the request. Only a link that is not paid can be cancelled.
* The address to which the payer returns carries a signature over link, reference, status and payment.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Final

from sandbox import razorpay_forms as forms
from sandbox.behaviours import Effect
from sandbox.hosted_pages import (
    Act,
    HostedCall,
    HostedPage,
    PageRequest,
    PageState,
    answered,
    no_page,
    page_request_of,
    page_url,
    see_other,
    show,
    with_query,
)
from sandbox.http_types import Reply, Request, json_reply
from sandbox.ledger import step
from sandbox.razorpay import ORDER, RazorpaySimulator, success_course
from sandbox.razorpay_forms import MANUAL_EXPIRY_SECONDS, Check, RefusedError
from sandbox.simulator import AUTHORIZED, CHARGED, DECLINED, PENDING
from sandbox.store import Record

LINKS: Final = "/v1/payment_links"

_LINK: Final = "link"
_LINK_PATH: Final = re.compile(r"/v1/payment_links/(plink_\w+)(/cancel)?")
_MIN_LIFETIME_SECONDS: Final = 15 * 60
_MAX_LIFETIME_SECONDS: Final = 184 * 24 * 3600
_METHODS: Final = ("card", "upi", "netbanking", "wallet")
_STATES: Final = {
    "created": PageState.OPEN,
    "paid": PageState.PAID,
    "cancelled": PageState.CLOSED,
    "expired": PageState.CLOSED,
}


class RazorpayHostedSimulator(RazorpaySimulator):
    """The simulator of Razorpay with its payment links. `auto_capture`: the account's setting for their payments."""

    auto_capture = True
    shows_order_at_once = False

    # -- the API

    def answer(self, request: Request, now: float) -> Reply:
        reply = super().answer(request, now)
        call = _hosted_call(request)
        return answered(self.store, call, reply) if call else reply

    def _get(self, request: Request, now: float) -> Reply:
        if request.path == LINKS:
            return self._list_links(request.query, now)
        match = _LINK_PATH.fullmatch(request.path)
        if match and not match[2]:
            return json_reply(200, self._present_link(self._link(match[1]), now))
        return super()._get(request, now)

    def _post(self, request: Request, now: float) -> Reply:
        if request.method == "POST" and request.path == LINKS:
            return self._create_link(forms.body_of(request), now)
        match = _LINK_PATH.fullmatch(request.path)
        if request.method == "POST" and match and match[2]:
            return self._cancel_link(self._link(match[1]), now)
        return super()._post(request, now)

    def _create_link(self, body: Record, now: float) -> Reply:
        forms.check(body, LINK_FIELDS, ("amount", "currency"))
        forms.check_amount(body["amount"], body["currency"])
        given = body.get("reference_id")
        if given is not None and any(link["body"].get("reference_id") == given for link in self.store.all(_LINK)):
            text = f"payment link already exists with reference_id {given}"
            raise RefusedError(forms.error_reply(400, text, field="reference_id"))
        expire_by = body.get("expire_by", int(now) + _MAX_LIFETIME_SECONDS)
        if not _MIN_LIFETIME_SECONDS <= expire_by - now <= _MAX_LIFETIME_SECONDS:
            raise forms.invalid("expire_by", "expire_by should be at least 15 minutes after current time.")
        if ("callback_url" in body) != ("callback_method" in body):
            raise forms.invalid("callback_method", "callback_method is required with callback_url.")
        link: Record = {
            "id": self.make_id("plink_", given, self.count(_LINK))[:20],
            "body": body,
            "expire_by": expire_by,
            "cancelled_at": None,
            "expiry_notified": False,
            "order_id": None,
            "at": now,
        }
        self.store.put(_LINK, link["id"], link)
        if self.shows_order_at_once:
            link = self._change_link(link, order_id=self._order_of(link, now)["id"])
        return json_reply(200, self._present_link(link, now))

    def _cancel_link(self, link: Record, now: float) -> Reply:
        if self._link_status(link, now) != "created":
            raise RefusedError(forms.error_reply(400, "Payment Link is not in a cancellable state"))
        changed = self._change_link(link, cancelled_at=now)
        self.emit_webhook([("payment_link.cancelled", {"subject": link["id"]})], now, now)
        return json_reply(200, self._present_link(changed, now))

    def _list_links(self, query: Mapping[str, str], now: float) -> Reply:
        forms.check_query(query, {"reference_id", "payment_id", "count", "skip"})
        wanted, payment_id = query.get("reference_id"), query.get("payment_id")
        found = [
            self._present_link(link, now)
            for link in self.store.all(_LINK)
            if wanted in {None, link["body"].get("reference_id")}
            and (payment_id is None or payment_id in {record["id"] for record in self._tries(link, now)})
        ]
        return json_reply(200, {"payment_links": forms.page_of_list(found, query, most=100)})

    # -- the page

    def answer_page(self, request: Request, now: float) -> Reply:
        asked = page_request_of(request)
        link = self.store.get(_LINK, asked.object_id) if asked else None
        if asked is None or link is None:
            return no_page()
        if asked.act is None:
            return show(self._page(link, now))
        here = page_url(self.public_url, link["id"])
        if asked.act is Act.LEAVE:
            return see_other(link["body"].get("callback_url", here))
        if self._page_state(link, now) is PageState.OPEN:
            link = self._try(link, asked, now)
        return see_other(self._return_url(link, now) or here)

    def _page(self, link: Record, now: float) -> HostedPage:
        body, tries = link["body"], self._tries(link, now)
        allowed = body.get("options", {}).get("checkout", {}).get("method", {})
        return HostedPage(
            provider=self.name,
            amount=body["amount"],
            currency=body["currency"],
            methods=tuple(name for name in _METHODS if allowed.get(name, True)),
            state=self._page_state(link, now),
            description=body.get("description", ""),
            error="The payment failed. Please try again." if tries and tries[-1]["state"] == DECLINED else "",
            back_url=body.get("callback_url", ""),
            reopens=self.reopens,
        )

    def _page_state(self, link: Record, now: float) -> PageState:
        state = _STATES[self._link_status(link, now)]
        under_way = any(record["state"] in {PENDING, AUTHORIZED} for record in self._tries(link, now))
        return PageState.PROCESSING if under_way and state is not PageState.PAID else state

    def _return_url(self, link: Record, now: float) -> str | None:
        """The address after a payment, with the signature that only Razorpay and the shop can make."""
        paid = [record for record in self._tries(link, now) if record["state"] == CHARGED]
        if not paid or "callback_url" not in link["body"]:
            return None
        reference, status = link["body"].get("reference_id", ""), self._link_status(link, now)
        text = f"{link['id']}|{reference}|{status}|{paid[0]['id']}"
        signature = hmac.new(self.credentials.key_secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return with_query(
            link["body"]["callback_url"],
            razorpay_payment_id=paid[0]["id"],
            razorpay_payment_link_id=link["id"],
            razorpay_payment_link_reference_id=reference,
            razorpay_payment_link_status=status,
            razorpay_signature=signature,
        )

    def _try(self, link: Record, asked: PageRequest, now: float) -> Record:
        """One try of the payer: a payment of the link's order."""
        act, order = asked.act or Act.PAY, self._order_of(link, now)
        customer = link["body"].get("customer", {})
        body = {
            "method": asked.method or "card",
            "email": customer.get("email", "void@razorpay.com"),
            "contact": customer.get("contact", "+919999999999"),
            "description": link["body"].get("description"),
            "notes": link["body"].get("notes"),
        }
        courses = {
            Effect.CHARGE: success_course(order, now, now),
            Effect.LATER_CHARGE: [step(now, PENDING), *success_course(order, now, now + act.bank_seconds)],
            Effect.REOPENED_DECLINE: [step(now, DECLINED), *success_course(order, now, now + act.bank_seconds)],
        }
        course = courses.get(act.behaviour.effect, [step(now, DECLINED)])
        self.begin_payment(order, body, act.behaviour, course, now)
        return self._change_link(link, order_id=order["id"])

    def _order_of(self, link: Record, now: float) -> Record:
        if link["order_id"] is not None:
            return self._order(link["order_id"])
        body = link["body"]
        order: Record = {
            "id": self.make_id("order_", link["id"])[:20],
            "amount": body["amount"],
            "currency": body["currency"],
            "receipt": body.get("reference_id"),
            "notes": body.get("notes") or [],
            "notification": None,
            "link": link["id"],
            "at": now,
            "payments": [],
            "capture": "automatic" if self.auto_capture else "manual",
            "automatic_expiry": None,
            "manual_expiry": MANUAL_EXPIRY_SECONDS,
        }
        self.store.put(ORDER, order["id"], order)
        return self._order(order["id"])

    # -- links

    def _link(self, link_id: str) -> Record:
        link = self.store.get(_LINK, link_id)
        if link is None:
            raise RefusedError(forms.missing())
        return link

    def _change_link(self, link: Record, **changes: Any) -> Record:
        stored = self._link(link["id"])
        changed = {**stored, **changes}
        self.store.put(_LINK, link["id"], changed)
        return {**changed, "version": stored["version"] + 1}

    def _tries(self, link: Record, now: float) -> list[Record]:
        """The payments of the link, oldest first."""
        return [] if link["order_id"] is None else self._of(self._order(link["order_id"]), now)

    def _link_status(self, link: Record, now: float) -> str:
        """A link that was cancelled, or expired before its payment, does not become paid."""
        if link["cancelled_at"] is not None and link["cancelled_at"] <= now:
            return "cancelled"
        captured = [
            reached["when"]
            for record in self._tries(link, now)
            for reached in record["steps"]
            if reached["state"] == CHARGED and reached["when"] <= now
        ]
        if captured and min(captured) <= link["expire_by"]:
            return "paid"
        return "expired" if now >= link["expire_by"] else "created"

    # -- webhooks

    def news(self, record: Record, reached: Record) -> list[tuple[str, Record]]:
        found = super().news(record, reached)
        link_id = self._order(record["order_id"]).get("link")
        if reached["state"] != CHARGED or link_id is None:
            return found
        is_paid = self._link_status(self._link(link_id), reached["when"]) == "paid"
        facts = {"subject": link_id, "payment_id": record["id"]}
        return [*found, ("payment_link.paid", facts)] if is_paid else found

    def events(self, now: float) -> list[Record]:
        """A link that nobody paid expires at its time, with an event."""
        for link in self.store.all(_LINK):
            if not link["expiry_notified"] and self._link_status(link, now) == "expired":
                self._change_link(link, expiry_notified=True)
                self.emit_webhook([("payment_link.expired", {"subject": link["id"]})], float(link["expire_by"]), now)
        return super().events(now)

    def payload_of(self, kind: str, event: Record) -> Record:
        if not kind.startswith("payment_link."):
            return super().payload_of(kind, event)
        shown = {"payment_link": {"entity": self._present_link(self._link(event["subject"]), event["due"])}}
        if "payment_id" not in event:
            return shown
        order = self._order(self._payment(event["payment_id"], event["due"])["order_id"])
        paid = super().payload_of("payment.captured", event)
        return {**paid, "order": {"entity": self._present_order(order, event["due"])}, **shown}

    def _present_link(self, link: Record, now: float) -> Record:
        body, status = link["body"], self._link_status(link, now)
        paid = [record for record in self._tries(link, now) if record["state"] == CHARGED]
        return {
            "accept_partial": body.get("accept_partial", False),
            "amount": body["amount"],
            "amount_paid": sum(record["taken"] for record in paid),
            "callback_method": body.get("callback_method", ""),
            "callback_url": body.get("callback_url", ""),
            "cancelled_at": int(link["cancelled_at"] or 0),
            "created_at": int(link["at"]),
            "currency": body["currency"],
            "customer": body.get("customer", {}),
            "description": body.get("description", ""),
            "expire_by": link["expire_by"],
            "expired_at": link["expire_by"] if status == "expired" else 0,
            "first_min_partial_amount": 0,
            "id": link["id"],
            "notes": body.get("notes"),
            "notify": body.get("notify", {"email": True, "sms": True}),
            "payments": [_listed_payment(link, record) for record in paid] or None,
            "reference_id": body.get("reference_id", ""),
            "reminder_enable": body.get("reminder_enable", False),
            "reminders": [],
            "short_url": page_url(self.public_url, link["id"]),
            "status": status,
            "updated_at": int(now),
            "upi_link": body.get("upi_link", False),
            "user_id": "",
            **({"order_id": link["order_id"]} if link["order_id"] else {}),
        }


def _listed_payment(link: Record, record: Record) -> Record:
    return {
        "amount": record["taken"],
        "created_at": int(record["at"]),
        "method": record["method"],
        "payment_id": record["id"],
        "plink_id": link["id"],
        "status": "captured",
        "updated_at": int(record["at"]),
    }


def _hosted_call(request: Request) -> HostedCall | None:
    match = _LINK_PATH.fullmatch(request.path)
    if request.path == LINKS:
        return HostedCall.CREATE if request.method == "POST" else HostedCall.READ
    if match is None:
        return None
    return HostedCall.CLOSE if match[2] else HostedCall.READ


# -- fields


def _customer(name: str, value: Any) -> None:
    forms.any_object(name, value)
    forms.check(value, dict.fromkeys(("name", "email", "contact"), forms.text()), ())


def _notify(name: str, value: Any) -> None:
    forms.any_object(name, value)
    forms.check(value, dict.fromkeys(("sms", "email", "whatsapp"), forms.BOOLEAN), ())


def _options(name: str, value: Any) -> None:
    """Only the methods of the checkout are modelled."""
    forms.any_object(name, value)
    forms.check(value, {"checkout": _checkout}, ())


def _checkout(name: str, value: Any) -> None:
    forms.any_object(name, value)
    forms.check(value, {"method": _methods}, ())


def _methods(name: str, value: Any) -> None:
    forms.any_object(name, value)
    forms.check(value, dict.fromkeys(_METHODS, forms.BOOLEAN), ())


LINK_FIELDS: Final[Mapping[str, Check]] = {
    "accept_partial": forms.one_of(False),  # noqa: FBT003 - payments in parts are not modelled
    "amount": forms.amount,
    "callback_method": forms.one_of("get"),
    "callback_url": forms.text(2048),
    "currency": forms.currency,
    "customer": _customer,
    "description": forms.text(2048),
    "expire_by": forms.amount,
    "notes": forms.notes,
    "notify": _notify,
    "options": _options,
    "reference_id": forms.text(40),
    "reminder_enable": forms.BOOLEAN,
    "upi_link": forms.one_of(False),  # noqa: FBT003 - a link of another kind
}
