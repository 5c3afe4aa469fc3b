"""Stripe's Checkout Sessions in `payment` mode, beside the intents. Facts about Stripe that are reproduced here:

* The intent is created when the payer first confirms; until then `payment_intent` is null (since 2022-08-01).
* A failed try leaves the session open and its intent in `requires_payment_method`: the payer tries again.
* Only an open session can be expired. A bank that is processing a try goes on, and may pay afterwards.
* `expires_at` is 30 minutes to 24 hours after the request.
* The intent of a session cannot be cancelled, except when it is authorized.
"""

import re
from typing import Any, Final

from sandbox import stripe_forms as forms
from sandbox.behaviours import Behaviour, Effect
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
)
from sandbox.http_types import Reply, Request, json_reply
from sandbox.simulator import CANCELED, CHARGE, CHARGED, DECLINED, PENDING
from sandbox.store import Record
from sandbox.stripe import (
    AUTHORIZED,
    CREATED,
    ECHOED,
    LIST_QUERY,
    QUIET,
    Call,
    StripeSimulator,
    confirmed,
    list_page,
    missing,
    news,
)
from sandbox.stripe_forms import Checker, RefusedError

SESSIONS: Final = "/v1/checkout/sessions"

_SESSION: Final = "session"
_SESSION_PATH: Final = re.compile(r"/v1/checkout/sessions/(cs_[0-9A-Za-z_]+)(/expire)?")
_MIN_LIFETIME_SECONDS: Final = 30 * 60
_MAX_LIFETIME_SECONDS: Final = 24 * 3600
_TAKEN: Final = frozenset({CHARGED, AUTHORIZED})
_ENDED: Final = _TAKEN | {CANCELED}
"""The states of an intent whose session is complete. Only an authorized intent of a session can be cancelled."""


class StripeHostedSimulator(StripeSimulator):
    """The simulator of Stripe with its hosted page."""

    # -- the API

    def answer(self, request: Request, now: float) -> Reply:
        reply = super().answer(request, now)
        call = _hosted_call(request)
        return answered(self.store, call, reply) if call else reply

    def get(self, request: Request, now: float) -> Reply:
        query = forms.nest(request.query.items())
        if request.path == SESSIONS:
            return self._list_sessions(forms.check(query, _SESSIONS_QUERY), now)
        if request.path == "/v1/charges":
            return self._list_charges(forms.check(query, LIST_QUERY | {"payment_intent": forms.text()}), now)
        match = _SESSION_PATH.fullmatch(request.path)
        if match and not match[2]:
            expand = forms.check(query, {"expand": _expand}).get("expand", [])
            return json_reply(200, self._present_session(self._session(match[1]), now, expand))
        return super().get(request, now)

    def action(self, request: Request, call: Call) -> tuple[Behaviour, Any]:
        plain = Behaviour(Effect.CHARGE)
        if request.path == SESSIONS:
            form = forms.check(call.form, SESSION_CREATE, ("mode", "line_items", "success_url"))
            line = _checked_session(form, call.now)
            return plain, lambda: self._create_session(call, form, line)
        match = _SESSION_PATH.fullmatch(request.path)
        if match and match[2]:
            session = self._session(match[1])
            forms.check(call.form, {"expand": _expand})
            return plain, lambda: self._expire(session, call.now)
        return super().action(request, call)

    def _create_session(self, call: Call, form: Record, line: Record) -> Reply:
        name = self.make_id("cs_test_", call.send_key if call.key else self.count(_SESSION))
        session: Record = {
            "id": name,
            "key": call.key,
            "at": call.now,
            "form": form,
            "amount": line["amount"],
            "currency": line["currency"],
            "name": line["name"],
            "expires_at": form.get("expires_at", int(call.now) + _MAX_LIFETIME_SECONDS),
            "expired_at": None,
            "intent": None,
        }
        self.store.put(_SESSION, name, session)
        return json_reply(200, self._present_session(session, call.now, form.get("expand", [])))

    def _expire(self, session: Record, now: float) -> Reply:
        status = self._session_status(session, now)
        if status != "open":
            message = (
                'Only Checkout Sessions with a status in ["open"] can be expired. '
                f"This Checkout Session has a status of `{status}`."
            )
            raise RefusedError(forms.error_reply(400, "invalid_request_error", message), began=True)
        changed = self._change_session(session, expired_at=now)
        self._emit_session(changed, "checkout.session.expired", now, now)
        return json_reply(200, self._present_session(changed, now))

    def cancel_intent(self, call: Call, record: Record, form: Record) -> Reply:
        """As for every intent, but the payer's own page must be expired instead."""
        if record.get("session") and record["state"] != AUTHORIZED:
            message = (
                "You cannot cancel this PaymentIntent, because it belongs to a Checkout Session. Expire it instead."
            )
            raise RefusedError(forms.error_reply(400, "invalid_request_error", message), began=True)
        return super().cancel_intent(call, record, form)

    def _list_sessions(self, query: Record, now: float) -> Reply:
        sessions = sorted(self.store.all(_SESSION), key=lambda found: (found["at"], found["id"]), reverse=True)
        wanted = query.get("payment_intent"), query.get("status")
        found = [
            session
            for session in sessions
            if wanted[0] in {None, session["intent"]} and wanted[1] in {None, self._session_status(session, now)}
        ]
        expand = query.get("expand", [])
        return list_page(SESSIONS, found, query, lambda session: self._present_session(session, now, expand))

    def _list_charges(self, query: Record, now: float) -> Reply:
        """Each try of an intent is a charge; the simulator keeps the state of the last one only."""
        found = []
        for record in self.intents(now):
            if query.get("payment_intent") in {None, record["id"]} and record["tries"]:
                shown = self.present_charge(record, now)
                earlier = [
                    {**shown, "id": f"{shown['id']}_{number}", "status": "failed", "paid": False, "captured": False}
                    for number in range(record["tries"] - 1, 0, -1)
                ]
                found += [{**record, "id": charge["id"], "shown": charge} for charge in (shown, *earlier)]
        return list_page("/v1/charges", found, query, lambda charge: charge["shown"])

    # -- the page

    def answer_page(self, request: Request, now: float) -> Reply:
        asked = page_request_of(request)
        session = self.store.get(_SESSION, asked.object_id) if asked else None
        if asked is None or session is None:
            return no_page()
        if asked.act is None:
            return show(self._page(session, now))
        if asked.act is Act.LEAVE:
            return see_other(session["form"].get("cancel_url") or session["form"]["success_url"])
        if self._page_state(session, now) is PageState.OPEN:
            session = self._try(session, asked, now)
        is_paid = self._page_state(session, now) is PageState.PAID
        return see_other(session["form"]["success_url"] if is_paid else page_url(self.public_url, session["id"]))

    def _page(self, session: Record, now: float) -> HostedPage:
        intent = self._intent_of(session, now)
        failed = intent is not None and intent["state"] == DECLINED
        return HostedPage(
            provider=self.name,
            amount=session["amount"],
            currency=session["currency"],
            methods=("card",),
            state=self._page_state(session, now),
            description=session["name"],
            error="Your card was declined. Please try another one." if failed else "",
            back_url=session["form"]["success_url"],
        )

    def _page_state(self, session: Record, now: float) -> PageState:
        intent = self._intent_of(session, now)
        if intent is not None and intent["state"] == PENDING:
            return PageState.PROCESSING
        states = {"open": PageState.OPEN, "complete": PageState.PAID, "expired": PageState.CLOSED}
        return states[self._session_status(session, now)]

    def _try(self, session: Record, asked: PageRequest, now: float) -> Record:
        """One try of the payer: it confirms the session's intent."""
        act = asked.act or Act.PAY
        record = self._intent_of(session, now)
        if record is None:
            record = self._new_intent(session, now)
            session = self._change_session(session, intent=record["id"])
        paying = {**record, "payment_method": "pm_card_visa"}
        changes = confirmed(paying, {}, act.behaviour, now)
        if changes["state"] == PENDING:
            changes["settles_at"] = now + act.bank_seconds
        changed = self.change_intent(record, payment_method="pm_card_visa", **changes)
        self.emit_intent(changed, news(changed), now, now)
        if changed["state"] in _TAKEN:
            self._emit_session(session, "checkout.session.completed", now, now)
        if changed["state"] == PENDING:
            later = {**changed, "state": changed["settles_to"]}
            self.emit_intent(later, news(later), changed["settles_at"], now)
            self._emit_session(session, "checkout.session.async_payment_succeeded", changed["settles_at"], now)
        return session

    def _new_intent(self, session: Record, now: float) -> Record:
        form: Record = session["form"]
        data = form.get("payment_intent_data", {})
        name = self.make_id("pi_", session["id"])
        record: Record = {
            "id": name,
            "key": session["key"],
            "reference": form.get("client_reference_id") or session["id"],
            "amount": session["amount"],
            "currency": session["currency"],
            "capture_method": data.get("capture_method", "automatic"),
            "payment_method": None,
            "payment_method_types": form.get("payment_method_types", ["card"]),
            "automatic": None,
            "metadata": data.get("metadata", {}),
            "return_url": None,
            **{field: data.get(field) for field in ECHOED},
            "customer": form.get("customer"),
            "session": session["id"],
            "effect": Effect.CHARGE,
            "state": CREATED,
            "taken": 0,
            "captured": 0,
            "tries": 0,
            "at": now,
            "operations": [],
        }
        self.store.put(CHARGE, name, record)
        created = {**record, "version": 1}
        self.emit_intent(created, ["payment_intent.created"], now, now)
        return created

    # -- sessions

    def _session(self, name: str) -> Record:
        session = self.store.get(_SESSION, name)
        if session is None:
            raise RefusedError(missing("checkout.session", name))
        return session

    def _change_session(self, session: Record, **changes: Any) -> Record:
        stored = self.store.get(_SESSION, session["id"]) or session
        changed = {**stored, **changes}
        self.store.put(_SESSION, session["id"], changed)
        return {**changed, "version": stored["version"] + 1}

    def _intent_of(self, session: Record, now: float) -> Record | None:
        return self.find(session["intent"], now) if session["intent"] else None

    def _session_status(self, session: Record, now: float) -> str:
        """Complete once its intent took or held the money; a session that was expired before stays expired."""
        if session["expired_at"] is not None:
            return "expired"
        intent = self._intent_of(session, now)
        if intent is not None and intent["state"] in _ENDED:
            return "complete"
        return "expired" if now >= session["expires_at"] else "open"

    def events(self, now: float) -> list[Record]:
        """A session that nobody paid expires at its time, with an event."""
        for session in self.store.all(_SESSION):
            lapsed = session["expired_at"] is None and self._session_status(session, now) == "expired"
            if lapsed:
                changed = self._change_session(session, expired_at=float(session["expires_at"]))
                self._emit_session(changed, "checkout.session.expired", changed["expired_at"], now)
        return super().events(now)

    def render_object(self, kind: str, event: Record) -> Record:
        if kind.startswith("checkout.session."):
            return self._present_session(self._session(event["subject"]), event["due"])
        return super().render_object(kind, event)

    def _emit_session(self, session: Record, kind: str, due: float, now: float) -> None:
        facts = {"subject": session["id"], "revision": session.get("version", 1), "request": QUIET}
        self.emit_webhook([(kind, facts)], due, now)

    def _present_session(self, session: Record, now: float, expand: list[str] | None = None) -> Record:
        form, status = session["form"], self._session_status(session, now)
        intent = self._intent_of(session, now)
        shown: str | Record | None = session["intent"]
        if intent is not None and any(item.startswith("payment_intent") for item in expand or []):
            inner = [item.removeprefix("payment_intent.") for item in expand or []]
            shown = self.present(intent, now, inner)
        is_paid = intent is not None and intent["state"] == CHARGED
        return {
            "id": session["id"],
            "object": "checkout.session",
            "after_expiration": form.get("after_expiration"),
            "allow_promotion_codes": form.get("allow_promotion_codes"),
            "amount_subtotal": session["amount"],
            "amount_total": session["amount"],
            "automatic_tax": {"enabled": False, "liability": None, "status": None},
            "billing_address_collection": form.get("billing_address_collection"),
            "cancel_url": form.get("cancel_url"),
            "client_reference_id": form.get("client_reference_id"),
            "client_secret": None,
            "consent": None,
            "consent_collection": None,
            "created": int(session["at"]),
            "currency": session["currency"],
            "currency_conversion": None,
            "custom_fields": [],
            "custom_text": {"after_submit": None, "shipping_address": None, "submit": None},
            "customer": form.get("customer"),
            "customer_creation": "if_required",
            "customer_details": None,
            "customer_email": form.get("customer_email"),
            "expires_at": session["expires_at"],
            "invoice": None,
            "invoice_creation": None,
            "livemode": False,
            "locale": form.get("locale"),
            "metadata": form.get("metadata", {}),
            "mode": "payment",
            "payment_intent": shown,
            "payment_link": None,
            "payment_method_collection": "if_required",
            "payment_method_configuration_details": None,
            "payment_method_options": {},
            "payment_method_types": form.get("payment_method_types", ["card"]),
            "payment_status": "paid" if is_paid else "unpaid",
            "phone_number_collection": {"enabled": False},
            "recovered_from": None,
            "setup_intent": None,
            "shipping_address_collection": None,
            "shipping_cost": None,
            "shipping_details": None,
            "shipping_options": [],
            "status": status,
            "submit_type": form.get("submit_type"),
            "subscription": None,
            "success_url": form["success_url"],
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            "ui_mode": "hosted",
            "url": page_url(self.public_url, session["id"]) if status == "open" else None,
        }


def _hosted_call(request: Request) -> HostedCall | None:
    match = _SESSION_PATH.fullmatch(request.path)
    if request.path == SESSIONS:
        return HostedCall.CREATE if request.method == "POST" else HostedCall.READ
    if match is None:
        return None
    return HostedCall.CLOSE if match[2] else HostedCall.READ


def _checked_session(form: Record, now: float) -> Record:
    """Check the rules between the parameters; return amount, currency and name of the only line."""
    lifetime_seconds = form.get("expires_at", now + _MAX_LIFETIME_SECONDS) - now
    if not _MIN_LIFETIME_SECONDS <= lifetime_seconds <= _MAX_LIFETIME_SECONDS:
        message = "The `expires_at` timestamp must be at least 30 minutes, and less than 24 hours, from creation."
        raise forms.refused(message, param="expires_at")
    if "customer" in form and "customer_email" in form:
        raise forms.refused("You may only specify one of these parameters: customer, customer_email.", param="customer")
    (line, *others) = form["line_items"]
    if others:
        raise forms.refused("Several lines are not modelled here.", param="line_items")
    price = line["price_data"]
    amount = price["unit_amount"] * line["quantity"]
    forms.require_amount(amount, price["currency"])
    return {"amount": amount, "currency": price["currency"], "name": price["product_data"]["name"]}


# -- parameters


def _expand(name: str, value: Any) -> list[str]:
    found = [item.removeprefix("data.") for item in forms.texts(name, value)]
    for item in found:
        if item not in {"payment_intent", "payment_intent.latest_charge"}:
            raise forms.refused(f"This property cannot be expanded ({item}).", param=name)
    return found


def _lines(name: str, value: Any) -> list[Record]:
    if not isinstance(value, list) or not value:
        raise forms.refused("Invalid array", param=name)
    return [forms.check(forms.any_object(name, item), _LINE, ("price_data", "quantity"), within=name) for item in value]


def _price(name: str, value: Any) -> Record:
    return forms.check(forms.any_object(name, value), _PRICE, ("currency", "product_data", "unit_amount"), within=name)


def _product(name: str, value: Any) -> Record:
    return forms.check(forms.any_object(name, value), _PRODUCT, ("name",), within=name)


def _switch(name: str, value: Any) -> Record:
    """An optional feature. The simulator has none of them: they must be off."""
    found = forms.check(forms.any_object(name, value), {"enabled": forms.boolean}, ("enabled",), within=name)
    if found["enabled"]:
        raise forms.refused(f"{name} is not modelled here.", param=name)
    return found


def _recovery(name: str, value: Any) -> Record:
    return forms.check(forms.any_object(name, value), {"recovery": _switch}, within=name)


def _intent_data(name: str, value: Any) -> Record:
    return forms.check(forms.any_object(name, value), _INTENT_DATA, within=name)


_PRODUCT: Final[dict[str, Checker]] = {
    "name": forms.text(250),
    "description": forms.text(),
    "images": forms.texts,
    "metadata": forms.metadata,
    "tax_code": forms.text(),
}
_PRICE: Final[dict[str, Checker]] = {
    "currency": forms.currency,
    "product_data": _product,
    "unit_amount": forms.integer,
    "tax_behavior": forms.text(),
}
_LINE: Final[dict[str, Checker]] = {
    "adjustable_quantity": _switch,
    "price_data": _price,
    "quantity": forms.integer,
}
_INTENT_DATA: Final[dict[str, Checker]] = {
    "application_fee_amount": forms.integer,
    "capture_method": forms.enum("automatic", "automatic_async", "manual"),
    "description": forms.text(1000),
    "metadata": forms.metadata,
    "on_behalf_of": forms.text(),
    "receipt_email": forms.text(),
    "setup_future_usage": forms.enum("off_session", "on_session"),
    "shipping": forms.shipping,
    "statement_descriptor": forms.text(22),
    "statement_descriptor_suffix": forms.text(22),
    "transfer_data": forms.any_object,
    "transfer_group": forms.text(),
}
_NOT_READ: Final = (
    *("consent_collection", "custom_fields", "custom_text", "customer_update", "discounts", "payment_method_options"),
    *("setup_intent_data", "shipping_address_collection", "shipping_options", "subscription_data"),
)
SESSION_CREATE: Final[dict[str, Checker]] = dict.fromkeys(_NOT_READ, forms.any_object) | {
    "adaptive_pricing": _switch,
    "after_expiration": _recovery,
    "allow_promotion_codes": forms.boolean,
    "automatic_tax": _switch,
    "billing_address_collection": forms.enum("auto", "required"),
    "cancel_url": forms.text(),
    "client_reference_id": forms.text(200),
    "currency": forms.currency,
    "customer": forms.text(),
    "customer_creation": forms.enum("always", "if_required"),
    "customer_email": forms.text(),
    "expand": _expand,
    "expires_at": forms.integer,
    "invoice_creation": _switch,
    "line_items": _lines,
    "locale": forms.text(),
    "metadata": forms.metadata,
    "mode": forms.enum("payment"),
    "payment_intent_data": _intent_data,
    "payment_method_collection": forms.enum("always", "if_required"),
    "payment_method_configuration": forms.text(100),
    "payment_method_types": forms.texts,
    "phone_number_collection": _switch,
    "redirect_on_completion": forms.enum("always", "if_required", "never"),
    "return_url": forms.text(),
    "submit_type": forms.enum("auto", "book", "donate", "pay"),
    "success_url": forms.text(),
    "tax_id_collection": _switch,
    "ui_mode": forms.enum("embedded", "hosted"),
}
_SESSIONS_QUERY: Final[dict[str, Checker]] = LIST_QUERY | {
    "customer": forms.text(),
    "expand": _expand,
    "payment_intent": forms.text(),
    "status": forms.enum("complete", "expired", "open"),
}
