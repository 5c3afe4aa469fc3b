"""Provider events about closed attempts: a hint causes one inquiry, a proof of another attempt's charge a review."""

from dataclasses import replace

import pytest

from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import Declined, Outcome, Rejected, Succeeded, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.shared.limits import EVENT_INQUIRY_RETRY_DELAYS_SECONDS, MAX_EVENT_INQUIRIES_A_DAY
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, DeclineKind, OperationStatus, PaymentStatus
from tests.support.world import World, fallback

DAY_SECONDS = 86_400
REFUSALS: tuple[Outcome, ...] = (
    Rejected(code="invalid"),
    Declined(kind=DeclineKind.HARD, code="stolen"),
)


@pytest.fixture
def world() -> World:
    found = World()
    found.rules.document = fallback("alpha")
    return found


def failed(world: World, answer: Outcome = REFUSALS[1]) -> Payment:
    """A payment whose only attempt is closed without a charge."""
    world.policy = replace(world.policy, max_retries=0)
    world.providers.get("alpha").charges = [answer]
    payment = world.accept()
    world.work_until_idle()
    assert world.now(payment).status is PaymentStatus.FAILED
    return world.now(payment)


def failed_refund(world: World) -> tuple[Payment, Operation]:
    payment = world.accept()
    world.work_until_idle()
    world.providers.get("alpha").moves = [Declined(kind=DeclineKind.HARD, code="refused")]
    refund = world.request(OperationKind.REFUND, payment).operation
    world.work_until_idle()
    assert world.operation_now(refund).status is OperationStatus.FAILED
    return world.now(payment), world.operation_now(refund)


def event(world: World, name: str = "ev-1", **content: object) -> ReceivedEvent:
    return ReceivedEvent(
        merchant_id="acme",
        provider="alpha",
        account_id="main",
        received_at_ms=world.clock.now_ms(),
        provider_event=ProviderEvent(event_id=name, type="something.happened", **content),  # type: ignore[arg-type]
    )


def hint(world: World, attempt: Attempt, name: str = "ev-1") -> ReceivedEvent:
    return event(world, name, charge_key=attempt.provider_key)


def proof(attempt: Attempt, payment: Payment, reference: str) -> Succeeded:
    return Succeeded(
        reference=reference,
        amount=payment.amount,
        currency=payment.currency,
        merchant_reference=attempt.provider_key,
    )


class TestAHintAboutAClosedCharge:
    @pytest.mark.parametrize("answer", REFUSALS)
    def test_finds_a_late_success(self, world: World, answer: Outcome) -> None:
        payment = failed(world, answer)
        world.providers.get("alpha").inquiries = ["charged"]
        world.process_provider_event(hint(world, payment.attempts[0]))
        world.work_until_idle()
        now = world.now(payment)
        assert (now.status, now.captured) == (PaymentStatus.SUCCESS, payment.amount)

    def test_of_a_fenced_attempt_finds_a_late_success(self, world: World) -> None:
        world.rules.document = fallback("beta")
        beta = world.providers.get("beta")
        beta.charges = [Unknown(code="read_timeout")]
        payment = world.accept()
        world.work()
        world.cancel("acme", payment.transaction_id)
        world.work_until_idle()
        fenced = world.now(payment)
        assert (fenced.status, fenced.attempts[0].state) == (PaymentStatus.CANCELLED, AttemptState.FENCED)
        beta.inquiries = ["charged"]
        world.process_provider_event(replace(hint(world, fenced.attempts[0]), provider="beta"))
        world.work_until_idle()
        now = world.now(payment)
        assert (now.status, now.attempts[0].state) == (PaymentStatus.IN_REVIEW, AttemptState.SUCCEEDED)

    def test_without_a_success_changes_nothing(self, world: World) -> None:
        payment = failed(world)
        world.process_provider_event(hint(world, payment.attempts[0]))
        world.work_until_idle()
        now = world.now(payment)
        assert world.providers.get("alpha").asked("inquire") == 1
        assert (now.status, now.due_at_ms, now.event_seq) == (payment.status, None, payment.event_seq)

    def test_repeated_causes_one_inquiry(self, world: World) -> None:
        payment = failed(world)
        for _ in range(5):
            world.process_provider_event(hint(world, payment.attempts[0]))
            world.work_until_idle()
        assert world.providers.get("alpha").asked("inquire") == 1

    def test_that_shows_another_amount_goes_to_review(self, world: World) -> None:
        payment = failed(world)
        attempt = payment.attempts[0]
        world.providers.get("alpha").inquiries = [replace(proof(attempt, payment, "r-1"), amount=payment.amount + 1)]
        world.process_provider_event(hint(world, attempt))
        world.work_until_idle()
        now = world.now(payment)
        assert (now.status, now.attempts[0].state) == (PaymentStatus.IN_REVIEW, AttemptState.MISMATCH)

    def test_that_is_not_answered_is_tried_again_a_few_times(self, world: World) -> None:
        payment = failed(world)
        alpha = world.providers.get("alpha")
        alpha.inquiries = [Unknown(code="read_timeout")] * 100
        world.process_provider_event(hint(world, payment.attempts[0]))
        world.work_until_idle()
        assert alpha.asked("inquire") == 1 + len(EVENT_INQUIRY_RETRY_DELAYS_SECONDS)
        assert world.now(payment).status is PaymentStatus.FAILED

    def test_that_is_answered_at_the_second_try_is_not_lost(self, world: World) -> None:
        payment = failed(world)
        world.providers.get("alpha").inquiries = [Unknown(code="read_timeout"), "charged"]
        world.process_provider_event(hint(world, payment.attempts[0]))
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_waits_for_a_worker_in_mid_call(self, world: World) -> None:
        """The answer that the worker gets may be older than the event."""
        world.rules.document = fallback("alpha", "beta")
        alpha, beta = world.providers.get("alpha"), world.providers.get("beta")
        alpha.charges = [Declined(kind=DeclineKind.SOFT, code="bank")]
        payment = world.accept()
        plain = beta.charge

        def in_mid_call(request: object, account: object) -> object:
            world.process_provider_event(hint(world, world.now(payment).attempts[0]))
            return plain(request, account)  # type: ignore[arg-type]

        beta.charge = in_mid_call
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert alpha.asked("inquire") == 0
        alpha.inquiries = ["charged"]
        world.deliver_provider_events()
        world.work_until_idle()
        now = world.now(payment)
        assert [a.state for a in now.attempts] == [AttemptState.SUCCEEDED] * 2
        assert now.status is PaymentStatus.IN_REVIEW


class TestAFloodOfUselessEvents:
    def test_about_a_charge_is_bounded(self, world: World) -> None:
        payment = failed(world)
        for number in range(100):
            world.process_provider_event(hint(world, payment.attempts[0], f"ev-{number}"))
            world.work_until_idle()
        assert world.providers.get("alpha").asked("inquire") == MAX_EVENT_INQUIRIES_A_DAY

    def test_writes_nothing_beyond_the_bound(self, world: World) -> None:
        payment = failed(world)
        for number in range(MAX_EVENT_INQUIRIES_A_DAY):
            world.process_provider_event(hint(world, payment.attempts[0], f"ev-{number}"))
        before = world.now(payment)
        writes = world.requests_of("transact_write_items")
        world.process_provider_event(hint(world, payment.attempts[0], "one-more"))
        assert (writes, world.now(payment)) == ([], before)
        assert world.telemetry.total("WebhooksWithoutNews") == 1

    def test_leaves_the_next_days_inquiries(self, world: World) -> None:
        payment = failed(world)
        for number in range(MAX_EVENT_INQUIRIES_A_DAY + 1):
            world.process_provider_event(hint(world, payment.attempts[0], f"ev-{number}"))
            world.work_until_idle()
        world.clock.advance(DAY_SECONDS)
        world.providers.get("alpha").inquiries = ["charged"]
        world.process_provider_event(hint(world, payment.attempts[0], "tomorrow"))
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS

    @pytest.mark.parametrize("succeeds", [True, False])
    def test_about_a_refund_is_bounded(self, world: World, succeeds: bool) -> None:
        if succeeds:
            payment = world.accept()
            world.work_until_idle()
            refund = world.request(OperationKind.REFUND, payment).operation
            world.work_until_idle()
            world.providers.get("alpha").operation_inquiries = ["moved"] * 100
        else:
            _, refund = failed_refund(world)
        key = world.operation_now(refund).attempts[0].provider_key
        for number in range(50):
            world.process_provider_event(event(world, f"ev-{number}", operation_key=key))
            world.work_until_idle()
        assert world.providers.get("alpha").moves_of("inquire") <= MAX_EVENT_INQUIRIES_A_DAY


class TestAHintAboutAFailedRefund:
    def test_finds_a_late_success(self, world: World) -> None:
        payment, refund = failed_refund(world)
        world.providers.get("alpha").operation_inquiries = ["moved"]
        world.process_provider_event(event(world, operation_key=refund.attempts[0].provider_key))
        world.work_until_idle()
        assert world.operation_now(refund).status is OperationStatus.IN_REVIEW
        assert world.now(payment).refunded == refund.amount

    def test_without_a_success_leaves_it_failed(self, world: World) -> None:
        payment, refund = failed_refund(world)
        world.providers.get("alpha").operation_inquiries = [Declined(kind=DeclineKind.HARD, code="refused")]
        world.process_provider_event(event(world, operation_key=refund.attempts[0].provider_key))
        world.work_until_idle()
        now = world.operation_now(refund)
        assert (now.status, now.due_at_ms, world.now(payment).refundable) == (
            OperationStatus.FAILED,
            None,
            payment.amount,
        )
        assert world.providers.get("alpha").moves_of("move") == 1

    def test_about_an_earlier_attempt_does_not_reverse_a_later_success(self, world: World) -> None:
        payment = world.accept()
        world.work_until_idle()
        alpha = world.providers.get("alpha")
        alpha.moves = [Rejected(code="rate_limited", retry_after_seconds=1)]
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work_until_idle()
        done = world.operation_now(refund)
        assert (done.status, len(done.attempts)) == (OperationStatus.SUCCEEDED, 2)
        alpha.operation_inquiries = [Declined(kind=DeclineKind.HARD, code="refused")]
        world.process_provider_event(event(world, operation_key=done.attempts[0].provider_key))
        world.work_until_idle()
        assert world.operation_now(refund).status is OperationStatus.SUCCEEDED


class TestAProofWhoseReferenceIsTaken:
    """A worker would make it a mismatch in review: so does the event."""

    def test_of_a_charge_goes_to_review(self, world: World) -> None:
        other = world.accept("order-2")
        world.work_until_idle()
        taken = world.now(other).attempts[0].reference
        assert taken is not None
        payment = failed(world)
        attempt = payment.attempts[0]
        told = event(world, charge_key=attempt.provider_key, outcome=proof(attempt, payment, taken))
        world.process_provider_event(told)
        now = world.now(payment)
        assert (now.status, now.attempts[0].state, now.attempts[0].code) == (
            PaymentStatus.IN_REVIEW,
            AttemptState.MISMATCH,
            "reference_taken",
        )
        assert world.now(other).status is PaymentStatus.SUCCESS

    def test_of_a_charge_that_the_event_names_too(self, world: World) -> None:
        other = world.accept("order-2")
        world.work_until_idle()
        taken = world.now(other).attempts[0].reference
        assert taken is not None
        payment = failed(world)
        attempt = payment.attempts[0]
        outcome = proof(attempt, payment, taken)
        world.process_provider_event(
            event(world, charge_reference=taken, charge_key=attempt.provider_key, outcome=outcome)
        )
        assert world.now(payment).attempts[0].state is AttemptState.MISMATCH
        assert world.now(other).status is PaymentStatus.SUCCESS

    def test_of_a_refund_goes_to_review(self, world: World) -> None:
        payment, refund = failed_refund(world)
        other = world.accept("order-2")
        world.work_until_idle()
        taken = world.now(other).attempts[0].reference
        attempt = refund.attempts[0]
        moved = Succeeded(
            reference=taken or "",
            amount=refund.amount,
            currency=refund.currency,
            merchant_reference=attempt.provider_key,
        )
        world.process_provider_event(event(world, operation_key=attempt.provider_key, operation_outcome=moved))
        now = world.operation_now(refund)
        assert (now.status, now.attempts[0].state) == (OperationStatus.IN_REVIEW, AttemptState.MISMATCH)
        assert world.now(payment).reserved == refund.amount
