"""Requests that provably did not leave: tried again under the same key, with a time of their own instead of retries."""

from dataclasses import replace

import pytest

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.outcome import Declined, NotFound, NotSent, Progress, Rejected, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.transitions import check_may_send
from payflowx.domain.shared.errors import StorageUnavailableError, TransitionError
from payflowx.domain.shared.limits import HOUR_MS, MAX_ATTEMPTS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, DeclineKind, OperationStatus, PaymentStatus
from tests.support.world import World, fallback

NOT_SENT = NotSent(code="connection_refused")
TIMEOUT = Unknown(code="read_timeout")


@pytest.fixture
def world() -> World:
    found = World()
    found.rules.document = fallback("alpha")
    return found


def out_of_reach(world: World, name: str = "alpha", *, tries: int = 200) -> None:
    world.providers.get(name).charges = [NOT_SENT] * tries
    world.providers.get(name).moves = [NOT_SENT] * tries


def work_until(world: World, at_ms: int) -> None:
    """Deliver messages until the next one is later."""
    while world.jobs.sent and world.clock.now_ms() + world.jobs.sent[0][1] * SECOND_MS < at_ms:
        world.work()


def states(payment: Payment) -> list[tuple[str, str]]:
    return [(attempt.provider, attempt.state.value) for attempt in payment.attempts]


class TestCharges:
    def test_trouble_of_less_than_its_time_fails_nothing(self, world: World) -> None:
        out_of_reach(world)
        payment = world.accept()
        accepted_ms = world.clock.now_ms()
        work_until(world, accepted_ms + 55 * MINUTE_MS)
        waiting = world.now(payment)
        assert (waiting.status, states(waiting)) == (PaymentStatus.PENDING, [("alpha", "NOT_SENT")])
        world.providers.get("alpha").charges = []
        world.work()
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert {request.provider_key for _, request in world.providers.get("alpha").sent} == {
            f"pfx-{payment.transaction_id[4:]}-1"
        }

    def test_the_wait_grows_to_minutes_and_no_further(self, world: World) -> None:
        out_of_reach(world)
        world.accept()
        waits = []
        while world.jobs.sent:
            world.work()
            waits += [delay for _, delay in world.jobs.sent]
        assert waits[0] <= 2
        assert 120 <= max(waits) <= 300
        assert len(waits) < 40

    def test_who_waits_is_counted_and_who_goes_to_another_provider_is_not(self, world: World) -> None:
        world.rules.document = fallback("alpha", "beta")
        out_of_reach(world)
        out_of_reach(world, "beta")
        world.accept()
        world.work()
        assert world.telemetry.total("SendsPostponed") == 0
        world.work(turns=3)
        assert world.telemetry.total("SendsPostponed") == 3

    def test_after_its_time_the_payment_fails(self, world: World) -> None:
        out_of_reach(world)
        payment = world.accept()
        accepted_ms = world.clock.now_ms()
        world.work_until_idle()
        failed = world.now(payment)
        assert (failed.status, failed.due_at_ms, len(failed.attempts)) == (PaymentStatus.FAILED, None, 1)
        assert failed.last_error is not None
        assert (failed.last_error.code, failed.last_error.provider_code) == ("not_sent", "connection_refused")
        assert HOUR_MS <= world.clock.now_ms() - accepted_ms < HOUR_MS + MINUTE_MS

    def test_its_time_is_a_setting(self, world: World) -> None:
        world.policy = replace(world.policy, not_sent_patience_ms=5 * MINUTE_MS)
        out_of_reach(world)
        payment = world.accept()
        accepted_ms = world.clock.now_ms()
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.FAILED
        assert 5 * MINUTE_MS <= world.clock.now_ms() - accepted_ms < 6 * MINUTE_MS

    def test_it_never_passes_the_charge_deadline(self, world: World) -> None:
        world.policy = RetryPolicy(max_retries=3, charge_deadline_ms=10 * MINUTE_MS)
        out_of_reach(world)
        payment = world.accept()
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.FAILED
        assert world.clock.now_ms() - payment.created_at_ms < 11 * MINUTE_MS

    def test_an_untried_provider_comes_first_and_at_once(self, world: World) -> None:
        world.rules.document = fallback("alpha", "beta")
        out_of_reach(world)
        payment = world.accept()
        world.work()
        assert [delay for _, delay in world.jobs.sent] == [0]
        world.work()
        assert states(world.now(payment)) == [("alpha", "NOT_SENT"), ("beta", "SUCCEEDED")]

    def test_a_provider_that_stays_out_of_reach_does_not_keep_the_payment_from_another(self, world: World) -> None:
        world.rules.document = fallback("alpha", "beta")
        out_of_reach(world, tries=1)
        out_of_reach(world, "beta")
        payment = world.accept()
        world.work_until_idle()
        now = world.now(payment)
        assert (now.status, states(now)) == (PaymentStatus.SUCCESS, [("alpha", "SUCCEEDED"), ("beta", "NOT_SENT")])

    def test_a_route_out_of_reach_uses_an_attempt_a_provider(self, world: World) -> None:
        world.rules.document = fallback("alpha", "beta", "gamma")
        for name in ("alpha", "beta", "gamma"):
            out_of_reach(world, name)
        payment = world.accept()
        world.work_until_idle()
        failed = world.now(payment)
        assert (failed.status, len(failed.attempts)) == (PaymentStatus.FAILED, 3)
        assert all(len(world.providers.get(name).sent) > 5 for name in ("alpha", "beta", "gamma"))

    def test_only_answers_count_as_retries(self, world: World) -> None:
        alpha = world.providers.get("alpha")
        alpha.charges = [NOT_SENT, NOT_SENT, Rejected(code="rate_limited"), NOT_SENT, NOT_SENT]
        alpha.charges += [Rejected(code="rate_limited"), NOT_SENT, Rejected(code="rate_limited"), "charged"]
        payment = world.accept()
        world.work_until_idle()
        done = world.now(payment)
        assert (done.status, done.retry_count) == (PaymentStatus.SUCCESS, 3)

    def test_answered_attempts_end_after_the_retries(self, world: World) -> None:
        world.providers.get("alpha").charges = [Rejected(code="rate_limited")] * 9
        payment = world.accept()
        world.work_until_idle()
        failed = world.now(payment)
        assert (failed.status, len(failed.attempts)) == (PaymentStatus.FAILED, world.policy.max_retries + 1)

    def test_a_removed_account_is_waited_for(self, world: World) -> None:
        payment = world.accept()
        world.set_merchant(accounts=())
        world.work(turns=3)
        assert [a.code for a in world.now(payment).attempts] == ["account_removed"]
        world.set_merchant()
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_too_little_time_costs_no_attempt(self, world: World) -> None:
        world.deadline.left_ms = 14_999
        payment = world.accept()
        world.work(turns=5)
        assert states(world.now(payment)) == [("alpha", "NOT_SENT")]
        assert world.providers.get("alpha").sent == []
        world.deadline.left_ms = 30_000
        world.work()
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_another_request_is_sent_under_another_key(self, world: World) -> None:
        out_of_reach(world, tries=1)
        payment = world.accept()
        world.work()
        world.providers.get("alpha").hash_salt = "a new release"
        world.work()
        now = world.now(payment)
        assert states(now) == [("alpha", "NOT_SENT"), ("alpha", "SUCCEEDED")]
        assert now.attempts[0].provider_key != now.attempts[1].provider_key

    def test_requests_that_change_each_time_end_after_eight_attempts(self, world: World) -> None:
        alpha = world.providers.get("alpha")
        out_of_reach(world)
        payment = world.accept()
        for turn in range(20):
            if not world.jobs.sent:
                break
            alpha.hash_salt = str(turn)
            world.work()
        failed = world.now(payment)
        assert (failed.status, len(failed.attempts)) == (PaymentStatus.FAILED, MAX_ATTEMPTS)

    def test_a_retry_after_is_not_waited_for_twice(self, world: World) -> None:
        alpha = world.providers.get("alpha")
        alpha.charges = [Rejected(code="rate_limited", retry_after_seconds=600), NOT_SENT, NOT_SENT]
        world.accept()
        world.work()
        assert [delay for _, delay in world.jobs.sent] == [600]
        world.work()
        assert [delay for _, delay in world.jobs.sent] <= [2]

    def test_a_cancellation_ends_a_payment_that_waits(self, world: World) -> None:
        out_of_reach(world)
        payment = world.accept()
        world.work()
        assert world.cancel("acme", payment.transaction_id).payment.status is PaymentStatus.CANCELLED
        world.work_until_idle()
        assert world.providers.get("alpha").asked("charge") == 1

    def test_a_disabled_provider_is_not_tried_again(self, world: World) -> None:
        world.rules.document = fallback("alpha", "beta")
        out_of_reach(world)
        out_of_reach(world, "beta", tries=1)
        payment = world.accept()
        world.work(turns=2)
        world.set_merchant(disabled=frozenset({"alpha"}))
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert world.providers.get("alpha").asked("charge") == 1

    def test_a_hard_decline_of_the_provider_that_was_tried_again_ends_the_payment(self, world: World) -> None:
        world.rules.document = fallback("alpha", "beta")
        world.providers.get("alpha").charges = [NOT_SENT, Declined(kind=DeclineKind.HARD, code="stolen_card")]
        out_of_reach(world, "beta", tries=1)
        payment = world.accept()
        world.work_until_idle()
        failed = world.now(payment)
        assert (failed.status, states(failed)) == (PaymentStatus.FAILED, [("alpha", "DECLINED"), ("beta", "NOT_SENT")])


class TestOpeningAgain:
    """A send from NOT_SENT is preceded by STARTED in the store, and is then a first send, once."""

    def test_it_is_stored_as_started_before_the_request_leaves(self, world: World) -> None:
        out_of_reach(world, tries=1)
        payment = world.accept()
        world.work()
        world.clock.advance(60)
        alpha = world.providers.get("alpha")
        seen: list[Attempt] = []

        def look(charge: object, account: object) -> Unknown:
            seen.extend(world.now(payment).attempts)
            return TIMEOUT

        alpha.charge = look  # type: ignore[method-assign, assignment]
        world.work()
        (stored,) = seen
        lease_epoch = world.now(payment).lease.epoch
        assert (stored.state, stored.epoch, stored.number) == (AttemptState.STARTED, lease_epoch, 1)
        assert stored.started_at_ms == world.clock.now_ms()
        assert world.now(payment).attempts[0].state is AttemptState.UNKNOWN

    def test_nothing_is_sent_when_it_cannot_be_stored(self, world: World) -> None:
        out_of_reach(world, tries=1)
        payment = world.accept()
        world.work()
        with world.refusing("update_item"), pytest.raises(StorageUnavailableError):
            world.work()
        assert world.providers.get("alpha").asked("charge") == 1
        assert states(world.now(payment)) == [("alpha", "NOT_SENT")]

    def test_of_two_workers_one_opens_it(self, world: World) -> None:
        out_of_reach(world, tries=1)
        payment = world.accept()
        world.work()
        job, _ = world.jobs.sent[0]
        alpha = world.providers.get("alpha")
        plain = alpha.charge

        def interrupted(charge: object, account: object) -> object:
            world.process(job, world.deadline)
            return plain(charge, account)  # type: ignore[arg-type]

        alpha.charge = interrupted  # type: ignore[method-assign, assignment]
        world.work()
        assert alpha.asked("charge") == 2
        assert world.now(payment).status is PaymentStatus.SUCCESS

    @pytest.mark.parametrize("refusal", [NOT_SENT, Rejected(code="rate_limited")])
    def test_a_refusal_of_the_send_after_it_closes_it(self, world: World, refusal: NotSent | Rejected) -> None:
        world.providers.get("alpha").charges = [NOT_SENT, refusal]
        payment = world.accept()
        world.work(turns=2)
        assert not world.now(payment).attempts[0].is_open

    @pytest.mark.parametrize("refusal", [NOT_SENT, Rejected(code="rate_limited")])
    def test_after_a_crash_a_refusal_proves_nothing(self, world: World, refusal: NotSent | Rejected) -> None:
        payment = self.crash_after_opening(world)
        alpha = world.providers.get("alpha")
        alpha.inquiries, alpha.charges = [NotFound()], [refusal]
        world.clock.advance(60)
        world.wake(payment)
        now = world.now(payment)
        assert (now.attempts[0].state, len(now.attempts)) == (AttemptState.UNKNOWN, 1)
        assert {request.provider_key for _, request in alpha.sent} == {now.attempts[0].provider_key}

    def test_after_a_crash_its_age_counts_from_the_send(self, world: World) -> None:
        """The window in which the provider recognizes the key begins with the request that may have left."""
        payment = self.crash_after_opening(world, after_ms=50 * MINUTE_MS)
        attempt = world.now(payment).attempts[0]
        assert attempt.started_at_ms >= payment.created_at_ms + 50 * MINUTE_MS
        assert world.now(payment).not_sent_since_ms is not None

    @staticmethod
    def crash_after_opening(world: World, after_ms: int = 0) -> Payment:
        out_of_reach(world)
        payment = world.accept()
        world.work()
        work_until(world, payment.created_at_ms + after_ms)
        world.clock.advance(600)
        world.providers.get("alpha").charge = _dies  # type: ignore[method-assign, assignment]
        with pytest.raises(SystemExit):
            world.wake(payment)
        del world.providers.get("alpha").charge
        world.jobs.sent.clear()
        assert world.now(payment).attempts[0].state is AttemptState.STARTED
        return payment

    def test_completed_steps_are_kept(self, world: World) -> None:
        alpha = world.providers.get("alpha")
        alpha.steps = ("order_id",)
        alpha.charges = [Progress(facts={"order_id": "order-1"}), NOT_SENT, "charged"]
        payment = world.accept()
        world.work(turns=2)
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert [dict(request.progress) for _, request in alpha.sent] == [{}, *[{"order_id": "order-1"}] * 2]

    @pytest.mark.parametrize(
        "state", [s for s in AttemptState if s not in {AttemptState.STARTED, AttemptState.UNKNOWN}]
    )
    def test_no_request_leaves_from_any_other_state(self, state: AttemptState) -> None:
        with pytest.raises(TransitionError):
            check_may_send(state)


class TestOperations:
    def test_a_refund_outlasts_trouble_of_ours(self, world: World) -> None:
        payment = world.accept()
        world.work_until_idle()
        out_of_reach(world)
        refund = world.request(OperationKind.REFUND, payment).operation
        work_until(world, refund.created_at_ms + 55 * MINUTE_MS)
        waiting = world.operation_now(refund)
        assert (waiting.status, len(waiting.attempts)) == (OperationStatus.PENDING, 1)
        assert world.telemetry.total("SendsPostponed") == world.providers.get("alpha").moves_of("move")
        world.providers.get("alpha").moves = []
        world.work()
        done = world.operation_now(refund)
        assert (done.status, world.now(payment).refunded) == (OperationStatus.SUCCEEDED, payment.amount)
        assert len({request.provider_key for _, request in world.providers.get("alpha").moved}) == 1

    def test_after_its_time_it_fails_and_gives_the_amount_back(self, world: World) -> None:
        payment = world.accept()
        world.work_until_idle()
        out_of_reach(world)
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work_until_idle()
        failed = world.operation_now(refund)
        assert failed.status is OperationStatus.FAILED
        assert HOUR_MS <= world.clock.now_ms() - refund.created_at_ms < HOUR_MS + MINUTE_MS
        assert (world.now(payment).refundable, world.now(payment).refunded) == (payment.amount, 0)

    def test_it_is_stored_as_started_before_the_request_leaves(self, world: World) -> None:
        payment = world.accept()
        world.work_until_idle()
        out_of_reach(world, tries=1)
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work()
        alpha = world.providers.get("alpha")
        seen: list[Attempt] = []

        def look(request: object, account: object) -> Unknown:
            seen.extend(world.operation_now(refund).attempts)
            return TIMEOUT

        alpha.move = look  # type: ignore[method-assign, assignment]
        world.work()
        (stored,) = seen
        assert (stored.state, stored.epoch, stored.started_at_ms) == (
            AttemptState.STARTED,
            world.operation_now(refund).lease.epoch,
            world.clock.now_ms(),
        )
        assert world.operation_now(refund).attempts[0].state is AttemptState.UNKNOWN

    @pytest.mark.parametrize("refusal", [NOT_SENT, Rejected(code="rate_limited")])
    def test_after_a_crash_a_refusal_proves_nothing(self, world: World, refusal: NotSent | Rejected) -> None:
        payment = world.accept()
        world.work_until_idle()
        alpha = world.providers.get("alpha")
        out_of_reach(world, tries=1)
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work()
        job = world.jobs.sent.pop(0)[0]
        world.clock.advance(10)
        alpha.move = _dies  # type: ignore[method-assign, assignment]
        with pytest.raises(SystemExit):
            world.process(job, world.deadline)
        del alpha.move
        assert world.operation_now(refund).attempts[0].state is AttemptState.STARTED
        alpha.moves = [refusal]
        world.clock.advance(60)
        world.process(job, world.deadline)
        now = world.operation_now(refund)
        assert ([a.state for a in now.attempts], now.status) == ([AttemptState.UNKNOWN], OperationStatus.PENDING)
        assert world.now(payment).refundable == 0

    def test_another_request_is_sent_under_another_key(self, world: World) -> None:
        payment = world.accept()
        world.work_until_idle()
        out_of_reach(world, tries=1)
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work()
        world.providers.get("alpha").hash_salt = "a new release"
        world.work()
        assert [a.state for a in world.operation_now(refund).attempts] == ["NOT_SENT", "SUCCEEDED"]

    def test_an_answer_ends_the_time_of_what_was_not_sent(self, world: World) -> None:
        payment = world.accept()
        world.work_until_idle()
        world.providers.get("alpha").moves = [NOT_SENT, Declined(code="too_old")]
        refund = world.request(OperationKind.REFUND, payment).operation
        world.work()
        assert world.operation_now(refund).not_sent_since_ms is not None
        world.work()
        assert world.operation_now(refund).not_sent_since_ms is None


def _dies(*_request: object) -> None:
    raise SystemExit("the worker dies")
