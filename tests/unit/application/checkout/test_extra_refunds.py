"""A payer paid twice inside one object: the charge is owed until a person has recorded its refund, and then no more."""

from dataclasses import replace

import pytest

from payflowx.adapters.dynamodb.payments.owed_charges import DynamoDBOwedCharges
from payflowx.adapters.dynamodb.payments.review_index import DynamoDBReviewIndex
from payflowx.application.payments.record_extra_refund import RecordExtraRefund
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.extra_charges import EXTRA_CHARGE_REFUNDED
from payflowx.domain.payments.hosted import ExtraCharge
from payflowx.domain.payments.outcome import Succeeded
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.state_machine import send_to_review
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import PaymentStatus
from tests.support.tables import TRANSACTIONS
from tests.unit.application.checkout.conftest import Shop

ORDER = "2026-000018"
ADA = OperatorAction(who="ada", why="T-18")


def paid_more_often(shop: Shop, *references: str, key: str = "key-1", **changes: object) -> Payment:
    """A checkout whose payer paid once more for each of the references."""
    payment = shop.choose(shop.sell(key, **changes))
    provider_key = shop.world.now(payment).attempts[0].provider_key
    found = [ExtraCharge(reference=name, amount=payment.amount, currency=payment.currency) for name in references]
    whole = Succeeded(
        reference=f"ref-{provider_key}",
        amount=payment.amount,
        currency=payment.currency,
        merchant_reference=provider_key,
        extra_charges=tuple(found),
    )
    shop.at("alpha").inquiries = [whole]
    payment = shop.wait(payment, 61)
    assert [charge.reference for charge in payment.owed_charges] == list(references)
    return payment


def record(shop: Shop, payment: Payment, charge: str = "pi_2", reference: str = "re_2") -> Payment:
    world = shop.world
    use_case = RecordExtraRefund(
        payments=world.payments,
        operations=world.operations,
        outcome_writer=world.outcome_writer,
        merchant_directory=world.merchant_directory,
        clock=world.clock,
        policy=world.policy,
    )
    names = (payment.merchant_id, payment.transaction_id)
    return use_case(*names, ADA, charge=charge, reference=reference, evidence="case 7")


def owed(shop: Shop, payment: Payment) -> list[str]:
    """The ids of the payments on the merchant's list."""
    index = DynamoDBOwedCharges(client=shop.world.dynamodb, table=TRANSACTIONS)  # type: ignore[arg-type]
    page = index.page(payment.merchant_id, limit=100, position=None)
    assert (page.unreadable, page.next_position) == ([], None)
    return [listed.transaction_id for listed in page.items]


def test_the_refund_is_recorded_with_who_why_and_the_evidence_and_no_amount_changes(shop: Shop) -> None:
    payment = paid_more_often(shop, "pi_2")
    recorded = record(shop, payment)
    assert recorded.extra_charges[0].refund_reference == "re_2"
    assert recorded.extra_charges[0].refunded_at_ms == shop.world.clock.now_ms()
    event = shop.world.events_of(payment)[-1]
    assert event.type == EXTRA_CHARGE_REFUNDED
    assert (event.actor, event.facts["operator"], event.facts["reason"]) == ("operator", "ada", "T-18")
    assert (event.facts["reference"], event.facts["refund"], event.facts["evidence"]) == ("pi_2", "re_2", "case 7")
    amounts = ("status", "captured", "refundable", "refunded", "reserved", "excess", "announced", "due_at_ms")
    assert all(getattr(recorded, name) == getattr(payment, name) for name in amounts)
    assert shop.world.now(payment) == recorded


def test_a_repetition_is_no_change(shop: Shop) -> None:
    payment = paid_more_often(shop, "pi_2")
    once = record(shop, payment)
    assert record(shop, payment) == once
    assert [event.type for event in shop.world.events_of(payment)].count(EXTRA_CHARGE_REFUNDED) == 1


def test_a_change_beside_it_is_kept(shop: Shop) -> None:
    payment = paid_more_often(shop, "pi_2")
    shop.world.before_next("transact_write_items", lambda: shop.world.request(OperationKind.REFUND, payment, 100))
    recorded = record(shop, payment)
    assert (recorded.owed_charges, recorded.reserved) == ((), 100)


@pytest.mark.parametrize(
    ("charge", "reference", "code"),
    [
        ("pi_2", "re_9", "invalid_state"),
        ("pi_3", "re_2", "reference_taken"),
        ("pi_4", "re_4", "not_found"),
        ("pi_3", "re 3", "reference_invalid"),
    ],
)
def test_what_contradicts_the_record_is_refused(shop: Shop, charge: str, reference: str, code: str) -> None:
    payment = record(shop, paid_more_often(shop, "pi_2", "pi_3"))
    with pytest.raises(Refusal) as refused:
        record(shop, payment, charge, reference)
    assert refused.value.code == code
    assert shop.world.now(payment) == payment


def test_the_payments_own_charge_is_no_extra_charge_and_its_refund_no_refund_of_one(shop: Shop) -> None:
    payment = paid_more_often(shop, "pi_2")
    with pytest.raises(Refusal) as refused:
        record(shop, payment, charge=payment.attempts[0].reference or "")
    assert refused.value.code == "not_found"
    shop.world.request(OperationKind.REFUND, payment)
    shop.world.work_until_idle()
    (refund,) = shop.world.operations.of_payment(payment.merchant_id, payment.transaction_id)
    with pytest.raises(Refusal) as refused:
        record(shop, payment, reference=refund.attempts[0].reference or "")
    assert refused.value.code == "reference_taken"


def test_it_is_listed_while_it_is_owed(shop: Shop) -> None:
    payment = paid_more_often(shop, "pi_2", "pi_3")
    shop.choose(shop.sell("key-2"))
    assert owed(shop, payment) == [payment.transaction_id]
    record(shop, payment, "pi_2", "re_2")
    assert owed(shop, payment) == [payment.transaction_id]
    record(shop, payment, "pi_3", "re_3")
    assert owed(shop, payment) == []


def test_the_longest_owed_is_listed_first(shop: Shop) -> None:
    first = paid_more_often(shop, "pi_2")
    second = paid_more_often(shop, "pi_3", key="key-2")
    assert owed(shop, first) == [first.transaction_id, second.transaction_id]


def test_in_review_it_is_in_the_list_of_reviews_and_afterwards_owed_again(shop: Shop) -> None:
    payment = paid_more_often(shop, "pi_2")
    context = Context(now_ms=shop.world.clock.now_ms(), actor="test", policy=shop.world.policy)
    in_review = shop.world.outcome_writer.commit(send_to_review(payment, ReviewReason.LATE_SUCCESS, context))
    assert in_review is not None
    assert owed(shop, payment) == []
    reviews = DynamoDBReviewIndex(client=shop.world.dynamodb, table=TRANSACTIONS)  # type: ignore[arg-type]
    page = reviews.page(payment.merchant_id, limit=100, position=None)
    assert [review.transaction_id for review in page.items] == [payment.transaction_id]
    shop.world.store(replace(in_review, status=PaymentStatus.SUCCESS, version=in_review.version + 1))
    assert owed(shop, payment) == [payment.transaction_id]


@pytest.mark.parametrize("is_recorded_first", [True, False])
def test_the_order_is_free_when_both_charges_were_given_back(shop: Shop, *, is_recorded_first: bool) -> None:
    payment = paid_more_often(shop, "pi_2", order_id=ORDER)
    if is_recorded_first:
        record(shop, payment)
    shop.world.request(OperationKind.REFUND, payment)
    shop.world.work_until_idle()
    if not is_recorded_first:
        with pytest.raises(Refusal) as refused:
            shop.sell("key-2", order_id=ORDER)
        assert refused.value.code == "order_not_free"
        record(shop, payment)
    assert shop.world.now(payment).refunded == payment.amount
    assert shop.sell("key-2", order_id=ORDER).status is PaymentStatus.REQUIRES_ACTION
