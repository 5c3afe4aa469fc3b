"""PayU India as a simulator: the payment page, `postservice.php`, and the posts to the merchant.

The behaviour of a payment is the first token found in: the form field `sandbox_token` of the payment page (outside
the hash: the payer's choice there), `udf1` to `udf5` and `productinfo` (sent by the merchant), and for
`si_transaction` the `authpayuid`. A payment page without a token succeeds.

Facts about PayU that this simulator reproduces: every answer is HTTP 200 with status words inside and has the type
of HTML; a command's hash covers `var1` only; captures, voids and refunds are queued first; a txnid is good for one
payment.
"""

import calendar
import hashlib
import hmac
import html
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, urlencode

from sandbox.behaviours import ASYNC_SECONDS, HANG_SECONDS, SLOW_SECONDS, Answer, Behaviour, Effect, behaviour_of
from sandbox.hosted_pages import PAGES, HostedCall, answered
from sandbox.http_types import BadRequestError, Reply, Request, html_reply
from sandbox.ledger import DONE, FAILED
from sandbox.payu_hosted import PAGE_PATH, Invoices
from sandbox.simulator import CANCELED, CHARGE, CHARGED, DECLINED, PENDING, WAITING, Credentials
from sandbox.store import Record, Store

AUTHORIZED: Final = "authorized"
REPEAT_SECONDS: Final = 300.0
OVERDRAFT_SECONDS: Final = 10.0

_SERVICES: Final = ("/merchant/postservice.php", "/merchant/postservice")
_QUEUED_SECONDS: Final = 1.0
_INDIA_SECONDS: Final = 5.5 * 3600
_UDFS: Final = tuple(f"udf{number}" for number in range(1, 11))
_AMOUNT: Final = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2})?")
_TXNID: Final = re.compile(r"[A-Za-z0-9-]{1,25}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,23}")
_REQUIRED: Final = ("key", "txnid", "amount", "productinfo", "firstname", "email", "phone", "surl", "furl", "hash")
_LONGEST: Final = {"productinfo": 100, "firstname": 60, "email": 50}
_SI_REQUIRED: Final = ("authpayuid", "invoiceDisplayNumber", "amount", "txnid")
_SI_ADDRESS: Final = ("lastname", "address1", "city", "state", "country", "zipcode")
_SI_KNOWN: Final = {*_SI_REQUIRED, "phone", "email", "firstname", *_SI_ADDRESS, *_UDFS}
_SI_REFUSALS: Final = {
    Effect.REFUSED: "Mandate is not active",
    Effect.REFUSED_UNLISTED: "Some problem occurred. Please contact support.",
}
_STATUSES: Final = {
    CHARGED: ("success", "captured"),
    AUTHORIZED: ("success", "auth"),
    PENDING: ("pending", "pending"),
    WAITING: ("pending", "in progress"),
    DECLINED: ("failure", "failed"),
    CANCELED: ("failure", "cancelled"),
}
_SI_STATUSES: Final = {CHARGED: "captured", PENDING: "pending", WAITING: "in-progress", DECLINED: "failed"}
_DROPPED: Final = ("E1602", "Bank was unable to authenticate.")
_ERRORS: Final = {
    Effect.SOFT_DECLINE: ("E345", "Transaction declined due to technical failure"),
    Effect.HARD_DECLINE: ("E310", "Card has been classified as lost and has been blocked."),
    Effect.FUNDS_DECLINE: ("E706", "The account against which the payment was made has insufficient funds."),
    Effect.REOPENED_DECLINE: _DROPPED,
}
_MESSAGES: Final = {
    105: "Invalid amount",
    106: "Token already exists.",
    109: "Request is already logged",
    111: "Invalid transaction status",
    116: "Transaction Not Found",
    117: "Amount mismatch",
    120: "Transaction lock could not be obtained.",
    126: "Request is in progress",
    128: "Partial amount is not allowed",
    301: "Capture already successful for this transaction",
    232: "Refund could not be initiated. Either refunds are not supported or need manual intervention",
    303: "Amount greater than maximum capturable amount",
    304: "Amount less than allowed",
    500: "Some Exception Occurred.",
}


class _CodeError(Exception):
    """A refused capture, void or refund."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__()
        self.code = code
        self.message = message or _MESSAGES[code]


class PayUSimulator(Invoices):
    """Hashes with a salt, forms in, rupees as strings."""

    name = "payu"
    reopens = True

    def __init__(
        self,
        store: Store,
        credentials: Credentials,
        *,
        public_url: str,
        visibility_lag_seconds: float = 0.0,
        webhook_secret: str | None = None,
        partial_capture: bool = False,
    ) -> None:
        super().__init__(store, credentials, public_url=public_url, visibility_lag_seconds=visibility_lag_seconds)
        self.webhook_secret = credentials.key_secret if webhook_secret is None else webhook_secret
        """The salt of posts to the merchant; PayU itself knows only the account's salt."""
        self.partial_capture = partial_capture

    # -- the transport

    def is_authentic(self, request: Request) -> bool:
        """Verify the hash of the form over its decoded values."""
        form = _form(request)
        expected = (
            request_hash(form, self.credentials.key_secret)
            if request.path == "/_payment"
            else command_hash(form, self.credentials.key_secret)
        )
        given = [(form.get("hash", ""), expected), (form.get("key", ""), self.credentials.key_id)]
        matches = [hmac.compare_digest(a.encode(), b.encode()) for a, b in given]  # compares both, in constant time
        return all(matches)

    def unauthorized(self) -> Reply:
        return _answer({"status": 0, "msg": "Invalid Hash."})

    def bad_request(self, message: str) -> Reply:
        return _answer({"status": 0, "msg": message})

    def server_error(self) -> Reply:
        return html_reply(500, "<html><body><h1>500 Internal Server Error</h1></body></html>")

    def handle(self, request: Request, now: float) -> Reply:
        if request.path.startswith(("/actions/", PAGES)):
            return super().handle(request, now)
        if request.path == PAGE_PATH:
            return self.open_invoice(request)
        page = request.path == "/_payment"
        if request.method != "POST" or not (page or request.path in _SERVICES):
            return html_reply(404, "<html><body>404 Not Found</body></html>")
        try:
            if not page and not all(_form(request).get(name) for name in ("key", "command", "var1", "hash")):
                raise BadRequestError("Parameter missing")
            if not self.is_authentic(request):
                return _page("Invalid Hash.") if page else self.unauthorized()
            return self.answer(request, now)
        except BadRequestError as error:
            return _page(str(error)) if page else self.bad_request(str(error))

    def answer(self, request: Request, now: float) -> Reply:
        form = _form(request)
        if request.path == "/_payment":
            return self._pay(form, now)
        reply = self._command(form, now)
        if request.query.get("form") != "2":
            return replace(reply, body=b"a:1:{" + reply.body + b"}")  # approximately PHP's serialization
        return reply

    def _command(self, form: dict[str, str], now: float) -> Reply:
        commands: dict[str, Callable[[dict[str, str], float], Reply]] = {
            "verify_payment": self._verify,
            "check_payment": self._check_payment,
            "get_transaction_info": self._list,
            "si_transaction": self._recurring,
            "capture_transaction": lambda form, now: self._operate(form, now, self._capture),
            "cancel_refund_transaction": lambda form, now: self._operate(form, now, self._cancel_or_refund),
            "check_action_status": self._action_status,
            "create_invoice": lambda form, now: self._about_invoice(HostedCall.CREATE, self.create_invoice(form, now)),
            "expire_invoice": lambda form, now: self._about_invoice(HostedCall.CLOSE, self.expire_invoice(form, now)),
        }
        command = commands.get(form["command"])
        return command(form, now) if command else self.bad_request("Invalid Command.")

    # -- invoices

    def _about_invoice(self, call: HostedCall, body: Record) -> Reply:
        return answered(self.store, call, _answer(body))

    def paise(self, text: str) -> int:
        return _paise(text)

    def payu_id(self, name: str) -> str:
        return payu_id(name)

    def book_try(
        self, invoice: Record, charge_id: str, behaviour: Behaviour, later_seconds: float, now: float
    ) -> Record:
        facts = {name: invoice[name] for name in ("productinfo", "firstname", "email", "phone")}
        details = {**dict.fromkeys(_UDFS, ""), **facts, "surl": "", "furl": "", "api_version": ""}
        details |= {"si": False, "manual": False, "id": charge_id}
        return self._charge(invoice["txnid"], invoice["paise"], behaviour, details, now, later_seconds=later_seconds)

    # -- payments

    def _pay(self, form: dict[str, str], now: float) -> Reply:
        """The payer's browser posts the merchant's form, and the payer acts at once as the token prescribes."""
        amount = _payment_amount(form)
        behaviour = self._payer(form)
        facts = {name: form.get(name, "") for name in ("productinfo", "firstname", "email", "phone", *_UDFS)}
        facts |= {name: form[name] for name in ("surl", "furl")} | {"api_version": form.get("api_version", "")}
        details = {**facts, "si": form.get("si") == "1", "manual": form.get("pre_authorize") == "1"}

        def take() -> Reply:
            return self._return_page(self._charge(form["txnid"], amount, behaviour, details, now))

        return self.perform(form["txnid"], behaviour, take)

    def _payer(self, form: dict[str, str]) -> Behaviour:
        fields = (form.get(name, "") for name in ("sandbox_token", *_UDFS[:5], "productinfo"))
        token = next((value for value in fields if value.startswith("tok_")), "tok_success")
        behaviour = behaviour_of(token, self.name)
        if behaviour is None or behaviour.effect in _SI_REFUSALS:
            raise BadRequestError("The card is not known.")
        if behaviour.effect is Effect.RATE_LIMITED:
            raise BadRequestError("Requests limit reached")
        return behaviour

    def _recurring(self, form: dict[str, str], now: float) -> Reply:
        try:
            body = _recurring_body(form["var1"])
            amount = _paise(str(body["amount"]))
            behaviour = self._mandate(body["authpayuid"], now)
            if behaviour.effect in _SI_REFUSALS:
                raise BadRequestError(_SI_REFUSALS[behaviour.effect])
        except BadRequestError as error:
            return _answer({"status": 0, "message": str(error)})
        if behaviour.effect is Effect.RATE_LIMITED:
            return self.bad_request("Requests limit reached")
        facts = {name: body.get(name, "") for name in ("firstname", "email", "phone", *_UDFS)}
        details = {**facts, "productinfo": "", "surl": "", "furl": "", "api_version": "", "si": False, "manual": False}

        def take() -> Reply:
            try:
                record = self._charge(body["txnid"], amount, behaviour, details, now)
            except BadRequestError as error:
                return _answer({"status": 0, "message": str(error)})
            return _answer(_present_recurring(record, body))

        return self.perform(body["txnid"], behaviour, take)

    def _mandate(self, authpayuid: str, now: float) -> Behaviour:
        """A token, or a payment that registered a mandate here."""
        behaviour = behaviour_of(authpayuid, self.name)
        if behaviour is not None:
            return behaviour
        registered = self.find(authpayuid, now)
        if registered is None or not registered["si"] or registered["state"] != CHARGED:
            raise BadRequestError("Invalid authpayuid")
        return Behaviour(Effect.CHARGE)

    def _charge(
        self,
        txnid: str,
        amount: int,
        behaviour: Behaviour,
        details: Record,
        now: float,
        *,
        later_seconds: float | None = None,
    ) -> Record:
        name = details.get("id", payu_id(txnid))
        if self.find(name, now) is not None:
            raise BadRequestError("Duplicate txnid")
        facts = {**details, "id": name, "reference": txnid, "amount": amount, "currency": "INR", "operations": []}
        record = {**self.charge(txnid, behaviour, facts, now, later_seconds=later_seconds), "version": 1}
        if record["manual"] and CHARGED in {record["state"], record.get("settles_to")}:
            later = record.get("settles_to") == CHARGED
            record = self.change(record, **({"settles_to": AUTHORIZED} if later else {"state": AUTHORIZED}))
        self._notify(record, now, now)
        if "settles_at" in record:
            self._notify({**record, "state": record["settles_to"]}, record["settles_at"], now)
        return record

    def _settled(self, record: Record, now: float) -> Record:
        settled = super()._settled(record, now)
        if settled is not record and settled["state"] == CHARGED and "capturing" in settled:
            settled["taken"] = settled["capturing"]
        return settled

    def _approve(self, charge_id: str, now: float) -> Reply:
        """The payer approves at the bank's page; `/cancel` after it returns to the shop instead."""
        name, _, choice = charge_id.partition("/")
        record = self.find(name, now)
        if record is None or choice not in {"", "cancel"} or record["state"] in {PENDING, CANCELED}:
            return html_reply(404, "<html><body>There is nothing to approve here.</body></html>")
        if record["state"] == WAITING:
            changes: Record = {"state": AUTHORIZED if record["manual"] else CHARGED, "effect": Effect.CHARGE}
            if choice == "cancel":
                changes = {"state": DECLINED, "effect": Effect.SOFT_DECLINE, "unmapped": "userCancelled"}
            record = self.change(record, **changes)
            self._notify(record, now, now)
        return self._return_page(record)

    def browser_return(self, txnid: str, now: float) -> tuple[str, dict[str, str]] | None:
        """The address (surl or furl) and fields that the payer's browser posts to the shop. None before the end."""
        record = self.find(payu_id(txnid), now)
        if record is None or record["state"] in {PENDING, WAITING} or not record["surl"]:
            return None
        succeeded = record["state"] in {CHARGED, AUTHORIZED}
        return record["surl" if succeeded else "furl"], self._result_fields(record)

    def _return_page(self, record: Record) -> Reply:
        if record["state"] == WAITING:
            url = html.escape(self.action_url(record["id"]))
            return _page("Approve the payment.", f'<a href="{url}">Approve</a> <a href="{url}/cancel">Cancel</a>')
        if record["state"] == PENDING or not record["surl"]:
            return _page("The payment is being processed.")
        url = record["surl" if record["state"] in {CHARGED, AUTHORIZED} else "furl"]
        inputs = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in self._result_fields(record).items()
        )
        form = f'<form method="post" action="{html.escape(url)}">{inputs}</form>'
        return _page("Back to the shop.", f"{form}<script>document.forms[0].submit()</script>")

    # -- reads

    def _verify(self, form: dict[str, str], now: float) -> Reply:
        names = form["var1"].split("|")
        shown = self._details({name: self.shown_try(name, now) for name in names}, now)
        return answered(self.store, HostedCall.READ, shown)

    def _check_payment(self, form: dict[str, str], now: float) -> Reply:
        return self._details({form["var1"]: form["var1"]}, now)

    def _list(self, form: dict[str, str], now: float) -> Reply:
        """All payments that began in a time range, in Indian time, both ends included; no pages."""
        try:
            since, until = (_moment(form.get(name, "")) for name in ("var1", "var2"))
        except ValueError:
            return self.bad_request("Invalid Date")
        records = [self._settled(record, now) for record in self.store.all(CHARGE)]
        found = [record for record in records if since <= int(record["at"]) <= until]
        rows = [self._listed(record) for record in sorted(found, key=lambda r: (r["at"], r["id"]))]
        return _answer({"status": 1, "msg": "Transaction Fetched Successfully", "Transaction_details": rows})

    @staticmethod
    def _listed(record: Record) -> Record:
        return {
            "id": record["id"],
            "status": _status_words(record)[1],
            "key": "",
            "merchantname": "Sandbox",
            "txnid": record["reference"],
            "amount": rupees(record["taken"]),
            "addedon": _india_time(record["at"]),
            "mode": "CC",
            "error_code": _error_words(record)[0],
        }

    def _details(self, names: dict[str, str], now: float) -> Reply:
        """By transaction id or PayU id. Payments younger than the visibility lag are not found."""
        records = {name: self.find(charge_id, now) for name, charge_id in names.items()}
        seen = {n: r for n, r in records.items() if r and now - r["at"] >= self.visibility_lag_seconds}
        missing = {"mihpayid": "Not Found", "status": "Not Found"}
        body = {
            "status": 1 if seen else 0,
            "msg": f"{len(seen)} out of {len(names)} Transactions Fetched Successfully",
            "transaction_details": {n: self._detail(seen[n], now) if n in seen else missing for n in names},
        }
        return _answer(body)

    def _detail(self, record: Record, now: float) -> Record:
        status, unmapped = _status_words(record)
        done = [op for op in self.operations_of(record, now, "refund") if op["state"] == DONE]
        if record["state"] == CHARGED and sum(op["amount"] for op in done) >= record["taken"]:
            unmapped = "refunded"
        code, message = _error_words(record)
        paid = record["state"] in {CHARGED, AUTHORIZED}
        return {
            "mihpayid": record["id"],
            "request_id": "",
            "bank_ref_num": _bank_reference(record),
            "amt": rupees(record["taken"]),
            "transaction_amount": rupees(record["taken"]),
            "txnid": record["reference"],
            "additional_charges": "0.00",
            "productinfo": record["productinfo"],
            "firstname": record["firstname"],
            "bankcode": "CC",
            **{name: record[name] for name in _UDFS[:5]},
            "field2": None,
            "field9": message,
            "error_code": code,
            "addedon": _india_time(record["at"]),
            "payment_source": "payu",
            "card_type": "UNKNOWN",
            "error_Message": message,
            "net_amount_debit": float(rupees(record["taken"])) if paid else "0.00",
            "disc": "0.00",
            "mode": "CC",
            "PG_TYPE": "CC-PG",
            "card_no": "512345XXXXXX2346",
            "status": status,
            "unmappedstatus": unmapped,
            "Merchant_UTR": None,
            "Settled_At": "0000-00-00 00:00:00",
        }

    def _action_status(self, form: dict[str, str], now: float) -> Reply:
        name = form["var1"]
        if form.get("var2") == "payuid":
            record = self.find(name, now)
            actions = self._actions(record, now) if record else {}
        else:
            operation = self.operation(name, now)
            actions = {name: _present_action(operation, now)} if operation else {}
        if not actions:
            details: Record = {name: "No action status found"}
            return _answer(_fetched(0, details))
        return _answer(_fetched(1, {name: actions}))

    def _actions(self, record: Record, now: float) -> Record:
        """By request id; a payment that was captured at once has a capture without a token of ours."""
        found = {}
        if record["state"] == CHARGED and not record["manual"]:
            capture = {"kind": "capture", "state": DONE, "amount": record["taken"], "reference": "", "at": record["at"]}
            name = _digits("12", "automatic", record["id"])
            found[name] = _present_action({**capture, "id": name, "charge_id": record["id"]}, now)
        for operation in self.operations_of(record, now):
            if now - operation["at"] >= self.visibility_lag_seconds:
                found[operation["id"]] = _present_action(operation, now)
        return found

    # -- captures, voids, refunds

    def _operate(
        self,
        form: dict[str, str],
        now: float,
        start: Callable[[dict[str, str], Behaviour, float], Record],
    ) -> Reply:
        if not form.get("var2") or not form.get("var3"):
            raise BadRequestError("Parameter missing")
        behaviour = self.planned_behaviour()
        if behaviour.effect is Effect.RATE_LIMITED:
            raise BadRequestError("Requests limit reached")

        def take() -> Reply:
            try:
                return _answer(start(form, behaviour, now))
            except _CodeError as error:
                body = {"status": 0, "msg": error.message, "error_code": error.code, "mihpayid": form["var1"]}
                return _answer(body)

        return self.perform(f"operation {form['var2']}", behaviour, take)

    def _target(self, form: dict[str, str], behaviour: Behaviour, now: float) -> tuple[Record, int]:
        """The payment and the amount, after checks of token, payment, lock and amount in this order."""
        if not _TOKEN.fullmatch(form["var2"]):
            raise _CodeError(105, "Invalid token")
        if self.operation(request_id(form["var2"]), now) is not None:
            raise _CodeError(106)
        record = self.find(form["var1"], now)
        if record is None:
            raise _CodeError(116)
        if behaviour.effect is Effect.SOFT_DECLINE or now < record.get("locked_until", now):
            raise _CodeError(120)
        if behaviour.effect is Effect.HARD_DECLINE:
            raise _CodeError(109, "Request failed")
        if behaviour.effect is Effect.REFUSED:
            raise _CodeError(304 if form["command"] == "capture_transaction" else 232)
        if behaviour.effect is Effect.REFUSED_UNLISTED:
            raise _CodeError(500)
        try:
            return record, _paise(form["var3"])
        except BadRequestError:
            raise _CodeError(105) from None

    def _capture(self, form: dict[str, str], behaviour: Behaviour, now: float) -> Record:
        record, amount = self._target(form, behaviour, now)
        if record["state"] == CHARGED:
            raise _CodeError(301)
        if record["state"] != AUTHORIZED:
            raise _CodeError(111)
        if self._pending(record, now):
            raise _CodeError(109)
        if amount > record["taken"]:
            raise _CodeError(303)
        if amount < record["taken"] and not self.partial_capture:
            raise _CodeError(128)
        operation = self._operation(form, "capture", amount, behaviour, now)
        later = {"capturing": amount, "settles_at": operation["settles_at"], "settles_to": CHARGED}
        changed = self._queue(record, operation, behaviour, later, now)
        if operation["settles_to"] == DONE:
            self._notify({**changed, "state": CHARGED}, operation["settles_at"], now)
        return _queued("Capture", "request_id", operation)

    def _cancel_or_refund(self, form: dict[str, str], behaviour: Behaviour, now: float) -> Record:
        record, amount = self._target(form, behaviour, now)
        if record["state"] == AUTHORIZED:
            return self._void(record, form, amount, behaviour, now)
        if record["state"] != CHARGED:
            raise _CodeError(111)
        if amount > record["taken"] - self.refunded(record, now):
            raise _CodeError(105, "Refund amount is greater than the amount that can be refunded")
        for earlier in self.operations_of(record, now, "refund"):
            if earlier["amount"] == amount and now - earlier["at"] < REPEAT_SECONDS and earlier["state"] != FAILED:
                raise _CodeError(109)
        operation = self._operation(form, "refund", amount, behaviour, now)
        self._queue(record, operation, behaviour, {}, now)
        if "settles_at" in operation:
            self.emit_webhook([("refund", {"subject": operation["id"]})], operation["settles_at"], now)
        body = _queued("Refund", "request_id", operation)
        return {**body, "error_code": 122} if operation["state"] == WAITING else body

    def _void(self, record: Record, form: dict[str, str], amount: int, behaviour: Behaviour, now: float) -> Record:
        if self._pending(record, now):
            raise _CodeError(126)
        if amount != record["taken"]:
            raise _CodeError(117)
        operation = self._operation(form, "void", amount, behaviour, now)
        later = {"settles_at": operation["settles_at"], "settles_to": CANCELED}
        self._queue(record, operation, behaviour, later, now)
        return _queued("Cancel", "txn_update_id", operation)

    def _operation(self, form: dict[str, str], kind: str, amount: int, behaviour: Behaviour, now: float) -> Record:
        fails = behaviour.effect in {Effect.LATER_DECLINE, Effect.REOPENED_DECLINE}
        operation: Record = {
            "id": request_id(form["var2"]),
            "kind": kind,
            "reference": form["var2"],
            "amount": amount,
            "currency": "INR",
            "state": PENDING,
            "effect": behaviour.effect,
            "charge_id": form["var1"],
            "at": now,
        }
        if behaviour.effect is Effect.ACTION and kind == "refund":
            return {**operation, "state": WAITING}
        usual_seconds = self.refund_seconds if kind == "refund" else ASYNC_SECONDS
        seconds = OVERDRAFT_SECONDS if behaviour.effect is Effect.FUNDS_DECLINE else usual_seconds
        return {**operation, "settles_at": now + seconds, "settles_to": FAILED if fails else DONE}

    def _queue(self, record: Record, operation: Record, behaviour: Behaviour, later: Record, now: float) -> Record:
        """The payment is locked while PayU delays the answer."""
        held = {Answer.HANG_AFTER: HANG_SECONDS, Answer.SLOW: SLOW_SECONDS}.get(behaviour.answer, 0.0)
        kept = {name: value for name, value in record.items() if name not in {"settles_at", "settles_to", "capturing"}}
        happens = later if operation.get("settles_to") == DONE else {}
        return self.book(kept, operation, locked_until=now + held, **happens)

    def _pending(self, record: Record, now: float) -> bool:
        return any(operation["state"] in {PENDING, WAITING} for operation in self.operations_of(record, now))

    # -- posts to the merchant

    def sign(self, body: bytes, now: float) -> dict[str, str]:  # noqa: ARG002 - the hash lies in the body
        kind = "application/json" if body.startswith(b"{") else "application/x-www-form-urlencoded"
        return {"content-type": kind}

    def render(self, kind: str, event: Record) -> bytes:
        """The post about a payment has a hash; the post about a refund has none."""
        if kind == "refund":
            return json.dumps(self._refund_fields(event["subject"], event["due"])).encode()
        record = self.find(event["subject"], event["due"])
        return urlencode(self._result_fields(record or {})).encode()

    def _refund_fields(self, name: str, now: float) -> Record:
        operation = self.operation(name, now) or {}
        record = self.find(operation["charge_id"], now) or {}
        action = _present_action(operation, now)
        names = (
            "action",
            "status",
            "token",
            "request_id",
            "mihpayid",
            "amt",
            "bank_ref_num",
            "bank_arn",
            "refund_mode",
        )
        return {
            **{field: action[field] for field in names},
            "key": self.credentials.key_id,
            "merchantTxnId": record["reference"],
            "remark": None,
            "additionalValue1": None,
            "additionalValue2": None,
        }

    def _notify(self, record: Record, due: float, now: float) -> None:
        """Only final states are posted."""
        kind = {CHARGED: "payment.success", AUTHORIZED: "payment.success", DECLINED: "payment.failure"}
        if record["state"] in kind:
            facts = {"subject": record["id"], "revision": record["version"]}
            self.emit_webhook([(kind[record["state"]], facts)], due, now)

    def _result_fields(self, record: Record) -> dict[str, str]:
        status, unmapped = _status_words(record)
        code, message = _error_words(record)
        paid = record["state"] in {CHARGED, AUTHORIZED}
        fields = {
            "mihpayid": record["id"],
            "mode": "CC",
            "status": status,
            "unmappedstatus": unmapped,
            "key": self.credentials.key_id,
            "txnid": record["reference"],
            "amount": rupees(record["taken"]),
            "discount": "0.00",
            "net_amount_debit": rupees(record["taken"]) if paid else "0.00",
            "addedon": _india_time(record["at"]),
            **{name: record[name] for name in ("productinfo", "firstname", "email", "phone", *_UDFS)},
            **{f"field{number}": "" for number in range(9)},
            "field9": message,
            "payment_source": "payu",
            "PG_TYPE": "CC-PG",
            "bank_ref_num": _bank_reference(record) or "",
            "bankcode": "CC",
            "error": code,
            "error_Message": message,
            "card_no": "512345XXXXXX2346",
        }
        if record["api_version"]:
            fields["api_version"] = record["api_version"]
        return {**fields, "hash": response_hash(fields, self.webhook_secret)}


# -- hashes


def sha512(text: str) -> str:
    return hashlib.sha512(text.encode()).hexdigest()


def request_hash(form: dict[str, str], salt: str) -> str:
    """For a payment request: udf6 to udf10 count with api_version 19 only; JSON of mandate or payer comes last."""
    names = ("key", "txnid", "amount", "productinfo", "firstname", "email", *_UDFS[:5])
    rest = [form.get(name, "") if form.get("api_version") == "19" else "" for name in _UDFS[5:]]
    extra = [form[name] for name in ("si_details", "beneficiarydetail") if form.get(name)]
    return sha512("|".join([*(form.get(name, "") for name in names), *rest, *extra, salt]))


def response_hash(form: dict[str, str], salt: str) -> str:
    """For a post to the merchant: fields in reverse order, additional charges first, a split after the status."""
    rest = [form.get(name, "") if form.get("api_version") == "19" else "" for name in reversed(_UDFS[5:])]
    names = (*reversed(_UDFS[:5]), "email", "firstname", "productinfo", "amount", "txnid", "key")
    split = [form["splitInfo"]] if form.get("splitInfo") else []
    parts = [salt, form.get("status", ""), *split, *rest, *(form.get(name, "") for name in names)]
    charges = form.get("additionalCharges")
    return sha512("|".join([charges, *parts] if charges else parts))


def command_hash(form: dict[str, str], salt: str) -> str:
    """For a command: it covers only var1."""
    return sha512("|".join([form.get("key", ""), form.get("command", ""), form.get("var1", ""), salt]))


# -- parameters of requests


def _form(request: Request) -> dict[str, str]:
    """The last of a repeated name counts, as in PHP."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise BadRequestError("Parameter missing")
    try:
        return dict(_fields(request.body))
    except ValueError:
        raise BadRequestError("Parameter missing") from None


@lru_cache(maxsize=4)
def _fields(body: bytes) -> tuple[tuple[str, str], ...]:
    """A request is read several times until it is answered: for its parameters, its hash and its command."""
    return tuple(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))


def _payment_amount(form: dict[str, str]) -> int:
    """The amount in paise. Raises for an amount that the payment page refuses."""
    for name in _REQUIRED:
        if not form.get(name):
            raise BadRequestError(f"Mandatory parameter {name} is missing")
    for name in ("productinfo", "firstname", "email", *_UDFS):
        if "|" in form.get(name, ""):
            raise BadRequestError(f"{name} is invalid")
    for name, longest in _LONGEST.items():
        if len(form[name]) > longest:
            raise BadRequestError(f"{name} is too long")
    if not _TXNID.fullmatch(form["txnid"]):
        raise BadRequestError("txnid is invalid")
    if form.get("currency", "INR") != "INR":
        raise BadRequestError("Only INR is supported")
    for name in ("surl", "furl"):
        if not form[name].startswith(("http://", "https://")):
            raise BadRequestError(f"{name} is invalid")
    return _paise(form["amount"])


def _recurring_body(text: str) -> Record:
    try:
        body = json.loads(text, parse_float=str)
    except (ValueError, RecursionError):
        raise BadRequestError("Invalid JSON in var1") from None
    if not isinstance(body, dict):
        raise BadRequestError("Invalid JSON in var1")
    for name in _SI_REQUIRED:
        if body.get(name) in (None, ""):
            raise BadRequestError(f"{name} is mandatory")
    for name, value in body.items():
        if name not in _SI_KNOWN:
            raise BadRequestError(f"{name} is not expected")
        if not isinstance(value, str) and (name != "amount" or isinstance(value, bool) or not isinstance(value, int)):
            raise BadRequestError(f"{name} is invalid")
    if not _TXNID.fullmatch(body["txnid"]):
        raise BadRequestError("txnid is invalid")
    return body


def _paise(text: str) -> int:
    if not _AMOUNT.fullmatch(text) or Decimal(text) < Decimal("0.01"):
        raise BadRequestError("Invalid amount")
    return int(Decimal(text).scaleb(2))


# -- words and numbers


def rupees(amount: int) -> str:
    """The amount in rupees, always with two decimals."""
    return f"{Decimal(amount).scaleb(-2):.2f}"


def payu_id(txnid: str) -> str:
    """The mihpayid of a merchant's transaction."""
    return _digits("4039", "payment", txnid)


def request_id(token: str) -> str:
    """The request id of the capture, void or refund with this token."""
    return _digits("13", "operation", token)


def _digits(prefix: str, *parts: str) -> str:
    number = int(hashlib.sha256("|".join(parts).encode()).hexdigest(), 16) % 10**14
    return f"{prefix}{number:014}"


def _bank_reference(record: Record) -> str | None:
    return _digits("7", "bank", record["id"])[:12] if record["state"] in {CHARGED, AUTHORIZED, CANCELED} else None


def _india_time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at + _INDIA_SECONDS))


def _moment(text: str) -> float:
    """Raises ValueError for anything but a time."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S")) - _INDIA_SECONDS


def _status_words(record: Record) -> tuple[str, str]:
    status, unmapped = _STATUSES[record["state"]]
    if record["state"] == DECLINED and record["effect"] == Effect.REOPENED_DECLINE:
        return status, "dropped"
    if record["state"] == DECLINED and "unmapped" in record:
        return status, record["unmapped"]
    return status, unmapped


def _error_words(record: Record) -> tuple[str, str]:
    if record["state"] != DECLINED:
        return "E000", "No Error"
    if "unmapped" in record:
        return "E9205", "Customer Cancellation"
    return _ERRORS[Effect(record["effect"])]


def _present_recurring(record: Record, body: Record) -> Record:
    """A dropped charge has no status, because its outcome is open."""
    dropped = _status_words(record)[1] == "dropped"
    asked = record["taken"] == record["amount"]
    detail = {
        "transactionid": record["reference"],
        "authpayuid": body["authpayuid"],
        "amount": str(body["amount"]) if asked else rupees(record["taken"]),
        "payuid": record["id"],
        "status": "" if dropped else _SI_STATUSES[record["state"]],
        "field9": "Transaction Completed Successfully" if record["state"] == CHARGED else _error_words(record)[1],
        "phone": record["phone"],
        "email": record["email"],
        **{name: record[name] for name in _UDFS[1:5]},
    }
    message = "Transaction Processed successfully"
    return {"status": 1, "message": message, "details": {record["reference"]: detail}}


def _present_action(operation: Record, now: float) -> Record:
    kind = {"capture": "capture", "refund": "refund", "void": "cancel"}[operation["kind"]]
    word = _action_word(operation, now)
    return {
        "mihpayid": operation["charge_id"],
        "bank_ref_num": _digits("5", "bank", operation["id"])[:12] if operation["state"] == DONE else None,
        "request_id": operation["id"],
        "amt": rupees(operation["amount"]),
        "mode": "CC",
        "action": kind,
        "token": operation["reference"],
        "status": word.upper() if kind == "capture" else word,  # as in PayU's own samples
        "bank_arn": None,
        "settlement_id": None,
        "amount_settled": None,
        "UTR_no": None,
        "value_date": None,
        "refund_mode": "Back to Source" if kind == "refund" else "-",
    }


def _action_word(operation: Record, now: float) -> str:
    if operation["state"] in {DONE, FAILED}:
        return "success" if operation["state"] == DONE else "failure"
    if now - operation["at"] < _QUEUED_SECONDS:
        return "queued"
    return {Effect.FUNDS_DECLINE: "od_hit", Effect.LATER_CHARGE: "requested"}.get(operation["effect"], "in progress")


def _queued(word: str, name: str, operation: Record) -> Record:
    return {
        "status": 1,
        "msg": f"{word} Request Queued",
        name: operation["id"],
        "bank_ref_num": None,
        "mihpayid": operation["charge_id"],
        "error_code": 102,
    }


def _fetched(count: int, details: Record) -> Record:
    return {
        "status": count,
        "msg": f"{count} out of 1 Transactions Fetched Successfully",
        "transaction_details": details,
    }


def _page(title: str, content: str = "") -> Reply:
    return html_reply(200, f"<html><body><p>{html.escape(title)}</p>{content}</body></html>")


def _answer(body: Record) -> Reply:
    """JSON with the content type of HTML."""
    headers = {"content-type": "text/html; charset=UTF-8"}
    return Reply(status=200, body=json.dumps(body, separators=(",", ":")).encode(), headers=headers)
