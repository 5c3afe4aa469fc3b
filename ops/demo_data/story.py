"""The week that the data tells: what is paid and how it ends, what breaks meanwhile, and what operators do about it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from ops.demo_data.world import World
from sandbox.ledger import Webhook
from sandbox.simulators import ALL
from simulation.providers import Outage
from simulation.workload import Order, Step, Wish

PROVIDERS: Final = tuple(ALL)
"""Where the merchant needs accounts: something happens at each of them."""
DAYS: Final = 7
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
KEY_PREFIX: Final = "demo-data-"
HEALTHY_ENDPOINT: Final = "https://shop.example.com/hooks/payflowx"
LOST_ENDPOINT: Final = "https://ledger.example.com/hooks/payflowx"

_HOURS: Final = (1, 1, 1, 1, 1, 1, 2, 3, 5, 7, 9, 9, 8, 8, 8, 8, 9, 10, 10, 9, 7, 5, 3, 2)
"""How busy each hour of a day is, in UTC."""
_REFUND: Final = (Step(Wish.REFUND, wait_ms=HOUR_MS),)
_PART_REFUND: Final = (Step(Wish.REFUND, share=0.3, wait_ms=HOUR_MS), Step(Wish.REFUND, share=0.2, wait_ms=HOUR_MS))
_CAPTURE: Final = (Step(Wish.CAPTURE, wait_ms=HOUR_MS),)
_PART_CAPTURE: Final = (Step(Wish.CAPTURE, share=0.4, wait_ms=HOUR_MS),)
_RELEASE: Final = (Step(Wish.CANCEL, wait_ms=HOUR_MS),)
_UNTOUCHED: Final = dict.fromkeys(("concurrent", "later", "other", "cancel", "pause", "erase"), 1.0)
"""The merchant's software asks once, and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """So many payments alike. `days` is their age, oldest first; None of `currency` draws one.

    `card` is a token of the simulators. `named` is the provider that the payment names; None leaves it to the
    routing document.
    """

    name: str
    count: int
    card: str = "tok_success"
    currency: str | None = "USD"
    named: str | None = None
    days: tuple[float, float] = (DAYS - 0.2, 0.05)
    steps: tuple[Step, ...] = ()
    held: bool = False
    approves: bool = True
    order_id: str | None = None


FATES: Final = (
    Fate(name="paid", count=96, currency=None),
    Fate(name="paid-today", count=24, currency=None, days=(0.4, 0.01)),
    Fate(name="slow", count=6, card="tok_slow_success"),
    Fate(name="hard-decline", count=10, card="tok_hard_decline"),
    Fate(name="no-funds", count=10, card="tok_insufficient_funds"),
    Fate(name="soft-decline", count=8, card="tok_soft_decline"),
    Fate(name="failed-over", count=14, card="tok_soft_decline@mock"),
    Fate(name="failed-over-inr", count=8, card="tok_soft_decline@razorpay_mock", currency="INR"),
    Fate(name="rate-limited", count=4, card="tok_rate_limited@mock"),
    Fate(name="timed-out-charged", count=8, card="tok_timeout_after_charge", days=(6.5, 0.2)),
    Fate(name="timed-out", count=4, card="tok_timeout_before_charge", days=(6.5, 0.2)),
    Fate(name="garbled", count=4, card="tok_garbage", days=(6.5, 0.2)),
    Fate(name="later", count=8, card="tok_async_success"),
    Fate(name="declined-later", count=4, card="tok_async_failure"),
    Fate(name="mismatch", count=3, card="tok_wrong_amount", days=(2.5, 0.3)),
    Fate(name="late-success", count=4, card="tok_reopened_decline", currency="INR", days=(6, 1)),
    Fate(name="approved", count=8, card="tok_requires_action"),
    Fate(name="abandoned", count=4, card="tok_requires_action", approves=False, days=(3, 0.3)),
    Fate(name="waiting-for-payer", count=2, card="tok_requires_action", approves=False, days=(0.006, 0.002)),
    Fate(name="captured", count=10, held=True, steps=_CAPTURE),
    Fate(name="captured-in-part", count=6, held=True, steps=_PART_CAPTURE),
    Fate(name="released", count=4, held=True, steps=_RELEASE),
    Fate(name="held", count=4, held=True, days=(0.5, 0.05)),
    Fate(name="refunded", count=10, steps=_REFUND, days=(6, 0.3)),
    Fate(name="refunded-in-part", count=8, steps=_PART_REFUND, days=(6, 0.4)),
    Fate(name="stripe", count=12, named="stripe", currency="EUR", days=(6.8, 0.1)),
    Fate(name="stripe-refunded", count=4, named="stripe", currency="EUR", steps=_REFUND, days=(5, 1.5)),
    Fate(name="razorpay", count=12, named="razorpay", currency="INR", days=(6.8, 0.1)),
    Fate(name="razorpay-declined", count=3, named="razorpay", card="tok_hard_decline", currency="INR"),
    Fate(name="cashfree", count=6, named="cashfree", currency="INR", days=(6.8, 0.1)),
    Fate(name="payu", count=6, named="payu", currency="INR", days=(6.8, 0.1)),
)
"""Tokens of `sandbox/behaviours.py` decide what a simulator does."""

_CURRENCIES: Final = ("USD", "USD", "EUR", "INR", "INR", "GBP")
_AMOUNTS: Final = (499, 1_250, 1_999, 4_900, 12_500, 49_900, 129_900, 1_250_000)


@dataclass(slots=True)
class Story:
    """Plans what happens in the world between `start_ms` and `end_ms`."""

    world: World
    start_ms: int
    end_ms: int
    _numbers: dict[str, int] = field(default_factory=dict)

    def plan(self) -> None:
        """All of it."""
        self.world.at(self.start_ms + 1_000, self._set_up)
        for fate in FATES:
            for order in self._orders(fate):
                self.world.merchant.start(order)
        self._checkouts()
        self._contended_order()
        self._refund_in_review()
        self._provider_down()
        self._database_down()
        self._dispute()
        self._reconcile()
        self._close_a_review()
        self.world.endpoints.lost_from_ms[LOST_ENDPOINT] = self.end_ms - 20 * HOUR_MS

    # -- payments

    def _orders(self, fate: Fate) -> Iterator[Order]:
        random = self.world.apart(fate.name)
        oldest, newest = (self.end_ms - int(days * DAY_MS) for days in fate.days)
        for number in range(fate.count):
            yield self._order(fate, number, _busy_moment(random, oldest, newest), random)

    def _order(self, fate: Fate, number: int, at_ms: int, random: Random) -> Order:
        currency = fate.currency or random.choice(_CURRENCIES)
        body: dict[str, Any] = {
            "amount": random.choice(_AMOUNTS),
            "currency": currency,
            "paymentMethod": {"type": "card", "token": fate.card},
            "description": f"Order {fate.name} {number + 1}",
            "orderId": fate.order_id or f"{KEY_PREFIX}{fate.name}-{number + 1:03}",
            "customer": {
                "id": f"cust_{random.randrange(10**8):08}",
                "name": "Demo Payer",
                "email": f"payer.{random.randrange(10**6)}@example.com",
                "phone": "+919876543210",
            },
        }
        if fate.named:
            body |= {"metadata": {"gateway": fate.named}, "returnUrl": "https://shop.example.com/return"}
        if fate.held:
            body["capture"] = "manual"
        return Order(
            merchant=self.world.place.merchant_id,
            key=f"{KEY_PREFIX}{fate.name}-{number + 1:03}",
            at_ms=at_ms,
            body=body,
            approves=fate.approves,
            payer={},
            steps=fate.steps,
            extras=dict(_UNTOUCHED),
        )

    # -- the merchant

    def _set_up(self) -> None:
        for url in (HEALTHY_ENDPOINT, LOST_ENDPOINT):
            self._post("/webhook-endpoints", {"url": url}, f"{KEY_PREFIX}{url}")

    def _post(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        call = self.world.api.request(self.world.place.merchant_id, "POST", path, key=key, body=json.dumps(body))
        return call.answer

    def _checkouts(self) -> None:
        """Some are paid, some expire, and some wait for their payer now."""
        random = self.world.apart("checkouts")
        for number in range(12):
            expires = 900 if number in {6, 7, 8} else 86_400
            age_ms = random.randrange(2 * HOUR_MS, 5 * DAY_MS) if number < 9 else random.randrange(MINUTE_MS, HOUR_MS)
            self.world.at(self.end_ms - age_ms, self._checkout, number, expires, number < 6)

    def _checkout(self, number: int, expires_seconds: int, is_paid: bool) -> None:  # noqa: FBT001 - given by `at`
        name = f"{KEY_PREFIX}checkout-{number + 1:03}"
        body = {
            "amount": 2_500 + 1_000 * number,
            "currency": "EUR",
            "paymentMethod": {"type": "checkout"},
            "description": f"Ticket {number + 1}",
            "orderId": name,
            "returnUrl": "https://shop.example.com/thanks",
            "expiresInSeconds": expires_seconds,
        }
        answer = self._post("/payments", body, name)
        if is_paid and "nextAction" in answer:
            self.world.pages.pay(answer["nextAction"]["url"])

    def _contended_order(self) -> None:
        """A decline that turns into a charge after its order was paid by another payment that is still undecided."""
        at_ms = self.end_ms - 5 * HOUR_MS
        self.world.at(at_ms - MINUTE_MS, self.world.operators.refund_by_itself, self.world.place.merchant_id)
        order_id = f"{KEY_PREFIX}contended"
        random = self.world.apart("contended")
        first = Fate(name="contended-late", count=1, card="tok_reopened_decline", currency="INR", order_id=order_id)
        second = Fate(name="contended-holder", count=1, held=True, currency="INR", order_id=order_id)
        for fate, delay_ms in ((first, 0), (second, 4_000)):
            self.world.merchant.start(self._order(fate, 0, at_ms + delay_ms, random))
        self.world.at(at_ms + HOUR_MS, self._keep_charges_beside)

    def _keep_charges_beside(self) -> None:
        names = {"merchantId": self.world.place.merchant_id, "automaticRefund": False}
        self.world.api.command({"command": "set_orders", **names})

    def _refund_in_review(self) -> None:
        """The provider says of a refund that it was another amount."""
        self.world.at(self.end_ms - 30 * HOUR_MS, self._refund_another_amount)

    def _refund_another_amount(self) -> None:
        name = f"{KEY_PREFIX}refund-in-review"
        body = {"amount": 12_500, "currency": "USD", "paymentMethod": {"type": "card", "token": "tok_success"}}
        transaction_id = self._post("/payments", {**body, "orderId": name}, name)["transactionId"]
        self.world.kernel.sleep(10 * MINUTE_MS)
        self.world.shop("mock").simulator.next_operation("tok_wrong_amount")
        self._post(f"/payments/{transaction_id}/refunds", {"amount": 2_500}, f"{name}-1")

    # -- what breaks

    def _provider_down(self) -> None:
        """One refuses connections: its payments fail over. Others swallow requests: some end in review."""
        refuses, swallows = self.end_ms - 26 * HOUR_MS, self.end_ms - 50 * HOUR_MS
        outages = self.world.providers.outages
        lost = self.end_ms - 150 * HOUR_MS
        outages.append(Outage("payu", lost, lost + 40 * MINUTE_MS, swallows=True))
        outages.append(Outage("mock", refuses, refuses + 30 * MINUTE_MS, swallows=False))
        outages.append(Outage("razorpay_mock", swallows, swallows + 25 * MINUTE_MS, swallows=True))
        for name, currency, named, begins_ms, count in (
            ("mock-down", "USD", None, refuses, 10),
            ("razorpay-silent", "INR", None, swallows, 4),
            ("payu-silent", "INR", "payu", lost, 3),
        ):
            ages = ((self.end_ms - begins_ms) / DAY_MS, (self.end_ms - begins_ms) / DAY_MS - 0.015)
            for order in self._orders(Fate(name=name, count=count, currency=currency, named=named, days=ages)):
                self.world.merchant.start(order)

    def _database_down(self) -> None:
        """For half an hour no message can be worked on: some die. The sweeper finds their payments."""
        begins_ms = self.end_ms - 14 * HOUR_MS
        rates, kernel = self.world.faults.rates, self.world.kernel
        kernel.at(begins_ms, lambda: rates.update(db_error_before=1.0))
        kernel.at(begins_ms + 30 * MINUTE_MS, lambda: rates.update(db_error_before=0.0))
        random = self.world.apart("database-down")
        for name, card, lead_ms in (
            ("dead-letter", "tok_timeout_after_charge", 5_000),
            ("dead-notice", "tok_async_success", 1_500),
        ):
            for number in range(3):
                order = self._order(Fate(name=name, count=3, card=card), number, begins_ms - lead_ms, random)
                self.world.merchant.start(order)

    def _dispute(self) -> None:
        """A payer's bank takes two charges back. Evidence is due in some days."""
        self.world.at(self.end_ms - 9 * HOUR_MS, self._dispute_two)

    def _dispute_two(self) -> None:
        shop, now = self.world.shop("razorpay"), self.world.kernel.now_ms // 1000
        charges = [e for e in shop.simulator.ledger(now) if e["kind"] == "charge" and e["status"] == "charged"]
        for number, charge in enumerate(charges[:2]):
            dispute = {
                "id": f"disp_demo{number:010}",
                "payment_id": charge["chargeId"],
                "amount": charge["amount"],
                "currency": charge["currency"],
                "reason_code": "goods_not_received",
                "respond_by": now + (2 + 4 * number) * DAY_MS // 1000,
                "status": "open",
                "phase": "chargeback",
                "created_at": now,
            }
            payment = {"id": charge["chargeId"], "status": "captured", "amount": charge["amount"]}
            payload = {
                "payment": {"entity": {**payment, "currency": charge["currency"]}},
                "dispute": {"entity": dispute},
            }
            kind = "payment.dispute.created"
            content = {"event": kind, "payload": payload, "created_at": now}
            body = json.dumps(content).encode()
            webhook = Webhook(
                id=dispute["id"],
                type=kind,
                headers=shop.simulator.sign(body, now),
                body=body,
            )
            self.world.events.send(shop, webhook)

    # -- what operators do

    def _reconcile(self) -> None:
        """Every night. Reports lack a line or have another amount now and then."""
        first = (self.start_ms // DAY_MS + 1) * DAY_MS
        for day in range(DAYS):
            at_ms = first + day * DAY_MS + 5 * HOUR_MS
            if at_ms < self.end_ms - 30 * MINUTE_MS:
                self.world.at(at_ms, self._reconcile_days)

    def _reconcile_days(self) -> None:
        self.world.faults.rates.update(report_omits=0.25, report_other_amount=0.12)
        self.world.operators.reconcile_days()
        self.world.kernel.sleep(30 * MINUTE_MS)
        self.world.faults.rates.update(report_omits=0.0, report_other_amount=0.0)

    def _close_a_review(self) -> None:
        self.world.at(self.end_ms - 3 * HOUR_MS, self._close_the_oldest)

    def _close_the_oldest(self) -> None:
        """A person looks one mismatch up, and decides."""
        names = {"merchantId": self.world.place.merchant_id}
        listed = self.world.api.command({"command": "list_reviews", **names}).answer or {}
        review = next((r for r in listed.get("items", ()) if r["reason"] == "mismatch" and not r["operationId"]), None)
        if review is None:
            return
        self.world.api.command(
            {
                "command": "close_review",
                **names,
                "amount": self.world.operators.amounts[review["transactionId"]],
                "transactionId": review["transactionId"],
                "verdict": "charged",
                "evidence": "The provider's dashboard shows the charge",
            }
        )


def _busy_moment(random: Random, oldest_ms: int, newest_ms: int) -> int:
    """Between the two, more likely in busy hours."""
    tries = [random.randrange(oldest_ms, max(newest_ms, oldest_ms + 1)) for _ in range(4)]
    return random.choices(tries, [_HOURS[at_ms // HOUR_MS % 24] for at_ms in tries])[0]
