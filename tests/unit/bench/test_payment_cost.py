"""The calculated cost of a payment is what its run was metered to cost, within five percent."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from bench.metering import Meter
from bench.payment_counts import (
    EXAMPLE,
    OPENED,
    PAGES,
    Shop,
    counting,
    deliver,
    page_request,
    read_configuration,
    register_endpoint,
    work,
)
from bench.step_counts import PAGE, written
from payflowx.application.operators.payment_cost import Usage
from payflowx.domain.outbound_webhooks.merchant_events import Answered
from payflowx.domain.payments.outcome import Accepted, ActionRequired, Declined, NotSent, Unknown
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.wiring.outbound_webhooks import DelivererWiring
from tests.support.handlers import Functions

WITHIN = 0.05
ENDED = {"SUCCESS", "FAILED", "AUTHORIZED"}
DECLINED = Declined(kind=DeclineKind.HARD, code="stolen_card")
LARGE = dict.fromkeys(("a", "b", "c"), "x" * 450)
PAYMENTS: dict[str, dict[str, Any]] = {
    "ordinary": {},
    "with an order": {"order": "order-1"},
    "a fail-over": {"charges": [NotSent(code="x")]},
    "a lost answer": {"charges": [Unknown(code="x")], "inquiries": ["charged"]},
    "a fail-over, refunded": {"charges": [NotSent(code="x")], "refunds": 1},
    "an order, refunded": {"order": "order-2", "refunds": 1},
    "two refunds": {"refunds": 2},
    "a fail-over with an order, refunded": {"order": "order-3", "charges": [NotSent(code="x")], "refunds": 1},
    "a fail-over with an order, many refunds": {"order": "order-4", "charges": [NotSent(code="x")], "refunds": 4},
    "a lost answer with an order, refunded": {
        "order": "order-5",
        "charges": [Unknown(code="x")],
        "inquiries": ["charged"],
        "refunds": 2,
    },
    "large": {"says": {"metadata": LARGE}},
    "large, a fail-over with an order, refunded": {
        "order": "order-6",
        "charges": [NotSent(code="x")],
        "refunds": 2,
        "says": {"metadata": LARGE},
    },
    "declined": {"charges": [DECLINED]},
    "declined, with an order that is free again": {"order": "order-7", "charges": [DECLINED]},
    "accepted first": {"charges": [Accepted(reference="r1")], "inquiries": ["charged"]},
    "a payer who acts": {"charges": [ActionRequired(reference="r1", action=OPENED)], "inquiries": ["charged"]},
    "captured": {"says": {"capture": "manual"}, "then": "capture"},
    "voided": {"says": {"capture": "manual"}, "then": "cancel"},
    "a checkout": {"says": {"paymentMethod": {"type": "checkout"}}, "inquiries": ["charged"]},
    "small, refunded": {"refunds": 1, "says": {"metadata": {}, "customer": {"id": "c"}, "description": None}},
}


ENDPOINTS: dict[str, list[dict[str, Any]]] = {
    "no endpoint": [],
    "one endpoint": [{}],
    "two endpoints": [{}, {}],
    "an endpoint for other events": [{"eventTypes": ["refund.failed"]}],
}


@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("endpoints", ENDPOINTS)
@pytest.mark.parametrize("name", PAYMENTS)
def test_the_calculated_cost_is_the_metered_one(name: str, endpoints: str, *, compact: bool) -> None:
    with counting(compact=compact) as (engine, functions):
        for number, wanted in enumerate(ENDPOINTS[endpoints]):
            register_endpoint(functions, f"https://shop.example.com/hooks-{number}", **wanted)
        if endpoints != "no endpoint":
            paid(functions, engine.meter, "warm")
        metered, payment = paid(functions, engine.meter, "tried", **PAYMENTS[name])
        check(functions, metered, payment)


@pytest.mark.parametrize("failures", [1, 2, 3, 5])
def test_a_delivery_that_is_repeated(failures: int) -> None:
    """The first two further rounds are woken by messages, the others by the sweeper."""
    with counting() as (engine, functions):
        register_endpoint(functions)
        functions.clock.advance(7_200)
        functions.sweep()  # the search for events that the endpoint missed is over
        functions.clock.advance(3_600)
        functions.sweep()
        paid(functions, engine.meter, "warm")
        shop = functions.wired(DelivererWiring).webhook_client
        assert isinstance(shop, Shop)
        shop.answers = [Answered(status=500)] * failures
        metered, payment = paid(functions, engine.meter, "tried")
        for wait in (7, 370, 2_200, 9_000, 22_000)[:failures]:
            functions.clock.advance(wait)
            engine.meter.take()
            if wait > 900:
                functions.sweep()
            swept = engine.meter.take()
            swept.calls = [call for call in swept.calls if call in {"update_item", "send_message_batch"}]
            swept.read_units = 0
            metered.add(swept)
            deliver(functions)
            metered.add(engine.meter.take())
        check(functions, metered, payment)


def check(functions: Functions, metered: Meter, payment: str) -> None:
    shown = functions.operate(command="show_payment_cost", merchantId="acme", transactionId=payment)
    assert (shown["ok"], shown["complete"]) == (True, True), shown
    metered.calls = [call for call in metered.calls if call != "decrypt"]  # a secret is remembered for minutes
    sent = metered.calls.count("send_message") + metered.calls.count("send_message_batch")
    dollars = Usage(
        write_units=int(metered.write_units),
        half_read_units=int(2 * metered.read_units),
        messages=sent,
        api_requests=shown["apiRequests"],
    ).micro_dollars
    wanted = {"calls": len(metered.calls), "writeUnits": metered.write_units, "microDollars": dollars}
    for field, value in wanted.items():
        assert shown[field] == pytest.approx(value, rel=WITHIN), (field, shown, metered)


def paid(
    functions: Functions,
    meter: Meter,
    key: str,
    *,
    charges: Any = (),
    inquiries: Any = (),
    order: str | None = None,
    refunds: int = 0,
    then: str = "",
    says: Mapping[str, Any] | None = None,
) -> tuple[Meter, str]:
    """What a payment with all its refunds took, without reads, and its id."""
    provider = functions.providers.get("alpha")
    provider.charges, provider.inquiries = list(charges), list(inquiries)
    counted = Meter()

    def step(act: Any) -> Any:
        read_configuration(functions)
        meter.take()
        found = act()
        counted.add(meter.take())
        return found

    content = {**EXAMPLE, **(says or {})}
    is_checkout = content.get("paymentMethod") == {"type": "checkout"}
    if is_checkout:
        provider.able = replace(provider.able, hosted=PAGES)
        page_request(functions, page_of(functions, "secret", content))
        functions.messages()
    _, payment, _ = step(lambda: functions.pay(key, orderId=order, **content))
    transaction_id = payment["transactionId"]
    if is_checkout:
        path = urlsplit(payment["nextAction"]["url"]).path
        step(lambda: page_request(functions, f"{path}/attempts", "method=card"))
        provider.charges = [ActionRequired(reference="object", action=OPENED)]
    for _ in range(6):
        step(lambda: work(functions, transaction_id))
        step(lambda: deliver(functions))
        if functions.call("GET", f"/payments/{transaction_id}")[1]["status"] in ENDED:
            break
        functions.clock.advance(60 if is_checkout else 5)
    else:
        raise AssertionError("the payment did not end")
    if then:
        step(partial(ask, functions, transaction_id, then))
        step(lambda: work(functions))
        step(lambda: deliver(functions))
    for number in range(refunds):
        step(partial(refund, functions, transaction_id, f"{key}-refund-{number}"))
        step(lambda: work(functions))
        step(lambda: deliver(functions))
    return counted, transaction_id


def page_of(functions: Functions, key: str, content: Mapping[str, Any]) -> str:
    _, payment, _ = functions.pay(key, **content)
    return str(urlsplit(payment["nextAction"]["url"]).path)


def ask(functions: Functions, transaction_id: str, what: str) -> None:
    path = f"/payments/{transaction_id}/{what}"
    body: dict[str, Any] | None = {} if what == "capture" else None
    status, *_ = functions.call("POST", path, body, headers={"Idempotency-Key": what})
    assert status in {200, 201, 202}


def refund(functions: Functions, transaction_id: str, key: str) -> None:
    path = f"/payments/{transaction_id}/refunds"
    status, *_ = functions.call("POST", path, {"amount": 100}, headers={"Idempotency-Key": key})
    assert status in {201, 202}


def test_the_functions_have_the_counts_of_the_suite() -> None:
    assert PAGE.read_text() == written(), "run `python -m bench counts`"
