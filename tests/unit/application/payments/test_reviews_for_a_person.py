"""A payment stays in review for money that only a person can judge, whatever its other attempts turn out to be."""

from dataclasses import replace

import pytest

from payflowx.application.payments.charge_request import charge_request_of
from payflowx.application.reviews.close_review import ReviewEntry
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.outcome import (
    RATE_LIMITED,
    Accepted,
    Authorized,
    Declined,
    Mismatch,
    Outcome,
    Rejected,
    Unknown,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.review import ReviewVerdict
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.reconciliation.matching import MatchResult, review_discrepancy
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, DeclineKind, OperationStatus, PaymentStatus
from payflowx.wiring.operators import OperatorsWiring
from tests.support.reconciliation import DECISION
from tests.support.scripted import ScriptedProvider, ScriptedProviders, charged
from tests.support.world import CANCELLABLE, RESENDABLE, World, fallback

DAY_SECONDS = 86_400
SOFT = Declined(kind=DeclineKind.SOFT, code="do_not_honor")


@pytest.fixture
def world() -> World:
    beta = replace(CANCELLABLE, capture_modes=frozenset(CaptureMode))
    found = World(
        providers=ScriptedProviders(
            {able.provider: ScriptedProvider(able.provider, able) for able in (RESENDABLE, beta)}
        )
    )
    found.rules.document = fallback("alpha", "beta")
    return found


def beside(world: World, second: Outcome | str, capture: CaptureMode = CaptureMode.AUTOMATIC) -> Payment:
    """A payment whose first attempt was declined and is not inquired about yet, and whose second one is open."""
    world.providers.get("alpha").charges = [SOFT]
    if isinstance(second, Outcome):
        world.providers.get("beta").charges = [second]
    payment = world.accept(capture=capture)
    world.work(turns=2)
    assert world.now(payment).attempts[0].state is AttemptState.DECLINED
    assert world.now(payment).attempts[1].is_open
    return world.now(payment)


def mismatch(world: World, payment: Payment) -> Payment:
    """The first attempt took another amount after all."""
    world.jobs.sent.clear()
    world.providers.get("alpha").inquiries = [
        Mismatch(code="amount_differs", reference="a-1", amount=1, currency="USD")
    ]
    hint = ProviderEvent(event_id="ev-1", type="late", charge_key=payment.attempts[0].provider_key)
    world.process_provider_event(
        ReceivedEvent(
            merchant_id="acme",
            provider="alpha",
            account_id="main",
            received_at_ms=world.clock.now_ms(),
            provider_event=hint,
        )
    )
    world.work()
    now = world.now(payment)
    assert (now.status, now.attempts[0].state) == (PaymentStatus.IN_REVIEW, AttemptState.MISMATCH)
    return now


def resolved(world: World, payment: Payment, answer: Outcome | str) -> Payment:
    world.providers.get("beta").inquiries = [answer]
    world.jobs.sent.clear()
    world.clock.advance(2 * DAY_SECONDS)
    world.sweep(world.deadline)
    world.work()
    return world.now(payment)


def in_review(payment: Payment, code: str = "mismatch") -> bool:
    error = payment.last_error
    return payment.status is PaymentStatus.IN_REVIEW and error is not None and error.code == code


@pytest.mark.parametrize("answer", [SOFT, Declined(kind=DeclineKind.HARD, code="stolen")])
def test_a_decline_does_not_end_the_payment(world: World, answer: Outcome) -> None:
    now = resolved(world, mismatch(world, beside(world, Accepted(reference="b-1"))), answer)
    assert now.attempts[1].state is AttemptState.DECLINED
    assert in_review(now)
    assert now.due_at_ms is None


def test_a_charge_is_booked_and_the_review_goes_on(world: World) -> None:
    now = resolved(world, mismatch(world, beside(world, Accepted(reference="b-1"))), "charged")
    assert now.attempts[1].state is AttemptState.SUCCEEDED
    assert in_review(now)
    assert (now.charged_attempt, now.captured, now.refundable) == (2, now.amount, now.amount)


def test_an_authorization_is_not_offered_for_capture(world: World) -> None:
    payment = mismatch(world, beside(world, Accepted(reference="b-1"), CaptureMode.MANUAL))
    held = Authorized(
        reference="b-1",
        amount=payment.amount,
        currency=payment.currency,
        merchant_reference=payment.attempts[1].provider_key,
    )
    now = resolved(world, payment, held)
    assert now.attempts[1].state is AttemptState.AUTHORIZED
    assert in_review(now)
    assert now.capturable == 0
    with pytest.raises(Refusal):
        world.request(OperationKind.CAPTURE, now)


@pytest.mark.parametrize("kind", [OperationKind.CAPTURE, OperationKind.VOID])
def test_a_capture_or_void_that_was_open_ends_no_review(world: World, kind: OperationKind) -> None:
    payment = beside(world, "authorized", CaptureMode.MANUAL)
    operation = world.request(kind, payment).operation
    opened = list(world.jobs.sent)
    mismatch(world, world.now(payment))
    world.jobs.sent[:] = opened
    world.work_until_idle()
    assert world.operation_now(operation).status is OperationStatus.SUCCEEDED
    assert in_review(world.now(payment))


def test_a_refund_beside_another_attempt_with_a_mismatch_stays_in_review(world: World) -> None:
    payment = world.accept()
    world.work_until_idle()
    alpha = world.providers.get("alpha")
    alpha.moves = [Rejected(code=RATE_LIMITED), Accepted(reference="r-2")]
    refund = world.request(OperationKind.REFUND, payment, 500).operation
    world.work(turns=2)
    first, second = world.operation_now(refund).attempts
    assert (first.state, second.state) == (AttemptState.REJECTED, AttemptState.ACCEPTED)
    alpha.operation_inquiries = [Mismatch(code="amount_differs", reference="r-1", amount=1, currency="USD"), "moved"]
    world.jobs.sent.clear()
    world.process_provider_event(
        ReceivedEvent(
            merchant_id="acme",
            provider="alpha",
            account_id="main",
            received_at_ms=world.clock.now_ms(),
            provider_event=ProviderEvent(event_id="ev-1", type="late", operation_key=first.provider_key),
        )
    )
    world.work()
    assert world.operation_now(refund).status is OperationStatus.IN_REVIEW
    world.jobs.sent.clear()
    world.clock.advance(2 * DAY_SECONDS)
    world.sweep(world.deadline)
    world.work()
    now = world.operation_now(refund)
    assert (now.attempts[1].state, now.status) == (AttemptState.SUCCEEDED, OperationStatus.IN_REVIEW)


def listed(world: World, payment: Payment) -> Payment:
    """The provider's report lists money that the ledger does not have."""
    context = Context(now_ms=world.clock.now_ms(), actor="reconciliation", policy=world.policy)
    change = review_discrepancy(payment, MatchResult.STATUS, context)
    assert change is not None
    world.outcome_writer.commit(change)
    return world.now(payment)


@pytest.mark.parametrize("answer", [SOFT, "charged"])
def test_what_the_report_lists_is_not_explained_by_another_attempt(world: World, answer: Outcome | str) -> None:
    payment = listed(world, beside(world, Accepted(reference="b-1")))
    now = resolved(world, payment, answer)
    assert not now.attempts[1].is_open
    assert in_review(now, "reconciliation")
    assert now.captured == (now.amount if answer == "charged" else 0)


@pytest.mark.parametrize(("answer", "explained"), [(SOFT, False), ("charged", True)])
def test_what_the_report_lists_is_explained_by_the_charge_of_the_sole_attempt(
    world: World, answer: Outcome | str, explained: bool
) -> None:
    world.rules.document = fallback("beta")
    world.providers.get("beta").charges = [Accepted(reference="b-1")]
    payment = world.accept()
    world.work()
    now = resolved(world, listed(world, world.now(payment)), answer)
    assert not now.attempts[0].is_open
    assert (now.status is PaymentStatus.SUCCESS) is explained
    assert in_review(now, "reconciliation") is not explained


def test_a_review_that_a_person_closed_does_not_come_back_for_the_attempt_that_is_open_beside_the_charge() -> None:
    """Nothing can be learned about the second attempt, whose provider can neither be asked to cancel nor again."""
    world = World()
    world.rules.document = fallback("alpha", "gamma")
    world.providers.get("alpha").charges = [SOFT]
    world.providers.get("gamma").charges = [Unknown(code="read_timeout")]
    payment = world.accept()
    world.work(turns=2)
    payment = world.now(payment)
    late = charged(charge_request_of(payment, payment.attempts[0]))
    context = Context(now_ms=world.clock.now_ms(), actor="provider", policy=world.policy)
    world.outcome_writer.prove(WorkItem(payment=payment), 1, late, context)
    closed = 0
    for _ in range(60):
        if world.jobs.sent:
            world.work()
        else:
            world.clock.advance(3_600)
            world.sweep(world.deadline)
        if world.now(payment).status is PaymentStatus.IN_REVIEW:
            entry = ReviewEntry(verdict=ReviewVerdict.CHARGED, evidence="its dashboard")
            world.wired(OperatorsWiring).close_review("acme", payment.transaction_id, entry, DECISION)
            closed += 1
    now = world.now(payment)
    assert (closed, now.status, now.due_at_ms) == (1, PaymentStatus.SUCCESS, None)
