"""The mock provider in the style of Razorpay: orders, payments, receipts that are not unique, no idempotency keys."""

import hmac
import json
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from sandbox.behaviours import Effect, behaviour_of
from sandbox.http_types import Reply, Request, json_reply
from sandbox.ledger import DONE, FAILED
from sandbox.mock_hosted import HostedSessions
from sandbox.post_authorization import CAPTURE, REFUND, TAKEN, is_charge
from sandbox.simulator import AUTHORIZED, CHARGED, DECLINED, PENDING, WAITING, require, require_positive
from sandbox.store import Record

_ORDER: Final = "order"
_ORDER_PATH: Final = re.compile(r"/v1/orders/(order_[0-9a-f]+)(/payments)?")
_PAYMENT_PATH: Final = re.compile(r"/v1/payments/(pay_[0-9a-f]+)(?:/(capture|refund|refunds))?")
_REFUND_PATH: Final = re.compile(r"/v1/refunds/(op_[0-9a-f]+)")
_REFUND_STATUSES: Final = {DONE: "processed", PENDING: "pending", FAILED: "failed"}
_STATUSES: Final = {
    CHARGED: "captured",
    AUTHORIZED: "authorized",
    PENDING: "created",
    WAITING: "created",
    DECLINED: "failed",
}
_REASONS: Final = {
    Effect.SOFT_DECLINE: ("GATEWAY_ERROR", "bank_technical_error", "The bank has a technical problem."),
    Effect.REOPENED_DECLINE: ("BAD_REQUEST_ERROR", "payment_failed", "The payment failed."),
    Effect.HARD_DECLINE: ("BAD_REQUEST_ERROR", "debit_instrument_blocked", "The card is blocked."),
    Effect.FUNDS_DECLINE: ("BAD_REQUEST_ERROR", "insufficient_funds", "The account has insufficient funds."),
}
_MIN_AMOUNT: Final = 100


class RazorpayMockSimulator(HostedSessions):
    """Basic authentication, JSON, paise. Late captures of failed payments; no partial capture, no void."""

    name = "razorpay_mock"
    reopens = True

    def is_authentic(self, request: Request) -> bool:
        given = request.basic() or ("", "")
        pairs = zip(given, (self.credentials.key_id, self.credentials.key_secret), strict=True)
        matches = [hmac.compare_digest(a.encode(), b.encode()) for a, b in pairs]  # all fields, in constant time
        return all(matches)

    def unauthorized(self) -> Reply:
        return _error(401, "BAD_REQUEST_ERROR", "authentication_failed", "Authentication failed")

    def bad_request(self, message: str) -> Reply:
        return _error(400, "BAD_REQUEST_ERROR", "input_validation_failed", message)

    def server_error(self) -> Reply:
        return _error(500, "SERVER_ERROR", "server_error", "We are facing some trouble.")

    def too_many_requests(self) -> Reply:
        limited = _error(429, "BAD_REQUEST_ERROR", "too_many_requests", "Too many requests")
        return Reply(status=429, body=limited.body, headers={**limited.headers, "retry-after": "1"})

    def answer(self, request: Request, now: float) -> Reply:
        if (about_a_session := self.answer_session(request, now)) is not None:
            return about_a_session
        route = (request.method, request.path)
        if route == ("POST", "/v1/orders"):
            return self._order(request, now)
        if route == ("GET", "/v1/orders"):
            return self._orders_by_receipt(unquote(request.query.get("receipt", "")))
        if route == ("POST", "/v1/payments/create/json"):
            return self._pay(request, now)
        if request.method == "GET" and (match := _ORDER_PATH.fullmatch(request.path)):
            return self._read_order(match[1], payments=match[2] is not None, now=now)
        if request.method == "GET" and (match := _REFUND_PATH.fullmatch(request.path)):
            refund = self.operation(match[1], now)
            return json_reply(200, _present_refund(refund)) if refund else _missing()
        if match := _PAYMENT_PATH.fullmatch(request.path):
            record = self.find(match[1], now)
            return self._of_payment(request, record, match[2], now) if record else _missing()
        return _error(404, "BAD_REQUEST_ERROR", "invalid_request", "The requested URL was not found.")

    def _of_payment(self, request: Request, record: Record, what: str | None, now: float) -> Reply:
        match request.method, what:
            case "GET", None:
                return json_reply(200, self._present(record))
            case "GET", "refunds":
                return _collection([_present_refund(known) for known in self.visible_operations(record, now, REFUND)])
            case "POST", "capture":
                return self._capture(request, record, now)
            case "POST", "refund":
                return self._refund(request, record, now)
            case _:
                return _error(404, "BAD_REQUEST_ERROR", "invalid_request", "The requested URL was not found.")

    def _capture(self, request: Request, payment: Record, now: float) -> Reply:
        body = request.json()
        require(body, {"amount": int, "currency": str})
        if (body["amount"], body["currency"]) != (payment["taken"], payment["currency"]):
            return self.bad_request("a capture takes all that is held, in its currency")
        wanted = {"kind": CAPTURE, "amount": body["amount"], "reference": payment["reference"]}
        return self._moved(wanted, payment, now, lambda: self._present(self.find(payment["id"], now) or payment))

    def _refund(self, request: Request, payment: Record, now: float) -> Reply:
        body = request.json()
        require(body, {"amount": int}, {"receipt": str, "notes": dict})
        require_positive(body["amount"], least=_MIN_AMOUNT)
        if len(body.get("receipt", "")) > 40:
            return self.bad_request("receipt is too long")
        wanted = {"kind": REFUND, "amount": body["amount"], "reference": body.get("receipt")}
        return self._moved(wanted, payment, now, None)

    def _moved(self, wanted: Record, payment: Record, now: float, show: Callable[[], Any] | None) -> Reply:
        """The answer is the refund, unless the behaviour prescribes an error."""
        if (reason := self.why_not(wanted["kind"], payment, wanted["amount"], now)) is not None:
            return _error(400, "BAD_REQUEST_ERROR", reason, f"The payment or amount is {reason.replace('_', ' ')}.")
        return self.move(
            wanted, payment, now, lambda done, _: json_reply(200, show() if show else _present_refund(done))
        )

    def _order(self, request: Request, now: float) -> Reply:
        body = request.json()
        require(
            body,
            {"amount": int, "currency": str},
            {"receipt": str, "notes": dict, "partial_payment": bool, "payment": dict},
        )
        if body.get("payment", {"capture": "manual"}) not in ({"capture": "manual"}, {"capture": "automatic"}):
            return self.bad_request("payment.capture must be automatic or manual")
        require_positive(body["amount"], least=_MIN_AMOUNT)
        if len(body.get("receipt", "")) > 40:
            return self.bad_request("receipt is too long")
        order: Record = {
            "id": self.make_id("order_", body.get("receipt", ""), self.count(_ORDER)),
            "amount": body["amount"],
            "currency": body["currency"],
            "receipt": body.get("receipt"),
            "manual": body.get("payment") == {"capture": "manual"},
            "created_at": int(now),
        }
        self.store.put(_ORDER, order["id"], order)
        return json_reply(200, _present_order(order, "created"))

    def _orders_by_receipt(self, receipt: str) -> Reply:
        found = [order for order in self.store.all(_ORDER) if order["receipt"] == receipt]
        return _collection([_present_order(order, "created") for order in found])

    def _read_order(self, order_id: str, *, payments: bool, now: float) -> Reply:
        order = self.store.get(_ORDER, order_id)
        if order is None:
            return _missing()
        found = self.charges(now, lambda record: bool(record["order_id"] == order_id))
        if payments:
            return _collection([self._present(record) for record in found])
        paid = any(record["state"] in TAKEN for record in found)
        status = "paid" if paid else "attempted" if found else "created"
        return json_reply(200, _present_order(order, status))

    def _pay(self, request: Request, now: float) -> Reply:
        body = request.json()
        fields = {"amount": int, "currency": str, "order_id": str, "method": str, "token": str}
        require(body, fields, {"customer_id": str, "recurring": bool})
        order = self.store.get(_ORDER, body["order_id"])
        if order is None:
            return _error(400, "BAD_REQUEST_ERROR", "invalid_order_id", "The order does not exist.")
        if (body["amount"], body["currency"]) != (order["amount"], order["currency"]):
            return _error(400, "BAD_REQUEST_ERROR", "order_amount_mismatch", "Amount differs from the order's.")
        behaviour = behaviour_of(body["token"], self.name)
        if behaviour is None:
            return _error(400, "BAD_REQUEST_ERROR", "invalid_token", "The token does not exist.")
        if behaviour.effect is Effect.RATE_LIMITED:
            return self.too_many_requests()

        success = AUTHORIZED if order["manual"] else CHARGED

        def take() -> Reply:
            if any(r["order_id"] == order["id"] and r["state"] in TAKEN for r in self.charges(now, lambda _: True)):
                return _error(400, "BAD_REQUEST_ERROR", "order_already_paid", "The order was paid already.")
            details = {
                "id": self.make_id("pay_", order["id"], self.count("charge")),
                "order_id": order["id"],
                "reference": order["receipt"],
                "amount": body["amount"],
                "currency": body["currency"],
            }
            return self._result(self.charge(order["id"], behaviour, details, now, success=success))

        return self.perform(order["id"], behaviour, take)

    def _result(self, record: Record) -> Reply:
        if record["state"] != DECLINED:
            return json_reply(200, {"razorpay_payment_id": record["id"], **self._present(record)})
        code, reason, text = _REASONS[Effect(record["effect"])]
        metadata = {"payment_id": record["id"], "order_id": record["order_id"]}
        return _error(400, code, reason, text, metadata)

    def _present(self, record: Record) -> dict[str, Any]:
        payment = {
            "id": record["id"],
            "entity": "payment",
            "order_id": record["order_id"],
            "amount": record["taken"],
            "currency": record["currency"],
            "status": _STATUSES[record["state"]],
            "error_code": None,
            "error_reason": None,
            "error_description": None,
        }
        if record["state"] == WAITING:
            payment["next"] = [{"action": "redirect", "url": self.action_url(record["id"])}]
        if record["state"] == DECLINED:
            names = ("error_code", "error_reason", "error_description")
            payment |= dict(zip(names, _REASONS[Effect(record["effect"])], strict=True))
        return payment

    # -- sessions

    def prepare_session(self, session: Record, now: float) -> None:
        """A session has an order: its payments are payments of the order."""
        body = session["body"]
        order = {"id": self._order_of(session), "amount": body["amount"], "currency": body["currency"]}
        more = {"receipt": body["reference"], "manual": body["capture"] == "manual", "created_at": int(now)}
        self.store.put(_ORDER, order["id"], {**order, **more})

    def session_details(self, session: Record, number: int) -> Record:
        details = {name: session["body"][name] for name in ("amount", "currency", "reference")}
        return {**details, "id": self.make_id("pay_", session["id"], number), "order_id": self._order_of(session)}

    def _order_of(self, session: Record) -> str:
        return self.make_id("order_", session["id"])

    # -- webhooks

    def news(self, record: Record) -> str:
        if not is_charge(record):
            return "order.paid" if record["kind"] == CAPTURE else f"refund.{_REFUND_STATUSES[record['state']]}"
        return "order.paid" if record["state"] == CHARGED else f"payment.{_STATUSES[record['state']]}"

    def body(self, kind: str, event_id: str, record: Record, now: float) -> bytes:
        if not is_charge(record) and record["kind"] == REFUND:
            payload = {"refund": _present_refund(record)}
        else:
            payment = record if is_charge(record) else self.charge_request_of(record, now)
            payload = {"payment": self._present(payment)}
            order = self.store.get(_ORDER, payment["order_id"])
            if kind == "order.paid" and order is not None:
                payload["order"] = _present_order(order, "paid")
        return json.dumps({"id": event_id, "event": kind, "created_at": int(now), "payload": payload}).encode()


def _present_refund(refund: Record) -> dict[str, Any]:
    return {
        "id": refund["id"],
        "entity": "refund",
        "payment_id": refund["charge_id"],
        "amount": refund["amount"],
        "currency": refund["currency"],
        "receipt": refund["reference"],
        "status": _REFUND_STATUSES[refund["state"]],
    }


def _present_order(order: Record, status: str) -> dict[str, Any]:
    return {
        "id": order["id"],
        "entity": "order",
        "amount": order["amount"],
        "currency": order["currency"],
        "receipt": order["receipt"],
        "status": status,
        "notes": [],
        "created_at": order["created_at"],
    }


def _collection(items: list[dict[str, Any]]) -> Reply:
    return json_reply(200, {"entity": "collection", "count": len(items), "items": items})


def _missing() -> Reply:
    return _error(400, "BAD_REQUEST_ERROR", "record_not_found", "The id provided does not exist")


def _error(status: int, code: str, reason: str, description: str, metadata: dict[str, str] | None = None) -> Reply:
    error = {
        "code": code,
        "description": description,
        "source": "business",
        "step": "payment_initiation",
        "reason": reason,
        "metadata": metadata or {},
    }
    return json_reply(status, {"error": error})
