"""A refund in the provider's dashboard, end to end: Stripe's simulator, its report and its events, our connector."""

import json
from dataclasses import replace
from typing import Any

import pytest

from payflowx.application.reviews.close_review import CloseReview, ReviewEntry
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.review import ReviewVerdict
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus
from payflowx.domain.shared.transport import Credentials, HttpResponse
from payflowx.providers.stripe import requests
from tests.support.balance import amounts, assert_agrees, assert_balanced, operations_of
from tests.support.reconciliation import DECISION, ReconciliationWorld


@pytest.fixture
def world() -> ReconciliationWorld:
    return ReconciliationWorld(provider="stripe")


def refund_in_dashboard(world: ReconciliationWorld, payment: Payment, amount: int, *, behaviour: str = "") -> str:
    """A person's click: the request carries no key of ours."""
    if behaviour:
        world.simulator.next_operation(behaviour)
    fields = [("payment_intent", payment.attempts[-1].reference or ""), ("amount", str(amount))]
    credentials = Credentials(key_id="id", key_secret="secret")
    asked = requests.authenticate(requests.post("/v1/refunds", fields), credentials)
    answer = world.http.send(asked, "https://stripe")
    assert isinstance(answer, HttpResponse)
    assert answer.status == 200, answer.body
    return str(json.loads(answer.body)["id"])


def external(world: ReconciliationWorld, payment: Payment) -> list[Operation]:
    return [o for o in operations_of(world, payment) if o.origin is Origin.PROVIDER]


def of(world: ReconciliationWorld, payment: Payment) -> dict[str, int]:
    now = world.now(payment)
    assert_balanced(now)
    assert_agrees(now, operations_of(world, payment))
    return amounts(now)


def post_webhooks(world: ReconciliationWorld) -> None:
    for webhook in world.simulator.webhooks_due(world.clock.now_ms() / 1000):
        world.receive("stripe", webhook.body, webhook.headers)


def test_the_daily_run_books_it(world: ReconciliationWorld) -> None:
    payment = world.pay("order-1")
    refund_id = refund_in_dashboard(world, payment, 40_000)
    world.a_day_later()
    assert world.report(world.run()) == [("missing_here", "ask", payment.transaction_id)]
    (operation,) = external(world, payment)
    assert (operation.status, operation.attempts[0].reference) == ("SUCCEEDED", refund_id)
    assert of(world, payment) == {"captured": 49_900, "refundable": 9_900, "refunded": 40_000}
    assert world.now(payment).status is PaymentStatus.SUCCESS
    event = world.events_of(payment)[-1]
    assert (event.actor, event.facts["listedReference"]) == ("provider", refund_id)
    # The next full refund is refused here, and not by the provider after six tries.
    with pytest.raises(Refusal, match="At most 9900"):
        world.request(OperationKind.REFUND, payment, 49_900)
    assert world.report(world.run(again=1)) == []


def test_its_events_book_it_at_once(world: ReconciliationWorld) -> None:
    payment = world.pay("order-1")
    world.simulator.webhooks_due(world.clock.now_ms() / 1000)
    refund_in_dashboard(world, payment, 40_000)
    post_webhooks(world)
    inbound = list(world.provider_events.sent)
    world.provider_events.sent.clear()
    for received, _ in inbound:
        world.process_provider_event(received)
    world.work_until_idle()
    assert of(world, payment) == {"captured": 49_900, "refundable": 9_900, "refunded": 40_000}
    world.deliver_provider_events()
    world.work_until_idle()
    assert len(external(world, payment)) == 1
    world.a_day_later()
    assert world.report(world.run()) == []


def test_one_that_fails_later_goes_to_review_and_its_amount_comes_back(world: ReconciliationWorld) -> None:
    payment = world.pay("order-1")
    refund_in_dashboard(world, payment, 40_000, behaviour="tok_reopened_decline")
    use = world.record_provider_refunds
    use(payment.merchant_id, payment.transaction_id)
    assert of(world, payment)["refunded"] == 40_000
    for _ in range(40):
        world.a_day_later()
        use(payment.merchant_id, payment.transaction_id)
        if external(world, payment)[0].status is OperationStatus.IN_REVIEW:
            break
    (operation,) = external(world, payment)
    assert operation.last_error is not None
    assert operation.last_error.code == "reversed"


@pytest.mark.parametrize(
    ("behaviour", "after"),
    [
        ("tok_async_success", {"captured": 49_900, "refundable": 9_900, "refunded": 40_000}),
        ("tok_async_failure", {"captured": 49_900, "refundable": 49_900}),
    ],
)
def test_a_pending_one_is_followed_by_the_worker(
    world: ReconciliationWorld, behaviour: str, after: dict[str, int]
) -> None:
    payment = world.pay("order-1")
    refund_in_dashboard(world, payment, 40_000, behaviour=behaviour)
    world.record_provider_refunds(payment.merchant_id, payment.transaction_id)
    assert of(world, payment) == {"captured": 49_900, "refundable": 9_900, "reserved": 40_000}
    for _ in range(30):
        world.work_until_idle()
        world.clock.advance(600)
        world.sweep(world.deadline)
    assert of(world, payment) == after


def test_one_of_ours_whose_answer_was_lost_is_never_booked_twice(world: ReconciliationWorld) -> None:
    payment = world.pay("order-1")
    world.simulator.next_operation("tok_timeout_after_charge")
    ours = world.request(OperationKind.REFUND, payment, 40_000).operation
    world.work()
    assert world.operation_now(ours).attempts[0].state == "UNKNOWN"
    use = world.record_provider_refunds
    assert use(payment.merchant_id, payment.transaction_id).booked == []
    world.work_until_idle()
    assert use(payment.merchant_id, payment.transaction_id).booked == []
    assert of(world, payment) == {"captured": 49_900, "refundable": 9_900, "refunded": 40_000}


@pytest.mark.parametrize(("there", "ours"), [(49_900, 49_900), (40_000, 20_000)])
def test_one_beside_ours_that_waits_to_be_sent_opens_no_review(
    world: ReconciliationWorld, there: int, ours: int
) -> None:
    payment = world.pay("order-1")
    requested = world.request(OperationKind.REFUND, payment, ours).operation
    refund_in_dashboard(world, payment, there)
    assert len(world.record_provider_refunds(payment.merchant_id, payment.transaction_id).waiting) == 1
    world.work_until_idle()
    world.a_day_later()
    world.run()
    world.work_until_idle()
    assert world.operation_now(requested).status is OperationStatus.FAILED
    assert [operation.status for operation in external(world, payment)] == ["SUCCEEDED"]
    assert {**of(world, payment), "refundable": 49_900 - there} == {
        "captured": 49_900,
        "refundable": 49_900 - there,
        "refunded": there,
    }


def test_a_list_that_is_cut_off_books_nothing_and_starts_a_review(world: ReconciliationWorld) -> None:
    payment = world.pay("order-1")
    refund_in_dashboard(world, payment, 40_000)
    world.a_day_later()
    send = world.http.send

    def cut_off(request: Any, endpoint: str) -> Any:
        answer = send(request, endpoint)
        if request.path.startswith("/v1/refunds?") and isinstance(answer, HttpResponse):
            return HttpResponse(
                status=200, headers={}, body=answer.body.replace(b'"has_more":false', b'"has_more":true')
            )
        return answer

    world.http.send = cut_off  # type: ignore[method-assign]
    world.run()
    assert external(world, payment) == []
    assert world.now(payment).status is PaymentStatus.IN_REVIEW


def test_one_that_is_part_of_the_amount_of_a_closed_review_is_not_booked_again(world: ReconciliationWorld) -> None:
    """The provider took too much. A person returned the difference there and named what is kept, as the page says."""
    payment = world.pay("order-1", "tok_wrong_amount")
    assert world.now(payment).status is PaymentStatus.IN_REVIEW
    refund_in_dashboard(world, payment, 1)
    world.clock.advance(60)
    close_as_charged(world, payment, amount=49_900)
    assert of(world, payment) == {"captured": 49_900, "refundable": 49_900}
    world.a_day_later()
    # The report's lines show what a person has decided: nobody is asked again.
    assert world.report(world.run()) == [
        ("amount", "none", payment.transaction_id),
        ("missing_here", "ask", payment.transaction_id),
    ]
    assert world.record_provider_refunds(payment.merchant_id, payment.transaction_id).booked == []
    assert (external(world, payment), world.now(payment).status) == ([], PaymentStatus.SUCCESS)
    refund_in_dashboard(world, payment, 40_000)
    world.record_provider_refunds(payment.merchant_id, payment.transaction_id)
    assert of(world, payment) == {"captured": 49_900, "refundable": 9_900, "refunded": 40_000}


@pytest.mark.parametrize("listed", [30_000, 70_000])
def test_an_amount_that_contradicts_the_named_one_is_asked_about_and_only_once(
    world: ReconciliationWorld, listed: int
) -> None:
    payment = world.pay("order-1", "tok_wrong_amount")
    refund_in_dashboard(world, payment, 1)
    world.clock.advance(60)
    close_as_charged(world, payment, amount=49_900)
    world.a_day_later()
    charge, refund = ("amount", "none", payment.transaction_id), ("missing_here", "ask", payment.transaction_id)
    assert world.report(world.run()) == [charge, refund]
    world.alter(payment, amount=listed, captured=listed, taken=listed)
    assert world.report(world.run(again=1)) == [("amount", "review", payment.transaction_id), refund]
    assert world.now(payment).status is PaymentStatus.IN_REVIEW
    close_as_charged(world, payment, amount=49_900)
    assert world.report(world.run(again=2)) == [charge, refund]
    assert world.now(payment).status is PaymentStatus.SUCCESS
    assert of(world, payment) == {"captured": 49_900, "refundable": 49_900}


def test_an_amount_that_a_report_listed_before_another_was_named_is_known(world: ReconciliationWorld) -> None:
    """The report opened the review, so the person has seen its amount."""
    payment = world.pay("order-1", "tok_hard_decline")
    world.a_day_later()
    world.file.entries = [replace(world.entry(payment), reference="ch_late", amount=60_000)]
    opened = world.run(file="files/one.csv")
    assert world.report(opened) == [("amount", "review", payment.transaction_id)]
    close_as_charged(world, payment, amount=49_900, reference="ch_late")
    again = world.run(file="files/two.csv")
    assert ("amount", "none", payment.transaction_id) in world.report(again)
    assert world.now(payment).status is PaymentStatus.SUCCESS


def close_as_charged(
    world: ReconciliationWorld, payment: Payment, amount: int | None, reference: str | None = None
) -> None:
    """`payflowx review close pay_... --charged --amount`."""
    use_case = CloseReview(
        payments=world.payments,
        operations=world.operations,
        outcome_writer=world.outcome_writer,
        merchant_directory=world.merchant_directory,
        able=world.providers.capabilities(),
        clock=world.clock,
        policy=world.policy,
    )
    entry = ReviewEntry(
        verdict=ReviewVerdict.CHARGED, evidence="refunded 0.01 there", amount=amount, reference=reference
    )
    use_case(payment.merchant_id, payment.transaction_id, entry, DECISION)
