"""Razorpay's payment gateway by its documentation: orders, payments of saved tokens, capture, refunds.

Three properties are traps for a connector, and are reproduced on purpose. Orders can be found by their receipt, but
several orders may have the same one. A failed payment may be authorized later. An authorized payment cannot be
voided: it is captured in full, or Razorpay returns the money days later.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final

from sandbox import razorpay_forms as forms
from sandbox.behaviours import (
    ASYNC_SECONDS,
    HANG_SECONDS,
    REOPEN_SECONDS,
    SLOW_SECONDS,
    Answer,
    Behaviour,
    Effect,
    behaviour_of,
)
from sandbox.http_types import Reply, Request, html_reply, json_reply
from sandbox.ledger import DONE, FAILED, CourseSimulator, step
from sandbox.razorpay_forms import RefusedError
from sandbox.simulator import CHARGED, DECLINED, PENDING, WAITING, Credentials
from sandbox.store import Record, Store

WEBHOOK_SECRET: Final = "razorpay_sandbox_webhook"  # noqa: S105 - it signs what a simulator sends
ACCOUNT_ID: Final = "acc_Sandbox0000001"
AUTHORIZED: Final = "authorized"
RELEASED: Final = "released"
"""Authorized, never captured, returned by Razorpay."""

PRE_DEBIT_SECONDS: Final = (36 * 60 + 5) * 60

ORDER: Final = "order"
_RECEIPT: Final = "receipt"
_REFUND_KEYS: Final = "refund key"
_ORDER_PATH: Final = re.compile(r"/v1/orders/(order_\w+)(/payments)?")
_PAYMENT_PATH: Final = re.compile(r"/v1/payments/(pay_\w+)(?:/(capture|refund|refunds))?")
_REFUND_PATH: Final = re.compile(r"/v1/refunds/(rfnd_\w+)")
_IST: Final = timezone(timedelta(hours=5, minutes=30))

_STATUSES: Final = {
    PENDING: "created",
    WAITING: "created",
    AUTHORIZED: "authorized",
    CHARGED: "captured",
    DECLINED: "failed",
    RELEASED: "refunded",
}
_SOFT: Final = ("GATEWAY_ERROR", "bank_technical_error", "Payment failed due to a technical error at the bank.", "bank")
# code, reason, description, source
_FAILURES: Final = {
    Effect.SOFT_DECLINE: _SOFT,
    Effect.LATER_DECLINE: _SOFT,
    Effect.REOPENED_DECLINE: ("BAD_REQUEST_ERROR", "payment_failed", "Payment failed.", "gateway"),
    Effect.HARD_DECLINE: ("BAD_REQUEST_ERROR", "debit_instrument_blocked", "The card is blocked.", "customer"),
    Effect.FUNDS_DECLINE: (
        "BAD_REQUEST_ERROR",
        "insufficient_funds",
        "The account has too little balance.",
        "customer",
    ),
    Effect.ACTION: ("BAD_REQUEST_ERROR", "payment_cancelled", "The customer cancelled the payment.", "customer"),
}
_HOLDS: Final = {Answer.SLOW: SLOW_SECONDS, Answer.HANG_AFTER: HANG_SECONDS}


class RazorpaySimulator(CourseSimulator):
    """HTTP Basic, JSON, integers in minor units; `/actions/{payment}` is where the payer approves.

    `/actions/{payment}/decline` is the payer's other button. With `pre_debit_required`, a recurring payment needs an
    order with a `notification`, as those of Indian cards and UPI do. Without `server_to_server`, the account has no
    address to pay an order, as a new one has none.
    """

    name = "razorpay"
    reopens = True

    def __init__(
        self,
        store: Store,
        credentials: Credentials,
        *,
        public_url: str,
        visibility_lag_seconds: float = 0.0,
        webhook_secret: str = WEBHOOK_SECRET,
        pre_debit_required: bool = False,
        server_to_server: bool = True,
    ):
        super().__init__(store, credentials, public_url=public_url, visibility_lag_seconds=visibility_lag_seconds)
        self.webhook_secret = webhook_secret
        self.pre_debit_required = pre_debit_required
        self.server_to_server = server_to_server

    def is_authentic(self, request: Request) -> bool:
        given = request.basic() or ("", "")
        pairs = zip(given, (self.credentials.key_id, self.credentials.key_secret), strict=True)
        matches = [hmac.compare_digest(a.encode(), b.encode()) for a, b in pairs]  # all fields, in constant time
        return all(matches)

    def unauthorized(self) -> Reply:
        return forms.blank_error(401, "Authentication failed")

    def bad_request(self, message: str) -> Reply:
        return forms.error_reply(400, message)

    def server_error(self) -> Reply:
        return forms.error_reply(
            500, "We are facing some trouble completing your request.", code="SERVER_ERROR", reason="server_error"
        )

    def answer(self, request: Request, now: float) -> Reply:
        try:
            return self._get(request, now) if request.method == "GET" else self._post(request, now)
        except RefusedError as refused:
            return refused.reply

    def _get(self, request: Request, now: float) -> Reply:
        path = request.path
        if path == "/v1/orders":
            return self._list_orders(request.query, now)
        if path in {"/v1/payments", "/v1/refunds"}:
            return self._list(path.rpartition("/")[2], request.query, now)
        if path == "/v1/settlements/recon/combined":
            return self._reconciliation(request.query, now)
        if match := _ORDER_PATH.fullmatch(path):
            order = self._order(match[1])
            return self._payments(order, now) if match[2] else json_reply(200, self._present_order(order, now))
        if (match := _PAYMENT_PATH.fullmatch(path)) and match[2] in {None, "refunds"}:
            record = self._payment(match[1], now)
            if match[2]:
                return forms.collection([_present_refund(refund) for refund in self._refunds_of(record, now)])
            return json_reply(200, self._present(record, now))
        if match := _REFUND_PATH.fullmatch(path):
            return json_reply(200, _present_refund(self._refund(match[1], now)))
        raise RefusedError(forms.not_found())

    def _post(self, request: Request, now: float) -> Reply:
        if request.method != "POST":
            raise RefusedError(forms.not_found())
        flows = {
            "/v1/payments/create/recurring": self._recurring,
            "/v1/payments/create/json": self._saved_card,
            "/v1/payments/create/upi": self._upi,
        }
        match = _PAYMENT_PATH.fullmatch(request.path)
        if request.path == "/v1/orders":
            return self._create_order(forms.body_of(request), now)
        if request.path in flows and self.server_to_server:
            return flows[request.path](forms.body_of(request), now)
        if match and match[2] == "capture":
            return self._capture(forms.body_of(request), self._payment(match[1], now), now)
        if match and match[2] == "refund":
            return self._create_refund(request, self._payment(match[1], now), now)
        raise RefusedError(forms.not_found())

    # -- orders

    def _create_order(self, body: Record, now: float) -> Reply:
        forms.check(body, forms.ORDER_FIELDS, ("amount", "currency"))
        forms.check_amount(body["amount"], body["currency"])
        capture = forms.capture_settings(body)
        named = self._named(body.get("receipt"))
        order: Record = {
            "id": self.make_id("order_", body.get("receipt"), len(named["orders"]))[:20],
            "amount": body["amount"],
            "currency": body["currency"],
            "receipt": body.get("receipt"),
            "notes": body.get("notes") or [],
            "notification": self._notification(body.get("notification"), now),
            "at": now,
            "payments": [],
            **capture,
        }
        self.store.put(ORDER, order["id"], order)
        self.store.put(_RECEIPT, named["id"], {**named, "orders": [*named["orders"], order["id"]]})
        return json_reply(200, self._present_order(order, now))

    def _named(self, receipt: str | None) -> Record:
        """All orders with this receipt; there may be several."""
        key = f"={receipt}" if receipt is not None else "-"
        return self.store.get(_RECEIPT, key) or {"id": key, "orders": []}

    def _notification(self, given: Record | None, now: float) -> Record | None:
        if given is None:
            return None
        forms.check(given, forms.NOTIFICATION_FIELDS, ("token_id",))
        earliest = int(now) + PRE_DEBIT_SECONDS
        return {
            "token_id": given["token_id"],
            "payment_after": max(given.get("payment_after", earliest), earliest),
            "id": self.make_id("notification_", given["token_id"], now),
        }

    def _list_orders(self, query: Mapping[str, str], now: float) -> Reply:
        forms.check_query(query, {"receipt", "from", "to", "count", "skip", "authorized"})
        since, until = forms.number(query, "from", 0), forms.number(query, "to", 2**40)
        named = self._named(query["receipt"])["orders"] if "receipt" in query else None
        orders = self.store.all(ORDER) if named is None else [self._order(order_id) for order_id in named]
        found = [order for order in orders if since <= int(order["at"]) <= until]
        found.sort(key=lambda order: (-order["at"], order["id"]))
        return forms.collection(
            [self._present_order(order, now) for order in forms.page_of_list(found, query, most=100)]
        )

    def _order(self, order_id: str) -> Record:
        order = self.store.get(ORDER, order_id)
        if order is None:
            raise RefusedError(forms.missing())
        return order

    def _of(self, order: Record, now: float) -> list[Record]:
        """The payments of the order, oldest first. An id without its record is left from a crash and is skipped."""
        found = (self.find(payment_id, now) for payment_id in order["payments"])
        return [record for record in found if record is not None]

    def _is_paid(self, order: Record, now: float) -> bool:
        return any(record["state"] == CHARGED for record in self._of(order, now))

    # -- payments

    def _recurring(self, body: Record, now: float) -> Reply:
        required = ("email", "contact", "amount", "currency", "order_id", "customer_id", "token", "recurring")
        forms.check(body, forms.RECURRING_FIELDS, required)
        order = self._order_to_pay(body)
        self._check_notification(order, body["token"], now)
        return self._pay(order, body, self._behaviour(body), now)

    def _saved_card(self, body: Record, now: float) -> Reply:
        required = ("email", "contact", "amount", "currency", "order_id", "customer_id", "token", "method")
        forms.check(body, forms.CARD_FIELDS, (*required, "ip", "user_agent", "referer"))
        order = self._order_to_pay(body)
        return self._pay(order, body, self._behaviour(body), now, present=True)

    def _upi(self, body: Record, now: float) -> Reply:
        required = ("email", "contact", "amount", "currency", "order_id", "method", "upi")
        forms.check(body, forms.UPI_FIELDS, required)
        forms.check(body["upi"], {"flow": forms.one_of("intent")}, ("flow",))
        return self._pay(self._order_to_pay(body), body, Behaviour(Effect.ACTION), now)

    def _order_to_pay(self, body: Record) -> Record:
        order = self._order(body["order_id"])
        if body["amount"] != order["amount"]:
            text = "Your payment amount is different from your order amount."
            raise RefusedError(forms.error_reply(400, text, reason="order_amount_mismatch"))
        if body["currency"] != order["currency"]:
            text = "Your payment currency is different from your order currency."
            raise RefusedError(forms.error_reply(400, text, reason="mismatch_in_transaction_details"))
        return order

    def _behaviour(self, body: Record) -> Behaviour:
        behaviour = behaviour_of(body["token"], self.name)
        if behaviour is None:
            raise RefusedError(forms.missing("token"))
        _refuse(behaviour.effect, _CHARGE_REFUSED)
        return behaviour

    def _check_notification(self, order: Record, token: str, now: float) -> None:
        notification = order["notification"]
        if notification is None and not self.pre_debit_required:
            return
        if notification is None or notification["token_id"] != token:
            text = "The pre-debit notification was not sent."
            raise RefusedError(forms.error_reply(400, text, reason="pre_debit_notification_not_sent"))
        if now < notification["payment_after"]:
            text = "The debit was tried before the date of the notification."
            reason = "BAD_REQUEST_MANDATE_PROMISED_DEBIT_DATE_NOT_HONOURED"
            raise RefusedError(forms.error_reply(400, text, reason=reason))

    def _pay(self, order: Record, body: Record, behaviour: Behaviour, now: float, *, present: bool = False) -> Reply:
        def take() -> Reply:
            if self._is_paid(order, now):
                raise RefusedError(forms.already_paid())
            record = self.begin_payment(order, body, behaviour, _course(order, behaviour, now), now)
            return self._paid(record, present=present)

        return self.perform(order["id"], behaviour, take)

    def begin_payment(
        self, order: Record, body: Record, behaviour: Behaviour, course: list[Record], now: float
    ) -> Record:
        """Create a payment of the order with this course, and return it in its state at `now`."""
        details = self._details(order, body, behaviour)
        booked = {**order, "payments": [*order["payments"], details["id"]]}
        self.store.put(ORDER, order["id"], booked)
        record = self.begin(details, course, now)
        self._keep_one_capture(booked, now)
        return self.find(record["id"], now) or record

    def _details(self, order: Record, body: Record, behaviour: Behaviour) -> Record:
        return {
            "id": self.make_id("pay_", order["id"], len(order["payments"]))[:18],
            "order_id": order["id"],
            "reference": order["receipt"],
            "amount": order["amount"],
            "currency": order["currency"],
            "taken": order["amount"] + (1 if behaviour.effect is Effect.WRONG_AMOUNT else 0),
            "effect": behaviour.effect,
            "captured": False,
            "method": body.get("method", "card"),
            "token_id": body.get("token"),
            "customer_id": body.get("customer_id"),
            "email": body["email"],
            "contact": body["contact"],
            "description": body.get("description"),
            "notes": body.get("notes") or [],
        }

    def _keep_one_capture(self, order: Record, now: float) -> None:
        """An order is captured once. A later payment stays authorized, and its money is returned."""
        captures = [
            (reached["when"], record["at"], record)
            for record in self._of(order, now)
            for reached in record["steps"]
            if reached["state"] == CHARGED
        ]
        captures.sort(key=lambda capture: capture[:2])
        for when, _, record in captures[1:]:
            others = [reached for reached in record["steps"] if reached["state"] not in {CHARGED, RELEASED}]
            release = step(max(when, record["at"] + order["manual_expiry"]), RELEASED)
            self.change(record, steps=[*others, release])

    def _paid(self, record: Record, *, present: bool) -> Reply:
        body: Record = {"razorpay_payment_id": record["id"]}
        if record["state"] == DECLINED:
            code, reason, text, source = _FAILURES[Effect(record["effect"])]
            metadata = {"payment_id": record["id"], "order_id": record["order_id"]}
            more = {"code": code, "reason": reason, "source": source, "step": "payment_authorization"}
            raise RefusedError(forms.error_reply(400, text, metadata=metadata, **more))
        if record["state"] in {AUTHORIZED, CHARGED}:
            signature = sign_payment(self.credentials.key_secret, record["order_id"], record["id"])
            body |= {"razorpay_order_id": record["order_id"], "razorpay_signature": signature}
        if record["state"] == WAITING and record["method"] == "upi":
            body["link"] = f"upi://pay?pa=sandbox@razorpay&tr={record['id']}&am={record['amount']}&cu=INR"
        elif record["state"] == WAITING and present:
            body["next"] = [{"action": "redirect", "url": self.action_url(record["id"])}]
        return json_reply(200, body)

    def _payment(self, payment_id: str, now: float) -> Record:
        record = self.find(payment_id, now)
        if record is None:
            raise RefusedError(forms.missing())
        return record

    def _payments(self, order: Record, now: float) -> Reply:
        found = [record for record in self._of(order, now) if now - record["at"] >= self.visibility_lag_seconds]
        return forms.collection([self._present(record, now) for record in reversed(found)])

    def _list(self, name: str, query: Mapping[str, str], now: float) -> Reply:
        """All payments of the account, newest first, ten on a page by default."""
        forms.check_query(query, {"from", "to", "count", "skip"})
        since, until = forms.number(query, "from", 0), forms.number(query, "to", 2**40)
        everything = list(self.everything(now))
        found = [self._present(record, now) for record in everything]
        if name == "refunds":
            found = [_present_refund(refund) for record in everything for refund in self._refunds_of(record, now)]
        found = [item for item in found if since <= item["created_at"] <= until]
        found.sort(key=lambda item: (-item["created_at"], item["id"]))
        return forms.collection(forms.page_of_list(found, query, most=100))

    def _approve(self, charge_id: str, now: float) -> Reply:
        payment_id, _, button = charge_id.partition("/")
        record = self.find(payment_id, now)
        if record is None or record["state"] != WAITING or button not in {"", "decline"}:
            if record is not None and not button and record["state"] in {AUTHORIZED, CHARGED}:
                return forms.simple_page("Approved. You may close this page.")
            return html_reply(404, "<html><body>There is nothing to approve here.</body></html>")
        if button:
            self.go_on(record, now, step(now, DECLINED, effect=Effect.ACTION))
            return forms.simple_page("Declined. You may close this page.")
        order = self._order(record["order_id"])
        self.go_on(record, now, *success_course(order, record["at"], now))
        self._keep_one_capture(order, now)
        return forms.simple_page("Approved. You may close this page.")

    # -- capture

    def _capture(self, body: Record, record: Record, now: float) -> Reply:
        forms.check(body, {"amount": forms.amount, "currency": forms.currency}, ("amount", "currency"))
        behaviour = self._operation_behaviour()

        def take() -> Reply:
            self._check_capture(body, record, now)
            if behaviour.effect in _FAILURES:
                failure = forms.error_reply(400, "The capture failed.", code="GATEWAY_ERROR", reason="capture_failed")
                raise RefusedError(failure)
            operation = self._operation(record, "capture", record["taken"], now)
            self.go_on(self.book(record, operation), now, step(now, CHARGED, captured=True))
            self._keep_one_capture(self._order(record["order_id"]), now)
            return json_reply(200, self._present(self._payment(record["id"], now), now))

        return self._perform_once("capture", record, behaviour, take, now)

    def _check_capture(self, body: Record, record: Record, now: float) -> None:
        if record["state"] == CHARGED:
            raise RefusedError(forms.error_reply(400, "This payment has already been captured"))
        if record["state"] != AUTHORIZED:
            text = "Only payments which have been authorized and not yet captured can be captured"
            raise RefusedError(forms.error_reply(400, text))
        if (body["amount"], body["currency"]) != (record["taken"], record["currency"]):
            field = "amount" if body["amount"] != record["taken"] else "currency"
            raise forms.invalid(field, f"Capture {field} must be equal to the {field} authorized")
        if self._is_paid(self._order(record["order_id"]), now):
            raise RefusedError(forms.already_paid())

    # -- refunds

    def _create_refund(self, request: Request, record: Record, now: float) -> Reply:
        key = request.headers.get("x-refund-idempotency")
        if key is not None:
            forms.check_refund_key(key)
            stored = self.store.get(_REFUND_KEYS, key)
            if stored is not None:
                return forms.replay(stored, forms.content_of(request), now)
        body = forms.body_of(request) if request.body else {}
        forms.check(body, forms.REFUND_FIELDS, ())
        behaviour = self._operation_behaviour()

        def take() -> Reply:
            amount = self._refundable(body, record, now)
            reply = json_reply(200, _present_refund(self._record_refund(body, record, behaviour.effect, amount, now)))
            if key is not None:
                busy_until = now + _HOLDS.get(behaviour.answer, 0.0)
                kept = {"content": forms.content_of(request), "busy_until": busy_until, "body": reply.body.decode()}
                self.store.put(_REFUND_KEYS, key, kept)
            return reply

        return self._perform_once("refund", record, behaviour, take, now)

    def _refundable(self, body: Record, record: Record, now: float) -> int:
        if record["state"] != CHARGED:
            raise RefusedError(forms.error_reply(400, "The payment status should be captured for action to be taken"))
        if record.get("disputed"):
            message = "The refund on this payment is blocked due to ongoing dispute investigation."
            raise RefusedError(forms.error_reply(400, message))
        left = record["taken"] - self.refunded(record, now)
        if left == 0:
            raise RefusedError(forms.error_reply(400, "The payment has been fully refunded already"))
        amount = int(body.get("amount", left))
        forms.check_amount(amount, record["currency"])
        if amount > left:
            raise forms.invalid("amount", "The refund amount provided is greater than amount captured")
        return amount

    def _record_refund(self, body: Record, record: Record, effect: Effect, amount: int, now: float) -> Record:
        refund = self._operation(record, "refund", amount, now) | {
            "payment_id": record["id"],
            "receipt": body.get("receipt"),
            "notes": body.get("notes") or [],
            "speed": body.get("speed", "normal"),
        }
        state, later = _refund_course(effect)
        refund["state"] = state
        if later:
            refund |= {"settles_at": now + self.refund_seconds, "settles_to": later}
        self.book(record, refund)
        self._notify_refund(refund, now)
        return refund

    def _notify_refund(self, refund: Record, now: float) -> None:
        """No refund is ever cancelled, so its later webhooks may be stored now."""
        facts = {"subject": refund["id"], "payment_id": refund["payment_id"]}
        events = ["refund.created", *_REFUND_NEWS.get(refund["state"], [])]
        self.emit_webhook([(event, facts) for event in events], now, now)
        if "settles_to" in refund:
            later = [(event, facts) for event in _REFUND_NEWS[refund["settles_to"]]]
            self.emit_webhook(later, refund["settles_at"], now)

    def _refunds_of(self, record: Record, now: float) -> list[Record]:
        """Newest first, including the automatic refunds."""
        given_back = [self._automatic_refund(record)] if record["state"] == RELEASED else []
        return [*given_back, *reversed(self.operations_of(record, now, "refund"))]

    def _automatic_refund(self, record: Record) -> Record:
        when = next(reached["when"] for reached in record["steps"] if reached["state"] == RELEASED)
        refund = self._operation(record, "refund", record["taken"], when)
        refund["id"] = self.make_id("rfnd_", record["id"], "automatic")[:19]
        return refund | {"payment_id": record["id"], "receipt": None, "notes": [], "speed": "normal"}

    def _refund(self, refund_id: str, now: float) -> Record:
        refund = self.operation(refund_id, now)
        if refund is not None:
            return refund
        for record in self.everything(now):
            if record["state"] == RELEASED and self._automatic_refund(record)["id"] == refund_id:
                return self._automatic_refund(record)
        raise RefusedError(forms.missing())

    def _operation(self, record: Record, kind: str, amount: int, now: float) -> Record:
        prefix = "rfnd_" if kind == "refund" else "cptr_"
        return {
            "id": self.make_id(prefix, record["id"], len(record.get("operations", [])))[:19],
            "kind": kind,
            "reference": record["reference"],
            "amount": amount,
            "currency": record["currency"],
            "state": DONE,
            "at": now,
        }

    def _operation_behaviour(self) -> Behaviour:
        behaviour = self.planned_behaviour()
        _refuse(behaviour.effect, _NO_BALANCE)
        return behaviour

    def _perform_once(
        self, kind: str, record: Record, behaviour: Behaviour, take: Callable[[], Reply], now: float
    ) -> Reply:
        """Count every send as the first one: a plan applies to one send."""
        return self.perform(f"{kind} {record['id']} {record['version']} {now}", behaviour, take)

    # -- reconciliation

    def _reconciliation(self, query: Mapping[str, str], now: float) -> Reply:
        """Captured payments and refunds of a day or month in Indian time; all of them are settled at once."""
        forms.check_query(query, {"year", "month", "day", "count", "skip"})
        if "year" not in query or "month" not in query:
            raise forms.invalid("year", "The year and month fields are required.")
        wanted = tuple(forms.number(query, name, 0) for name in ("year", "month", "day") if name in query)
        entries: list[Record] = []
        for record in self.everything(now):
            if record["state"] == CHARGED:
                entries.append(self._settled_entry(record, record["id"], "payment", record["taken"], record["at"]))
            done = [refund for refund in self.operations_of(record, now, "refund") if refund["state"] == DONE]
            entries += [self._settled_entry(record, r["id"], "refund", r["amount"], r["at"]) for r in done]
        found = [entry for entry in entries if _day(entry["created_at"])[: len(wanted)] == wanted]
        return forms.collection(forms.page_of_list(found, query, most=1000))

    def _settled_entry(self, record: Record, entity_id: str, kind: str, amount: int, at: float) -> Record:
        fee, tax = _fee(amount) if kind == "payment" else (0, 0)
        return {
            "entity_id": entity_id,
            "type": kind,
            "debit": amount if kind == "refund" else 0,
            "credit": amount - fee if kind == "payment" else 0,
            "amount": amount,
            "currency": record["currency"],
            "fee": fee,
            "tax": tax,
            "on_hold": False,
            "settled": True,
            "created_at": int(at),
            "settled_at": int(at),
            "settlement_id": self.make_id("setl_", *_day(int(at)))[:19],
            "settlement_utr": self.make_id("", "utr", *_day(int(at))),
            "order_id": record["order_id"],
            "order_receipt": record["reference"],
            "payment_id": record["id"] if kind == "refund" else None,
            "method": record["method"],
        }

    # -- webhooks

    def sign(self, body: bytes, now: float) -> dict[str, str]:  # noqa: ARG002 - this provider signs no time
        """The event id is derived from the body, so that a second delivery has the same one."""
        return {
            "content-type": "application/json",
            "user-agent": "Razorpay-Webhook/v1",
            "x-razorpay-event-id": hashlib.sha256(body).hexdigest()[:14],
            "x-razorpay-signature": sign_webhook(self.webhook_secret, body),
        }

    def news(self, record: Record, reached: Record) -> list[tuple[str, Record]]:
        facts = {"subject": record["id"], "payment_id": record["id"]}
        if reached["state"] == CHARGED:
            return [("payment.captured", facts), ("order.paid", facts)]
        if reached["state"] == RELEASED:
            refund = {"subject": self._automatic_refund(record)["id"], "payment_id": record["id"]}
            return [("refund.created", refund), ("refund.processed", refund)]
        name = {AUTHORIZED: "payment.authorized", DECLINED: "payment.failed"}.get(reached["state"])
        return [(name, facts)] if name else []

    def render(self, kind: str, event: Record) -> bytes:
        due, payload = event["due"], self.payload_of(kind, event)
        body = {
            "entity": "event",
            "account_id": ACCOUNT_ID,
            "event": kind,
            "contains": list(payload),
            "payload": payload,
            "created_at": int(due),
        }
        return json.dumps(body, separators=(",", ":")).encode()

    def payload_of(self, kind: str, event: Record) -> Record:
        """The entities of an event, in their state at its time."""
        due = event["due"]
        record = self._payment(event["payment_id"], due)
        payload: Record = {"payment": {"entity": self._present(record, due)}}
        if kind == "order.paid":
            payload["order"] = {"entity": self._present_order(self._order(record["order_id"]), due)}
        if kind.startswith("refund."):
            payload = {"refund": {"entity": _present_refund(self._refund(event["subject"], due))}, **payload}
        return payload

    # -- entities

    def _present_order(self, order: Record, now: float) -> Record:
        payments = [record for record in self._of(order, now) if record["at"] <= now]
        paid = sum(record["taken"] for record in payments if record["state"] == CHARGED)
        shown = {
            "id": order["id"],
            "entity": "order",
            "amount": order["amount"],
            "amount_paid": paid,
            "amount_due": max(0, order["amount"] - paid),
            "currency": order["currency"],
            "receipt": order["receipt"],
            "offer_id": None,
            "status": "paid" if paid else "attempted" if payments else "created",
            "attempts": len(payments),
            "notes": order["notes"],
            "created_at": int(order["at"]),
        }
        return shown | ({"notification": order["notification"]} if order["notification"] else {})

    def _present(self, record: Record, now: float) -> Record:
        state = record["state"]
        refunded = record["taken"] if state == RELEASED else self.refunded(record, now)
        whole = refunded == record["taken"]
        fee, tax = _fee(record["taken"]) if state == CHARGED else (None, None)
        return {
            "id": record["id"],
            "entity": "payment",
            "amount": record["taken"],
            "currency": record["currency"],
            "status": "refunded" if whole else _STATUSES[state],
            "order_id": record["order_id"],
            "invoice_id": None,
            "international": record["currency"] != "INR",
            "method": record["method"],
            "amount_refunded": refunded,
            "refund_status": "full" if whole else "partial" if refunded else None,
            "captured": record["captured"],
            "description": record["description"],
            "card_id": self.make_id("card_", record["token_id"])[:19] if record["method"] == "card" else None,
            "bank": None,
            "wallet": None,
            "vpa": None,
            "email": record["email"],
            "contact": record["contact"],
            "customer_id": record["customer_id"],
            "token_id": record["token_id"],
            "notes": record["notes"],
            "fee": fee,
            "tax": tax,
            **_failure(record),
            "acquirer_data": {"auth_code": None},
            "created_at": int(record["at"]),
        }


# -- signatures


def sign_webhook(secret: str, body: bytes) -> str:
    """HMAC over the raw bytes, without a time."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sign_payment(key_secret: str, order_id: str, payment_id: str) -> str:
    """The signature in the answers of Checkout and of a recurring payment."""
    return hmac.new(key_secret.encode(), f"{order_id}|{payment_id}".encode(), hashlib.sha256).hexdigest()


# -- the course of a payment


def success_course(order: Record, began: float, when: float) -> list[Record]:
    """Authorized, then captured at once, or returned when it was not captured in time."""
    first = step(when, AUTHORIZED, effect=Effect.CHARGE)
    late = order["automatic_expiry"] is not None and when - began > order["automatic_expiry"]
    if order["capture"] == "automatic" and not late:
        return [first, step(when, CHARGED, captured=True)]
    return [first, step(max(when, began + order["manual_expiry"]), RELEASED)]


def _course(order: Record, behaviour: Behaviour, now: float) -> list[Record]:
    match behaviour.effect:
        case Effect.CHARGE | Effect.WRONG_AMOUNT:
            return success_course(order, now, now)
        case Effect.LATER_CHARGE:
            return [step(now, PENDING), *success_course(order, now, now + ASYNC_SECONDS)]
        case Effect.LATER_DECLINE:
            return [step(now, PENDING), step(now + ASYNC_SECONDS, DECLINED)]
        case Effect.ACTION:
            return [step(now, WAITING)]
        case Effect.REOPENED_DECLINE:
            return [step(now, DECLINED), *success_course(order, now, now + REOPEN_SECONDS)]
        case _:
            return [step(now, DECLINED)]


_CHARGE_REFUSED: Final = "Recurring payments are not enabled."
_NO_BALANCE: Final = "Your account does not have enough balance to carry out the refund operation."


def _refuse(effect: Effect, text: str) -> None:
    """Refuse before anything happens: as documented with this text, or in a way that no page describes."""
    if effect is Effect.RATE_LIMITED:
        raise RefusedError(forms.rate_limited())
    if effect is Effect.REFUSED:
        reason = "recurring_payment_not_enabled" if text == _CHARGE_REFUSED else "NA"
        raise RefusedError(forms.error_reply(400, text, reason=reason))
    if effect is Effect.REFUSED_UNLISTED:
        raise RefusedError(forms.error_reply(400, "The request was not accepted.", reason="request_not_accepted"))


_REFUND_NEWS: Final = {DONE: ["refund.processed"], FAILED: ["refund.failed"]}


def _refund_course(effect: Effect) -> tuple[str, str | None]:
    """The present and the planned state of a refund."""
    if effect is Effect.FUNDS_DECLINE:
        raise RefusedError(forms.error_reply(400, _NO_BALANCE))
    if effect in {Effect.LATER_CHARGE, Effect.LATER_DECLINE}:
        return PENDING, DONE if effect is Effect.LATER_CHARGE else FAILED
    if effect is Effect.ACTION:
        return PENDING, None
    return (FAILED if effect in _FAILURES else DONE), None


def _failure(record: Record) -> Record:
    names = ("error_code", "error_reason", "error_description", "error_source")
    failed = record["state"] == DECLINED
    values = _FAILURES[Effect(record["effect"])] if failed else (None, None, None, None)
    return dict(zip(names, values, strict=True)) | {"error_step": "payment_authorization" if failed else None}


def _present_refund(refund: Record) -> Record:
    status = {DONE: "processed", PENDING: "pending", FAILED: "failed"}[refund["state"]]
    return {
        "id": refund["id"],
        "entity": "refund",
        "amount": refund["amount"],
        "currency": refund["currency"],
        "payment_id": refund["payment_id"],
        "notes": refund["notes"],
        "receipt": refund["receipt"],
        "acquirer_data": {"arn": None},
        "created_at": int(refund["at"]),
        "batch_id": None,
        "status": status,
        "speed_processed": "normal",
        "speed_requested": refund["speed"],
    }


def _fee(amount: int) -> tuple[int, int]:
    """Two percent, and eighteen percent tax on that, which is included in the fee."""
    fee = amount // 50
    tax = fee * 18 // 100
    return fee + tax, tax


def _day(at: int) -> tuple[int, int, int]:
    day = datetime.fromtimestamp(at, _IST)
    return day.year, day.month, day.day
