"""The proofs that free an order, over every state that a payment can have."""

from dataclasses import replace
from itertools import product

import pytest

from payflowx.domain.orders.freeing import (
    free_at_ms,
    frees_order,
    is_given_back,
    is_uncharged_for_good,
    only_waits_for_reopening,
)
from payflowx.domain.orders.order import MAX_CONTENDERS, Order, OrderState
from payflowx.domain.orders.order_hash import order_hash
from payflowx.domain.orders.taking import MAX_PAYMENTS_LISTED, NotFree, take
from payflowx.domain.payments.attempt import AUTHORIZED_LATE_AT, Attempt
from payflowx.domain.payments.event_inquiries import EventInquiries
from payflowx.domain.payments.hosted import ExtraCharge
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.order_link import OrderLink, OrderStanding
from payflowx.domain.payments.payment import NOT_CHARGED, LastError, Payment
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OPEN_STATES, AttemptState, OperationStatus, PaymentStatus
from tests.support.orders import ORDER
from tests.support.world import World

NO_CHARGE = {AttemptState.DECLINED, AttemptState.NOT_SENT, AttemptState.REJECTED, AttemptState.FENCED}
ENDED = {PaymentStatus.FAILED, PaymentStatus.CANCELLED}


@pytest.fixture(scope="module")
def accepted() -> Payment:
    return World().accept("key-1", order_id=ORDER)


def attempt(state: AttemptState, **changes: object) -> Attempt:
    values: dict[str, object] = {
        "number": 1,
        "provider": "alpha",
        "account_id": "main",
        "provider_key": "pfx-a-1",
        "request_hash": "h",
        "epoch": 1,
        "started_at_ms": 0,
        "state": state,
        **changes,
    }
    return Attempt(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("status", "state"), list(product(PaymentStatus, AttemptState)))
def test_one_attempt(accepted: Payment, status: PaymentStatus, state: AttemptState) -> None:
    charged = 1 if state is AttemptState.SUCCEEDED else None
    payment = replace(accepted, status=status, attempts=(attempt(state),), charged_attempt=charged)
    assert is_uncharged_for_good(payment) is (status in ENDED and state in NO_CHARGE)


@pytest.mark.parametrize(("first", "last"), list(product(AttemptState, NO_CHARGE)))
def test_all_attempts_count_and_not_the_last_alone(accepted: Payment, first: AttemptState, last: AttemptState) -> None:
    attempts = (attempt(first), attempt(last, number=2, epoch=2))
    payment = replace(accepted, status=PaymentStatus.FAILED, attempts=attempts)
    assert is_uncharged_for_good(payment) is (first in NO_CHARGE)


@pytest.mark.parametrize("state", list(AttemptState))
def test_a_person_s_evidence_proves_every_closed_attempt(accepted: Payment, state: AttemptState) -> None:
    closed = LastError(code=NOT_CHARGED, message="")
    payment = replace(accepted, status=PaymentStatus.FAILED, attempts=(attempt(state),), last_error=closed)
    assert is_uncharged_for_good(payment) is (state not in OPEN_STATES)
    watched = attempt(AttemptState.FENCED, number=2, reopens_until_ms=99)
    assert not is_uncharged_for_good(replace(payment, attempts=(attempt(state), watched)))
    for status in set(PaymentStatus) - {PaymentStatus.FAILED}:
        assert is_uncharged_for_good(replace(payment, status=status)) is (status in ENDED and state in NO_CHARGE)


@pytest.mark.parametrize("status", sorted(ENDED))
def test_a_decline_that_may_reopen_holds_whatever_the_status_is_called(
    accepted: Payment, status: PaymentStatus
) -> None:
    watched = attempt(AttemptState.DECLINED, reopens_until_ms=99)
    for attempts in ((watched,), (watched, attempt(AttemptState.DECLINED, number=2))):
        payment = replace(accepted, status=status, attempts=attempts)
        assert not is_uncharged_for_good(payment)
        assert free_at_ms(payment) == 99
        assert only_waits_for_reopening(payment) is (status is PaymentStatus.FAILED)


def test_an_amount_that_the_provider_still_holds_is_no_decline_that_may_reopen(accepted: Payment) -> None:
    held = attempt(AttemptState.DECLINED, reopens_until_ms=99, progress={AUTHORIZED_LATE_AT: "1"})
    payment = replace(accepted, status=PaymentStatus.FAILED, attempts=(held,))
    assert not is_uncharged_for_good(payment)
    assert not only_waits_for_reopening(payment)


def test_a_provider_event_that_is_not_inquired_about_yet_holds(accepted: Payment) -> None:
    asked = EventInquiries(since_ms=0, waiting=(1,), ready_at_ms=1)
    payment = replace(
        accepted, status=PaymentStatus.FAILED, attempts=(attempt(AttemptState.DECLINED),), event_inquiries=asked
    )
    assert not is_uncharged_for_good(payment)
    assert is_uncharged_for_good(replace(payment, event_inquiries=None))
    assert frees_order(payment, replace(payment, event_inquiries=None))


def test_a_payment_without_attempts_holds_until_it_has_ended(accepted: Payment) -> None:
    assert not is_uncharged_for_good(accepted)
    assert is_uncharged_for_good(replace(accepted, status=PaymentStatus.CANCELLED))


@pytest.mark.parametrize("status", list(OperationStatus))
def test_all_is_given_back_when_all_refunds_are_decided(accepted: Payment, status: OperationStatus) -> None:
    payment = replace(
        accepted,
        status=PaymentStatus.SUCCESS,
        attempts=(attempt(AttemptState.SUCCEEDED),),
        charged_attempt=1,
        captured=10,
        refunded=10,
    )
    refund = Operation(
        merchant_id="acme",
        transaction_id=payment.transaction_id,
        operation_id="ref_a",
        kind=OperationKind.REFUND,
        fingerprint="f",
        amount=10,
        currency="USD",
        charge_attempt=1,
        created_at_ms=0,
        updated_at_ms=0,
        send_deadline_ms=0,
        status=status,
    )
    decided = status in {OperationStatus.SUCCEEDED, OperationStatus.FAILED}
    assert is_given_back(payment, [refund]) is decided
    for changes in (
        {"refunded": 9, "refundable": 1},
        {"refunded": 9, "reserved": 1},
        {"excess": 1},
        {"extra_charges": (ExtraCharge(reference="pi_2", amount=10, currency="USD", attempt=1),)},
        {"status": PaymentStatus.IN_REVIEW},
        {"attempts": (attempt(AttemptState.SUCCEEDED), attempt(AttemptState.UNKNOWN, number=2))},
    ):
        assert not is_given_back(replace(payment, **changes), [refund]), changes  # type: ignore[arg-type]


def test_a_mismatch_counts_until_its_review_is_closed(accepted: Payment) -> None:
    contending = OrderLink(order_hash="h", order_id=ORDER, standing=OrderStanding.CONTENDING)
    closed = replace(
        accepted,
        status=PaymentStatus.SUCCESS,
        attempts=(attempt(AttemptState.SUCCEEDED), attempt(AttemptState.MISMATCH, number=2)),
        charged_attempt=1,
        captured=10,
        refunded=10,
        order=contending,
    )
    assert is_given_back(closed, [])
    error = LastError(code=ReviewReason.ORDER_CONTENDED.value, message="")
    assert not is_given_back(replace(closed, status=PaymentStatus.IN_REVIEW, last_error=error), [])


def test_an_order_names_its_newest_payments_and_few_contenders(accepted: Payment) -> None:
    link = OrderLink(order_hash=order_hash("acme", ORDER), order_id=ORDER, once=False)
    order: Order | None = None
    for number in range(MAX_PAYMENTS_LISTED + 5):
        taken = take(order, replace(accepted, transaction_id=f"pay_{number}"), link)
        assert isinstance(taken, Order)
        order = taken.contended_by(f"pay_{number}")
    assert order is not None
    assert order.payments[0] == f"pay_{MAX_PAYMENTS_LISTED + 4}"
    assert len(order.payments) == MAX_PAYMENTS_LISTED
    assert len(order.contenders) == MAX_CONTENDERS
    assert order.beside == MAX_PAYMENTS_LISTED + 5
    once = take(order, accepted, replace(link, once=True))
    assert isinstance(once, NotFree)


def test_an_order_goes_to_its_contenders_in_their_order() -> None:
    order = Order(merchant_id="acme", order_hash="h").held_by("a").contended_by("b").contended_by("c")
    assert order.contended_by("b") == order
    assert order.released_by("x") == order
    assert order.released_by("b").contenders == ("c",)
    next_one = order.released_by("a")
    assert (next_one.holder, next_one.contenders) == ("b", ("c",))
    free = next_one.released_by("b").released_by("c")
    assert (free.state, free.holder, free.contenders) == (OrderState.FREE, None, ())
