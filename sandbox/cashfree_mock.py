"""The mock provider in the style of Cashfree: orders that can be terminated, sessions, decimal major units."""

import hashlib
import hmac
import json
import re
from decimal import Decimal
from typing import Any, Final

from sandbox.behaviours import Effect, behaviour_of
from sandbox.http_types import BadRequestError, Fraction, Reply, Request, json_reply
from sandbox.ledger import DONE, FAILED
from sandbox.mock_hosted import HostedSessions
from sandbox.post_authorization import CAPTURE, REFUND, TAKEN, VOID, is_charge
from sandbox.simulator import AUTHORIZED, CANCELED, CHARGED, DECLINED, PENDING, WAITING, require
from sandbox.store import Record

_ORDER: Final = "order"
_KEYS: Final = "idempotency"
_VERSION: Final = "2025-01-01"
_ORDER_ID: Final = re.compile(r"[A-Za-z0-9_-]{3,45}")
_PATH: Final = re.compile(
    r"/pg/orders/([A-Za-z0-9_-]{3,45})(?:/(payments|authorization|refunds)(?:/([A-Za-z0-9_-]{3,45}))?)?"
)
_STATUSES: Final = {
    CHARGED: "SUCCESS",
    AUTHORIZED: "SUCCESS",
    PENDING: "PENDING",
    WAITING: "PENDING",
    DECLINED: "FAILED",
    CANCELED: "VOID",
}
_REFUND_STATUSES: Final = {DONE: "SUCCESS", PENDING: "PENDING", FAILED: "CANCELLED"}
_ERRORS: Final = {
    Effect.SOFT_DECLINE: ("BANK_UNAVAILABLE", "The bank is not available"),
    Effect.REOPENED_DECLINE: ("BANK_UNAVAILABLE", "The bank is not available"),
    Effect.HARD_DECLINE: ("CARD_STOLEN", "The card was reported stolen"),
    Effect.FUNDS_DECLINE: ("INSUFFICIENT_FUNDS", "The account has insufficient funds"),
}
_EXPONENTS: Final = {"JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3, "JOD": 3, "TND": 3}


class CashfreeMockSimulator(HostedSessions):
    """Header authentication with a pinned version."""

    name = "cashfree_mock"

    def is_authentic(self, request: Request) -> bool:
        if request.path == "/pg/orders/sessions":
            return True  # only the session authenticates this call
        given = (request.headers.get("x-client-id", ""), request.headers.get("x-client-secret", ""))
        pairs = zip(given, (self.credentials.key_id, self.credentials.key_secret), strict=True)
        matches = [hmac.compare_digest(a.encode(), b.encode()) for a, b in pairs]  # all fields, in constant time
        return all(matches)

    def unauthorized(self) -> Reply:
        return _error(401, "authentication_error", "request_unauthorized", "authentication failed")

    def bad_request(self, message: str) -> Reply:
        return _error(400, "invalid_request_error", "request_invalid", message)

    def server_error(self) -> Reply:
        return _error(500, "api_error", "internal_error", "internal server error")

    def too_many_requests(self) -> Reply:
        limited = _error(429, "rate_limit_error", "too_many_requests", "too many requests")
        return Reply(status=429, body=limited.body, headers={**limited.headers, "x-ratelimit-retry": "1"})

    def answer(self, request: Request, now: float) -> Reply:
        if request.headers.get("x-api-version") != _VERSION:
            raise BadRequestError("x-api-version is missing or unknown")
        if (about_a_session := self.answer_session(request, now)) is not None:
            return about_a_session
        route = (request.method, request.path)
        if route == ("POST", "/pg/orders"):
            return self._once(request, lambda: self._create(request, now))
        if route == ("POST", "/pg/orders/sessions"):
            return self._pay(request, now)
        match = _PATH.fullmatch(request.path)
        order = self.store.get(_ORDER, match[1]) if match else None
        if match is None or order is None:
            return _error(404, "invalid_request_error", "order_not_found", "order not found")
        return self._of_order(request, order, (match[2], match[3]), now)

    def _of_order(self, request: Request, order: Record, what: tuple[str | None, str | None], now: float) -> Reply:
        match request.method, *what:
            case "GET", None, None:
                return _numbers(200, self._present(order, now))
            case "GET", "payments", None:
                return self._payments(order, now)
            case "GET", "refunds", str(refund_id):
                return self._read_refund(order, refund_id, now)
            case "PATCH", None, None:
                return self._terminate(request, order, now)
            case "POST", "authorization", None:
                return self._once(request, lambda: self._settle(request, order, now))
            case "POST", "refunds", None:
                return self._once(request, lambda: self._refund(request, order, now))
            case _:
                return self.bad_request("method not allowed")

    def _settle(self, request: Request, order: Record, now: float) -> Reply:
        body = request.json()
        amount = _require_amount(body, "amount", {"action": str}, order["currency"])
        if body["action"] not in {"CAPTURE", "VOID"}:
            raise BadRequestError("action must be CAPTURE or VOID")
        payment = next((record for record in self._of(order, now) if record["state"] in TAKEN), None)
        kind = CAPTURE if body["action"] == "CAPTURE" else VOID
        reason = self.why_not(kind, payment, amount, now) if payment else "not_authorized"
        if payment is None or reason in {"not_authorized", "not_capturable", "not_voidable"}:
            return _error(400, "invalid_request_error", "order_authorization_invalid", "nothing is held for the order")
        if reason is not None or (kind == VOID and amount != payment["taken"]):
            raise BadRequestError("amount is not what may be settled")
        wanted = {"kind": kind, "amount": amount, "reference": order["order_id"]}
        return self.move(
            wanted,
            payment,
            now,
            lambda *_: _numbers(200, self._present_payment(self.find(payment["id"], now) or payment)),
        )

    def _refund(self, request: Request, order: Record, now: float) -> Reply:
        body = request.json()
        amount = _require_amount(body, "refund_amount", {"refund_id": str}, order["currency"])
        if not _ORDER_ID.fullmatch(body["refund_id"]):
            raise BadRequestError("refund_id is invalid")
        payment = next((record for record in self._of(order, now) if record["state"] in TAKEN), None)
        if payment is None:
            return _error(400, "invalid_request_error", "order_not_paid", "the order was not paid")
        known = self.operations_of(payment, now, REFUND)
        if any(refund["reference"] == body["refund_id"] for refund in known):
            return _error(
                409, "invalid_request_error", "refund_already_exists", "refund with same id is already present"
            )
        if (reason := self.why_not(REFUND, payment, amount, now)) is not None:
            return _error(400, "invalid_request_error", reason, "the refund cannot be made")
        wanted = {"kind": REFUND, "amount": amount, "reference": body["refund_id"]}
        return self.move(wanted, payment, now, lambda refund, _: _numbers(200, _present_refund(order, refund)))

    def _read_refund(self, order: Record, refund_id: str, now: float) -> Reply:
        refunds = [known for record in self._of(order, now) for known in self.visible_operations(record, now, REFUND)]
        found = next((refund for refund in refunds if refund["reference"] == refund_id), None)
        if found is None:
            return _error(404, "invalid_request_error", "refund_not_found", "refund not found")
        return _numbers(200, _present_refund(order, found))

    def _once(self, request: Request, create: Any) -> Reply:
        """The same key gives the same answer; with another body it is an error."""
        key = request.headers.get("x-idempotency-key")
        if key is None:
            reply: Reply = create()
            return reply
        content = hashlib.sha256(request.body).hexdigest()
        stored = self.store.get(_KEYS, key)
        if stored is None:
            made: Reply = create()
            if made.status == 200:
                self.store.put(_KEYS, key, {"content": content, "body": made.body.decode()})
            return made
        if stored["content"] != content:
            return _error(422, "idempotency_error", "request_invalid", "the key was used with another body")
        headers = {"content-type": "application/json", "x-idempotency-replayed": "true"}
        return Reply(status=200, body=stored["body"].encode(), headers=headers)

    def _create(self, request: Request, now: float) -> Reply:
        body = request.json()
        amount = body.get("order_amount")
        kind = type(amount) if type(amount) in (int, Fraction) else int
        fields = {"order_amount": kind, "order_currency": str, "customer_details": dict}
        require(body, fields, {"order_id": str, "order_note": str, "order_meta": dict, "order_tags": dict})
        customer = body["customer_details"]
        if not isinstance(customer.get("customer_id"), str) or not isinstance(customer.get("customer_phone"), str):
            raise BadRequestError("customer_details.customer_id and customer_phone are required")
        order_id = body.get("order_id") or self.make_id("order_", self.count(_ORDER))
        if not _ORDER_ID.fullmatch(order_id):
            raise BadRequestError("order_id is invalid")
        meta = body.get("order_meta", {})
        if meta.get("capture", "automatic") not in {"automatic", "manual"}:
            raise BadRequestError("order_meta.capture must be automatic or manual")
        minor = _minor(str(amount), body["order_currency"])
        if self.store.get(_ORDER, order_id) is not None:
            return _error(409, "invalid_request_error", "order_already_exists", "order with same id is already present")
        manual = meta.get("capture") == "manual"
        order = self._new_order(order_id, minor, body["order_currency"], now, manual=manual)
        return _numbers(200, self._present(order, now))

    def _new_order(self, order_id: str, amount: int, currency: str, now: float, *, manual: bool) -> Record:
        order: Record = {
            "order_id": order_id,
            "cf_order_id": self.make_id("", order_id),
            "amount": amount,
            "currency": currency,
            "session": self.make_id("session_", order_id),
            "terminated": False,
            "manual": manual,
            "at": now,
        }
        self.store.put(_ORDER, order_id, order)
        return order

    # -- hosted sessions

    def prepare_session(self, session: Record, now: float) -> None:
        """A session has an order with our reference as its id: its payments are payments of the order."""
        body = session["body"]
        manual = body["capture"] == "manual"
        self._new_order(body["reference"], body["amount"], body["currency"], now, manual=manual)

    def session_details(self, session: Record, number: int) -> Record:
        details = {name: session["body"][name] for name in ("amount", "currency", "reference")}
        return {**details, "id": self.make_id("", session["id"], number), "order_id": details["reference"]}

    # -- payments

    def _pay(self, request: Request, now: float) -> Reply:
        body = request.json()
        require(body, {"payment_session_id": str, "payment_method": dict}, {"save_instrument": bool})
        card = body["payment_method"].get("card")
        if not isinstance(card, dict) or not isinstance(card.get("instrument_id"), str):
            raise BadRequestError("payment_method.card.instrument_id is required")
        orders = [order for order in self.store.all(_ORDER) if order["session"] == body["payment_session_id"]]
        if not orders:
            return _error(404, "invalid_request_error", "payment_session_not_found", "session not found")
        order = orders[0]
        behaviour = behaviour_of(card["instrument_id"], self.name)
        if behaviour is None:
            return _error(400, "invalid_request_error", "instrument_invalid", "instrument not found")
        if behaviour.effect is Effect.RATE_LIMITED:
            return self.too_many_requests()

        def take() -> Reply:
            current = self.store.get(_ORDER, order["order_id"]) or order
            if current["terminated"]:
                return _error(400, "invalid_request_error", "order_inactive", "order is not active")
            if self._is_paid(order, now):
                return _error(400, "invalid_request_error", "order_already_paid", "order is already paid")
            details = {
                "id": self.make_id("", order["order_id"], self.count("charge")),
                "order_id": order["order_id"],
                "reference": order["order_id"],
                "amount": order["amount"],
                "currency": order["currency"],
            }
            success = AUTHORIZED if order["manual"] else CHARGED
            record = self.charge(order["order_id"], behaviour, details, now, success=success)
            return _numbers(200, self._present_payment(record))

        return self.perform(order["order_id"], behaviour, take)

    def _payments(self, order: Record, now: float) -> Reply:
        found = self.charges(now, lambda record: bool(record["order_id"] == order["order_id"]))
        return _numbers(200, [self._present_payment(record) for record in found])

    def _terminate(self, request: Request, order: Record, now: float) -> Reply:
        if request.json() != {"order_status": "TERMINATED"}:
            raise BadRequestError("order_status must be TERMINATED")
        if self._is_paid(order, now):
            return _error(400, "invalid_request_error", "order_already_paid", "order is already paid")
        if not order["terminated"]:
            order = {**order, "terminated": True}
            self.store.put(_ORDER, order["order_id"], order)
            for record in self._of(order, now):
                if record["state"] in {PENDING, WAITING}:
                    changes = {"state": DECLINED, "effect": Effect.SOFT_DECLINE}
                    self.notify(self.change(record, **changes, settles_at=now, settles_to=DECLINED), now)
        return _numbers(200, self._present(order, now))

    def _of(self, order: Record, now: float) -> list[Record]:
        lag, self.visibility_lag_seconds = self.visibility_lag_seconds, 0.0
        try:
            return self.charges(now, lambda record: bool(record["order_id"] == order["order_id"]))
        finally:
            self.visibility_lag_seconds = lag

    def _is_paid(self, order: Record, now: float) -> bool:
        return any(record["state"] in TAKEN for record in self._of(order, now))

    def _present(self, order: Record, now: float) -> dict[str, Any]:
        status = "TERMINATED" if order["terminated"] else "PAID" if self._is_paid(order, now) else "ACTIVE"
        return {
            "cf_order_id": order["cf_order_id"],
            "order_id": order["order_id"],
            "order_amount": _major(order["amount"], order["currency"]),
            "order_currency": order["currency"],
            "order_status": status,
            "payment_session_id": order["session"],
        }

    def _present_payment(self, record: Record) -> dict[str, Any]:
        payment = {
            "cf_payment_id": record["id"],
            "order_id": record["order_id"],
            "payment_amount": _major(record["taken"], record["currency"]),
            "payment_currency": record["currency"],
            "payment_status": _STATUSES[record["state"]],
            "is_captured": record["state"] == CHARGED,
            "action": "custom",
            "data": {"url": None},
        }
        if record["state"] == WAITING:
            payment |= {"action": "link", "data": {"url": self.action_url(record["id"])}}
        if record["state"] == DECLINED:
            code, text = _ERRORS[Effect(record["effect"])]
            payment["error_details"] = {
                "error_code": code,
                "error_description": text,
                "error_reason": code.lower(),
            }
        return payment

    # -- webhooks

    def news(self, record: Record) -> str:
        """The state is in the body. A payment that was cancelled emits no webhook about its planned outcome."""
        return "PAYMENT_WEBHOOK" if is_charge(record) or record["kind"] != REFUND else "REFUND_WEBHOOK"

    def body(self, kind: str, event_id: str, record: Record, now: float) -> bytes:
        payment = record if is_charge(record) else self.charge_request_of(record, now)
        data: dict[str, Any] = {"payment": self._present_payment(payment)}
        if kind == "REFUND_WEBHOOK":
            data = {"refund": _present_refund(payment, record)}
        return _numbers(200, {"id": event_id, "type": kind, "event_time": int(now), "data": data}).body


def _present_refund(order: Record, refund: Record) -> dict[str, Any]:
    return {
        "cf_refund_id": refund["id"],
        "refund_id": refund["reference"],
        "order_id": order["order_id"],
        "refund_amount": _major(refund["amount"], refund["currency"]),
        "refund_currency": refund["currency"],
        "refund_status": _REFUND_STATUSES[refund["state"]],
    }


def _require_amount(body: Record, name: str, fields: dict[str, type], currency: str) -> int:
    """The amount in minor units. The JSON number may have decimals or not."""
    amount = body.get(name)
    require(body, {**fields, name: type(amount) if type(amount) in (int, Fraction) else int})
    return _minor(str(amount), currency)


def _minor(text: str, currency: str) -> int:
    places = _EXPONENTS.get(currency, 2)
    minor = Decimal(text).scaleb(places)
    if minor != minor.to_integral_value() or minor < 1:
        raise BadRequestError("order_amount is invalid")
    return int(minor)


def _major(amount: int, currency: str) -> Any:
    """A JSON number with its decimals: json.dumps has none, so the literal is inserted afterwards."""
    return f"@{Decimal(amount).scaleb(-_EXPONENTS.get(currency, 2)):f}@"


def _numbers(status: int, body: Any) -> Reply:
    text = re.sub(r'"@([0-9.]+)@"', r"\1", json.dumps(body, separators=(",", ":")))
    return Reply(status=status, body=text.encode(), headers={"content-type": "application/json"})


def _error(status: int, kind: str, code: str, message: str) -> Reply:
    return json_reply(status, {"message": message, "code": code, "type": kind})
