"""A checkout holds an order, and another payment of that order is charged after all: never two charges that stay."""

from dataclasses import replace

import pytest

from payflowx.application.checkout.page import Contact, Obstacle
from payflowx.application.payments.new_checkout import NewCheckout
from payflowx.domain.checkout.view import Screen
from payflowx.domain.orders.ordered_change import wait_for_holder
from payflowx.domain.payments.last_errors import last_error
from payflowx.domain.payments.order_link import OrderStanding
from payflowx.domain.payments.outcome import Declined
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.statuses import DeclineKind, PaymentStatus
from tests.support.scripted import charged
from tests.support.world import fallback
from tests.unit.application.checkout.conftest import Shop

ORDER = "2026-000017"
MAY_REOPEN = Declined(kind=DeclineKind.SOFT, code="declined", reopens_for_seconds=5 * DAY_MS // SECOND_MS)


@pytest.fixture
def late(shop: Shop) -> Payment:
    """A failed payment of the order, which its provider may still charge; the order is free of it."""
    shop.world.rules.document = fallback("alpha")
    shop.world.set_merchant(automatic_refund=True)
    shop.at("alpha").charges = [MAY_REOPEN]
    payment = shop.world.accept("late", order_id=ORDER)
    payment = shop.settle(payment)
    assert payment.status is PaymentStatus.FAILED
    return payment


def reopen(shop: Shop, late: Payment) -> None:
    """The provider charges the failed payment after all, and its webhook proves it."""
    request = next(r for _, r in shop.at("alpha").sent if r.provider_key == late.attempt(1).provider_key)
    proof = charged(request, "late-charge")
    shop.world.process_provider_event(shop.event(late, reference="late-charge", outcome=proof))


def rest(shop: Shop, *payments: Payment) -> list[PaymentStatus]:
    for _ in range(6):
        for payment in payments:
            shop.wait(payment, 3_700)
    return [shop.world.now(payment).status for payment in payments]


def net(shop: Shop, *payments: Payment) -> int:
    return sum(shop.world.now(p).captured > shop.world.now(p).refunded for p in payments)


def test_a_second_checkout_of_the_order_is_refused_until_the_first_has_expired(shop: Shop) -> None:
    first = shop.sell("key-1", checkout=NewCheckout(lifetime_seconds=900), order_id=ORDER)
    with pytest.raises(Refusal) as refused:
        shop.sell("key-2", order_id=ORDER)
    assert refused.value.code == "order_not_free"
    assert shop.wait(first, 901).status is PaymentStatus.FAILED
    assert shop.sell("key-2", order_id=ORDER).status is PaymentStatus.REQUIRES_ACTION


def test_the_order_stays_held_while_an_object_may_still_be_charged(shop: Shop) -> None:
    first = shop.choose(shop.sell("key-1", checkout=NewCheckout(lifetime_seconds=900), order_id=ORDER), "netbanking")
    shop.at("gamma").inquiries += [MAY_REOPEN] * 2
    assert shop.wait(first, 905).status is PaymentStatus.FAILED
    with pytest.raises(Refusal) as refused:
        shop.sell("key-2", order_id=ORDER)
    assert refused.value.code == "order_not_free"


def test_a_holder_that_nobody_opened_ends_and_takes_no_choice_meanwhile(shop: Shop, late: Payment) -> None:
    holder = shop.sell("holder", order_id=ORDER)
    reopen(shop, late)
    assert shop.page().choose(shop.token(holder), "card", Contact()) is Obstacle.ALREADY_CHOSEN
    assert shop.screen(holder) is Screen.PROCESSING
    assert rest(shop, holder, late) == [PaymentStatus.CANCELLED, PaymentStatus.SUCCESS]
    assert net(shop, holder, late) == 1


def test_a_holder_with_an_open_object_is_closed_by_proof_first(shop: Shop, late: Payment) -> None:
    holder = shop.choose(shop.sell("holder", order_id=ORDER))
    reopen(shop, late)
    assert shop.world.now(late).status is PaymentStatus.IN_REVIEW
    assert rest(shop, holder, late) == [PaymentStatus.CANCELLED, PaymentStatus.SUCCESS]
    assert net(shop, holder, late) == 1


def test_a_holder_that_was_paid_keeps_the_order_and_the_late_charge_is_given_back(shop: Shop, late: Payment) -> None:
    holder = shop.choose(shop.sell("holder", order_id=ORDER))
    shop.at("alpha").is_paid = True
    reopen(shop, late)
    rest(shop, holder, late)
    assert shop.world.now(holder).status is PaymentStatus.SUCCESS
    assert shop.world.now(holder).refunded == 0
    assert shop.world.now(late).refunded == late.amount
    assert net(shop, holder, late) == 1


def test_a_late_checkout_that_waited_for_the_holder_is_still_read_once_more(shop: Shop) -> None:
    """Its object was paid in the last second: the payer may have paid a second time in it."""
    shop.world.set_merchant(automatic_refund=True)
    first = shop.choose(shop.sell("key-1", checkout=NewCheckout(lifetime_seconds=900), order_id=ORDER), "netbanking")
    shop.at("gamma").inquiries += [MAY_REOPEN] * 2
    assert shop.wait(first, 905).status is PaymentStatus.FAILED
    holder = shop.sell("holder", checkout=NewCheckout(lifetime_seconds=900), order_id=ORDER)
    shop.at("gamma").is_paid = True
    for payment in (first, holder, first, holder, first):
        shop.wait(payment, 61)
    assert [shop.world.now(p).status for p in (first, holder)] == [PaymentStatus.SUCCESS, PaymentStatus.CANCELLED]
    asked = shop.at("gamma").asked("inquire")
    assert shop.world.now(first).due_at_ms is not None
    shop.wait(first, 3_700)
    assert shop.at("gamma").asked("inquire") == asked + 1
    assert shop.world.now(first).due_at_ms is None


def test_a_payment_that_was_charged_beside_the_holder_waits_for_nothing_but_its_last_read(shop: Shop) -> None:
    first = shop.choose(shop.sell("key-1", order_id=ORDER))
    shop.at("alpha").is_paid = True
    paid = replace(shop.wait(first, 61), status=PaymentStatus.IN_REVIEW)
    order = paid.order
    assert order is not None
    paid = replace(paid, last_error=last_error(paid, "order_charged_twice", None))
    beside = {
        standing: replace(paid, order=replace(order, standing=standing, contends_with="pay_holder"))
        for standing in (OrderStanding.CONTENDING, OrderStanding.CHARGED_TWICE)
    }
    now_ms = shop.world.clock.now_ms()
    assert wait_for_holder(beside[OrderStanding.CONTENDING], now_ms) is not None
    assert wait_for_holder(beside[OrderStanding.CHARGED_TWICE], now_ms) is None


def test_a_read_that_is_due_waits_for_no_holder(shop: Shop) -> None:
    """It may find another charge inside the object, and the holder may be decided days later."""
    first = shop.choose(shop.sell("key-1", order_id=ORDER))
    shop.at("alpha").is_paid = True
    paid = replace(shop.wait(first, 61), status=PaymentStatus.IN_REVIEW)
    assert paid.order is not None
    assert paid.event_inquiries is not None
    order = replace(paid.order, standing=OrderStanding.CONTENDING, contends_with="pay_holder")
    contending, read_ms = replace(paid, order=order), paid.event_inquiries.ready_at_ms
    assert wait_for_holder(contending, read_ms - MINUTE_MS) is not None
    assert wait_for_holder(contending, read_ms) is None
