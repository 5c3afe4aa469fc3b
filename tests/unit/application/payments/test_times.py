"""The next moment of work: of a requested cancellation, of what is pending, and after a hint."""

from dataclasses import replace

import pytest

from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Declined,
    NextAction,
    NotSent,
    Outcome,
    Progress,
    Rejected,
    Unknown,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Job
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind, OperationStatus, PaymentStatus
from tests.support.scripted import ScriptedProvider, authorized
from tests.support.world import CANCELLABLE, RESENDABLE, World, fallback

TIMEOUT = Unknown(code="read_timeout")
REDIRECT = ActionRequired(reference="act-1", action=NextAction(kind="redirect", url="https://bank.test/3ds"))


class CancelledInVain(ScriptedProvider):
    """A provider that can cancel, but does not answer cancellations; inquiries repeat its first answer."""

    def cancel_and_confirm(self, request: ChargeRequest, account: object) -> Outcome:
        self.sent.append(("fence", request))
        return TIMEOUT

    def inquire(self, request: ChargeRequest, account: object) -> Outcome:
        self.sent.append(("inquire", request))
        answer = self.inquiries[0]
        assert not isinstance(answer, Exception | Progress)
        return authorized(request) if isinstance(answer, str) else answer


@pytest.fixture
def world() -> World:
    found = World()
    able = replace(CANCELLABLE, provider="beta", capture_modes=frozenset(CaptureMode), inquiry_horizon_ms=DAY_MS)
    found.providers.providers["beta"] = CancelledInVain("beta", replace(able, action_lifetime_ms=30 * DAY_MS))
    found.rules.document = fallback("beta")
    return found


class TestARequestedCancellation:
    """It is tried again by the inquiry back-off, whatever the attempt's state."""

    STATES = pytest.mark.parametrize(
        ("answer", "status"),
        [
            ("authorized", PaymentStatus.AUTHORIZED),
            (REDIRECT, PaymentStatus.REQUIRES_ACTION),
            (TIMEOUT, PaymentStatus.PENDING),
            (Accepted(reference="a-1"), PaymentStatus.PENDING),
        ],
    )

    def requested(self, world: World, answer: Outcome | str) -> Payment:
        beta = world.providers.get("beta")
        beta.kinds = frozenset({OperationKind.CAPTURE, OperationKind.REFUND})
        beta.charges = [] if isinstance(answer, str) else [answer]
        beta.inquiries = [answer]
        payment = world.accept(capture=CaptureMode.MANUAL)
        world.work()
        assert world.cancel("acme", payment.transaction_id).payment.cancel_requested
        return payment

    @STATES
    def test_that_failed_is_tried_again_within_the_back_off(
        self, world: World, answer: Outcome | str, status: PaymentStatus
    ) -> None:
        payment = self.requested(world, answer)
        waits = []
        for _ in range(12):
            world.clock.advance(max(0, world.now(payment).ready_at_ms - world.clock.now_ms()) / SECOND_MS)
            world.wake(payment)
            now = world.now(payment)
            assert now.status is status
            waits.append(now.ready_at_ms - world.clock.now_ms())
        assert waits == sorted(waits)
        assert waits[0] <= 15 * SECOND_MS
        assert max(waits) == HOUR_MS
        assert world.providers.get("beta").asked("fence") == 12

    @STATES
    @pytest.mark.parametrize(("wait_seconds", "delay_seconds"), [(600, 0), (0, 120)])
    def test_asked_for_again_wakes_a_worker(
        self, world: World, answer: Outcome | str, status: PaymentStatus, wait_seconds: int, delay_seconds: int
    ) -> None:
        payment = self.requested(world, answer)
        for _ in range(8):
            world.clock.advance(max(0, world.now(payment).ready_at_ms - world.clock.now_ms()) / SECOND_MS)
            world.wake(payment)
        world.jobs.sent.clear()
        asked = world.providers.get("beta").asked("fence")
        world.clock.advance(wait_seconds)
        again = world.cancel("acme", payment.transaction_id).payment
        assert (again.status, again.ready_at_ms) == (status, world.clock.now_ms() + delay_seconds * SECOND_MS)
        assert [delay for _, delay in world.jobs.sent] == [delay_seconds]
        world.work()
        assert world.providers.get("beta").asked("fence") == asked + 1

    def test_found_authorized_is_tried_again_soon(self, world: World) -> None:
        """The state changes under the cancellation: unknown, then authorized."""
        payment = self.requested(world, TIMEOUT)
        world.providers.get("beta").inquiries = ["authorized"]
        world.wake(payment)
        now = world.now(payment)
        assert now.status is PaymentStatus.AUTHORIZED
        assert now.ready_at_ms - world.clock.now_ms() <= 5 * SECOND_MS

    def test_hammering_makes_a_try_every_two_minutes_at_most(self, world: World) -> None:
        payment = self.requested(world, "authorized")
        tries = 0
        for _ in range(3_600 // 10):
            world.clock.advance(10)
            world.cancel("acme", payment.transaction_id)
            if world.now(payment).ready_at_ms <= world.clock.now_ms():
                world.wake(payment)
                tries += 1
        assert tries < 40

    def test_in_a_workers_hands_is_left_there(self, world: World) -> None:
        payment = self.requested(world, "authorized")
        world.jobs.sent.clear()
        world.clock.advance(60)
        plain = world.providers.get("beta").inquire

        def interrupted(request: ChargeRequest, account: object) -> Outcome:
            before = world.now(payment)
            assert world.cancel("acme", payment.transaction_id).payment == before
            return plain(request, account)

        world.providers.get("beta").inquire = interrupted  # type: ignore[method-assign]
        world.wake(payment)
        assert world.now(payment).status is PaymentStatus.AUTHORIZED

    def test_that_is_proven_ends_it(self, world: World) -> None:
        payment = self.requested(world, "authorized")
        world.wake(payment)
        world.providers.providers["beta"] = ScriptedProvider("beta", world.providers.get("beta").able)
        world.clock.advance(600)
        world.cancel("acme", payment.transaction_id)
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.CANCELLED

    def test_without_it_an_authorization_is_asked_about_when_it_lapses(self, world: World) -> None:
        payment = world.accept(capture=CaptureMode.MANUAL)
        world.work()
        assert world.now(payment).ready_at_ms - world.clock.now_ms() == 5 * DAY_MS


class TestPending:
    """The provider has answered: it gets weeks, not the horizon of silence."""

    HORIZON_MS = 21 * DAY_MS

    @pytest.fixture
    def world(self) -> World:
        found = World()
        able = replace(RESENDABLE, inquiry_horizon_ms=DAY_MS, pending_horizon_ms=self.HORIZON_MS)
        found.providers.providers["alpha"] = ScriptedProvider("alpha", able)
        found.rules.document = fallback("alpha")
        return found

    def refund(self, world: World, *, days: int) -> Operation:
        """A refund that the provider reports as pending for so many days."""
        payment = world.accept()
        world.work_until_idle()
        alpha = world.providers.get("alpha")
        alpha.moves = [Accepted(reference="re-1")]
        alpha.operation_inquiries = [Accepted(reference="re-1")] * 1_000
        found = world.request(OperationKind.REFUND, payment).operation
        until_ms = world.clock.now_ms() + days * DAY_MS
        world.work()
        while world.operation_now(found).due_at_ms is not None and world.operation_now(found).ready_at_ms < until_ms:
            world.jobs.sent.clear()
            world.clock.advance(max(0, world.operation_now(found).ready_at_ms - world.clock.now_ms()) / SECOND_MS)
            world.process(_job_of(found), world.deadline)
        return found

    def test_a_refund_that_a_bank_takes_two_weeks_for_needs_nobody(self, world: World) -> None:
        refund = self.refund(world, days=14)
        assert world.operation_now(refund).status is OperationStatus.PENDING
        assert world.telemetry.total("OperationsInReview") == 0
        alpha = world.providers.get("alpha")
        alpha.operation_inquiries = ["moved"]
        world.clock.advance(DAY_MS / SECOND_MS)
        world.process(_job_of(refund), world.deadline)
        assert world.operation_now(refund).status is OperationStatus.SUCCEEDED

    def test_after_its_horizon_it_goes_to_review(self, world: World) -> None:
        refund = self.refund(world, days=22)
        assert world.operation_now(refund).status is OperationStatus.IN_REVIEW

    def test_it_is_asked_about_four_times_a_day_after_the_first(self, world: World) -> None:
        self.refund(world, days=14)
        assert 70 < world.providers.get("alpha").moves_of("inquire") < 100

    @pytest.mark.parametrize(("days", "status"), [(14, PaymentStatus.PENDING), (22, PaymentStatus.IN_REVIEW)])
    def test_so_it_is_with_charges(self, world: World, days: int, status: PaymentStatus) -> None:
        alpha = world.providers.get("alpha")
        alpha.charges, alpha.inquiries = [Accepted(reference="ch-1")], [Accepted(reference="ch-1")] * 1_000
        payment = world.accept()
        world.work()
        until_ms = payment.created_at_ms + days * DAY_MS
        while world.now(payment).status is PaymentStatus.PENDING and world.now(payment).ready_at_ms < until_ms:
            world.clock.advance(max(0, world.now(payment).ready_at_ms - world.clock.now_ms()) / SECOND_MS)
            world.wake(payment)
        assert world.now(payment).status is status

    def test_silence_keeps_its_own_horizon(self, world: World) -> None:
        able = replace(world.providers.get("alpha").able, operation_window_ms={}, idempotency_window_ms=0)
        world.providers.get("alpha").able = able
        payment = world.accept()
        world.work_until_idle()
        world.providers.get("alpha").moves = [TIMEOUT]
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work()
        world.clock.advance(DAY_MS / SECOND_MS)
        world.process(_job_of(refund), world.deadline)
        assert world.operation_now(refund).status is OperationStatus.IN_REVIEW


class TestHints:
    """A webhook that proves nothing makes an inquiry come sooner, and never a request for money."""

    @pytest.fixture
    def world(self) -> World:
        found = World()
        found.rules.document = fallback("alpha")
        return found

    @pytest.mark.parametrize(
        "answer", [Rejected(code="rate_limited", retry_after_seconds=600), NotSent(code="refused")]
    )
    def test_the_next_attempt_of_a_refund_keeps_its_time(self, world: World, answer: Rejected | NotSent) -> None:
        payment = world.accept()
        world.work_until_idle()
        world.providers.get("alpha").moves = [answer]
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work()
        before = world.operation_now(refund)
        world.process_provider_event(_hint(world, operation_key=before.attempts[0].provider_key))
        world.process(_job_of(refund), world.deadline)
        after = world.operation_now(refund)
        assert (after.ready_at_ms, after.due_at_ms) == (before.ready_at_ms, before.due_at_ms)
        world.process(_job_of(refund), world.deadline)
        assert (world.providers.get("alpha").moves_of("inquire"), world.providers.get("alpha").moves_of("move")) == (
            1,
            1,
        )

    def test_an_open_refund_is_inquired_about_at_once(self, world: World) -> None:
        payment = world.accept()
        world.work_until_idle()
        world.providers.get("alpha").moves = [Accepted(reference="re-1")]
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work()
        world.process_provider_event(_hint(world, operation_key=world.operation_now(refund).attempts[0].provider_key))
        assert world.operation_now(refund).ready_at_ms == world.clock.now_ms()

    def test_the_next_attempt_of_a_charge_keeps_its_time(self, world: World) -> None:
        world.providers.get("alpha").charges = [Rejected(code="rate_limited", retry_after_seconds=600)]
        payment = world.accept()
        world.work()
        before = world.now(payment)
        world.process_provider_event(_hint(world, charge_key=before.attempts[0].provider_key))
        world.wake(payment)
        assert world.providers.get("alpha").asked("inquire") == 1
        assert (world.now(payment).ready_at_ms, world.now(payment).due_at_ms) == (before.ready_at_ms, before.due_at_ms)


class TestALateSuccess:
    def test_ends_the_watch_on_its_decline(self) -> None:
        world = World()
        world.rules.document = fallback("alpha")
        alpha = world.providers.get("alpha")
        alpha.charges = [Declined(kind=DeclineKind.SOFT, code="bank", reopens_for_seconds=5 * 86_400)]
        payment = world.accept()
        world.work()
        alpha.inquiries = ["charged"]
        world.work()
        done = world.now(payment)
        (attempt,) = done.attempts
        assert (done.status, done.due_at_ms) == (PaymentStatus.SUCCESS, None)
        assert (attempt.reopens_until_ms, attempt.decline_kind) == (None, None)
        world.process_provider_event(_hint(world, charge_key=attempt.provider_key))
        assert world.now(payment).due_at_ms is None

    def test_that_release_0_2_0_stored_is_not_watched_either(self) -> None:
        world = World()
        payment = world.accept()
        world.work()
        stored = world.now(payment)
        watched = replace(stored.attempts[0], reopens_until_ms=world.clock.now_ms() + DAY_MS)
        world.store(replace(stored, attempts=(watched,)))
        world.process_provider_event(_hint(world, charge_key=watched.provider_key))
        assert world.now(payment).due_at_ms is None


class TestReviews:
    def test_a_missing_account_writes_no_event_a_day(self) -> None:
        world = World()
        payment = world.accept()
        world.work_until_idle()
        world.providers.get("alpha").moves = [TIMEOUT]
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work()
        world.set_merchant(accounts=())
        world.work()
        assert world.operation_now(refund).status is OperationStatus.IN_REVIEW
        events = world.now(payment).event_seq
        for _ in range(5):
            world.clock.advance(DAY_MS / SECOND_MS)
            world.process(_job_of(refund), world.deadline)
        assert world.now(payment).event_seq == events
        due_in_ms = (world.operation_now(refund).due_at_ms or 0) - world.clock.now_ms()
        assert 0 < due_in_ms <= DAY_MS

    def test_a_finished_refund_whose_account_is_missing_stays_finished(self) -> None:
        world = World()
        payment = world.accept()
        world.work_until_idle()
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work()
        world.set_merchant(accounts=())
        world.process_provider_event(_hint(world, operation_key=world.operation_now(refund).attempts[0].provider_key))
        world.work_until_idle()
        assert world.operation_now(refund).status is OperationStatus.SUCCEEDED


def _job_of(operation: Operation) -> Job:
    return Job(
        merchant_id=operation.merchant_id,
        transaction_id=operation.transaction_id,
        operation_id=operation.operation_id,
    )


def _hint(world: World, **names: str) -> ReceivedEvent:
    return ReceivedEvent(
        merchant_id="acme",
        provider="alpha",
        account_id="main",
        received_at_ms=world.clock.now_ms(),
        provider_event=ProviderEvent(event_id="ev-1", type="something.happened", **names),
    )
