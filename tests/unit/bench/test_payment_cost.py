"""The calculated cost of a payment is what its run was metered to cost, within five percent."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from bench.metering import Meter
from bench.payment_counts import EXAMPLE, Shop, counting, deliver, read_configuration, register_endpoint, work
from bench.step_counts import PAGE, written
from payflowx.application.operators.payment_cost import Usage
from payflowx.domain.outbound_webhooks.merchant_events import Answered
from payflowx.domain.payments.outcome import NotSent, Unknown
from payflowx.wiring.outbound_webhooks import DelivererWiring
from tests.support.handlers import Functions

WITHIN = 0.05
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
    "small, refunded": {"refunds": 1, "says": {"metadata": {}, "customer": {"id": "c"}, "description": None}},
}


@pytest.mark.parametrize("hooked", [False, True], ids=["no endpoint", "one endpoint"])
@pytest.mark.parametrize("name", PAYMENTS)
def test_the_calculated_cost_is_the_metered_one(name: str, hooked: bool) -> None:
    with counting() as (engine, functions):
        if hooked:
            register_endpoint(functions)
            paid(functions, engine.meter, "warm")
        metered, payment = paid(functions, engine.meter, "tried", **PAYMENTS[name])
        check(functions, metered, payment)


def test_a_delivery_that_is_repeated() -> None:
    with counting() as (engine, functions):
        register_endpoint(functions)
        paid(functions, engine.meter, "warm")
        shop = functions.wired(DelivererWiring).webhook_client
        assert isinstance(shop, Shop)
        shop.answers = [Answered(status=500)]
        metered, payment = paid(functions, engine.meter, "tried")
        functions.clock.advance(3_600)
        engine.meter.take()
        deliver(functions)
        metered.add(engine.meter.take())
        check(functions, metered, payment)


def check(functions: Functions, metered: Meter, payment: str) -> None:
    shown = functions.operate(command="show_payment_cost", merchantId="acme", transactionId=payment)
    assert (shown["ok"], shown["complete"]) == (True, True), shown
    sent = metered.calls.count("send_message")
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

    _, payment, _ = step(lambda: functions.pay(key, orderId=order, **{**EXAMPLE, **(says or {})}))
    transaction_id = payment["transactionId"]
    for _ in range(6):
        step(lambda: work(functions, transaction_id))
        if functions.call("GET", f"/payments/{transaction_id}")[1]["status"] == "SUCCESS":
            break
        functions.clock.advance(5)
    step(lambda: deliver(functions))
    for number in range(refunds):
        step(partial(refund, functions, transaction_id, f"{key}-refund-{number}"))
        step(lambda: work(functions))
        step(lambda: deliver(functions))
    return counted, transaction_id


def refund(functions: Functions, transaction_id: str, key: str) -> None:
    path = f"/payments/{transaction_id}/refunds"
    status, *_ = functions.call("POST", path, {"amount": 100}, headers={"Idempotency-Key": key})
    assert status in {201, 202}


def test_the_functions_have_the_counts_of_the_suite() -> None:
    assert PAGE.read_text() == written(), "run `python -m bench counts`"
