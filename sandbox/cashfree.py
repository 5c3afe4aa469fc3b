"""Cashfree's payment gateway, API version 2025-01-01: orders, sessions, attempts, pre-authorization, refunds.

Three properties are traps for a connector, and are reproduced on purpose. The answer to a payment does not contain
its outcome: the order's payments do. An order may have several attempts, and one in progress can still succeed
after the order was terminated. A session is enough to pay: that call has no credentials.
"""

import base64
import hashlib
import hmac
import json
import re
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from sandbox.behaviours import ASYNC_SECONDS, Behaviour, Effect, behaviour_of
from sandbox.cashfree_hosted import FORM_PATH, GROUPS, METHOD_WORDS, SESSION, HostedOrders
from sandbox.hosted_pages import PAGES, HostedCall, answered
from sandbox.http_types import Fraction, Reply, Request, html_reply
from sandbox.ledger import DONE, FAILED, Webhook, step
from sandbox.simulator import CANCELED, CHARGED, DECLINED, PENDING, WAITING, Credentials
from sandbox.store import Record, Store

VERSION: Final = "2025-01-01"
AUTHORIZED: Final = "authorized"
VOIDED: Final = "voided"
DROPPED: Final = "dropped"
"""The payer began and did not return."""
ON_HOLD: Final = "on hold"

ORDER_LIFETIME_SECONDS: Final = 30 * 24 * 3600
_MIN_LIFETIME_SECONDS: Final = 15 * 60

_ORDER: Final = "order"
_KEYS: Final = "idempotency"
_SIMULATION: Final = "simulation"
_IST: Final = timezone(timedelta(hours=5, minutes=30))

_ID: Final = r"[A-Za-z0-9_-]+"
_ORDER_PATH: Final = re.compile(rf"/pg/orders/({_ID})(?:/(payments|refunds|authorization)(?:/({_ID}))?)?")
_SIMULATION_PATH: Final = re.compile(rf"/pg/simulate/({_ID})")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ORDER_ID: Final = re.compile(r"[A-Za-z0-9_-]{3,45}")
_REFUND_ID: Final = re.compile(r"[A-Za-z0-9_-]{3,40}")
_CUSTOMER_ID: Final = re.compile(r"[A-Za-z0-9_-]{3,50}")
_PHONE: Final = re.compile(r"[0-9]{10}|\+[1-9][0-9]{7,14}")
"""Ten digits of India, or a plus with country code and number: a foreign number without its plus is refused."""
_EMAIL: Final = re.compile(r"(?=.{3,100}$)[^@\s]+@[^@\s]+")
_CURRENCIES: Final = frozenset({"INR", "USD", "EUR", "GBP", "SGD", "AED", "AUD", "CAD", "JPY", "BHD", "KWD", "OMR"})
_EXPONENTS: Final = {"JPY": 0, "BHD": 3, "KWD": 3, "OMR": 3}

PUBLISHED_LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {"create order": 200, "get order": 400, "list payments": 100, "get payment": 130, "pay order": 100}
)
"""Limits of production, for each minute. Limits of other operations are not published."""
_OTHER_LIMIT: Final = 200

_STATUSES: Final = {
    CHARGED: "SUCCESS",
    AUTHORIZED: "SUCCESS",
    PENDING: "PENDING",
    WAITING: "PENDING",
    DECLINED: "FAILED",
    CANCELED: "CANCELLED",
    VOIDED: "VOID",
    DROPPED: "USER_DROPPED",
}
_MESSAGES: Final = {
    "SUCCESS": "Transaction successful",
    "PENDING": "Transaction pending",
    "FAILED": "Transaction failed",
    "CANCELLED": "Transaction cancelled",
    "VOID": "Transaction voided",
    "USER_DROPPED": "User dropped and did not complete the transaction",
}
_SOFT: Final = ("ISSUER_NOT_AVAILABLE", "The issuer is not available", "issuer_not_available", "bank")
# error_code, error_description, error_reason, error_source
_FAILURES: Final = {
    Effect.SOFT_DECLINE: _SOFT,
    Effect.REOPENED_DECLINE: _SOFT,
    Effect.LATER_DECLINE: _SOFT,
    Effect.HARD_DECLINE: ("TRANSACTION_DECLINED", "The card was reported stolen", "card_stolen", "customer"),
    Effect.FUNDS_DECLINE: (
        "INSUFFICIENT_FUNDS",
        "The account has too little balance",
        "insufficient_funds",
        "customer",
    ),
    Effect.ACTION: ("TRANSACTION_DECLINED", "The payer did not authenticate", "auth_declined", "customer"),
}
_REFUND_STATUSES: Final = {
    DONE: "SUCCESS",
    PENDING: "PENDING",
    FAILED: "FAILED",
    CANCELED: "CANCELLED",
    ON_HOLD: "ONHOLD",
}

_Check = Callable[[str, Any], None]


class _RefusedError(Exception):
    """An answer that ends the request, without effect."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class CashfreeSimulator(HostedOrders):
    """Credentials in headers, a pinned version, decimals in major units; `/actions/{payment}` is the bank's page.

    `/actions/{payment}/decline` and `/actions/{payment}/drop` are the payer's other ways out of it. `card_preauth` is
    the account's feature to authorize cards instead of charging them. The webhooks' secret is the client's, as the
    provider has it, unless another one is given. `session_lag_seconds` is how long a new order cannot be paid.
    `s2s_enabled` is the account's permission to pay orders from a server.
    """

    name = "cashfree"

    def __init__(
        self,
        store: Store,
        credentials: Credentials,
        *,
        public_url: str,
        visibility_lag_seconds: float = 0.0,
        webhook_secret: str | None = None,
        card_preauth: bool = False,
        session_lag_seconds: float = 0.0,
        s2s_enabled: bool = True,
        limits: Mapping[str, int] | None = PUBLISHED_LIMITS,
    ):
        super().__init__(store, credentials, public_url=public_url, visibility_lag_seconds=visibility_lag_seconds)
        self.webhook_secret = credentials.key_secret if webhook_secret is None else webhook_secret
        self.card_preauth = card_preauth
        self.session_lag_seconds = session_lag_seconds
        self.s2s_enabled = s2s_enabled
        self.limits = limits
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)

    def handle(self, request: Request, now: float) -> Reply:
        """Every answer has the headers of the rate limit and of the idempotency key."""
        if request.path.startswith(("/actions/", PAGES)):
            return super().handle(request, now)
        if request.path == FORM_PATH:
            return self.open_page(request)
        limit = self._count_call(request, now)
        headers = {**limit, "x-api-version": VERSION, "x-request-id": request.headers.get("x-request-id", "")}
        if request.method == "POST" and "x-idempotency-key" in request.headers:
            headers |= {"x-idempotency-key": request.headers["x-idempotency-key"], "x-idempotency-replayed": "false"}
        reply = super().handle(request, now) if limit["x-ratelimit-retry"] == "0" else _rate_limited(limit)
        return replace(reply, headers={**headers, **reply.headers})

    def _count_call(self, request: Request, now: float) -> dict[str, str]:
        """A sliding window. It is kept in memory: a provider's limits do not survive its restart either."""
        operation = _operation_of(request)
        limit = (self.limits or {}).get(operation, _OTHER_LIMIT)
        calls = self._calls[operation]
        while calls and calls[0] <= now - 60:
            calls.popleft()
        exceeded = self.limits is not None and len(calls) >= limit
        if not exceeded:
            calls.append(now)
        return {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, limit - len(calls))),
            "x-ratelimit-retry": str(max(1, min(59, int(calls[0] + 60 - now)))) if exceeded else "0",
            "x-ratelimit-type": "ip" if operation == "pay order" else "app_id",
        }

    def is_authentic(self, request: Request) -> bool:
        if (request.method, request.path) == ("POST", "/pg/orders/sessions"):
            return True  # only the session authenticates this call
        given = (request.headers.get("x-client-id", ""), request.headers.get("x-client-secret", ""))
        pairs = zip(given, (self.credentials.key_id, self.credentials.key_secret), strict=True)
        matches = [hmac.compare_digest(a.encode(), b.encode()) for a, b in pairs]  # all fields, in constant time
        return all(matches)

    def unauthorized(self) -> Reply:
        return _error(401, "request_failed", "authentication Failed", kind="authentication_error")

    def bad_request(self, message: str) -> Reply:
        return _error(400, "request_invalid", message)

    def server_error(self) -> Reply:
        return _error(500, "internal_error", "internal Server Error", kind="api_error")

    def answer(self, request: Request, now: float) -> Reply:
        try:
            if request.headers.get("x-api-version") != VERSION:
                raise _RefusedError(_error(400, "x-api-version_invalid", f"x-api-version : should be {VERSION}"))
            return self._read(request, now) if request.method == "GET" else self._write(request, now)
        except _RefusedError as refused:
            return refused.reply

    def _read(self, request: Request, now: float) -> Reply:
        if match := _SIMULATION_PATH.fullmatch(request.path):
            simulation = self.store.get(_SIMULATION, match[1])
            if simulation is None:
                raise _RefusedError(_missing("simulation"))
            return _reply(simulation["shown"])
        match = _ORDER_PATH.fullmatch(request.path)
        if match is None or match[2] == "authorization":
            raise _RefusedError(_bad_url())
        order = self._order(match[1])
        if match[2] is None:
            return answered(self.store, HostedCall.READ, _reply(self._present_order(order, now)))
        shown = self._shown_payments(order, now) if match[2] == "payments" else self._shown_refunds(order, now)
        if match[3] is None:
            return _reply(list(shown.values()))
        if match[3] not in shown:
            raise _RefusedError(_missing(match[2].removesuffix("s")))
        return _reply(shown[match[3]])

    def _write(self, request: Request, now: float) -> Reply:
        if request.method == "POST":
            replayed = self._replayed(request)
            return self._executed(request, now) if replayed is None else replayed
        match = _ORDER_PATH.fullmatch(request.path)
        if request.method != "PATCH" or match is None or match[2]:
            raise _RefusedError(_bad_url())
        terminated = self._terminate(request.json(), self._order(match[1]), now)
        return answered(self.store, HostedCall.CLOSE, terminated)

    def _executed(self, request: Request, now: float) -> Reply:
        """Store the result with the key, "regardless of whether it succeeded or failed", as Cashfree's pages say."""
        try:
            reply = self._post(request, now)
        except _RefusedError as refused:
            reply = refused.reply
        arrives = reply.hold_seconds == 0 and reply.headers.get("content-type") == "application/json"
        if arrives and reply.status >= 400 and reply.status != 429:
            self._remember(request, reply)
        return reply

    def _post(self, request: Request, now: float) -> Reply:
        if request.path == "/pg/orders":
            return answered(self.store, HostedCall.CREATE, self._create_order(request, now))
        if request.path == "/pg/orders/sessions":
            return self._pay(request, now)
        if request.path == "/pg/simulate":
            return self._simulate(request, now)
        if request.path == "/pg/recon":
            return self._reconciliation(request.json(), now)
        match = _ORDER_PATH.fullmatch(request.path)
        if match is None or match[3] or match[2] not in {"authorization", "refunds"}:
            raise _RefusedError(_bad_url())
        order = self._order(match[1])
        return (
            self._authorization(request, order, now)
            if match[2] == "authorization"
            else self._refund(request, order, now)
        )

    # -- idempotency

    def _replayed(self, request: Request) -> Reply | None:
        """The same key at the same address gives the same answer, also an error; with another body it is an error."""
        key = request.headers.get("x-idempotency-key")
        if key is None:
            return None
        if not _UUID.fullmatch(key):
            raise _invalid("x-idempotency-key", "should be a UUID")
        stored = self.store.get(_KEYS, _key(request))
        if stored is None:
            return None
        if stored["content"] != _digest(request.body):
            text = "Different request body with the same idempotency key"
            raise _RefusedError(_error(422, "request_invalid", text, kind="idempotency_error"))
        headers = {"content-type": "application/json", "x-idempotency-replayed": "true"}
        return Reply(status=stored["status"], body=stored["body"].encode(), headers=headers)

    def _remember(self, request: Request, reply: Reply) -> Reply:
        """An executed request is stored with its key, whether or not its answer arrives."""
        if "x-idempotency-key" in request.headers:
            record = {"content": _digest(request.body), "status": reply.status, "body": reply.body.decode()}
            self.store.put(_KEYS, _key(request), record)
        return reply

    # -- orders

    def _create_order(self, request: Request, now: float) -> Reply:
        body = _body(request, _ORDER_FIELDS, ("order_amount", "order_currency", "customer_details"))
        amount = _minor("order_amount", body["order_amount"], body["order_currency"], least=Decimal(1))
        _check(body["customer_details"], _CUSTOMER_FIELDS, ("customer_id", "customer_phone"), "customer_details.")
        _check(body.get("order_meta", {}), _META_FIELDS, (), "order_meta.")
        expires_at = _expiry(body.get("order_expiry_time"), now)
        order_id = body.get("order_id") or self.make_id("order_", self.count(_ORDER))
        if self.store.get(_ORDER, order_id) is not None:
            text = "order with same id is already present"
            raise _RefusedError(_error(409, "order_already_exists", text))
        order: Record = {
            "order_id": order_id,
            "cf_order_id": self._make_number("order", order_id),
            "amount": amount,
            "currency": body["order_currency"],
            "session": self.make_id("session_", order_id),
            "customer": body["customer_details"],
            "meta": body.get("order_meta", {}),
            "note": body.get("order_note"),
            "tags": body.get("order_tags"),
            "expires_at": expires_at,
            "terminated": False,
            "payments": [],
            "at": now,
        }
        self.store.put(_ORDER, order_id, order)
        self.store.put(SESSION, order["session"], {"order_id": order_id})
        return self._remember(request, _reply(self._present_order(order, now)))

    def _order(self, order_id: str) -> Record:
        order = self.store.get(_ORDER, order_id)
        if order is None:
            raise _RefusedError(_missing("order"))
        return order

    def _of(self, order: Record, now: float) -> list[Record]:
        """The attempts of the order, oldest first. An id without its record is left from a crash and is skipped."""
        found = (self.find(payment_id, now) for payment_id in order["payments"])
        return [record for record in found if record is not None and record["at"] <= now]

    def _status(self, order: Record, now: float) -> str:
        attempts = self._of(order, now)
        if any(record["paid_at"] is not None for record in attempts):
            return "PAID"
        if order["terminated"]:
            under_way = any(record["state"] == PENDING for record in attempts)
            return "TERMINATION_REQUESTED" if under_way else "TERMINATED"
        return "ACTIVE" if now < order["expires_at"] else "EXPIRED"

    def _terminate(self, body: Record, order: Record, now: float) -> Reply:
        """A payer who has not approved cannot do so any more; an attempt in progress at the bank continues."""
        _check(body, {"order_status": _one_of("TERMINATED")}, ("order_status",))
        if self._status(order, now) == "ACTIVE":
            order = {**order, "terminated": True}
            self.store.put(_ORDER, order["order_id"], order)
            for record in self._of(order, now):
                if record["state"] == WAITING:
                    self.go_on(record, now, step(now, CANCELED))
        return _reply(self._present_order(order, now))

    # -- payments

    def _pay(self, request: Request, now: float) -> Reply:
        body = _body(request, _PAY_FIELDS, ("payment_session_id", "payment_method"))
        method, details = _method(body["payment_method"])
        session = self.store.get(SESSION, body["payment_session_id"])
        if session is None:
            raise _invalid("payment_session_id", "is not a known session")
        order = self._order(session["order_id"])
        if now - order["at"] < self.session_lag_seconds:
            raise _RefusedError(_missing("order"))
        if not self.s2s_enabled:
            text = "s2s_enabled is not enabled or approved. Please reach out to care@cashfree.com"
            raise _RefusedError(_error(400, "s2s_enabled_not_approved", text, kind="feature_not_enabled"))
        behaviour = self._behaviour(method, details)

        def take() -> Reply:
            status = self._status(order, now)
            if status != "ACTIVE":
                code = "order_already_paid" if status == "PAID" else "order_inactive"
                raise _RefusedError(_error(400, code, f"order is no longer active, its status is {status}"))
            payment = self._booked(order, method, details, behaviour)
            record = self.begin(payment, _course(order, payment, behaviour, now), now)
            return self._remember(request, _reply(self._present_paid(record)))

        return self.perform(order["order_id"], behaviour, take)

    def _booked(self, order: Record, method: str, details: Record, behaviour: Behaviour) -> Record:
        held = self.card_preauth if method == "card" else bool(details.get("authorize_only"))
        payment = self._details(order, method, details, behaviour) | {"preauth": held}
        self.store.put(_ORDER, order["order_id"], {**order, "payments": [*order["payments"], payment["id"]]})
        return payment

    # -- the hosted page

    def order_of(self, order_id: str) -> Record:
        return self._order(order_id)

    def payments_of(self, order: Record, now: float) -> list[Record]:
        return self._of(order, now)

    def status_of(self, order: Record, now: float) -> str:
        return self._status(order, now)

    def take_payment(self, order: Record, method: str, behaviour: Behaviour) -> Record:
        return self._booked(order, method, {"channel": "link"}, behaviour)

    def success_of(self, payment: Record, when: float) -> list[Record]:
        return _success(payment, when)

    # -- payments of both kinds

    def _behaviour(self, method: str, details: Record) -> Behaviour:
        if method == "upi":
            return Behaviour(Effect.ACTION)  # no token: the payer's own app asks for approval
        behaviour = behaviour_of(details["instrument_id"], self.name)
        if behaviour is None:
            raise _invalid("payment_method.card.instrument_id", "is not a known instrument")
        if behaviour.effect is Effect.RATE_LIMITED:
            raise _RefusedError(_rate_limited({"x-ratelimit-remaining": "0", "x-ratelimit-retry": "1"}))
        if behaviour.effect is Effect.REFUSED:
            raise _RefusedError(_error(400, "card_unsupported", "Card type not supported by payment system."))
        if behaviour.effect is Effect.REFUSED_UNLISTED:
            raise _RefusedError(_error(400, "card_not_taken_today", "This card is not taken today."))
        return behaviour

    def _details(self, order: Record, method: str, details: Record, behaviour: Behaviour) -> Record:
        return {
            "id": self._make_number("payment", order["order_id"], len(order["payments"])),
            "order_id": order["order_id"],
            "reference": order["order_id"],
            "amount": order["amount"],
            "currency": order["currency"],
            "asked": order["amount"] + (1 if behaviour.effect is Effect.WRONG_AMOUNT else 0),
            "taken": order["amount"] + (1 if behaviour.effect is Effect.WRONG_AMOUNT else 0),
            "effect": behaviour.effect,
            "method": method,
            "channel": details["channel"],
            "instrument_id": details.get("instrument_id"),
            "hold_until": _time(details.get("authorization", {}).get("end_time")),
            "paid_at": None,
            "ended_at": None,
            "action": None,
            "action_status": None,
            "action_at": None,
        }

    def _approve(self, charge_id: str, now: float) -> Reply:
        payment_id, _, button = charge_id.partition("/")
        record = self.find(payment_id, now)
        ends = {"decline": DECLINED, "drop": DROPPED}
        if record is not None and record["paid_at"] is not None and not button:
            return html_reply(200, "<html><body>Approved. You may close this page.</body></html>")
        order = self._order(record["order_id"]) if record else None
        known = button in {"", *ends}
        if record is None or order is None or record["state"] != WAITING or not known:
            return html_reply(404, "<html><body>There is nothing to approve here.</body></html>")
        if self._status(order, now) != "ACTIVE":
            return html_reply(410, "<html><body>This order is no longer active.</body></html>")
        if button:
            self.go_on(record, now, step(now, ends[button], ended_at=now, effect=Effect.ACTION))
        else:
            self.go_on(record, now, *_success(record, now))
        return html_reply(200, "<html><body>Thank you. You may close this page.</body></html>")

    def _simulate(self, request: Request, now: float) -> Reply:
        """Cashfree's API to finish a payment in its sandbox."""
        body = _body(request, _SIMULATE_FIELDS, ("entity", "entity_id", "entity_simulation"))
        wanted = body["entity_simulation"]
        _check(wanted, _SIMULATION_FIELDS, ("payment_status",), "entity_simulation.")
        record = self.find(body["entity_id"], now)
        if record is None:
            raise _RefusedError(_missing("payment"))
        if record["state"] not in {WAITING, PENDING}:
            raise _invalid("entity_id", "is a payment that has ended")
        courses = {
            "SUCCESS": _success(record, now),
            "PENDING": [step(now, PENDING)],
            "FAILED": [step(now, DECLINED, ended_at=now, effect=Effect.SOFT_DECLINE)],
            "USER_DROPPED": [step(now, DROPPED, ended_at=now)],
        }
        self.go_on(record, now, *courses[wanted["payment_status"]])
        name = self.make_id("sim_", record["id"], record["version"])
        shown = {"simulation_id": name, **body}
        self.store.put(_SIMULATION, name, {"shown": shown})
        return self._remember(request, _reply(shown))

    # -- pre-authorization

    def _authorization(self, request: Request, order: Record, now: float) -> Reply:
        body = _body(request, {"action": _one_of("CAPTURE", "VOID"), "amount": _amount}, ("action",))
        if body["action"] == "CAPTURE" and "amount" not in body:
            raise _RefusedError(_error(400, "amount_missing", "amount : is missing in the request"))
        behaviour = self._operation_behaviour()

        def take() -> Reply:
            record = self._held(order, now)
            amount = record["taken"]
            if body["action"] == "CAPTURE":
                amount = _minor("amount", body["amount"], order["currency"])
                if amount > record["taken"]:
                    raise _invalid("amount", "should not be greater than the authorized amount")
            if behaviour.effect in _FAILURES and behaviour.effect is not Effect.LATER_DECLINE:
                raise _RefusedError(_error(502, "bank_processing_failure", "failure at the bank", kind="api_error"))
            record = self._act(record, body["action"], amount, behaviour.effect, now)
            return self._remember(request, _reply(self._present_payment(order, record)))

        return self._perform_once(order, behaviour, take, now)

    def _held(self, order: Record, now: float) -> Record:
        for record in self._of(order, now):
            if record["state"] == AUTHORIZED and record["action_status"] is None:
                return record
        raise _RefusedError(_error(400, "order_authorization_invalid", "there is no authorized payment to act on"))

    def _act(self, record: Record, action: str, amount: int, effect: Effect, now: float) -> Record:
        """At once, or after a time in which the action is pending; a failed action keeps the authorization."""
        kind = action.lower()
        operation = self._operation(record, kind, amount, now)
        facts = {"action": action, "action_at": now}
        ended = {"taken": amount} if kind == "capture" else {}
        end = step(now, CHARGED if kind == "capture" else VOIDED, **facts, **ended, action_status="SUCCESS")
        course = [end]
        if effect in {Effect.LATER_CHARGE, Effect.LATER_DECLINE}:
            later = now + ASYNC_SECONDS
            again = step(later, AUTHORIZED, action=None, action_status=None, action_at=None)
            works = effect is Effect.LATER_CHARGE
            course = [
                step(now, AUTHORIZED, **facts, action_status="PENDING"),
                {**end, "when": later} if works else again,
            ]
            operation |= {"state": PENDING, "settles_at": later, "settles_to": DONE if works else FAILED}
        return self.go_on(self.book(record, operation), now, *course)

    # -- refunds

    def _refund(self, request: Request, order: Record, now: float) -> Reply:
        body = _body(request, _REFUND_FIELDS, ("refund_amount", "refund_id"))
        behaviour = self._operation_behaviour()

        def take() -> Reply:
            if self.operation(body["refund_id"], now) is not None:
                text = "refund with same id is already present"
                raise _RefusedError(_error(409, "refund_already_exists", text))
            record = self._captured(order, now)
            amount = _minor("refund_amount", body["refund_amount"], order["currency"])
            if amount > record["taken"] - self.refunded(record, now):
                raise _invalid("refund_amount", "should not be greater than the amount that is left")
            refund = self._record_refund(record, body, amount, behaviour.effect, now)
            return self._remember(request, _reply(_present_refund(refund)))

        return self._perform_once(order, behaviour, take, now)

    def _captured(self, order: Record, now: float) -> Record:
        """The first paid attempt; later ones are refunded automatically."""
        surplus = {record["id"] for record in self._surplus(order, now)}
        for record in self._of(order, now):
            if record["state"] == CHARGED and record["id"] not in surplus:
                return record
        raise _RefusedError(_error(400, "order_id_not_paid", "transaction not found"))

    def _record_refund(self, record: Record, body: Record, amount: int, effect: Effect, now: float) -> Record:
        refund = self._operation(record, "refund", amount, now) | {
            "id": body["refund_id"],
            "payment_id": record["id"],
            "order_id": record["order_id"],
            "number": self._make_number("refund", body["refund_id"]),
            "note": body.get("refund_note"),
            "speed": body.get("refund_speed", "STANDARD"),
            "type": "MERCHANT_INITIATED",
        }
        state, later = _refund_course(effect)
        refund["state"] = state
        if later:
            refund |= {"settles_at": now + self.refund_seconds, "settles_to": later}
        self.book(record, refund)
        facts = {"subject": refund["id"], "payment_id": record["id"]}
        if state != PENDING:
            self.emit_webhook([("REFUND_STATUS_WEBHOOK", facts)], now, now)
        elif later:
            self.emit_webhook([("REFUND_STATUS_WEBHOOK", facts)], refund["settles_at"], now)
        return refund

    def _surplus(self, order: Record, now: float) -> list[Record]:
        """Further paid attempts of a paid order: Cashfree accepts them and refunds them at once."""
        paid = [record for record in self._of(order, now) if record["paid_at"] is not None]
        return sorted(paid, key=lambda record: record["paid_at"])[1:]

    def _automatic_refund(self, record: Record) -> Record:
        number = self._make_number("automatic refund", record["id"])
        return self._operation(record, "refund", record["taken"], record["paid_at"]) | {
            "id": f"auto_{number}",
            "payment_id": record["id"],
            "order_id": record["order_id"],
            "number": number,
            "note": None,
            "speed": "STANDARD",
            "type": "PAYMENT_AUTO_REFUND",
        }

    def _refunds_of(self, order: Record, now: float) -> list[Record]:
        asked = [refund for record in self._of(order, now) for refund in self.operations_of(record, now, "refund")]
        return asked + [self._automatic_refund(record) for record in self._surplus(order, now)]

    def ledger(self, now: float) -> list[Record]:
        """Includes the automatic refunds. `providerReference`: Cashfree's own id of a refund."""
        orders = {record["order_id"]: record for record in self.store.all(_ORDER) if len(record["payments"]) > 1}
        automatic = [self._automatic_refund(record) for o in orders.values() for record in self._surplus(o, now)]
        return [self._with_number(entry, now) for entry in super().ledger(now)] + [
            {
                "reference": refund["reference"],
                "chargeId": refund["payment_id"],
                "operationId": refund["id"],
                "kind": "refund",
                "amount": refund["amount"],
                "currency": refund["currency"],
                "status": refund["state"],
                "at": refund["at"],
            }
            for refund in automatic
        ]

    def _with_number(self, entry: Record, now: float) -> Record:
        refund = self.operation(entry["operationId"], now) if entry["kind"] == "refund" else None
        return {**entry, "providerReference": refund["number"]} if refund else entry

    def _operation(self, record: Record, kind: str, amount: int, now: float) -> Record:
        return {
            "id": self.make_id(f"{kind}_", record["id"], len(record.get("operations", []))),
            "kind": kind,
            "reference": record["reference"],
            "amount": amount,
            "currency": record["currency"],
            "state": DONE,
            "at": now,
        }

    def _operation_behaviour(self) -> Behaviour:
        behaviour = self.planned_behaviour()
        if behaviour.effect is Effect.RATE_LIMITED:
            raise _RefusedError(_rate_limited({"x-ratelimit-remaining": "0", "x-ratelimit-retry": "1"}))
        if behaviour.effect is Effect.REFUSED:
            raise _RefusedError(_error(400, "feature_not_enabled", "not enabled", kind="feature_not_enabled"))
        if behaviour.effect is Effect.REFUSED_UNLISTED:
            raise _RefusedError(_error(400, "operation_not_taken_today", "This is not taken today."))
        return behaviour

    def _perform_once(self, order: Record, behaviour: Behaviour, take: Callable[[], Reply], now: float) -> Reply:
        """Count every send as the first one: a plan applies to one send."""
        booked = [len(record.get("operations", [])) for record in self._of(order, now)]
        return self.perform(f"operation {order['order_id']} {booked} {now}", behaviour, take)

    def _make_number(self, *parts: object) -> str:
        """A numeric id, as Cashfree's own ids."""
        return str(10**9 + int(self.make_id("", *parts), 16) % (9 * 10**9))

    # -- reconciliation

    def _reconciliation(self, body: Record, now: float) -> Reply:
        """The events in pages of at most `limit`; the cursor is the start of the next page."""
        _check(body, {"pagination": _object, "filters": _object}, ("pagination", "filters"))
        _check(body["pagination"], {"limit": _limit, "cursor": _text(0, 100)}, ("limit",), "pagination.")
        _check(body["filters"], {"start_date": _moment, "end_date": _moment}, ("start_date", "end_date"), "filters.")
        start, end = (_time(body["filters"][name]) or 0.0 for name in ("start_date", "end_date"))
        rows = [row for row in self._rows(now) if start <= (_time(row["event_time"]) or 0.0) <= end]
        cursor = body["pagination"].get("cursor") or "0"
        begin = int(cursor) if re.fullmatch(r"[0-9]{1,9}", cursor) else len(rows)
        page = rows[begin : begin + body["pagination"]["limit"]]
        more = begin + len(page) < len(rows)
        return _reply({"cursor": str(begin + len(page)) if more else None, "limit": len(page), "data": page})

    def _rows(self, now: float) -> list[Record]:
        rows: list[Record] = []
        for order in self.store.all(_ORDER):
            paid = [record for record in self._of(order, now) if record["state"] == CHARGED]
            rows += [_row(record, "PAYMENT", record["id"], record["taken"], record["paid_at"]) for record in paid]
            done = [refund for refund in self._refunds_of(order, now) if refund["state"] == DONE]
            for refund in done:
                row = _row(refund, "REFUND", refund["number"], refund["amount"], refund["at"])
                rows.append(row | {"refund_id": refund["id"], "cf_payment_id": refund["payment_id"]})
        return sorted(rows, key=lambda row: (row["event_time"], row["event_id"]))

    # -- webhooks

    def sign(self, body: bytes, now: float) -> dict[str, str]:
        timestamp = str(int(now * 1000))
        name = hashlib.sha256(body).hexdigest()
        return {
            "content-type": "application/json",
            "x-webhook-attempt": "1",
            "x-webhook-signature": sign_webhook(self.webhook_secret, timestamp, body),
            "x-webhook-timestamp": timestamp,
            "x-webhook-version": VERSION,
            "x-idempotency-key": f"{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:20]}-{name[20:32]}",
        }

    def redelivered(self, webhook: Webhook, now: float) -> Webhook:
        """The next attempt, with its own timestamp."""
        again = super().redelivered(webhook, now)
        attempt = str(int(webhook.headers["x-webhook-attempt"]) + 1)
        return replace(again, headers={**again.headers, "x-webhook-attempt": attempt})

    def news(self, record: Record, reached: Record) -> list[tuple[str, Record]]:
        facts = {"subject": record["id"], "payment_id": record["id"]}
        if reached.get("paid_at") is not None:
            order = self._order(record["order_id"])
            surplus = [paid["id"] for paid in self._surplus(order, reached["when"])]
            news = [("PAYMENT_SUCCESS_WEBHOOK", facts)]
            if record["id"] in surplus:
                refund = {"subject": self._automatic_refund(record)["id"], "payment_id": record["id"]}
                news.append(("AUTO_REFUND_STATUS_WEBHOOK", refund))
            return news
        names = {DECLINED: "PAYMENT_FAILED_WEBHOOK", DROPPED: "PAYMENT_USER_DROPPED_WEBHOOK"}
        return [(names[reached["state"]], facts)] if reached["state"] in names else []

    def render(self, kind: str, event: Record) -> bytes:
        due = event["due"]
        record = self.find(event["payment_id"], due)
        assert record is not None  # noqa: S101 - an event tells of a charge that was made
        order = self._order(record["order_id"])
        if "REFUND" in kind:
            refunds = {refund["id"]: refund for refund in self._refunds_of(order, due)}
            name = "auto_refund" if kind.startswith("AUTO") else "refund"
            data = {name: _present_refund(refunds[event["subject"]])}
        else:
            data = self._payment_data(order, record)
        return _dumps({"data": data, "event_time": _ist(due), "type": kind}).encode()

    def _payment_data(self, order: Record, record: Record) -> Record:
        payment = self._present_payment(order, record)
        wanted = ("payment_status", "payment_amount", "payment_currency", "payment_message", "payment_time")
        more = ("bank_reference", "auth_id", "payment_method", "payment_group")
        data = {
            "order": {
                "order_id": order["order_id"],
                "order_amount": _major(order["amount"], order["currency"]),
                "order_currency": order["currency"],
                "order_tags": order["tags"],
            },
            "payment": {name: payment[name] for name in ("cf_payment_id", *wanted, *more)},
            "customer_details": {
                name: order["customer"].get(name)
                for name in ("customer_name", "customer_id", "customer_email", "customer_phone")
            },
            "payment_gateway_details": payment["payment_gateway_details"],
            "payment_offers": None,
        }
        return data | ({"error_details": payment["error_details"]} if payment["error_details"] else {})

    # -- entities

    def _present_order(self, order: Record, now: float) -> Record:
        return {
            "cf_order_id": order["cf_order_id"],
            "order_id": order["order_id"],
            "entity": "order",
            "order_currency": order["currency"],
            "order_amount": _major(order["amount"], order["currency"]),
            "order_status": self._status(order, now),
            "payment_session_id": order["session"],
            "order_expiry_time": _ist(order["expires_at"]),
            "order_note": order["note"],
            "created_at": _ist(order["at"]),
            "order_splits": [],
            "customer_details": {
                "customer_name": None,
                "customer_email": None,
                "customer_uid": None,
                **order["customer"],
            },
            "order_meta": {"return_url": None, "notify_url": None, "payment_methods": None, **order["meta"]},
            "order_tags": order["tags"],
            "cart_details": None,
        }

    def _present_paid(self, record: Record) -> Record:
        """The action of the payer, never the outcome. In this answer the payment id is a number."""
        data: Record = {"url": None, "payload": None, "content_type": None, "method": None}
        action = "custom"
        if record["state"] == WAITING:
            url = self.action_url(record["id"])
            action = "post" if record["channel"] == "post" else "link"
            data |= {"url": url, "method": "get"}
            if record["method"] == "upi":
                link = (
                    f"upi://pay?pa=sandbox@cashfree&tr={record['id']}&am={_major(record['asked'], record['currency'])}"
                )
                payload = {"qrcode": link} if record["channel"] == "qrcode" else {"default": link, "bhim": link}
                action = "custom"
                data |= {"url": None, "payload": payload, "method": None}
        return {
            "payment_method": record["method"],
            "channel": record["channel"],
            "action": action,
            "cf_payment_id": int(record["id"]),
            "payment_amount": _major(record["asked"], record["currency"]),
            "data": data,
        }

    def _shown_payments(self, order: Record, now: float) -> dict[str, Record]:
        """Newest first, without those younger than the visibility lag."""
        seen = [record for record in self._of(order, now) if now - record["at"] >= self.visibility_lag_seconds]
        return {record["id"]: self._present_payment(order, record) for record in reversed(seen)}

    def _shown_refunds(self, order: Record, now: float) -> dict[str, Record]:
        return {refund["id"]: _present_refund(refund) for refund in self._refunds_of(order, now)}

    def _present_payment(self, order: Record, record: Record) -> Record:
        status = _STATUSES[record["state"]]
        ended = record["paid_at"] or record["ended_at"]
        reference = self._make_number("bank", record["id"]) if record["paid_at"] else None
        return {
            "cf_payment_id": record["id"],
            "order_id": record["order_id"],
            "entity": "payment",
            "error_details": _error_details(record),
            "is_captured": record["state"] == CHARGED,
            "order_amount": _major(order["amount"], order["currency"]),
            "order_currency": order["currency"],
            "payment_group": GROUPS[record["method"]],
            "payment_currency": record["currency"],
            "payment_amount": _major(record["asked"], record["currency"]),
            "payment_time": _ist(record["at"]),
            "payment_completion_time": _ist(ended) if ended else None,
            "payment_status": status,
            "payment_message": _MESSAGES[status],
            "bank_reference": reference,
            "auth_id": f"A{reference}" if reference else None,
            "authorization": _authorization(record),
            "payment_method": _payment_method(record),
            "international_payment": {"international": record["currency"] != "INR"},
            "payment_gateway_details": {"gateway_name": "CASHFREE", "gateway_settlement": "cashfree"},
            "payment_surcharge": None,
        }


# -- signatures


def sign_webhook(secret: str, timestamp: str, body: bytes) -> str:
    """Base64, over the timestamp and the raw body without a separator."""
    return base64.b64encode(hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()).decode()


# -- the course of a payment


def _success(record: Record, when: float) -> list[Record]:
    if not record["preauth"]:
        return [step(when, CHARGED, paid_at=when)]
    held = step(when, AUTHORIZED, paid_at=when)
    return [held] if record["hold_until"] is None else [held, step(max(when, record["hold_until"]), VOIDED)]


def _course(order: Record, record: Record, behaviour: Behaviour, now: float) -> list[Record]:
    later = now + ASYNC_SECONDS
    match behaviour.effect:
        case Effect.CHARGE | Effect.WRONG_AMOUNT:
            return _success(record, now)
        case Effect.LATER_CHARGE:
            return [step(now, PENDING), *_success(record, later)]
        case Effect.LATER_DECLINE:
            return [step(now, PENDING), step(later, DECLINED, ended_at=later)]
        case Effect.ACTION:
            return [step(now, WAITING), step(order["expires_at"], DROPPED, ended_at=order["expires_at"])]
        case _:
            return [step(now, DECLINED, ended_at=now)]


def _refund_course(effect: Effect) -> tuple[str, str | None]:
    """The present and the planned state of a refund."""
    courses: dict[Effect, tuple[str, str | None]] = {
        Effect.LATER_CHARGE: (PENDING, DONE),
        Effect.LATER_DECLINE: (PENDING, FAILED),
        Effect.ACTION: (PENDING, None),
        Effect.FUNDS_DECLINE: (ON_HOLD, None),
        Effect.HARD_DECLINE: (CANCELED, None),
        Effect.SOFT_DECLINE: (FAILED, None),
        Effect.REOPENED_DECLINE: (FAILED, None),
    }
    return courses.get(effect, (DONE, None))


def _error_details(record: Record) -> Record | None:
    if record["state"] != DECLINED:
        return None
    names = ("error_code", "error_description", "error_reason", "error_source")
    details = dict(zip(names, _FAILURES[Effect(record["effect"])], strict=True))
    return {**details, "error_code_raw": None, "error_description_raw": None, "error_subcode_raw": None}


def _authorization(record: Record) -> Record | None:
    if not record["preauth"] or record["paid_at"] is None:
        return None
    captured = record["taken"] if record["state"] == CHARGED else 0
    return {
        "action": record["action"],
        "status": record["action_status"],
        "captured_amount": _major(captured, record["currency"]),
        "start_time": _ist(record["paid_at"]),
        "end_time": None if record["hold_until"] is None else _ist(record["hold_until"]),
        "approve_by": None,
        "action_reference": None,
        "action_time": None if record["action_at"] is None else _ist(record["action_at"]),
    }


def _payment_method(record: Record) -> Record:
    if record["method"] == "upi":
        return {"upi": {"channel": record["channel"], "upi_id": None}}
    if record["method"] == "netbanking":
        return {"netbanking": {"channel": record["channel"], "netbanking_bank_code": 3003}}
    if record["method"] == "wallet":
        return {"app": {"channel": record["channel"], "provider": "phonepe", "phone": None}}
    card = {"channel": record["channel"], "card_number": "xxxxxxxxxxxx1111", "card_network": "visa"}
    return {"card": {**card, "card_type": "credit_card", "instrument_id": record["instrument_id"]}}


def _present_refund(refund: Record) -> Record:
    status = _REFUND_STATUSES[refund["state"]]
    ended = refund["settles_at"] if "settles_at" in refund else refund["at"]
    return {
        "cf_payment_id": refund["payment_id"],
        "cf_refund_id": refund["number"],
        "order_id": refund["order_id"],
        "refund_id": refund["id"],
        "entity": "refund",
        "refund_amount": _major(refund["amount"], refund["currency"]),
        "refund_currency": refund["currency"],
        "refund_note": refund["note"],
        "refund_status": status,
        "refund_arn": f"RF{refund['number']}" if status == "SUCCESS" else None,
        "refund_charge": _major(0, refund["currency"]),
        "status_description": status.capitalize(),
        "metadata": None,
        "refund_splits": [],
        "refund_type": refund["type"],
        "refund_mode": refund["speed"],
        "created_at": _ist(refund["at"]),
        "processed_at": _ist(ended) if status == "SUCCESS" else None,
        "refund_speed": {"requested": refund["speed"], "accepted": refund["speed"], "processed": None, "message": None},
    }


def _row(record: Record, kind: str, event_id: str, amount: int, at: float) -> Record:
    """A row of the reconciliation: the simulator settles at once and without fees."""
    zero, whole = _major(0, record["currency"]), _major(amount, record["currency"])
    return {
        "event_id": event_id,
        "event_type": kind,
        "event_status": "SUCCESS",
        "event_amount": whole,
        "event_currency": record["currency"],
        "event_settlement_amount": whole,
        "event_time": _ist(at),
        "order_id": record["order_id"],
        "cf_payment_id": record["id"],
        "refund_id": None,
        "cf_settlement_id": None,
        "settlement_utr": None,
        "payment_service_charge": zero,
        "payment_service_tax": zero,
    }


# -- money and time


def _minor(name: str, value: Any, currency: str, *, least: Decimal = Decimal("0.01")) -> int:
    places = _EXPONENTS.get(currency, 2)
    amount = Decimal(str(value))
    minor = amount.scaleb(places)
    if amount < least or minor != minor.to_integral_value():
        raise _invalid(name, f"should be at least {least} with at most {places} decimals")
    return int(minor)


def _major(amount: int, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-_EXPONENTS.get(currency, 2))


def _ist(at: float) -> str:
    return datetime.fromtimestamp(int(at), _IST).isoformat()


def _time(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _expiry(text: str | None, now: float) -> float:
    at = _time(text)
    if at is None:
        return now + ORDER_LIFETIME_SECONDS
    if not _MIN_LIFETIME_SECONDS < at - now < ORDER_LIFETIME_SECONDS:
        raise _invalid("order_expiry_time", "Expiry time should be more than 15 min and less than 30 days")
    return at


# -- requests


def _operation_of(request: Request) -> str:
    if request.path == "/pg/orders/sessions":
        return "pay order"
    if (request.method, request.path) == ("POST", "/pg/orders"):
        return "create order"
    match = _ORDER_PATH.fullmatch(request.path)
    if request.method != "GET" or match is None:
        return "other"
    if match[2] == "payments":
        return "get payment" if match[3] else "list payments"
    return "get order" if match[2] is None else "other"


def _key(request: Request) -> str:
    return f"{request.path} {request.headers['x-idempotency-key'].lower()}"


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _body(request: Request, known: Mapping[str, _Check], required: tuple[str, ...]) -> Record:
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise _RefusedError(_error(400, "request_invalid", "content-type : should be application/json"))
    body = request.json()
    _check(body, known, required)
    return body


def _check(body: Record, known: Mapping[str, _Check], required: tuple[str, ...], within: str = "") -> None:
    """Stricter than Cashfree may be: a name that its contract does not list is an error."""
    for name in body:
        if name not in known:
            raise _invalid(within + name, "is not a field of this request")
    for name in required:
        if name not in body:
            text = f"{within}{name} : is missing in the request. Value received: "
            raise _RefusedError(_error(400, f"{within}{name}_missing", text))
    for name, value in body.items():
        known[name](within + name, value)


def _method(given: Record) -> tuple[str, Record]:
    """A saved card or the payer's UPI app. Card numbers need a PCI certificate, which this account does not have."""
    known: Mapping[str, _Check] = {"card": _object, "upi": _object}
    _check(given, known, (), "payment_method.")
    if len(given) != 1:
        raise _invalid("payment_method", "should have one method")
    ((method, details),) = given.items()
    if method == "card":
        _check(details, _CARD_FIELDS, ("channel", "instrument_id"), "payment_method.card.")
    else:
        _check(details, _UPI_FIELDS, ("channel",), "payment_method.upi.")
        _check(details.get("authorization", {}), _HOLD_FIELDS, (), "payment_method.upi.authorization.")
    return method, details


def _amount(name: str, value: Any) -> None:
    if type(value) is not int and type(value) is not Fraction:
        raise _invalid(name, "should be a number")


def _text(least: int = 1, most: int = 255) -> _Check:
    def check(name: str, value: Any) -> None:
        if type(value) is not str or not least <= len(value) <= most:
            raise _invalid(name, f"should be a text of {least} to {most} characters")

    return check


def _like(pattern: re.Pattern[str]) -> _Check:
    def check(name: str, value: Any) -> None:
        if type(value) is not str or not pattern.fullmatch(value):
            raise _invalid(name, "invalid value given")

    return check


def _one_of(*choices: object) -> _Check:
    def check(name: str, value: Any) -> None:
        if not any(value == choice and type(value) is type(choice) for choice in choices):
            raise _invalid(name, f"should be one of {', '.join(map(str, choices))}")

    return check


def _object(name: str, value: Any) -> None:
    if type(value) is not dict:
        raise _invalid(name, "should be an object")


def _list(name: str, value: Any) -> None:
    if type(value) is not list:
        raise _invalid(name, "should be a list")


def _currency(name: str, value: Any) -> None:
    if value not in _CURRENCIES:
        raise _invalid(name, "should be a currency that is enabled for the account")


def _https(name: str, value: Any) -> None:
    _text(1, 250)(name, value)
    if not value.startswith("https://"):
        raise _invalid(name, "should be an https address")


def _tags(name: str, value: Any) -> None:
    _object(name, value)
    if len(value) > 10:
        raise _invalid(name, "should have at most 10 tags")
    for tag in value.values():
        _text(1, 255)(name, tag)


def _methods(name: str, value: Any) -> None:
    _text(1, 200)(name, value)
    known = {*METHOD_WORDS, "paypal", "paylater", "cardlessemi", "dcemi", "ccemi", "banktransfer"}
    if not {word.strip() for word in value.split(",")} <= known:
        raise _invalid(name, "has a value that is not a payment method")


def _moment(name: str, value: Any) -> None:
    _text(10, 40)(name, value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = datetime(1970, 1, 1)  # noqa: DTZ001 - refused below, because it has no zone
    if moment.tzinfo is None:
        raise _invalid(name, "should be an ISO 8601 time with its zone")


def _limit(name: str, value: Any) -> None:
    if type(value) is not int or not 1 <= value <= 1000:
        raise _invalid(name, "should be a number from 1 to 1000")


_BOOLEAN: Final = _one_of(True, False)  # noqa: FBT003 - the two values themselves
_ORDER_FIELDS: Final[Mapping[str, _Check]] = {
    "order_id": _like(_ORDER_ID),
    "order_amount": _amount,
    "order_currency": _currency,
    "customer_details": _object,
    "order_meta": _object,
    "order_expiry_time": _moment,
    "order_note": _text(3, 200),
    "order_tags": _tags,
    "order_splits": _list,
    "cart_details": _object,
    "terminal": _object,
    "products": _object,
}
_CUSTOMER_FIELDS: Final[Mapping[str, _Check]] = {
    "customer_id": _like(_CUSTOMER_ID),
    "customer_phone": _like(_PHONE),
    "customer_email": _like(_EMAIL),
    "customer_name": _text(3, 100),
    "customer_bank_account_number": _text(3, 20),
    "customer_bank_ifsc": _text(),
    "customer_bank_code": _amount,
    "customer_uid": _text(),
}
_META_FIELDS: Final[Mapping[str, _Check]] = {
    "return_url": _text(1, 250),
    "notify_url": _https,
    "payment_methods": _methods,
    "payment_methods_filters": _object,
}
_PAY_FIELDS: Final[Mapping[str, _Check]] = {
    "payment_session_id": _text(1, 500),
    "payment_method": _object,
    "save_instrument": _BOOLEAN,
    "offer_id": _text(),
}
_CARD_FIELDS: Final[Mapping[str, _Check]] = {
    "channel": _one_of("link", "post"),
    "instrument_id": _text(),
    "card_cvv": _text(3, 4),
    "cryptogram": _text(),
    "token_requestor_id": _text(),
    "token_type": _one_of("ISSUER_TOKEN", "NETWORK_GC_TOKEN", "ISSUER_GC_TOKEN"),
}
_UPI_FIELDS: Final[Mapping[str, _Check]] = {
    "channel": _one_of("link", "qrcode"),
    "upi_expiry_minutes": _amount,
    "authorize_only": _BOOLEAN,
    "authorization": _object,
}
_HOLD_FIELDS: Final[Mapping[str, _Check]] = {"approve_by": _moment, "start_time": _moment, "end_time": _moment}
_SIMULATE_FIELDS: Final[Mapping[str, _Check]] = {
    "entity": _one_of("PAYMENTS"),
    "entity_id": _text(),
    "entity_simulation": _object,
}
_SIMULATION_FIELDS: Final[Mapping[str, _Check]] = {
    "payment_status": _one_of("SUCCESS", "FAILED", "PENDING", "USER_DROPPED"),
    "payment_error_code": _text(),
}
_REFUND_FIELDS: Final[Mapping[str, _Check]] = {
    "refund_amount": _amount,
    "refund_id": _like(_REFUND_ID),
    "refund_note": _text(3, 100),
    "refund_speed": _one_of("STANDARD", "INSTANT"),
    "refund_splits": _list,
}


# -- answers


def _dumps(value: Any) -> str:
    """JSON whose amounts keep their decimals: a float cannot write 10.10."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_dumps(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_dumps, value)) + "]"
    return json.dumps(value)


def _reply(body: Any) -> Reply:
    return Reply(status=200, body=_dumps(body).encode(), headers={"content-type": "application/json"})


def _invalid(name: str, text: str) -> _RefusedError:
    return _RefusedError(_error(400, f"{name}_invalid", f"{name} : {text}"))


def _missing(kind: str) -> Reply:
    return _error(404, f"{kind}_not_found", f"{kind} is not found")


def _bad_url() -> Reply:
    return _error(400, "request_failed", "bad URL, please check API documentation")


def _rate_limited(headers: dict[str, str]) -> Reply:
    limited = _error(429, "request_failed", "Too many requests. Check headers", kind="rate_limit_error")
    return replace(limited, headers={**limited.headers, **headers})


def _error(status: int, code: str, message: str, *, kind: str = "invalid_request_error") -> Reply:
    body = {"message": message, "code": code, "type": kind}
    return Reply(status=status, body=_dumps(body).encode(), headers={"content-type": "application/json"})
