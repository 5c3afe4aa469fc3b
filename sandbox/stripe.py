"""Stripe as a simulator: API version 2023-10-16, PaymentIntents, refunds, events, balance transactions.

The token is the `payment_method`. Facts about Stripe that this simulator reproduces:

* The first answer is stored under the Idempotency-Key once execution has begun, a 500 like any other, for 24 hours.
  Validation errors, 429 and 409 are not stored. While an answer is delayed, its key is in use: 409.
* A delayed request that never began (`tok_timeout_before_charge`) was lost on its way: its key is not in use.
* Search finds a new intent after `search_lag_seconds`; list and read find it at once.
* An authorization expires at `capture_before` of its charge; then the intent is cancelled automatically.
* A payment method of single use (`pm_once_...`, our name) can be used once without a customer.
* An account in India (`country="IN"`) refuses a payment without a description, or without name and address. The
  refusal names the intent, which stays unpaid.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl

from sandbox import stripe_forms as forms
from sandbox.behaviours import ASYNC_SECONDS, REOPEN_SECONDS, Answer, Behaviour, Effect, behaviour_of
from sandbox.http_types import Reply, Request, html_reply, json_reply
from sandbox.ledger import DONE, FAILED, LedgerSimulator
from sandbox.simulator import CANCELED, CHARGED, DECLINED, PENDING, WAITING, Credentials
from sandbox.store import Record, Store
from sandbox.stripe_forms import Checker, RefusedError

VERSION: Final = "2023-10-16"
WEBHOOK_SECRET: Final = "whsec_sandbox"  # noqa: S105 - it signs what a simulator sends
CREATED: Final = "created"
AUTHORIZED: Final = "authorized"

_CHARGE: Final = "charge"
_KEYS: Final = "idempotency"
_KEY_LIFETIME_SECONDS: Final = 24 * 3600
_HOLD_SECONDS: Final = 7 * 24 * 3600
_UNATTENDED_HOLD_SECONDS: Final = (4 * 24 + 18) * 3600
"""How long an authorization by the merchant can be captured: Visa's window, the shortest."""
_SINGLE_USE: Final = "pm_once_"
_EVENT_LIFETIME_SECONDS: Final = 30 * 24 * 3600
_FORM: Final = "application/x-www-form-urlencoded"
_STATUSES: Final = {
    CHARGED: "succeeded",
    AUTHORIZED: "requires_capture",
    PENDING: "processing",
    WAITING: "requires_action",
    DECLINED: "requires_payment_method",
    CANCELED: "canceled",
}
QUIET: Final[Record] = {"id": None, "idempotency_key": None}
"""The origin of an event that no request caused."""
_CANCELABLE: Final = {CREATED, DECLINED, WAITING, AUTHORIZED}
_REFUND_STATUSES: Final = {
    DONE: "succeeded",
    PENDING: "pending",
    FAILED: "failed",
    CANCELED: "canceled",
    WAITING: "requires_action",
}
# code, decline_code, advice_code, message
_SOFT: Final = ("card_declined", "issuer_not_available", "try_again_later", "Your card was declined.")
_FAILURES: Final = {
    Effect.SOFT_DECLINE: _SOFT,
    Effect.REOPENED_DECLINE: _SOFT,
    Effect.HARD_DECLINE: ("card_declined", "stolen_card", "do_not_try_again", "Your card was declined."),
    Effect.FUNDS_DECLINE: ("card_declined", "insufficient_funds", "", "Your card has insufficient funds."),
    Effect.ACTION: (
        "authentication_required",
        "authentication_required",
        "",
        "Your card was declined. This transaction requires authentication.",
    ),
}
_REAL_PROVIDER_TOKENS: Final = {
    "pm_card_visa": "tok_success",
    "pm_card_chargeDeclined": "tok_soft_decline",
    "pm_card_visa_chargeDeclined": "tok_soft_decline",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "tok_insufficient_funds",
    "pm_card_authenticationRequired": "tok_requires_action",
}

_INTENT_PATH: Final = re.compile(r"/v1/payment_intents/(pi_[0-9A-Za-z]+)(/confirm|/capture|/cancel)?")
_REFUND_PATH: Final = re.compile(r"/v1/refunds/(re_[0-9A-Za-z]+)(/cancel)?")
_CHARGE_PATH: Final = re.compile(r"/v1/charges/(ch_[0-9A-Za-z]+)")
_EVENT_PATH: Final = re.compile(r"/v1/events/(evt_[0-9A-Za-z]+)")
_CLAUSE: Final = re.compile(
    r"""(?P<field>metadata\[(?P<q>["'])(?P<key>(?:\\.|(?!(?P=q))[^\\])*)(?P=q)\]|[a-z_]+)\s*:\s*"""
    r"""(?:(?P<v>["'])(?P<text>(?:\\.|(?!(?P=v))[^\\])*)(?P=v)|(?P<number>\d+))(?:\s+AND\s+(?=\S)|$)"""
)
_SEARCHABLE: Final = ("status", "currency", "amount", "customer")


@dataclass(frozen=True, slots=True)
class Call:
    """A POST in progress."""

    path: str
    form: Record
    key: str | None
    request_id: str
    stored: Record | None
    now: float

    @property
    def origin(self) -> Record:
        """The request that caused an event, as the event shows it."""
        return {"id": self.request_id, "idempotency_key": self.key}

    @property
    def send_key(self) -> str:
        """The key that counts sends: after its expiry an idempotency key counts from the beginning."""
        return f"{self.key or self.request_id}#{self.stored['version'] if self.stored else 0}"


class StripeSimulator(LedgerSimulator):
    """Bearer authentication, forms in, JSON out, minor units."""

    name = "stripe"

    def __init__(
        self,
        store: Store,
        credentials: Credentials,
        *,
        public_url: str,
        visibility_lag_seconds: float = 0.0,
        webhook_secret: str = WEBHOOK_SECRET,
        search_lag_seconds: float = 60.0,
        country: str = "US",
    ) -> None:
        super().__init__(store, credentials, public_url=public_url, visibility_lag_seconds=visibility_lag_seconds)
        self.webhook_secret = webhook_secret
        self.search_lag_seconds = search_lag_seconds
        self.country = country
        self.hold_seconds: float | None = None
        """How long an amount is held; None: as long as Stripe's documents say."""

    # -- the transport

    def handle(self, request: Request, now: float) -> Reply:
        reply = super().handle(request, now)
        if request.path.startswith("/actions/"):
            return reply
        return replace(reply, headers={**reply.headers, "request-id": self._request_id(request, now)})

    def is_authentic(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        expected = self.credentials.key_secret
        basic = request.basic()
        if basic is not None:
            return hmac.compare_digest(f"{basic[0]}:{basic[1]}".encode(), f"{expected}:".encode())
        return hmac.compare_digest(given.encode(), f"Bearer {expected}".encode())

    def unauthorized(self) -> Reply:
        return forms.error_reply(401, "invalid_request_error", "Invalid API Key provided.")

    def bad_request(self, message: str) -> Reply:
        return forms.error_reply(400, "invalid_request_error", message)

    def server_error(self) -> Reply:
        return forms.error_reply(500, "api_error", "An unknown error occurred.")

    def answer(self, request: Request, now: float) -> Reply:
        version = request.headers.get("stripe-version", VERSION)
        if version != VERSION:
            return self.bad_request(f"Invalid Stripe API version: {version}")
        try:
            if request.method == "POST":
                return self._post(request, now)
            if request.method == "GET":
                return self.get(request, now)
            raise _unknown_url(request)
        except RefusedError as refused:
            return refused.reply

    def _request_id(self, request: Request, now: float) -> str:
        content = hashlib.sha256(request.body).hexdigest()
        return self.make_id("req_", request.method, request.path, request.headers.get("idempotency-key"), content, now)

    def get(self, request: Request, now: float) -> Reply:
        query = forms.nest(request.query.items())
        path = request.path
        if path == "/v1/payment_intents":
            return self._list_intents(forms.check(query, LIST_QUERY | {"customer": forms.text()}), now)
        if path == "/v1/payment_intents/search":
            return self._search(forms.check(query, _SEARCH_QUERY, ("query",)), now)
        if path == "/v1/refunds":
            return self._list_refunds(
                forms.check(query, LIST_QUERY | {"payment_intent": forms.text(), "charge": forms.text()}), now
            )
        if path == "/v1/events":
            return self._list_events(forms.check(query, LIST_QUERY | {"type": forms.text(), "types": forms.texts}), now)
        if path == "/v1/balance_transactions":
            known = {name: forms.text() for name in ("type", "source", "payout", "currency")}
            return self._list_balance(forms.check(query, LIST_QUERY | known), now)
        expand = forms.check(query, {"expand": forms.expand, "client_secret": forms.text()}).get("expand", [])
        if (match := _INTENT_PATH.fullmatch(path)) and not match[2]:
            return json_reply(200, self.present(self._intent(match[1], now), now, expand))
        if (match := _REFUND_PATH.fullmatch(path)) and not match[2]:
            return json_reply(200, _present_refund(self._refund(match[1], now)))
        if match := _CHARGE_PATH.fullmatch(path):
            found = [r for r in self.intents(now) if _charge_id(r) == match[1]]
            return json_reply(200, self.present_charge(found[0], now)) if found else missing("charge", match[1])
        if match := _EVENT_PATH.fullmatch(path):
            bodies = [event["body"] for event in self.events(now) if event["id"] == match[1]]
            return _raw(bodies[0]) if bodies else missing("event", match[1])
        raise _unknown_url(request)

    def _post(self, request: Request, now: float) -> Reply:
        if request.body and request.headers.get("content-type", "").partition(";")[0].strip() != _FORM:
            raise forms.refused(
                "Invalid request (check that your POST content type is application/x-www-form-urlencoded)."
            )
        try:
            pairs = parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=bool(request.body))
        except ValueError:
            raise forms.refused("Invalid request: the body is no form.") from None
        form, key = forms.nest(pairs), request.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= 255:
            raise forms.refused("Idempotency keys must be between 1 and 255 characters long.")
        stored = self.store.get(_KEYS, key) if key else None
        content = hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()
        if stored is not None and now - stored["at"] < _KEY_LIFETIME_SECONDS:
            return _replay(stored, request.path, content, now)
        call = Call(request.path, form, key, self._request_id(request, now), stored, now)
        behaviour, execute = self.action(request, call)
        return self._execute(call, content, behaviour, execute)

    def action(self, request: Request, call: Call) -> tuple[Behaviour, Callable[[], Reply]]:
        """The behaviour of a valid POST and the function that executes it."""
        path, now = request.path, call.now
        if path == "/v1/payment_intents":
            form = forms.check(call.form, _CREATE, ("amount", "currency"))
            behaviour = _creation(form, self._behaviour(form))
            return behaviour, lambda: self._create(call, form, behaviour)
        if path == "/v1/refunds":
            form = forms.check(call.form, _REFUND)
            if "payment_intent" not in form and "charge" not in form:
                raise forms.refused(
                    "One of the following params should be provided for this request: payment_intent or charge."
                )
            target = self._refund_target(form, now)
            behaviour = self._operation_behaviour()
            return behaviour, lambda: self._create_refund(call, form, target, behaviour)
        match = _INTENT_PATH.fullmatch(path)
        if match and match[2] == "/confirm":
            record, form = self._intent(match[1], now), forms.check(call.form, _CONFIRM)
            behaviour = self._behaviour({"payment_method": record["payment_method"], **form})
            return behaviour, lambda: self._confirm(call, record, form, behaviour)
        if match and match[2] == "/capture":
            record, form = self._intent(match[1], now), forms.check(call.form, _CAPTURE)
            return self._operation_behaviour(), lambda: self._capture(call, record, form)
        if match and match[2] == "/cancel":
            record, form = self._intent(match[1], now), forms.check(call.form, _CANCEL)
            return self._operation_behaviour(), lambda: self.cancel_intent(call, record, form)
        match = _REFUND_PATH.fullmatch(path)
        if match and match[2]:
            refund = self._refund(match[1], now)
            forms.check(call.form, {"expand": forms.expand})
            return Behaviour(Effect.CHARGE), lambda: self._cancel_refund(call, refund)
        raise _unknown_url(request)

    def _execute(self, call: Call, content: str, behaviour: Behaviour, execute: Callable[[], Reply]) -> Reply:
        """Once execution has begun the answer is stored; a delayed answer keeps its key in use."""
        if behaviour.effect is Effect.RATE_LIMITED:
            raise RefusedError(_rate_limited())
        if behaviour.effect is Effect.REFUSED:
            raise _documented_refusal(call.path)
        answers: list[Reply] = []

        def begin() -> Reply:
            try:
                answers.append(execute())
            except RefusedError as refused:
                if not refused.began:
                    raise
                answers.append(refused.reply)
            return answers[0]

        shown = self.perform(call.send_key, behaviour, begin)
        if call.key and answers:
            kept = self.server_error() if behaviour.answer is Answer.ERROR_AFTER else answers[0]
            record: Record = {
                "path": call.path,
                "content": content,
                "at": call.now,
                "busy_until": call.now + shown.hold_seconds,
                "status": kept.status,
                "body": kept.body.decode(),
                **({"version": call.stored["version"]} if call.stored else {}),
            }
            self.store.put(_KEYS, call.key, record)
        return shown

    # -- intents

    def _behaviour(self, form: Record) -> Behaviour:
        token = form.get("payment_method")
        if token is None:
            return Behaviour(Effect.CHARGE)
        if token.startswith(_SINGLE_USE) and "customer" not in form:
            return self._once(token)
        behaviour = behaviour_of(_REAL_PROVIDER_TOKENS.get(token, token), self.name)
        if behaviour is None:
            message = f"No such PaymentMethod: '{token}'"
            raise forms.refused(message, code="resource_missing", param="payment_method")
        return behaviour

    def _once(self, token: str) -> Behaviour:
        """The behaviour of a payment method of single use, which an earlier payment may have consumed."""
        if any(record["payment_method"] == token for record in self.store.all(_CHARGE)):
            raise forms.refused(
                "The provided PaymentMethod was previously used without being attached to a Customer. "
                "It may not be used again."
            )
        return Behaviour(Effect.CHARGE)

    def _operation_behaviour(self) -> Behaviour:
        """The behaviour of an operation. A soft decline is Stripe's lock timeout: nothing happened."""
        behaviour = self.planned_behaviour()
        if behaviour.effect is Effect.SOFT_DECLINE:
            message = "This object cannot be accessed right now because another API request is accessing it."
            raise RefusedError(forms.error_reply(429, "invalid_request_error", message, code="lock_timeout"))
        return behaviour

    def _create(self, call: Call, form: Record, behaviour: Behaviour) -> Reply:
        if behaviour.effect is Effect.REFUSED_UNLISTED:
            raise RefusedError(
                forms.error_reply(400, "invalid_request_error", "Not possible.", code="not_possible"), began=True
            )
        name = self.make_id("pi_", call.send_key if call.key else self.count(_CHARGE))
        metadata = form.get("metadata", {})
        record: Record = {
            "id": name,
            "key": call.key,
            "reference": call.key or metadata.get("ref") or next(iter(metadata.values()), name),
            "amount": form["amount"],
            "currency": form["currency"],
            "capture_method": form.get("capture_method", "automatic"),
            "payment_method": form.get("payment_method"),
            "payment_method_types": form.get("payment_method_types", ["card"]),
            "automatic": form.get("automatic_payment_methods") or _default_methods(form),
            "metadata": metadata,
            "return_url": form.get("return_url"),
            **{field: form.get(field) for field in ECHOED},
            "effect": Effect.CHARGE,
            "state": CREATED,
            "taken": 0,
            "captured": 0,
            "tries": 0,
            "at": call.now,
            "operations": [],
        }
        missing = self._missing_in_india(form) if form.get("confirm") else None
        if form.get("confirm") and missing is None:
            record |= self._held(confirmed(record, form, behaviour, call.now), call.now)
        self.store.put(_CHARGE, name, {**record, "payment_method": None} if missing else record)
        record["version"] = 1
        if missing is not None:
            shown = self.present({**record, "payment_method": None}, call.now)
            raise RefusedError(
                forms.error_reply(400, "invalid_request_error", missing, payment_intent=shown), began=True
            )
        self._notify(record, call, ["payment_intent.created", *news(record)])
        return self._result(record, call.now, form.get("expand", []))

    def _held(self, changes: Record, now: float) -> Record:
        """The changes by a confirmation, with the hold of the account where it has one of its own."""
        return changes if self.hold_seconds is None else {**changes, "capture_before": now + self.hold_seconds}

    def _missing_in_india(self, form: Record) -> str | None:
        """The refusal of an account in India, if a payment lacks what it must state."""
        shipping = form.get("shipping", {})
        if self.country != "IN" or (form.get("description") and shipping.get("name") and shipping.get("address")):
            return None
        what = "a customer name and address" if form.get("description") else "a description"
        rule = f"As per Indian regulations, export transactions require {what}."
        return f"{rule} More info here: https://stripe.com/docs/india-exports"

    def _confirm(self, call: Call, record: Record, form: Record, behaviour: Behaviour) -> Reply:
        if record["state"] not in {CREATED, DECLINED}:
            message = f"You cannot confirm this PaymentIntent because it has a status of {status_of(record)}."
            raise self._unexpected_state(record, message, call.now)
        chosen = {"payment_method": record["payment_method"], **form}
        if chosen["payment_method"] is None:
            message = "You cannot confirm this PaymentIntent because it's missing a payment method."
            raise self._unexpected_state(record, message, call.now)
        _require_return_url({**record, **form}, record["automatic"])
        kept: Record = {
            name: chosen[name] for name in ("payment_method", "return_url", "capture_method") if name in chosen
        }
        confirmation = self._held(confirmed({**record, **kept}, form, behaviour, call.now), call.now)
        changed = self.change_intent(record, **kept, **confirmation)
        self._notify(changed, call, news(changed))
        return self._result(changed, call.now, form.get("expand", []))

    def _capture(self, call: Call, record: Record, form: Record) -> Reply:
        if record["state"] != AUTHORIZED:
            status = status_of(record)
            notified = "it has already been captured" if record["captured"] else f"it has a status of {status}"
            message = f"This PaymentIntent could not be captured because {notified}."
            raise self._unexpected_state(record, message, call.now)
        amount: int = {"amount_to_capture": record["taken"], **form}["amount_to_capture"]
        forms.require_positive("amount_to_capture", amount)
        if amount > record["taken"]:
            message = f"The amount to capture ({amount}) is greater than the capturable amount ({record['taken']})."
            refusal = forms.error_reply(
                400, "invalid_request_error", message, code="amount_too_large", param="amount_to_capture"
            )
            raise RefusedError(refusal, began=True)
        operation = self._operation(call, record, "capture", amount, DONE)
        kept = {k: v for k, v in record.items() if not k.startswith("settles_")}
        metadata = _merged(record["metadata"], call.form.get("metadata", {}))
        changed = self.book(kept, operation, state=CHARGED, captured=amount, taken=amount, metadata=metadata)
        self._notify(changed, call, ["charge.captured", "payment_intent.succeeded"])
        return json_reply(200, self.present(changed, call.now, form.get("expand", [])))

    def cancel_intent(self, call: Call, record: Record, form: Record) -> Reply:
        if record["state"] not in _CANCELABLE:
            message = f"You cannot cancel this PaymentIntent because it has a status of {status_of(record)}."
            raise self._unexpected_state(record, message, call.now)
        changes = {
            "state": CANCELED,
            "canceled_at": int(call.now),
            "cancellation_reason": form.get("cancellation_reason"),
        }
        if record["state"] == AUTHORIZED:
            operation = self._operation(call, record, "void", record["taken"], DONE)
            kept = {k: v for k, v in record.items() if not k.startswith("settles_")}
            changed = self.book(kept, operation, **changes)
        else:
            changed = self.change_intent(record, **changes)
        self._notify(changed, call, ["payment_intent.canceled"])
        return json_reply(200, self.present(changed, call.now, form.get("expand", [])))

    def _approve(self, charge_id: str, now: float) -> Reply:
        """The payer approves at the address of `next_action`."""
        record = self.find(charge_id, now)
        if record is not None and record["state"] == WAITING:
            taken = record["taken"]
            changes = {"state": AUTHORIZED} if record["capture_method"] == "manual" else _paid(taken)
            changed = self.change_intent(record, effect=Effect.CHARGE, **changes)
            self._emit_webhook(changed, QUIET, news(changed), now, now)
        elif record is None or record["state"] not in {CHARGED, AUTHORIZED}:
            return html_reply(404, "<html><body>There is nothing to approve here.</body></html>")
        return html_reply(200, "<html><body>Approved. You may close this page.</body></html>")

    def _settled(self, record: Record, now: float) -> Record:
        if record["state"] == AUTHORIZED and now >= record["capture_before"]:
            ended = {"canceled_at": int(record["capture_before"]), "cancellation_reason": "automatic"}
            return {**record, **ended, "state": CANCELED}
        settled = super()._settled(record, now)
        if settled is not record and settled["state"] == CHARGED:
            settled |= _paid(settled["taken"])
        return settled

    def change_intent(self, record: Record, **changes: Any) -> Record:
        """Change the state and cancel the planned change."""
        kept = {name: value for name, value in record.items() if not name.startswith("settles_")}
        return self.change(kept, **changes)

    def _intent(self, name: str, now: float) -> Record:
        record = self.find(name, now)
        if record is None:
            raise RefusedError(missing("payment_intent", name))
        return record

    def intents(self, now: float) -> list[Record]:
        return sorted(self.charges(now, lambda _: True), key=lambda r: (r["at"], r["id"]), reverse=True)

    def _list_intents(self, query: Record, now: float) -> Reply:
        found = [r for r in self.intents(now) if query.get("customer") in {None, r["customer"]}]
        expand = query.get("expand", [])
        return list_page("/v1/payment_intents", found, query, lambda r: self.present(r, now, expand))

    def _search(self, query: Record, now: float) -> Reply:
        clauses = _clauses(query["query"])
        visible = [r for r in self.intents(now) if now - r["at"] >= self.search_lag_seconds]
        found = [r for r in visible if all(_matches(r, *clause) for clause in clauses)]
        start, limit = _offset(query.get("page")), query.get("limit", 10)
        expand = query.get("expand", [])
        more = len(found) > start + limit
        body = {
            "object": "search_result",
            "url": "/v1/payment_intents/search",
            "has_more": more,
            "next_page": base64.urlsafe_b64encode(str(start + limit).encode()).decode() if more else None,
            "data": [self.present(r, now, expand) for r in found[start : start + limit]],
        }
        return json_reply(200, body)

    def _unexpected_state(self, record: Record, message: str, now: float) -> RefusedError:
        more = {"payment_intent": self.present(record, now)}
        code = "payment_intent_unexpected_state"
        return RefusedError(forms.error_reply(400, "invalid_request_error", message, code=code, **more), began=True)

    def _result(self, record: Record, now: float, expand: list[str]) -> Reply:
        if record["state"] != DECLINED:
            return json_reply(200, self.present(record, now, expand))
        shown = self.present(record, now)
        return json_reply(402, {"error": {**_failure(record), "payment_intent": shown}})

    # -- refunds

    def _refund_target(self, form: Record, now: float) -> Record:
        if "origin" in form or "instructions_email" in form:
            raise forms.refused("Refunds of a customer balance are not modelled here.")
        if "payment_intent" in form:
            return self._intent(form["payment_intent"], now)
        found = [r for r in self.intents(now) if _charge_id(r) == form["charge"]]
        if not found:
            raise RefusedError(missing("charge", form["charge"]))
        return found[0]

    def _create_refund(self, call: Call, form: Record, record: Record, behaviour: Behaviour) -> Reply:
        left = record["captured"] - self.refunded(record, call.now)
        charge = _charge_id(record)
        if record["state"] != CHARGED:
            message = f"This PaymentIntent ({record['id']}) does not have a successful charge to refund."
            raise RefusedError(forms.error_reply(400, "invalid_request_error", message), began=True)
        if record.get("disputed"):
            message = f"Charge {charge} has been charged back; cannot issue a refund."
            refusal = forms.error_reply(400, "invalid_request_error", message, code="charge_disputed")
            raise RefusedError(refusal, began=True)
        if left <= 0:
            message = f"Charge {charge} has already been refunded."
            refusal = forms.error_reply(400, "invalid_request_error", message, code="charge_already_refunded")
            raise RefusedError(refusal, began=True)
        amount: int = form.get("amount", left)
        forms.require_positive("amount", amount)
        if amount > left:
            message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            raise RefusedError(forms.error_reply(400, "invalid_request_error", message, param="amount"), began=True)
        if behaviour.effect in {Effect.HARD_DECLINE, Effect.FUNDS_DECLINE}:
            message = "Insufficient funds in your Stripe balance to refund this amount."
            refusal = forms.error_reply(400, "invalid_request_error", message, code="balance_insufficient")
            raise RefusedError(refusal, began=True)
        state, later = _refund_course(behaviour.effect)
        operation = self._operation(call, record, "refund", amount, state) | {
            "reason": form.get("reason"),
            "metadata": form.get("metadata", {}),
            "charge": charge,
        }
        if later is not None:
            operation |= {"settles_at": call.now + max(later[0], self.refund_seconds), "settles_to": later[1]}
        changed = self.book(record, operation)
        facts = {"subject": operation["id"], "revision": changed["version"], "request": call.origin}
        self.emit_webhook([("refund.created", facts)], call.now, call.now)
        self._notify(changed, call, ["charge.refunded"])
        if later is not None:
            kinds = ["refund.updated", "charge.refund.updated"] + (["refund.failed"] if later[1] == FAILED else [])
            quiet = {**facts, "request": QUIET}
            self.emit_webhook([(kind, quiet) for kind in kinds], operation["settles_at"], call.now)
        return json_reply(200, _present_refund({**operation, "charge_id": record["id"]}))

    def _cancel_refund(self, call: Call, refund: Record) -> Reply:
        if refund["state"] != WAITING:
            message = f"This refund cannot be canceled because it has a status of {_REFUND_STATUSES[refund['state']]}."
            raise RefusedError(forms.error_reply(400, "invalid_request_error", message), began=True)
        changed = self.change_operation(refund, state=CANCELED)
        facts = {"subject": refund["id"], "revision": changed["version"], "request": call.origin}
        self.emit_webhook([("refund.updated", facts), ("charge.refund.updated", facts)], call.now, call.now)
        return json_reply(200, _present_refund(changed))

    def _refund(self, name: str, now: float) -> Record:
        record = self.operation(name, now)
        if record is None or record["kind"] != "refund":
            raise RefusedError(missing("refund", name))
        return record

    def _refunds(self, now: float) -> list[Record]:
        found = [refund for record in self.intents(now) for refund in self.operations_of(record, now, "refund")]
        return sorted(found, key=lambda r: (r["at"], r["id"]), reverse=True)

    def _list_refunds(self, query: Record, now: float) -> Reply:
        wanted = (query.get("payment_intent"), query.get("charge"))
        pairs = [(refund, (refund["charge_id"], refund["charge"])) for refund in self._refunds(now)]
        found = [r for r, names in pairs if all(w in {None, n} for w, n in zip(wanted, names, strict=True))]
        return list_page("/v1/refunds", found, query, _present_refund)

    def _operation(self, call: Call, record: Record, kind: str, amount: int, state: str) -> Record:
        prefix = {"refund": "re_", "capture": "cap_", "void": "void_"}[kind]
        return {
            "id": self.make_id(prefix, record["id"], len(record["operations"]), call.key),
            "kind": kind,
            "reference": call.key or record["reference"],
            "amount": amount,
            "currency": record["currency"],
            "state": state,
            "at": call.now,
        }

    # -- ledger and balance

    def ledger(self, now: float) -> list[Record]:
        """With currencies in capitals, as in the other simulators."""
        return [{**entry, "currency": entry["currency"].upper()} for entry in super().ledger(now)]

    def _list_balance(self, query: Record, now: float) -> Reply:
        wanted = {name: query[name] for name in ("type", "source", "currency") if name in query}
        found = [r for r in self._balance(now) if all(r[name] == value for name, value in wanted.items())]
        found = [] if "payout" in query else found  # the simulator makes no payouts
        sources = self._sources(now) if "source" in query.get("expand", []) else {}

        def present(entry: Record) -> Record:
            shown = {name: value for name, value in entry.items() if name != "at"}
            return {**shown, "source": sources.get(entry["source"], entry["source"])}

        return list_page("/v1/balance_transactions", found, query, present)

    def _sources(self, now: float) -> dict[str, Record]:
        """The objects that `expand` inserts in place of ids."""
        found: dict[str, Record] = {}
        for record in self.intents(now):
            found[_charge_id(record) or ""] = self.present_charge(record, now)
            found |= {refund["id"]: _present_refund(refund) for refund in self.operations_of(record, now, "refund")}
        return found

    def _balance(self, now: float) -> list[Record]:
        found = []
        for record in self.intents(now):
            if record["state"] == CHARGED:
                found.append(_balance_entry(record, "charge", _charge_id(record), record["captured"], record["at"]))
            for refund in self.operations_of(record, now, "refund"):
                if refund["state"] in {DONE, FAILED}:
                    entry = _balance_entry(record, "refund", refund["id"], -refund["amount"], refund["at"])
                    found.append(entry)
                if refund["state"] == FAILED:
                    at: float = {"settles_at": refund["at"], **refund}["settles_at"]
                    found.append(_balance_entry(record, "refund_failure", refund["id"], refund["amount"], at))
        return sorted(found, key=lambda r: (r["at"], r["id"]), reverse=True)

    def _list_events(self, query: Record, now: float) -> Reply:
        kinds = {query["type"]} if "type" in query else set(query.get("types", []))
        found = [
            {**event, "at": event["due"]}
            for event in reversed(self.events(now))
            if now - event["due"] < _EVENT_LIFETIME_SECONDS and (not kinds or event["type"] in kinds)
        ]
        return list_page("/v1/events", found, query, lambda event: json.loads(event["body"]))

    # -- webhooks

    def sign(self, body: bytes, now: float) -> dict[str, str]:
        at = int(now)
        digest = hmac.new(self.webhook_secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return {"content-type": "application/json; charset=utf-8", "stripe-signature": f"t={at},v1={digest}"}

    def render(self, kind: str, event: Record) -> bytes:
        due = event["due"]
        body = {
            "id": event["id"],
            "object": "event",
            "api_version": VERSION,
            "created": int(due),
            "data": {"object": self.render_object(kind, event)},
            "livemode": False,
            "pending_webhooks": 1,
            "request": event["request"],
            "type": kind,
        }
        return json.dumps(body, indent=2).encode()

    def render_object(self, kind: str, event: Record) -> Record:
        """The object of an event, in its state at the event's time."""
        due, subject = event["due"], event["subject"]
        if kind.startswith("payment_intent."):
            return self.present(self._intent(subject, due), due)
        if kind.startswith("charge.") and kind != "charge.refund.updated":
            return self.present_charge(self._intent(subject, due), due)
        return _present_refund(self._refund(subject, due))

    def emit_intent(self, record: Record, kinds: list[str], due: float, now: float) -> None:
        """Emit events of an intent that no request to the API caused."""
        self._emit_webhook(record, QUIET, kinds, due, now)

    def _notify(self, record: Record, call: Call, kinds: list[str]) -> None:
        self._emit_webhook(record, call.origin, kinds, call.now, call.now)
        if "settles_at" in record and record["state"] == PENDING:
            later = {**record, "state": record["settles_to"]}
            self._emit_webhook(later, QUIET, news(later), record["settles_at"], call.now)

    def _emit_webhook(self, record: Record, origin: Record, kinds: list[str], due: float, now: float) -> None:
        facts = {"subject": record["id"], "revision": record["version"], "request": origin}
        self.emit_webhook([(kind, facts) for kind in kinds], due, now)

    # -- objects

    def present(self, record: Record, now: float, expand: list[str] | None = None) -> Record:
        failed = record["state"] == DECLINED
        charge = _charge_id(record)
        intent = {
            "id": record["id"],
            "object": "payment_intent",
            "amount": record["amount"],
            "amount_capturable": record["taken"] if record["state"] == AUTHORIZED else 0,
            "amount_details": {"tip": {}},
            "amount_received": record["captured"],
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": record["automatic"],
            "canceled_at": record.get("canceled_at"),
            "cancellation_reason": record.get("cancellation_reason"),
            "capture_method": record["capture_method"],
            "client_secret": f"{record['id']}_secret_{self.make_id('', record['id'], 'secret')}",
            "confirmation_method": "automatic",
            "created": int(record["at"]),
            "currency": record["currency"],
            **{field: record[field] for field in ECHOED},
            "invoice": None,
            "last_payment_error": _failure(record) if failed else None,
            "latest_charge": charge,
            "livemode": False,
            "metadata": record["metadata"],
            "next_action": self._next_action(record) if record["state"] == WAITING else None,
            "payment_method": None if failed else record["payment_method"],
            "payment_method_types": record["payment_method_types"],
            "processing": None,
            "status": status_of(record),
        }
        if "latest_charge" in (expand or []) and charge:
            intent["latest_charge"] = self.present_charge(record, now)
        return intent

    def _next_action(self, record: Record) -> Record:
        url = self.action_url(record["id"])
        if record["return_url"]:
            return {"type": "redirect_to_url", "redirect_to_url": {"return_url": record["return_url"], "url": url}}
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url}}

    def present_charge(self, record: Record, now: float) -> Record:
        failed = record["state"] == DECLINED
        paid = record["state"] in {CHARGED, AUTHORIZED}
        refunded = self.refunded(record, now)
        failure = _failure(record) if failed else {}
        return {
            "id": _charge_id(record),
            "object": "charge",
            "amount": record["amount"],
            "amount_captured": record["captured"],
            "amount_refunded": refunded,
            "balance_transaction": None if not record["captured"] else self.make_id("txn_", _charge_id(record)),
            "billing_details": {"address": None, "email": None, "name": None, "phone": None},
            "captured": record["captured"] > 0,
            "created": int(record["at"]),
            "currency": record["currency"],
            "customer": record["customer"],
            "description": record["description"],
            "disputed": False,
            "failure_code": failure.get("code"),
            "failure_message": failure.get("message"),
            "livemode": False,
            "metadata": record["metadata"],
            "outcome": {
                "network_status": "declined_by_network" if failed else "approved_by_network",
                "reason": failure.get("decline_code"),
                "type": "issuer_declined" if failed else "authorized",
            },
            "paid": paid,
            "payment_intent": record["id"],
            "payment_method": record["payment_method"],
            "payment_method_details": {"type": "card", "card": _card_details(record)},
            "receipt_email": record["receipt_email"],
            "refunded": 0 < record["captured"] <= refunded,
            "status": "succeeded" if paid else "failed" if failed or record["state"] == CANCELED else "pending",
        }


# -- parameters of requests

ECHOED: Final = (
    "customer",
    "description",
    "on_behalf_of",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
_ONLY_WITH_CONFIRM: Final = ("return_url", "off_session", "error_on_requires_action", "mandate", "mandate_data")


_CAPTURE_METHOD: Final = forms.enum("automatic", "automatic_async", "manual")
_CONFIRMING: Final[dict[str, Checker]] = {
    "capture_method": _CAPTURE_METHOD,
    "error_on_requires_action": forms.boolean,
    "expand": forms.expand,
    "mandate": forms.text(),
    "mandate_data": forms.any_object,
    "off_session": forms.off_session,
    "payment_method": forms.text(),
    "payment_method_data": forms.any_object,
    "payment_method_options": forms.any_object,
    "payment_method_types": forms.texts,
    "radar_options": forms.any_object,
    "receipt_email": forms.text(),
    "return_url": forms.text(),
    "setup_future_usage": forms.enum("off_session", "on_session"),
    "shipping": forms.shipping,
    "use_stripe_sdk": forms.boolean,
}
_CONFIRM: Final[dict[str, Checker]] = _CONFIRMING | {"client_secret": forms.text()}
_CREATE: Final[dict[str, Checker]] = _CONFIRMING | {
    "amount": forms.integer,
    "application_fee_amount": forms.integer,
    "automatic_payment_methods": forms.automatic,
    "confirm": forms.boolean,
    "confirmation_method": forms.enum("automatic", "manual"),
    "currency": forms.currency,
    "customer": forms.text(),
    "description": forms.text(1000),
    "metadata": forms.metadata,
    "on_behalf_of": forms.text(),
    "payment_method_configuration": forms.text(100),
    "statement_descriptor": forms.text(22),
    "statement_descriptor_suffix": forms.text(22),
    "transfer_data": forms.any_object,
    "transfer_group": forms.text(),
}
_CAPTURE: Final[dict[str, Checker]] = {
    "amount_to_capture": forms.integer,
    "application_fee_amount": forms.integer,
    "expand": forms.expand,
    "final_capture": forms.boolean,
    "metadata": forms.metadata,
    "statement_descriptor": forms.text(22),
    "statement_descriptor_suffix": forms.text(22),
    "transfer_data": forms.any_object,
}
_CANCEL: Final[dict[str, Checker]] = {
    "cancellation_reason": forms.enum("abandoned", "duplicate", "fraudulent", "requested_by_customer"),
    "expand": forms.expand,
}
_REFUND: Final[dict[str, Checker]] = {
    "amount": forms.integer,
    "charge": forms.text(),
    "currency": forms.currency,
    "customer": forms.text(),
    "expand": forms.expand,
    "instructions_email": forms.text(),
    "metadata": forms.metadata,
    "origin": forms.enum("customer_balance"),
    "payment_intent": forms.text(),
    "reason": forms.enum("duplicate", "fraudulent", "requested_by_customer"),
    "refund_application_fee": forms.boolean,
    "reverse_transfer": forms.boolean,
}
LIST_QUERY: Final[dict[str, Checker]] = {
    "created": forms.created,
    "ending_before": forms.text(),
    "expand": forms.expand,
    "limit": forms.limit,
    "starting_after": forms.text(),
}
_SEARCH_QUERY: Final[dict[str, Checker]] = {
    "expand": forms.expand,
    "limit": forms.limit,
    "page": forms.text(),
    "query": forms.text(),
}


def _creation(form: Record, behaviour: Behaviour) -> Behaviour:
    """Check the rules between the parameters of a creation. Without confirmation nothing is charged yet."""
    forms.require_amount(form["amount"], form["currency"])
    automatic = form.get("automatic_payment_methods")
    if "payment_method_types" in form and automatic and automatic["enabled"]:
        message = "You may only specify one of these parameters: automatic_payment_methods, payment_method_types."
        raise forms.refused(message, param="automatic_payment_methods")
    if not form.get("confirm"):
        for name in _ONLY_WITH_CONFIRM:
            if name in form:
                raise forms.refused(f"The parameter `{name}` needs `confirm` set to true.", param=name)
        return Behaviour(Effect.CHARGE, behaviour.answer)
    if "payment_method" not in form:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise forms.refused(message, code="parameter_missing", param="payment_method")
    if form.get("off_session") and form.get("setup_future_usage"):
        raise forms.refused("You cannot use off_session and setup_future_usage together.", param="setup_future_usage")
    _require_return_url(form, automatic or _default_methods(form))
    return behaviour


def _default_methods(form: Record) -> Record | None:
    """Since 2023-08-16 an intent without a list of types allows all types of the Dashboard, redirects included."""
    return None if "payment_method_types" in form else {"enabled": True, "allow_redirects": "always"}


def _require_return_url(form: Record, automatic: Record | None) -> None:
    """A confirmation that may redirect the payer needs a return address."""
    redirects = automatic is not None and automatic["enabled"] and automatic["allow_redirects"] == "always"
    if redirects and not form.get("return_url") and not form.get("off_session"):
        raise forms.refused(
            "This PaymentIntent is configured to accept payment methods that might redirect your customer: provide a "
            "`return_url`, or set `automatic_payment_methods[allow_redirects]` to `never`.",
            param="return_url",
        )


def _merged(metadata: Record, given: Record | str) -> Record:
    """The metadata after a request; an empty value removes one key, or all of them."""
    if isinstance(given, str):
        return {}
    return {name: value for name, value in {**metadata, **given}.items() if value}


# -- states


def confirmed(record: Record, form: Record, behaviour: Behaviour, now: float) -> Record:
    """The changes of an intent by a confirmation."""
    effect = behaviour.effect
    alone = bool(form.get("off_session")) or bool(form.get("error_on_requires_action"))
    taken = record["amount"] + (1 if effect is Effect.WRONG_AMOUNT else 0)
    success = {"state": AUTHORIZED} if record["capture_method"] == "manual" else _paid(taken)
    hold_seconds = _UNATTENDED_HOLD_SECONDS if form.get("off_session") else _HOLD_SECONDS
    changes: Record = {
        "effect": effect,
        "taken": taken,
        "tries": record["tries"] + 1,
        "capture_before": now + hold_seconds,
    }
    if effect in {Effect.CHARGE, Effect.WRONG_AMOUNT}:
        return changes | success
    if effect is Effect.LATER_CHARGE:
        return changes | {"state": PENDING, "settles_at": now + ASYNC_SECONDS, "settles_to": success["state"]}
    if effect is Effect.LATER_DECLINE:
        return changes | {"state": PENDING, "settles_at": now + ASYNC_SECONDS, "settles_to": DECLINED}
    if effect is Effect.ACTION and not alone:
        return changes | {"state": WAITING}
    return changes | {"state": DECLINED}


def _paid(taken: int) -> Record:
    return {"state": CHARGED, "captured": taken}


def _refund_course(effect: Effect) -> tuple[str, tuple[float, str] | None]:
    """The present and the planned state of a refund. A failure may follow a success."""
    match effect:
        case Effect.LATER_CHARGE:
            return PENDING, (ASYNC_SECONDS, DONE)
        case Effect.LATER_DECLINE:
            return PENDING, (ASYNC_SECONDS, FAILED)
        case Effect.REOPENED_DECLINE:
            return DONE, (REOPEN_SECONDS, FAILED)
        case Effect.ACTION:
            return WAITING, None
        case _:
            return DONE, None


def news(record: Record) -> list[str]:
    """The events of an intent that has just changed its state."""
    return {
        CHARGED: ["charge.succeeded", "payment_intent.succeeded"],
        AUTHORIZED: ["charge.succeeded", "payment_intent.amount_capturable_updated"],
        DECLINED: ["charge.failed", "payment_intent.payment_failed"],
        PENDING: ["payment_intent.processing"],
        WAITING: ["payment_intent.requires_action"],
    }.get(record["state"], [])


def status_of(record: Record) -> str:
    if record["state"] == CREATED:
        return "requires_confirmation" if record["payment_method"] else "requires_payment_method"
    return _STATUSES[record["state"]]


def _charge_id(record: Record) -> str | None:
    """The id of the current charge. A waiting intent has none yet; a new confirmation makes a new one."""
    if not record["tries"] or record["state"] == WAITING:
        return None
    return f"ch_{record['id'].removeprefix('pi_')}{record['tries']}"


def _failure(record: Record) -> Record:
    code, decline, advice, message = _FAILURES[Effect(record["effect"])]
    failure = {
        "type": "card_error",
        "code": code,
        "decline_code": decline,
        "message": message,
        "charge": _charge_id(record),
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "payment_method": {
            "id": record["payment_method"],
            "object": "payment_method",
            "type": "card",
            "billing_details": {"address": None, "email": None, "name": None, "phone": None},
            "created": int(record["at"]),
            "livemode": False,
        },
    }
    return failure | ({"advice_code": advice} if advice else {})


def _card_details(record: Record) -> Record:
    held = {"capture_before": int(record["capture_before"])} if record["state"] == AUTHORIZED else {}
    return {"brand": "visa", "country": "US", "funding": "credit", "last4": "4242", **held}


def _present_refund(refund: Record) -> Record:
    shown = {
        "id": refund["id"],
        "object": "refund",
        "amount": refund["amount"],
        "balance_transaction": None,
        "charge": refund["charge"],
        "created": int(refund["at"]),
        "currency": refund["currency"],
        "metadata": refund["metadata"],
        "payment_intent": refund["charge_id"],
        "reason": refund["reason"],
        "receipt_number": None,
        "status": _REFUND_STATUSES[refund["state"]],
    }
    return shown | ({"failure_reason": "lost_or_stolen_card"} if refund["state"] == FAILED else {})


def _balance_entry(record: Record, kind: str, source: str | None, amount: int, at: float) -> Record:
    fee = amount * 29 // 1000 + 30 if kind == "charge" else 0
    return {
        "at": at,
        "id": f"txn_{hashlib.sha256(f'{kind}|{source}'.encode()).hexdigest()[:16]}",
        "object": "balance_transaction",
        "amount": amount,
        "available_on": int(at) + 2 * 24 * 3600,
        "created": int(at),
        "currency": record["currency"],
        "description": record["description"],
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [{"amount": fee, "currency": record["currency"], "type": "stripe_fee"}] if fee else [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source,
        "status": "pending",
        "type": kind,
    }


# -- lists and searches


def list_page(url: str, records: list[Record], query: Record, present: Callable[[Record], Record]) -> Reply:
    """Newest first, with Stripe's cursors."""
    bounds = query.get("created", {})
    tests: dict[str, Callable[[float, int], bool]] = {
        "gt": lambda at, bound: int(at) > bound,
        "gte": lambda at, bound: int(at) >= bound,
        "lt": lambda at, bound: int(at) < bound,
        "lte": lambda at, bound: int(at) <= bound,
    }
    found = [r for r in records if all(tests[name](r["at"], bound) for name, bound in bounds.items())]
    names, limit = [r["id"] for r in found], query.get("limit", 10)
    for cursor in ("starting_after", "ending_before"):
        if cursor in query and query[cursor] not in names:
            raise forms.refused(f"No such object: '{query[cursor]}'", code="resource_missing", param=cursor)
    if "starting_after" in query:
        found = found[names.index(query["starting_after"]) + 1 :]
    more = len(found) > limit
    if "ending_before" in query:
        found = found[: names.index(query["ending_before"])]
        more, found = len(found) > limit, found[-limit:]
    body = {"object": "list", "url": url, "has_more": more, "data": [present(r) for r in found[:limit]]}
    return json_reply(200, body)


def _clauses(query: str) -> list[tuple[str, str, str]]:
    """Field, metadata key, value. Only exact matches joined by AND are implemented."""
    found: list[tuple[str, str, str]] = []
    rest = query.strip()
    while rest or not found:
        match = _CLAUSE.match(rest)
        if match is None or (match["key"] is None and match["field"] not in _SEARCHABLE):
            raise forms.refused("We were unable to parse your search query.", param="query")
        value = match["number"] if match["text"] is None else _unescaped(match["text"])
        found.append((match["field"].partition("[")[0], _unescaped(match["key"] or ""), value))
        rest = rest[match.end() :]
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _matches(record: Record, field: str, key: str, value: str) -> bool:
    if field == "metadata":
        return bool(record["metadata"].get(key) == value)
    return str(status_of(record) if field == "status" else record[field]) == value


def _offset(page: str | None) -> int:
    if page is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(page))
    except ValueError:
        raise forms.refused("Invalid page.", param="page") from None


# -- answers


def _documented_refusal(path: str) -> RefusedError:
    """A refusal before execution with the code that the call's documentation has."""
    kind = "invalid_request_error"
    if path == "/v1/payment_intents":
        message = "The payment method cannot be used in its state."
        return RefusedError(
            forms.error_reply(400, kind, message, code="payment_method_unexpected_state", param="payment_method")
        )
    if path == "/v1/refunds":
        message = "Insufficient funds in your Stripe balance to refund this amount."
        return RefusedError(forms.error_reply(400, kind, message, message_code="insufficient_balance_for_refund"))
    return RefusedError(forms.error_reply(400, kind, "The capability is not active.", code="capability_not_active"))


def _replay(stored: Record, path: str, content: str, now: float) -> Reply:
    if stored["path"] != path:
        message = (
            f"Keys for idempotent requests can only be used for the same endpoint ('{stored['path']}' vs '{path}')."
        )
        return forms.error_reply(400, "idempotency_error", message)
    if stored["content"] != content:
        message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        return forms.error_reply(400, "idempotency_error", message)
    if now < stored["busy_until"]:
        message = "There is currently another in-progress request using this Stripe-Idempotency-Key."
        return forms.error_reply(409, "idempotency_error", message, code="idempotency_key_in_use")
    reply = _raw(stored["body"], stored["status"])
    return replace(reply, headers={**reply.headers, "idempotent-replayed": "true"})


def _raw(body: str, status: int = 200) -> Reply:
    return Reply(status=status, body=body.encode(), headers={"content-type": "application/json"})


def missing(kind: str, name: str) -> Reply:
    param = "intent" if kind == "payment_intent" else kind
    return forms.error_reply(
        404, "invalid_request_error", f"No such {kind}: '{name}'", code="resource_missing", param=param
    )


def _unknown_url(request: Request) -> RefusedError:
    message = f"Unrecognized request URL ({request.method}: {request.path})."
    return RefusedError(forms.error_reply(404, "invalid_request_error", message))


def _rate_limited() -> Reply:
    reply = forms.error_reply(429, "invalid_request_error", "Request rate limit exceeded.", code="rate_limit")
    return replace(reply, headers={**reply.headers, "stripe-rate-limited-reason": "global-rate"})
