"""A payment is charged after another one took its order: the holder is decided first, and never two charges stay."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from payflowx.application.payments.settle_order import late_refund
from payflowx.application.reviews.close_review import CloseReview, ReviewEntry
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.orders.order import OrderState
from payflowx.domain.orders.ordered_change import wait_for_holder
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.operation import Held
from payflowx.domain.payments.order_link import OrderStanding
from payflowx.domain.payments.outcome import Accepted, Declined, Mismatch, NotSent, Outcome, Rejected, Unknown
from payflowx.domain.payments.payment import Lease, Payment
from payflowx.domain.payments.ports import Job, Stored
from payflowx.domain.payments.review import ReviewVerdict
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, SECOND_MS
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, DeclineKind, OperationStatus, PaymentStatus
from tests.support.orders import ORDER, order_of, refused
from tests.support.scripted import authorized, charged
from tests.support.world import World, fallback

REOPENS_SECONDS = 5 * DAY_MS // SECOND_MS
MAY_REOPEN = Declined(kind=DeclineKind.SOFT, code="declined", reopens_for_seconds=REOPENS_SECONDS)
IRREVOCABLE = Declined(kind=DeclineKind.HARD, code="stolen_card")
TIMEOUT = Unknown(code="read_timeout")


@pytest.fixture
def world() -> World:
    """The second provider of the route can cancel and confirm."""
    made = World()
    made.rules.document = fallback("alpha")
    return made


def failed(world: World, key: str, decline: Declined) -> Payment:
    world.providers.get("alpha").charges = [decline]
    payment = world.accept(key, order_id=ORDER)
    world.work_until_idle()
    assert world.now(payment).status is PaymentStatus.FAILED
    return world.now(payment)


def reopen(world: World, payment: Payment) -> Payment:
    """The provider charges after all, and its webhook proves it."""
    stored = world.now(payment)
    attempt = stored.attempt(1)
    request = next(r for _, r in world.providers.get("alpha").sent if r.provider_key == attempt.provider_key)
    context = Context(now_ms=world.clock.now_ms(), actor="webhook", policy=world.policy)
    written = world.outcome_writer.prove(WorkItem(payment=stored), 1, charged(request), context)
    assert isinstance(written, Stored)
    return world.now(payment)


def by_beta(world: World, key: str, **changes: object) -> Payment:
    world.rules.document = fallback("beta")
    world.deploy()
    return world.accept(key, order_id=ORDER, **changes)


def net(world: World, *payments: Payment) -> int:
    """The number of charges that stay."""
    return sum(world.now(p).captured > world.now(p).refunded for p in payments)


def refunds(world: World, payment: Payment) -> list[OperationStatus]:
    return [o.status for o in world.operations.of_payment(payment.merchant_id, payment.transaction_id)]


# -- a decline that may reopen


def test_without_automatic_refunds_the_order_is_refused_until_the_decline_can_reopen_no_more(world: World) -> None:
    first = failed(world, "key-1", MAY_REOPEN)
    refusal = refused(world, "key-2")
    assert refusal.holder == first
    assert refusal.free_at_ms == first.attempt(1).reopens_until_ms
    world.clock.advance(REOPENS_SECONDS + 1)
    world.wake(first)
    assert order_of(world).state is OrderState.FREE
    assert world.accept("key-2", order_id=ORDER)


def test_the_end_of_the_watch_is_an_event_of_the_audit_log(world: World) -> None:
    first = failed(world, "key-1", MAY_REOPEN)
    world.clock.advance(REOPENS_SECONDS + 1)
    world.wake(first)
    assert world.now(first).due_at_ms is None
    assert world.events_of(first)[-1].type == "payment.order_freed"


def test_a_cancelled_payment_with_a_decline_that_may_reopen_holds(world: World) -> None:
    first = failed(world, "key-1", MAY_REOPEN)
    world.store(replace(first, status=PaymentStatus.CANCELLED, version=first.version + 1))
    assert refused(world, "key-2").free_at_ms is not None


def test_with_automatic_refunds_the_order_is_free_and_never_two_charges_stay(world: World) -> None:
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    assert first.due_at_ms is not None, "the watch goes on"
    second = by_beta(world, "key-2")
    world.work_until_idle()
    assert world.now(second).status is PaymentStatus.SUCCESS
    assert reopen(world, first).last_error.code == "order_contended"  # type: ignore[union-attr]
    world.work_until_idle()
    assert refunds(world, first) == [OperationStatus.SUCCEEDED]
    assert refunds(world, second) == []
    assert net(world, first, second) == 1
    assert world.now(first).status is PaymentStatus.SUCCESS, "given back: nobody has to look at it"
    assert order_of(world).holder == second.transaction_id


def test_the_switch_may_be_turned_on_after_the_failure(world: World) -> None:
    first = failed(world, "key-1", MAY_REOPEN)
    world.set_merchant(automatic_refund=True)
    second = world.accept("key-2", order_id=ORDER)
    assert order_of(world).holder == second.transaction_id
    assert world.now(first).order.standing is OrderStanding.RELEASED  # type: ignore[union-attr]


def test_a_charge_that_contends_keeps_the_order_when_its_holder_left_it(world: World) -> None:
    """An older release ended the holder, and left the order as it is."""
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    second = by_beta(world, "key-2")
    reopen(world, first)
    stored = world.now(second)
    world.store(replace(stored, status=PaymentStatus.FAILED, due_at_ms=None, version=stored.version + 1))
    refusal = refused(world, "key-3")
    assert refusal.holder == world.now(first)
    assert "manual review" in refusal.detail


def test_an_automatic_refund_is_requested_once(world: World) -> None:
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    by_beta(world, "key-2")
    world.work_until_idle()
    reopen(world, first)
    for _ in range(3):
        world.wake(first)
    world.work_until_idle()
    world.wake(first)
    assert len(refunds(world, first)) == 1


def test_a_charge_whose_automatic_refund_was_made_already_is_left_to_a_person(world: World) -> None:
    """It failed, or its money came back, and the payment contends for its order again."""
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    second = charged_second(world)
    reopen(world, first)
    context = Context(now_ms=world.clock.now_ms(), actor="worker", policy=world.policy)
    made = replace(
        late_refund(world.now(first), context), status=OperationStatus.FAILED, held=Held.GIVEN_BACK, due_at_ms=None
    )
    world.store(made)
    settle(world, first, second)
    assert world.now(first).last_error.code == "order_charged_twice"  # type: ignore[union-attr]
    assert refunds(world, first) == [OperationStatus.FAILED]


@pytest.mark.parametrize("amount", [None, 1])
def test_beside_a_holder_that_is_being_given_back_no_refund_is_automatic(world: World, amount: int | None) -> None:
    """Both charges would be returned, and the order would be unpaid. A part of the holder's is no such refund."""
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    second = charged_second(world)
    world.providers.get("beta").moves = [TIMEOUT]
    world.providers.get("beta").operation_inquiries = [Unknown(code="read_timeout")] * 20
    world.request(OperationKind.REFUND, world.now(second), amount)
    world.work()
    reopen(world, first)
    world.work_until_idle()
    assert world.now(second).reserved == (amount or second.amount)
    assert len(refunds(world, first)) == (0 if amount is None else 1)


def test_waiting_for_the_holder_releases_a_lease_that_has_expired(world: World) -> None:
    first = failed(world, "key-1", MAY_REOPEN)
    late = replace(
        world.now(first),
        attempts=(replace(world.now(first).attempts[0], state=AttemptState.SUCCEEDED),),
        charged_attempt=1,
        lease=Lease(owner="stalled", epoch=9, expires_at_ms=world.clock.now_ms() - 1),
    )
    later = wait_for_holder(late, world.clock.now_ms())
    assert later is not None
    assert later.lease == Lease(epoch=10)


# -- the holder is decided first


Holder = Callable[[World], Payment]


def not_begun(world: World) -> Payment:
    return by_beta(world, "key-2")


def unknown(world: World) -> Payment:
    world.providers.get("beta").charges = [TIMEOUT]
    payment = by_beta(world, "key-2")
    world.work()
    return payment


def charged_second(world: World) -> Payment:
    payment = by_beta(world, "key-2")
    world.work_until_idle()
    return payment


def held(world: World) -> Payment:
    world.providers.get("alpha").charges = []
    payment = world.accept("key-2", order_id=ORDER, capture=CaptureMode.MANUAL)
    world.work()
    assert world.now(payment).status is PaymentStatus.AUTHORIZED
    return payment


def held_and_inquired_about(world: World) -> Payment:
    """Provider events caused inquiries, so that the next ones are hours apart."""
    payment = world.now(held(world))
    [attempt] = payment.attempts
    world.store(replace(payment, attempts=(replace(attempt, inquiries=7),)))
    return payment


@pytest.mark.parametrize("holder", [not_begun, unknown, held, held_and_inquired_about])
def test_a_holder_that_is_not_charged_gives_its_place_to_the_late_payment(world: World, holder: Holder) -> None:
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    second = holder(world)
    late = reopen(world, first)
    assert late.status is PaymentStatus.IN_REVIEW
    assert late.order.contends_with == second.transaction_id  # type: ignore[union-attr]
    assert world.now(second).order.stop_requested  # type: ignore[union-attr]
    assert world.now(second).order.contends_with == first.transaction_id  # type: ignore[union-attr]
    settle(world, first, second)
    assert world.now(second).status is PaymentStatus.CANCELLED
    assert world.now(first).status is PaymentStatus.SUCCESS
    assert world.now(first).due_at_ms is None
    assert order_of(world).holder == first.transaction_id
    assert refunds(world, first) == []
    assert net(world, first, second) == 1


@pytest.mark.parametrize("why", ["cancelled", "charged twice"])
def test_a_late_payment_that_has_another_reason_for_a_review_keeps_it_with_the_order(world: World, why: str) -> None:
    """The merchant had cancelled it, or it has two charges of its own: the order's end decides neither."""
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    second = not_begun(world)
    late = reopen(world, first)
    again = replace(late.attempts[0], number=2, provider_key="pfx-2", reference="ch_2")
    attempts = late.attempts if why == "cancelled" else (*late.attempts, again)
    world.store(replace(late, cancel_requested=why == "cancelled", attempts=attempts))
    settle(world, first, second)
    assert world.now(second).status is PaymentStatus.CANCELLED
    now = world.now(first)
    assert (now.status, now.last_error and now.last_error.code) == (PaymentStatus.IN_REVIEW, "late_success")
    assert order_of(world).holder == first.transaction_id


def test_a_stopped_holder_begins_no_attempt(world: World) -> None:
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    second = not_begun(world)
    reopen(world, first)
    settle(world, first, second)
    assert world.now(second).attempts == ()
    assert world.providers.get("beta").sent == []


@pytest.mark.parametrize("automatic", [True, False])
def test_nothing_is_refunded_before_the_holder_is_decided(world: World, *, automatic: bool) -> None:
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    world.set_merchant(automatic_refund=automatic)
    beta = world.providers.get("beta")
    beta.charges, beta.cancellations = [TIMEOUT], [TIMEOUT] * 20
    second = by_beta(world, "key-2")
    world.work()
    reopen(world, first)
    for _ in range(5):
        world.clock.advance(HOUR_MS // SECOND_MS)
        world.wake(first)
        assert refunds(world, first) == []
        assert world.now(first).last_error.code == "order_contended"  # type: ignore[union-attr]
    beta.inquiries = ["charged"]
    settle(world, first, second)
    assert world.now(second).status is PaymentStatus.SUCCESS
    assert refunds(world, first) == ([OperationStatus.SUCCEEDED] if automatic else [])
    assert refunds(world, second) == []
    assert net(world, first, second) == (1 if automatic else 2)
    assert world.telemetry.total(Metric.ORDERS_CHARGED_TWICE) == 1


@pytest.mark.parametrize("answers", [[], [NotSent(code="connection_refused")], [Rejected(code="rate_limited")]])
def test_a_stopped_holder_begins_no_capture(world: World, answers: list[Outcome]) -> None:
    """It was accepted before the order was known to be charged, and nothing of it can have moved money."""
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    second = held(world)
    alpha = world.providers.get("alpha")
    alpha.moves = [*answers]
    capture = world.request(OperationKind.CAPTURE, second).operation
    if answers:
        world.work()
    sent = alpha.moves_of("move")
    world.jobs.sent.clear()
    reopen(world, first)
    world.clock.advance(60)
    job = Job(merchant_id="acme", transaction_id=second.transaction_id, operation_id=capture.operation_id)
    world.process(job, world.deadline)
    settle(world, first, second)
    now = world.operation_now(capture)
    assert (now.status, now.last_error and now.last_error.code) == (OperationStatus.FAILED, "payment_stopped")
    assert alpha.moves_of("move") == sent + 1, "the void"
    assert world.now(second).status is PaymentStatus.CANCELLED
    assert world.now(first).status is PaymentStatus.SUCCESS
    assert net(world, first, second) == 1
    assert refunds(world, first) == []


def test_a_capture_that_may_have_left_is_resolved(world: World) -> None:
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    second = held(world)
    alpha = world.providers.get("alpha")
    alpha.moves, alpha.operation_inquiries = [TIMEOUT], ["moved"]
    world.request(OperationKind.CAPTURE, second)
    world.work()
    reopen(world, first)
    settle(world, first, second)
    assert world.now(second).status is PaymentStatus.SUCCESS
    assert refunds(world, first) == [OperationStatus.SUCCEEDED]
    assert net(world, first, second) == 1


def test_a_holder_that_was_stopped_in_review_and_turns_out_to_be_held_is_released(world: World) -> None:
    """No capture begins of it: the order is known to be charged."""
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    beta = world.providers.get("beta")
    beta.able = replace(beta.able, capture_modes=frozenset(CaptureMode))
    beta.charges, beta.cancellations = [TIMEOUT], [TIMEOUT] * 50
    second = by_beta(world, "key-2", capture=CaptureMode.MANUAL)
    world.work()
    while world.now(second).status is not PaymentStatus.IN_REVIEW:
        world.clock.advance(HOUR_MS // SECOND_MS)
        world.wake(second)
    reopen(world, first)
    beta.inquiries = [authorized(beta.sent[0][1])] * 3
    world.jobs.sent.clear()
    world.clock.advance(DAY_MS // SECOND_MS + 1)
    world.process(Job(merchant_id=second.merchant_id, transaction_id=second.transaction_id), world.deadline)
    assert world.now(second).status is PaymentStatus.AUTHORIZED
    with pytest.raises(Refusal, match="cancellation"):
        world.request(OperationKind.CAPTURE, second)
    settle(world, first, second)
    assert world.now(second).status is PaymentStatus.CANCELLED
    assert world.now(first).status is PaymentStatus.SUCCESS
    assert order_of(world).holder == first.transaction_id
    assert net(world, first, second) == 1


def test_a_new_payment_never_takes_the_place_of_one_that_waits_behind_the_holder(world: World) -> None:
    """The switch is turned on while a charged payment waits for the end of the holder's watch."""
    first = failed(world, "key-1", IRREVOCABLE)
    second = failed(world, "key-2", MAY_REOPEN)
    reopen(world, first)
    world.work_until_idle()
    assert world.now(first).last_error.code == "order_contended"  # type: ignore[union-attr]
    world.set_merchant(automatic_refund=True)
    assert refused(world, "key-3").holder == world.now(first)
    world.clock.advance(REOPENS_SECONDS + 1)
    settle(world, second, first)
    assert world.now(first).status is PaymentStatus.SUCCESS
    assert order_of(world).holder == first.transaction_id
    assert refunds(world, first) == []


def test_a_new_payment_cannot_slip_in_between(world: World) -> None:
    """The order goes from the holder to the late payment in the write that ends the holder."""
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    second = not_begun(world)
    reopen(world, first)
    world.wake(second)
    assert world.now(second).status is PaymentStatus.CANCELLED
    assert refused(world, "key-3").holder == world.now(first)


# -- a provider that breaks its word, and merchants without the switch


def charged_twice(world: World) -> tuple[Payment, Payment]:
    first = failed(world, "key-1", IRREVOCABLE)
    second = by_beta(world, "key-2")
    world.work_until_idle()
    reopen(world, first)
    world.work_until_idle()
    return first, second


def test_without_automatic_refunds_a_person_decides(world: World) -> None:
    first, second = charged_twice(world)
    stored = world.now(first)
    assert stored.status is PaymentStatus.IN_REVIEW
    assert stored.last_error.code == "order_charged_twice"  # type: ignore[union-attr]
    assert stored.order.contends_with == second.transaction_id  # type: ignore[union-attr]
    assert world.now(second).order.contends_with == first.transaction_id  # type: ignore[union-attr]
    assert world.now(second).status is PaymentStatus.SUCCESS
    assert refunds(world, first) == []
    assert world.telemetry.total(Metric.ORDERS_CHARGED_TWICE) == 1


def test_the_merchant_may_refund_the_payment_in_review_and_the_review_ends(world: World) -> None:
    first, second = charged_twice(world)
    world.request(OperationKind.REFUND, first)
    world.work_until_idle()
    assert world.now(first).status is PaymentStatus.SUCCESS
    assert world.now(first).refunded == 1999
    assert net(world, first, second) == 1
    assert order_of(world).holder == second.transaction_id


def test_a_contending_payment_is_not_refunded_by_the_merchant_before_the_holder_is_decided(world: World) -> None:
    first = failed(world, "key-1", IRREVOCABLE)
    unknown(world)
    reopen(world, first)
    with pytest.raises(Refusal, match="manual review"):
        world.request(OperationKind.REFUND, first)


def test_a_late_charge_of_a_free_order_takes_it(world: World) -> None:
    first = failed(world, "key-1", IRREVOCABLE)
    late = reopen(world, first)
    assert late.status is PaymentStatus.SUCCESS
    assert order_of(world).holder == first.transaction_id
    refused(world, "key-2")


def test_a_refund_that_a_bank_returns_is_a_late_charge(world: World) -> None:
    first = world.accept("key-1", order_id=ORDER)
    world.work_until_idle()
    refund = world.request(OperationKind.REFUND, first).operation
    world.work_until_idle()
    second = by_beta(world, "key-2")
    world.work_until_idle()
    world.providers.get("alpha").operation_inquiries = [Declined(code="returned")]
    world.clock.advance(40 * DAY_MS // SECOND_MS)
    world.sweep(world.deadline)
    world.work_until_idle()
    assert world.operation_now(refund).status is OperationStatus.IN_REVIEW
    assert world.now(first).last_error.code == "order_charged_twice"  # type: ignore[union-attr]
    assert world.now(second).status is PaymentStatus.SUCCESS


def test_a_late_charge_of_a_payment_that_said_false_is_counted_again(world: World) -> None:
    """Its decline had ended its count; as long as its charge stays, the order is not free for one that says *once*."""
    world.providers.get("alpha").charges = [IRREVOCABLE]
    first = world.accept("key-1", order_id=ORDER, once_per_order=False)
    world.work_until_idle()
    assert order_of(world).beside == 0
    reopen(world, first)
    assert order_of(world).beside == 1
    assert refused(world, "key-2").beside == 1


# -- three payments of one order


def test_an_order_is_not_free_beside_a_late_charge_that_is_not_given_back_yet(world: World) -> None:
    """The holder was refunded; the refund of the late charge is still on its way."""
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    second = by_beta(world, "key-2")
    world.work_until_idle()
    world.providers.get("alpha").moves = [TIMEOUT]
    world.providers.get("alpha").operation_inquiries = [Accepted(reference="refund-1")] * 3
    reopen(world, first)
    world.work(turns=2)
    assert world.now(first).last_error.code == "order_charged_twice"  # type: ignore[union-attr]
    world.request(OperationKind.REFUND, second)
    settle(world, second)
    assert order_of(world).holder == first.transaction_id
    refused(world, "key-3")
    finish(world, first)
    assert net(world, first, second) == 0
    assert world.accept("key-4", order_id=ORDER)


def test_the_merchant_may_refund_the_holder_and_keep_the_late_charge(world: World) -> None:
    first, second = charged_twice(world)
    world.request(OperationKind.REFUND, second)
    settle(world, first, second)
    assert world.now(first).status is PaymentStatus.SUCCESS
    assert world.now(first).last_error is None
    assert order_of(world).holder == first.transaction_id
    assert net(world, first, second) == 1
    refused(world, "key-3")


def test_two_late_charges_keep_their_places(world: World) -> None:
    first = failed(world, "key-1", IRREVOCABLE)
    second = failed(world, "key-2", IRREVOCABLE)
    third = by_beta(world, "key-3")
    world.work_until_idle()
    for payment in (first, second):
        reopen(world, payment)
        world.work_until_idle()
    assert list(order_of(world).contenders) == [first.transaction_id, second.transaction_id]
    world.request(OperationKind.REFUND, third)
    settle(world, first, second, third)
    assert order_of(world).holder == first.transaction_id
    assert world.now(first).status is PaymentStatus.SUCCESS
    assert world.now(second).last_error.code == "order_charged_twice"  # type: ignore[union-attr]
    world.request(OperationKind.REFUND, second, key="op-2")
    settle(world, first, second, third)
    assert net(world, first, second, third) == 1
    assert order_of(world).contenders == ()


def test_money_that_is_not_proven_waits_behind_the_holder(world: World) -> None:
    first = failed(world, "key-1", IRREVOCABLE)
    second = by_beta(world, "key-2")
    world.work_until_idle()
    wrong = mismatch(world, first)
    assert wrong.status is PaymentStatus.IN_REVIEW
    assert wrong.last_error.code == "mismatch"  # type: ignore[union-attr]
    assert not world.now(second).order.stop_requested  # type: ignore[union-attr]
    world.request(OperationKind.REFUND, second)
    settle(world, first, second)
    assert order_of(world).holder == first.transaction_id
    assert world.now(first).last_error.code == "mismatch"  # type: ignore[union-attr]


# -- a person closes the holder's review as not charged


def close_as_not_charged(world: World, payment: Payment) -> Payment:
    """The charge of another amount was refunded in the provider's dashboard."""
    closed = close(world, payment, ReviewVerdict.NOT_CHARGED)
    assert closed.status is PaymentStatus.FAILED
    return closed


def close(world: World, payment: Payment, verdict: ReviewVerdict) -> Payment:
    finding = ReviewEntry(verdict=verdict, evidence="refunded there, line 7")
    use_case = CloseReview(
        payments=world.payments,
        operations=world.operations,
        outcome_writer=world.outcome_writer,
        merchant_directory=world.merchant_directory,
        able=world.providers.capabilities(),
        clock=world.clock,
        policy=world.policy,
    )
    return use_case(payment.merchant_id, payment.transaction_id, finding, OperatorAction(who="local:ada", why="T-1"))


@pytest.mark.parametrize("holder", [unknown, charged_second])
def test_a_late_payment_whose_charge_the_provider_returned_leaves_the_line(world: World, holder: Holder) -> None:
    first = failed(world, "key-1", IRREVOCABLE)
    second = holder(world)
    reopen(world, first)
    world.work()
    assert world.now(first).is_charged_beside_holder
    close_as_not_charged(world, first)
    assert order_of(world).contenders == ()
    settle(world, second, first)
    assert world.now(first).status is PaymentStatus.FAILED
    assert order_of(world).holder in {second.transaction_id, None}


def test_a_refund_frees_the_order_of_a_payment_whose_mismatch_a_person_has_decided(world: World) -> None:
    world.rules.document = fallback("alpha", "beta")
    world.providers.get("alpha").charges = [Declined(kind=DeclineKind.SOFT, code="declined")]
    payment = world.accept("key-1", order_id=ORDER)
    world.work_until_idle()
    assert world.now(payment).charged_attempt == 2
    assert mismatch(world, payment).status is PaymentStatus.IN_REVIEW
    assert close(world, payment, ReviewVerdict.CHARGED).status is PaymentStatus.SUCCESS
    world.request(OperationKind.REFUND, payment)
    world.work_until_idle()
    assert world.now(payment).refunded == payment.amount
    assert order_of(world).state is OrderState.FREE
    assert world.accept("key-2", order_id=ORDER)


def test_an_order_is_free_after_a_person_closed_its_payment_as_not_charged(world: World) -> None:
    world.providers.get("alpha").charges = [Mismatch(code="amount_differs", reference="other")]
    first = world.accept("key-1", order_id=ORDER)
    world.work_until_idle()
    refused(world, "key-2")
    close_as_not_charged(world, first)
    assert order_of(world).state is OrderState.FREE
    assert world.accept("key-2", order_id=ORDER)


def test_a_late_payment_takes_the_order_of_a_holder_that_a_person_closed_as_not_charged(world: World) -> None:
    world.set_merchant(automatic_refund=True)
    first = failed(world, "key-1", MAY_REOPEN)
    world.providers.get("beta").charges = [Mismatch(code="amount_differs", reference="other")]
    second = by_beta(world, "key-2")
    world.work_until_idle()
    reopen(world, first)
    settle(world, first)
    assert world.now(first).last_error.code == "order_contended"  # type: ignore[union-attr]
    close_as_not_charged(world, second)
    settle(world, first, second)
    assert world.now(first).status is PaymentStatus.SUCCESS
    assert order_of(world).holder == first.transaction_id
    assert refunds(world, first) == []


# -- the order never blocks an outcome


def test_a_lost_order_is_left_out_and_alarmed(world: World) -> None:
    world.providers.get("alpha").charges = [IRREVOCABLE]
    first = world.accept("key-1", order_id=ORDER)
    order = order_of(world)
    world.forget({"pk": f"M#acme#ORDER#{order.order_hash}", "sk": "ORDER"})
    world.work_until_idle()
    assert world.now(first).status is PaymentStatus.FAILED
    assert world.telemetry.total(Metric.ORDER_PARTS_LEFT_OUT) == 1


def test_an_order_that_names_another_payment_is_left_alone(world: World) -> None:
    world.providers.get("alpha").charges = [IRREVOCABLE]
    first = world.accept("key-1", order_id=ORDER)
    order = order_of(world)
    rename(world, order.order_hash, "pay_aaaaaaaaaaaaaaaa")
    world.work_until_idle()
    assert world.now(first).status is PaymentStatus.FAILED
    assert order_of(world).holder == "pay_aaaaaaaaaaaaaaaa"
    assert world.telemetry.total(Metric.ORDER_PARTS_LEFT_OUT) == 1


def rename(world: World, order_hash: str, holder: str) -> None:
    world.dynamodb.update_item(
        TableName=world.payments.transactions_table,
        Key={"pk": {"S": f"M#acme#ORDER#{order_hash}"}, "sk": {"S": "ORDER"}},
        UpdateExpression="SET holder = :h",
        ExpressionAttributeValues={":h": {"S": holder}},
    )


def mismatch(world: World, payment: Payment) -> Payment:
    """The provider reports a charge of another amount."""
    context = Context(now_ms=world.clock.now_ms(), actor="webhook", policy=world.policy)
    outcome = Mismatch(code="amount_differs", reference="other")
    assert isinstance(world.outcome_writer.prove(WorkItem(payment=world.now(payment)), 1, outcome, context), Stored)
    return world.now(payment)


def finish(world: World, payment: Payment) -> None:
    """The provider reports the refund of the payment as done."""
    [refund] = world.operations.of_payment(payment.merchant_id, payment.transaction_id)
    world.providers.get("alpha").operation_inquiries = ["moved"] * 9
    for _ in range(30):
        if world.operation_now(refund).status is OperationStatus.SUCCEEDED:
            return
        world.clock.advance(HOUR_MS // SECOND_MS)
        job = Job(merchant_id="acme", transaction_id=payment.transaction_id, operation_id=refund.operation_id)
        world.process(job, world.deadline)
        world.work_until_idle()
    raise AssertionError("the refund does not end")


def settle(world: World, *payments: Payment) -> None:
    """Whatever is due happens, for some hours."""
    for _ in range(12):
        world.work_until_idle()
        world.clock.advance(HOUR_MS // SECOND_MS)
        for payment in payments:
            world.wake(payment)
    world.work_until_idle()
