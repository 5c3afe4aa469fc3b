"""A review shows both ledgers, and promises for each verdict exactly what closing it then does."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.application.reviews.show_review import ShowReview
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import Declined, Succeeded
from payflowx.domain.payments.review import ReviewDecision, ReviewVerdict
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.entrypoints.operators.commands.review_presenting import present_review
from tests.support.balance import amounts
from tests.support.world import World
from tests.unit.application.payments.test_balances import close, refund, to_review
from tests.unit.application.payments.test_operations import charged, provider, settle

CHARGED, NOT_CHARGED = ReviewVerdict.CHARGED, ReviewVerdict.NOT_CHARGED


@pytest.fixture
def world() -> World:
    return World()


def show(world: World) -> ShowReview:
    return ShowReview(payments=world.payments, operations=world.operations, clock=world.clock, policy=world.policy)


def shown(world: World, operation: Operation, amount: int | None = None) -> dict[str, Any]:
    decision = ReviewDecision(verdict=CHARGED, amount=amount)
    return present_review(show(world).of_operation("acme", operation.operation_id, decision))


@pytest.mark.parametrize("verdict", list(ReviewVerdict))
@pytest.mark.parametrize("answer", ["moved", Declined(code="too_old")])
@pytest.mark.parametrize("amount", [None, 59])
def test_what_is_promised_for_a_verdict_is_what_closing_does(
    world: World, verdict: ReviewVerdict, answer: Any, amount: int | None
) -> None:
    payment = charged(world)
    operation = to_review(world, payment, refund(world, payment, 60, answer=answer))
    before = world.now(payment)
    effect = shown(world, operation, amount)["verdicts"][verdict.value]
    assert world.now(payment) == before  # showing writes nothing
    closed = close(world, operation, verdict, amount if verdict is CHARGED else None)
    now = world.now(payment)
    assert {name: effect[name] for name in ("captured", "refundable", "refunded", "reserved", "excess")} == {
        "captured": now.captured,
        "refundable": now.refundable,
        "refunded": now.refunded,
        "reserved": now.reserved,
        "excess": now.excess,
    }
    assert (effect["operationStatus"], effect["held"]) == (closed.status, closed.held)
    assert effect["paymentStatus"] == now.status


def test_the_providers_side_is_what_it_reported(world: World) -> None:
    payment = charged(world)
    operation = world.request(OperationKind.REFUND, payment, 60).operation
    move = provider(world).move

    def another_amount(request: Any, account: Any) -> Any:
        return replace(move(request, account), amount=59)

    provider(world).move = another_amount  # type: ignore[method-assign]
    now = settle(world, operation)
    side = shown(world, now)
    assert side["ours"]["held"] == "reserved"
    assert {"reportedAmount": 59, "reportedCurrency": "USD", "code": "amount_differs"}.items() <= side["theirs"].items()
    refused = side["verdicts"]["charged"]
    assert (refused["refused"], "Give the amount" in refused["why"]) == ("amount_invalid", True)
    assert side["verdicts"]["not_charged"]["refundable"] == 100
    assert shown(world, now, 59)["verdicts"]["charged"]["refunded"] == 59


def test_a_payments_review(world: World) -> None:
    payment = world.accept(amount=100)
    attempt_key: list[str] = []

    def another_amount(request: Any, account: Any) -> Any:
        attempt_key.append(request.provider_key)
        return Succeeded(reference="ch_1", amount=60, currency="USD", merchant_reference=request.provider_key)

    provider(world).charge = another_amount  # type: ignore[method-assign]
    world.work()
    decision = ReviewDecision(verdict=CHARGED, amount=60)
    side = present_review(show(world).of_payment("acme", payment.transaction_id, decision))
    assert side["theirs"]["reportedAmount"] == 60
    assert side["verdicts"]["charged"]["captured"] == 60
    assert side["verdicts"]["charged"]["paymentStatus"] == "SUCCESS"
    assert side["verdicts"]["not_charged"]["paymentStatus"] == "FAILED"
    assert amounts(world.now(payment)) == {}


def test_only_a_review_is_shown(world: World) -> None:
    payment = charged(world)
    operation = refund(world, payment, 60)
    decision = ReviewDecision(verdict=CHARGED)
    for call, code in (
        (lambda: show(world).of_payment("acme", payment.transaction_id, decision), "invalid_state"),
        (lambda: show(world).of_operation("acme", operation.operation_id, decision), "invalid_state"),
        (lambda: show(world).of_payment("acme", "pay_aaaaaaaaaaaaaaaa", decision), "not_found"),
        (lambda: show(world).of_operation("acme", "ref_aaaaaaaaaaaaaaaa", decision), "not_found"),
        (lambda: show(world).of_operation("other", operation.operation_id, decision), "not_found"),
    ):
        with pytest.raises(Refusal) as refusal:
            call()  # type: ignore[no-untyped-call]
        assert refusal.value.code == code
