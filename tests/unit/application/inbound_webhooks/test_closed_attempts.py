"""Provider events about closed attempts: a hint causes one inquiry, a proof of another attempt's charge a review."""

from dataclasses import replace

import pytest

from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.erasure import is_operation_open
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    Declined,
    NextAction,
    NotFound,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Job
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import (
    EVENT_INQUIRY_RETRY_DELAYS_SECONDS,
    HOUR_MS,
    MAX_EVENT_INQUIRIES_A_DAY,
    MAX_EXPEDITED_INQUIRIES_A_DAY,
    SECOND_MS,
)
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, DeclineKind, OperationStatus, PaymentStatus
from tests.support.world import RESENDABLE, World, fallback

DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600
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


def let_pass(world: World, hours: int) -> None:
    """The sweeper wakes what is due, in steps of half an hour."""
    for _ in range(2 * hours):
        world.clock.advance(HOUR_SECONDS // 2)
        world.sweep(world.deadline)
        world.work_until_idle()


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
        let_pass(world, 48)
        now = world.now(payment)
        assert alpha.asked("inquire") == 1 + len(EVENT_INQUIRY_RETRY_DELAYS_SECONDS)
        assert (now.status, now.due_at_ms) == (PaymentStatus.FAILED, None)

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

    @pytest.mark.parametrize("kind", ["charge", "refund"])
    def test_whose_message_to_a_worker_is_lost_is_found_by_the_sweeper(self, world: World, kind: str) -> None:
        alpha = world.providers.get("alpha")
        if kind == "charge":
            payment = failed(world)
            alpha.inquiries = ["charged"]
            told = hint(world, payment.attempts[0])
        else:
            payment, refund = failed_refund(world)
            alpha.operation_inquiries = ["moved"]
            told = event(world, operation_key=refund.attempts[0].provider_key)
        world.jobs.broken = True
        world.process_provider_event(told)
        world.jobs.broken = False
        let_pass(world, 1)
        if kind == "charge":
            assert world.now(payment).status is PaymentStatus.SUCCESS
        else:
            assert world.operation_now(refund).status is OperationStatus.IN_REVIEW

    def test_is_not_lost_however_long_a_worker_holds_the_lease(self, world: World) -> None:
        payment = failed(world)
        held = replace(payment.lease, owner="w", expires_at_ms=world.clock.now_ms() + HOUR_MS)
        world.store(replace(payment, lease=held))
        told = replace(hint(world, payment.attempts[0]), tries=99)
        with pytest.raises(StorageUnavailableError):
            world.process_provider_event(told)


class TestAHintAboutADeclineBeforeTheNextAttempt:
    """The provider may have broken its word: the event comes between the decline and the next attempt."""

    @pytest.fixture
    def declined(self, world: World) -> Payment:
        world.rules.document = fallback("alpha", "beta")
        world.providers.get("alpha").charges = [Declined(kind=DeclineKind.SOFT, code="bank")]
        payment = world.accept()
        world.work()
        now = world.now(payment)
        assert (now.status, now.attempts[0].state) == (PaymentStatus.PENDING, AttemptState.DECLINED)
        return now

    def test_holds_it_until_the_provider_has_answered(self, world: World, declined: Payment) -> None:
        alpha, beta = world.providers.get("alpha"), world.providers.get("beta")
        alpha.inquiries = [Unknown(code="read_timeout"), Unknown(code="read_timeout"), "charged"]
        world.process_provider_event(hint(world, declined.attempts[0]))
        world.work_until_idle()
        now = world.now(declined)
        assert (now.status, beta.asked("charge"), len(now.attempts)) == (PaymentStatus.SUCCESS, 0, 1)

    @pytest.mark.parametrize(
        "working",
        [
            Accepted(reference="r-1"),
            ActionRequired(reference="r-1", action=NextAction(kind="redirect", url="https://bank.test")),
        ],
    )
    def test_holds_it_while_the_provider_works_on_it(self, world: World, declined: Payment, working: Outcome) -> None:
        alpha, beta = world.providers.get("alpha"), world.providers.get("beta")
        alpha.inquiries = [working, working, "charged"]
        world.process_provider_event(hint(world, declined.attempts[0]))
        world.work_until_idle()
        now = world.now(declined)
        assert (now.status, beta.asked("charge"), len(now.attempts)) == (PaymentStatus.SUCCESS, 0, 1)

    def test_then_lets_it_begin(self, world: World, declined: Payment) -> None:
        alpha, beta = world.providers.get("alpha"), world.providers.get("beta")
        alpha.inquiries = [Declined(kind=DeclineKind.SOFT, code="bank")]
        world.process_provider_event(hint(world, declined.attempts[0]))
        world.work_until_idle()
        assert (alpha.asked("inquire"), beta.asked("charge")) == (1, 1)
        assert world.now(declined).status is PaymentStatus.SUCCESS

    def test_keeps_the_time_of_the_next_attempt(self, world: World) -> None:
        world.rules.document = fallback("alpha")
        alpha = world.providers.get("alpha")
        alpha.charges = [Rejected(code="rate_limited", retry_after_seconds=600)]
        payment = world.accept()
        world.work()
        before = world.now(payment)
        world.process_provider_event(hint(world, before.attempts[0]))
        world.jobs.sent.pop(0)  # the one of the next attempt
        world.work()
        now = world.now(payment)
        assert (alpha.asked("inquire"), now.ready_at_ms) == (1, before.ready_at_ms)
        world.work_until_idle()
        assert world.now(payment).attempts[1].started_at_ms >= before.ready_at_ms

    def test_ends_with_the_charge_deadline_if_nobody_answers(self, world: World, declined: Payment) -> None:
        alpha, beta = world.providers.get("alpha"), world.providers.get("beta")
        alpha.inquiries = [Unknown(code="read_timeout")] * 200
        world.process_provider_event(hint(world, declined.attempts[0]))
        let_pass(world, 72)
        assert (world.now(declined).status, beta.asked("charge")) == (PaymentStatus.FAILED, 0)


class TestALateAuthorization:
    """The provider holds the money for an attempt that we had left."""

    def left(self, world: World, answer: Outcome = REFUSALS[1]) -> Payment:
        world.policy = replace(world.policy, max_retries=0)
        world.providers.get("alpha").charges = [answer]
        payment = world.accept(capture=CaptureMode.MANUAL)
        world.work_until_idle()
        return world.now(payment)

    def held(self, attempt: Attempt, payment: Payment) -> Authorized:
        return Authorized(
            reference="held-1",
            amount=payment.amount,
            currency=payment.currency,
            merchant_reference=attempt.provider_key,
        )

    @pytest.mark.parametrize("answer", REFUSALS)
    def test_is_recorded_and_watched_and_never_captured(self, world: World, answer: Outcome) -> None:
        payment = self.left(world, answer)
        attempt, alpha = payment.attempts[0], world.providers.get("alpha")
        alpha.inquiries = [self.held(attempt, payment)] * 200
        world.process_provider_event(hint(world, attempt))
        world.work(turns=1)
        now = world.now(payment)
        assert (now.status, now.attempts[0].state) == (PaymentStatus.FAILED, attempt.state)
        assert now.attempts[0].authorized_late_at_ms == world.clock.now_ms()
        assert world.events_of(payment)[-1].type == "attempt.authorized_late"
        assert now.attempts[0].is_watched
        with pytest.raises(Refusal):
            world.request(OperationKind.CAPTURE, payment)
        let_pass(world, 24 * 6)
        now = world.now(payment)
        assert (now.due_at_ms, now.attempts[0].is_watched, alpha.moves_of("move")) == (None, False, 0)
        assert [e.type for e in world.events_of(payment)].count("attempt.authorized_late") == 1

    def test_that_is_captured_elsewhere_is_a_late_success(self, world: World) -> None:
        payment = self.left(world)
        attempt, alpha = payment.attempts[0], world.providers.get("alpha")
        alpha.inquiries = [self.held(attempt, payment), self.held(attempt, payment), "charged"]
        world.process_provider_event(hint(world, attempt))
        let_pass(world, 24)
        now = world.now(payment)
        assert (now.status, now.captured) == (PaymentStatus.SUCCESS, payment.amount)

    def test_keeps_a_payment_from_another_provider(self, world: World) -> None:
        world.rules.document = fallback("alpha", "beta")
        alpha, beta = world.providers.get("alpha"), world.providers.get("beta")
        alpha.charges = [Declined(kind=DeclineKind.SOFT, code="bank")]
        payment = world.accept()
        world.work()
        attempt = world.now(payment).attempts[0]
        alpha.inquiries = [self.held(attempt, payment), "charged"]
        world.process_provider_event(hint(world, attempt))
        world.work_until_idle()
        assert (world.now(payment).status, beta.asked("charge")) == (PaymentStatus.SUCCESS, 0)

    def test_stays_watched_beside_the_charge(self, world: World) -> None:
        world.rules.document = fallback("alpha", "beta")
        alpha = world.providers.get("alpha")
        alpha.charges = [Declined(kind=DeclineKind.SOFT, code="bank")]
        payment = world.accept()
        world.work_until_idle()
        attempt = world.now(payment).attempts[0]
        alpha.inquiries = [self.held(attempt, payment), self.held(attempt, payment), "charged"]
        world.process_provider_event(hint(world, attempt))
        world.work(turns=1)
        assert world.now(payment).status is PaymentStatus.SUCCESS
        let_pass(world, 24)
        now = world.now(payment)
        assert (now.status, now.last_error and now.last_error.code) == (PaymentStatus.IN_REVIEW, "late_success")


class TestADeclineThatMayReopen:
    REOPENING = Declined(kind=DeclineKind.SOFT, code="failed", reopens_for_seconds=5 * DAY_SECONDS)

    def test_is_inquired_about_every_six_hours_after_a_day(self, world: World) -> None:
        payment = failed(world, self.REOPENING)
        alpha = world.providers.get("alpha")
        let_pass(world, 24 * 7)
        assert 35 <= alpha.asked("inquire") <= 50
        assert world.now(payment).due_at_ms is None

    def test_is_inquired_about_when_its_time_is_over(self, world: World) -> None:
        payment = failed(world, self.REOPENING)
        ends_at_ms = payment.attempts[0].reopens_until_ms or 0
        world.store(replace(payment, ready_at_ms=ends_at_ms - 1_000, due_at_ms=ends_at_ms - 1_000))
        world.clock.advance((ends_at_ms - 1_000 - world.clock.now_ms()) // SECOND_MS)
        world.wake(payment)
        assert world.now(payment).ready_at_ms == ends_at_ms

    def test_whose_time_is_over_leaves_the_watch_of_another_attempt(self, world: World) -> None:
        payment = failed(world, Declined(kind=DeclineKind.SOFT, code="bank", reopens_for_seconds=HOUR_SECONDS))
        first = payment.attempts[0]
        until_ms = (first.reopens_until_ms or 0) + 6 * HOUR_MS
        second = replace(first, number=2, provider_key=f"{first.provider_key[:-1]}2", reopens_until_ms=until_ms)
        world.store(replace(payment, attempts=(first, second)))
        let_pass(world, 9)
        last = [request.provider_key for what, request in world.providers.get("alpha").sent if what == "inquire"][-1]
        assert last == second.provider_key
        now = world.now(payment)
        assert ([a.reopens_until_ms for a in now.attempts], now.due_at_ms) == ([None, None], None)

    def test_stays_watched_after_a_cancellation(self, world: World) -> None:
        world.rules.document = fallback("beta")
        beta = world.providers.get("beta")
        beta.charges = [Unknown(code="read_timeout")]
        payment = world.accept()
        world.work()
        world.cancel("acme", payment.transaction_id)
        beta.inquiries = [self.REOPENING, NotFound(), "charged"]
        world.work_until_idle()
        now = world.now(payment)
        assert (now.status, now.attempts[0].state) == (PaymentStatus.IN_REVIEW, AttemptState.SUCCEEDED)


class TestAFloodOfUselessEvents:
    def test_about_a_charge_is_bounded(self, world: World) -> None:
        payment = failed(world)
        for number in range(100):
            world.process_provider_event(hint(world, payment.attempts[0], f"ev-{number}"))
            world.work_until_idle()
        assert world.providers.get("alpha").asked("inquire") == MAX_EVENT_INQUIRIES_A_DAY

    def test_writes_nothing_while_an_inquiry_waits(self, world: World) -> None:
        payment = failed(world)
        for number in range(MAX_EVENT_INQUIRIES_A_DAY):
            world.process_provider_event(hint(world, payment.attempts[0], f"ev-{number}"))
            world.work_until_idle()
        world.process_provider_event(hint(world, payment.attempts[0], "for tomorrow"))
        before = world.now(payment)
        writes = world.requests_of("transact_write_items")
        world.process_provider_event(hint(world, payment.attempts[0], "one-more"))
        assert (writes, world.now(payment)) == ([], before)
        assert world.telemetry.total("WebhooksWithoutNews") == 1

    def test_causes_one_inquiry_more_on_the_next_day(self, world: World) -> None:
        payment = failed(world)
        for number in range(MAX_EVENT_INQUIRIES_A_DAY + 5):
            world.process_provider_event(hint(world, payment.attempts[0], f"ev-{number}"))
            world.work_until_idle()
        world.providers.get("alpha").inquiries = ["charged"]
        let_pass(world, 23)
        assert world.now(payment).status is PaymentStatus.FAILED
        let_pass(world, 2)
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_about_an_ended_refund_causes_one_inquiry_more_on_the_next_day(self, world: World) -> None:
        payment = world.accept()
        world.work_until_idle()
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work_until_idle()
        alpha = world.providers.get("alpha")
        alpha.operation_inquiries = ["moved"] * MAX_EVENT_INQUIRIES_A_DAY
        key = world.operation_now(refund).attempts[0].provider_key
        for number in range(MAX_EVENT_INQUIRIES_A_DAY + 5):
            world.process_provider_event(event(world, f"ev-{number}", operation_key=key))
            world.work_until_idle()
        assert alpha.moves_of("inquire") == MAX_EVENT_INQUIRIES_A_DAY
        alpha.operation_inquiries = [Declined(code="returned")]
        let_pass(world, 25)
        assert world.operation_now(refund).status is OperationStatus.IN_REVIEW

    def test_about_an_open_attempt_is_bounded(self, world: World) -> None:
        alpha = world.providers.get("alpha")
        alpha.charges = [Unknown(code="read_timeout")]
        alpha.able = replace(RESENDABLE, idempotency_window_ms=0)
        payment = world.accept()
        world.work()
        for number in range(100):
            world.process_provider_event(hint(world, world.now(payment).attempts[0], f"ev-{number}"))
            world.wake(payment)
        assert alpha.asked("inquire") <= MAX_EXPEDITED_INQUIRIES_A_DAY + 1
        alpha.inquiries = ["charged"]
        let_pass(world, 2)
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_about_an_open_refund_is_bounded(self, world: World) -> None:
        payment = world.accept()
        world.work_until_idle()
        alpha = world.providers.get("alpha")
        alpha.moves = [Accepted(reference="r-1")]
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work()
        alpha.operation_inquiries = [Accepted(reference="r-1")] * 100
        key = world.operation_now(refund).attempts[0].provider_key
        for number in range(100):
            world.process_provider_event(event(world, f"ev-{number}", operation_key=key))
            job = Job(merchant_id="acme", transaction_id=payment.transaction_id, operation_id=refund.operation_id)
            world.process(job, world.deadline)
        assert alpha.moves_of("inquire") <= MAX_EXPEDITED_INQUIRIES_A_DAY + 1

    def test_leaves_the_next_days_inquiries(self, world: World) -> None:
        payment = failed(world)
        for number in range(MAX_EVENT_INQUIRIES_A_DAY + 1):
            world.process_provider_event(hint(world, payment.attempts[0], f"ev-{number}"))
            world.work_until_idle()
        world.clock.advance(DAY_SECONDS)
        world.providers.get("alpha").inquiries = ["charged"]
        world.process_provider_event(hint(world, payment.attempts[0], "tomorrow"))
        let_pass(world, 1)
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

    def test_is_read_again_while_the_provider_works_on_it(self, world: World) -> None:
        payment, refund = failed_refund(world)
        world.providers.get("alpha").operation_inquiries = [Accepted(reference="r-1"), "moved"]
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


class TestARefundThatComesBack:
    """The payer's bank returns it, and the provider event about it is lost."""

    def done(self, world: World) -> tuple[Payment, Operation]:
        payment = world.accept()
        world.work_until_idle()
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work_until_idle()
        found = world.operation_now(refund)
        assert found.status is OperationStatus.SUCCEEDED
        return world.now(payment), found

    def test_is_found_when_the_provider_can_reverse_it_no_more(self, world: World) -> None:
        payment, refund = self.done(world)
        world.providers.get("alpha").operation_inquiries = [Declined(code="returned")]
        world.clock.advance(RESENDABLE.refund_reversal_ms // SECOND_MS)
        let_pass(world, 1)
        now = world.operation_now(refund)
        assert (now.status, now.last_error and now.last_error.code) == (OperationStatus.IN_REVIEW, "reversed")
        assert world.now(payment).refunded == refund.amount

    def test_that_stays_is_read_once(self, world: World) -> None:
        _, refund = self.done(world)
        alpha = world.providers.get("alpha")
        alpha.operation_inquiries = ["moved"] * 100
        let_pass(world, 24)
        assert alpha.moves_of("inquire") == 0
        world.clock.advance(RESENDABLE.refund_reversal_ms // SECOND_MS)
        let_pass(world, 24)
        now = world.operation_now(refund)
        assert (alpha.moves_of("inquire"), now.status, now.due_at_ms) == (1, OperationStatus.SUCCEEDED, None)

    def test_is_read_again_where_the_provider_did_not_answer(self, world: World) -> None:
        _, refund = self.done(world)
        world.providers.get("alpha").operation_inquiries = [Unknown(code="read_timeout")] * 10 + [
            Declined(code="returned")
        ]
        world.clock.advance(RESENDABLE.refund_reversal_ms // SECOND_MS)
        let_pass(world, 12)
        assert world.operation_now(refund).status is OperationStatus.IN_REVIEW

    def test_keeps_its_time_after_an_event_about_it(self, world: World) -> None:
        _, refund = self.done(world)
        alpha = world.providers.get("alpha")
        alpha.operation_inquiries = ["moved", Declined(code="returned")]
        world.process_provider_event(event(world, operation_key=refund.attempts[0].provider_key))
        world.work_until_idle()
        now = world.operation_now(refund)
        assert (now.status, now.due_at_ms) == (OperationStatus.SUCCEEDED, refund.due_at_ms)
        world.clock.advance(RESENDABLE.refund_reversal_ms // SECOND_MS)
        let_pass(world, 1)
        assert world.operation_now(refund).status is OperationStatus.IN_REVIEW

    def test_keeps_its_time_after_an_event_and_a_day_without_answers(self, world: World) -> None:
        """The account was removed for a day, or the provider was out of reach."""
        _, refund = self.done(world)
        alpha = world.providers.get("alpha")
        alpha.operation_inquiries = [Unknown(code="account_removed")] * 25 + [Declined(code="returned")]
        world.process_provider_event(event(world, operation_key=refund.attempts[0].provider_key))
        let_pass(world, 48)
        now = world.operation_now(refund)
        assert (now.status, now.due_at_ms) == (OperationStatus.SUCCEEDED, refund.due_at_ms)
        world.clock.advance(RESENDABLE.refund_reversal_ms // SECOND_MS)
        let_pass(world, 1)
        assert world.operation_now(refund).status is OperationStatus.IN_REVIEW

    @pytest.mark.parametrize("unanswered", [0, 2])
    def test_keeps_its_time_after_an_event_about_an_earlier_attempt(self, world: World, unanswered: int) -> None:
        alpha = world.providers.get("alpha")
        alpha.moves = [Rejected(code="rate_limited", retry_after_seconds=1)]
        _, refund = self.done(world)
        assert [attempt.state for attempt in refund.attempts] == [AttemptState.REJECTED, AttemptState.SUCCEEDED]
        alpha.operation_inquiries = [Unknown(code="read_timeout")] * unanswered + [
            Declined(kind=DeclineKind.HARD, code="refused"),
            Declined(code="returned"),
        ]
        world.process_provider_event(event(world, operation_key=refund.attempts[0].provider_key))
        let_pass(world, 1)
        assert world.operation_now(refund).due_at_ms == refund.due_at_ms
        world.clock.advance(RESENDABLE.refund_reversal_ms // SECOND_MS)
        let_pass(world, 1)
        assert world.operation_now(refund).status is OperationStatus.IN_REVIEW

    def test_is_not_read_for_ever_where_the_provider_never_answers(self, world: World) -> None:
        _, refund = self.done(world)
        world.providers.get("alpha").operation_inquiries = [Unknown(code="account_removed")] * 500
        world.clock.advance(RESENDABLE.refund_reversal_ms // SECOND_MS)
        let_pass(world, 48)
        assert world.operation_now(refund).due_at_ms is None

    def test_does_not_keep_the_payer_from_being_erased(self, world: World) -> None:
        _, refund = self.done(world)
        assert refund.due_at_ms is not None
        assert not is_operation_open(refund, world.clock.now_ms())

    def test_captures_and_voids_are_read_no_more(self, world: World) -> None:
        payment = world.accept(capture=CaptureMode.MANUAL)
        world.work_until_idle()
        capture = world.request(OperationKind.CAPTURE, payment).operation
        world.work_until_idle()
        assert world.operation_now(capture).due_at_ms is None
