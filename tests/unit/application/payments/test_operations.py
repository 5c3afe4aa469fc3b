"""Captures, voids and refunds: accepted once, reserved, sent once, and never guessed."""

from dataclasses import replace

import pytest

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import (
    Accepted,
    Authorized,
    Declined,
    NotFound,
    NotSent,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MAX_DRIVES, MAX_OPERATION_RETRIES
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, OperationStatus, PaymentStatus
from tests.support.scripted import ScriptedProvider, moved
from tests.support.world import CANCELLABLE, RESENDABLE, World, fallback

CAPTURE, VOID, REFUND = OperationKind.CAPTURE, OperationKind.VOID, OperationKind.REFUND
TIMEOUT = Unknown(code="read_timeout")


@pytest.fixture
def world() -> World:
    return World()


def provider(world: World) -> ScriptedProvider:
    return world.providers.get("alpha")


def charged(world: World, amount: int = 100) -> Payment:
    payment = world.accept(amount=amount)
    world.work_until_idle()
    assert world.now(payment).status is PaymentStatus.SUCCESS
    return world.now(payment)


def held(world: World, amount: int = 100, key: str = "order-1") -> Payment:
    payment = world.accept(key, amount=amount, capture=CaptureMode.MANUAL)
    world.work_until_idle()
    assert world.now(payment).status is PaymentStatus.AUTHORIZED
    return world.now(payment)


def money(payment: Payment) -> dict[str, int]:
    names = ("capturable", "captured", "refundable", "refunded")
    return {name: getattr(payment, name) for name in names if getattr(payment, name)}


def settle(world: World, operation: Operation) -> Operation:
    world.work_until_idle()
    return world.operation_now(operation)


class TestAccepting:
    def test_a_refund_reserves_its_amount_before_anything_is_sent(self, world: World) -> None:
        payment = charged(world)
        accepted = world.request(REFUND, payment, 60).operation
        assert (accepted.status, accepted.amount, accepted.kind) == (OperationStatus.PENDING, 60, REFUND)
        assert money(world.now(payment)) == {"captured": 100, "refundable": 40}
        assert provider(world).moved == []

    def test_a_charge_without_the_provider_s_id_takes_no_operation(self, world: World) -> None:
        """An operator may close a review without it."""
        payment = charged(world)
        nameless = replace(payment.attempts[0], reference=None)
        world.store(replace(payment, attempts=(nameless,)))
        with pytest.raises(Refusal, match="id of this charge is not known") as refusal:
            world.request(REFUND, payment, 60)
        assert refusal.value.code == "invalid_state"
        assert provider(world).moved == []

    def test_without_an_amount_all_that_is_left_is_moved(self, world: World) -> None:
        payment = charged(world)
        world.request(REFUND, payment, 30, key="a")
        assert world.request(REFUND, payment, key="b").operation.amount == 70

    def test_more_than_is_left_is_refused_and_nothing_is_written(self, world: World) -> None:
        payment = charged(world)
        world.request(REFUND, payment, 60, key="a")
        before = world.now(payment)
        with pytest.raises(Refusal, match="At most 40") as refusal:
            world.request(REFUND, payment, 41, key="b")
        assert (refusal.value.code, refusal.value.field) == ("amount_exceeded", "amount")
        assert world.now(payment) == before

    def test_the_same_key_is_the_same_operation_whatever_became_of_it(self, world: World) -> None:
        payment = charged(world)
        first = world.request(REFUND, payment, 100).operation
        settle(world, first)
        again = world.request(REFUND, payment, 100)
        assert (again.replayed, again.operation.operation_id) == (True, first.operation_id)
        assert again.operation.status is OperationStatus.SUCCEEDED
        assert provider(world).moves_of("move") == 1

    def test_the_same_key_for_another_request_is_refused(self, world: World) -> None:
        payment = charged(world)
        world.request(REFUND, payment, 10)
        with pytest.raises(Refusal) as refusal:
            world.request(REFUND, payment, 20)
        assert refusal.value.code == "idempotency_key_reused"

    def test_kinds_have_keys_of_their_own(self, world: World) -> None:
        payment = held(world)
        capture = settle(world, world.request(CAPTURE, payment, key="k").operation)
        refund = world.request(REFUND, payment, key="k").operation
        assert capture.operation_id[:4] == "cap_"
        assert refund.operation_id[:4] == "ref_"

    def test_an_unresolved_payment_is_asked_about_first(self, world: World) -> None:
        provider(world).charges = [TIMEOUT]
        payment = world.accept()
        world.work()
        world.jobs.sent.clear()
        with pytest.raises(Refusal) as refusal:
            world.request(REFUND, payment, 10)
        assert refusal.value.code == "outcome_unknown"
        assert [(job.transaction_id, delay) for job, delay in world.jobs.sent] == [(payment.transaction_id, 0)]

    @pytest.mark.parametrize("kind", [CAPTURE, VOID])
    def test_a_charged_payment_has_nothing_to_capture_or_release(self, world: World, kind: OperationKind) -> None:
        with pytest.raises(Refusal) as refusal:
            world.request(kind, charged(world))
        assert refusal.value.code == "invalid_state"

    @pytest.mark.parametrize("kinds", [(CAPTURE, VOID), (VOID, CAPTURE), (CAPTURE, CAPTURE), (VOID, VOID)])
    def test_one_capture_or_void_at_a_time(self, world: World, kinds: tuple[OperationKind, OperationKind]) -> None:
        payment = held(world)
        world.request(kinds[0], payment, key="a")
        with pytest.raises(Refusal, match="only one can be open") as refusal:
            world.request(kinds[1], payment, key="b")
        assert refusal.value.code == "invalid_state"

    def test_what_the_provider_does_not_have_is_refused_before_anything_is_reserved(self, world: World) -> None:
        provider(world).partial_captures = False
        payment = held(world)
        with pytest.raises(Refusal) as refusal:
            world.request(CAPTURE, payment, 99)
        assert refusal.value.code == "not_supported"
        assert money(world.now(payment)) == {"capturable": 100}

    def test_an_authorization_that_has_lapsed_is_not_captured(self, world: World) -> None:
        payment = held(world)
        world.clock.advance(RESENDABLE.authorization_lifetime_ms / 1000)
        with pytest.raises(Refusal, match="lapsed"):
            world.request(CAPTURE, payment)

    def test_a_lost_message_is_made_up_for(self, world: World) -> None:
        payment = charged(world)
        world.jobs.broken = True
        refund = world.request(REFUND, payment).operation
        world.jobs.broken = False
        world.clock.advance(91)
        world.sweep(world.deadline)
        assert [job.operation_id for job, _ in world.jobs.sent] == [refund.operation_id]
        assert settle(world, refund).status is OperationStatus.SUCCEEDED

    def test_somebody_else_is_always_faster(self, world: World) -> None:
        payment = charged(world)
        count: list[str] = []

        def moved_first(method: str, _request: object) -> None:
            if method == "transact_write_items":
                count.append(method)
                world.store(replace(world.now(payment), version=len(count) + 1_000))

        world.dynamodb.before = moved_first
        with pytest.raises(StorageUnavailableError):
            world.request(REFUND, payment)
        assert len(count) == 8
        assert world.operations.of_payment(payment.merchant_id, payment.transaction_id) == []


class TestSucceeding:
    def test_a_full_capture_makes_the_payment_a_success(self, world: World) -> None:
        payment = held(world)
        capture = settle(world, world.request(CAPTURE, payment).operation)
        paid = world.now(payment)
        assert (capture.status, paid.status, paid.charged_attempt) == ("SUCCEEDED", "SUCCESS", 1)
        assert money(paid) == {"captured": 100, "refundable": 100}
        assert paid.attempts[0].state is AttemptState.SUCCEEDED
        assert (paid.due_at_ms, capture.due_at_ms, paid.open_capture_or_void) == (None, None, None)

    def test_a_partial_capture_releases_the_rest(self, world: World) -> None:
        payment = held(world)
        settle(world, world.request(CAPTURE, payment, 70).operation)
        assert money(world.now(payment)) == {"captured": 70, "refundable": 70}

    def test_a_void_makes_the_payment_cancelled(self, world: World) -> None:
        payment = held(world)
        settle(world, world.request(VOID, payment).operation)
        assert world.now(payment).status is PaymentStatus.CANCELLED
        assert world.now(payment).attempts[0].state is AttemptState.FENCED
        assert money(world.now(payment)) == {}

    def test_several_refunds_add_up_to_the_charge(self, world: World) -> None:
        payment = charged(world)
        for number, amount in enumerate((20, 30, 50)):
            settle(world, world.request(REFUND, payment, amount, key=str(number)).operation)
        assert money(world.now(payment)) == {"captured": 100, "refunded": 100}

    def test_it_goes_to_the_attempt_that_holds_the_charge(self, world: World) -> None:
        provider(world).charges = [NotSent(code="connection_refused")]
        payment = charged(world)
        assert payment.charged_attempt == 2
        refund = settle(world, world.request(REFUND, payment).operation)
        ((_, operation_request),) = world.providers.get("beta").moved
        assert operation_request.charge_key == payment.attempts[1].provider_key
        assert operation_request.charge_reference == payment.attempts[1].reference
        assert operation_request.provider_key == f"pfx-{refund.operation_id[-16:]}-1"

    def test_the_attempt_is_stored_before_the_call(self, world: World) -> None:
        payment = charged(world)
        refund = world.request(REFUND, payment).operation
        seen: list[AttemptState] = []

        def look(operation_request: object, account: object) -> Unknown:
            seen.extend(a.state for a in world.operation_now(refund).attempts)
            return TIMEOUT

        provider(world).move = look  # type: ignore[method-assign, assignment]
        world.work()
        assert seen == [AttemptState.STARTED]

    def test_a_repeated_message_moves_nothing_again(self, world: World) -> None:
        payment = charged(world)
        refund = world.request(REFUND, payment).operation
        job, _ = world.jobs.sent[0]
        settle(world, refund)
        world.process(job, world.deadline)
        assert provider(world).moves_of("move") == 1

    def test_two_workers_at_once_move_money_once(self, world: World) -> None:
        payment = charged(world)
        refund = world.request(REFUND, payment).operation
        job, _ = world.jobs.sent[0]
        move = provider(world).move

        def second_comes(operation_request: object, account: object) -> object:
            world.process(job, world.deadline)
            return move(operation_request, account)  # type: ignore[arg-type]

        provider(world).move = second_comes  # type: ignore[method-assign, assignment]
        settle(world, refund)
        assert provider(world).moves_of("move") == 1

    def test_the_audit_log_tells_it_without_a_gap(self, world: World) -> None:
        payment = charged(world)
        settle(world, world.request(REFUND, payment, 60).operation)
        events = world.events_of(payment)
        assert [event.type for event in events[-2:]] == ["refund.requested", "refund.succeeded"]
        assert events[-1].facts["amount"] == 60


class TestNotKnowing:
    def test_a_lost_answer_is_asked_about_and_not_sent_blindly(self, world: World) -> None:
        provider(world).moves = [TIMEOUT]
        provider(world).operation_inquiries = ["moved"]
        payment = charged(world)
        refund = settle(world, world.request(REFUND, payment).operation)
        assert refund.status is OperationStatus.SUCCEEDED
        assert [kind for kind, _ in provider(world).moved] == ["move", "inquire"]

    def test_inside_the_window_the_same_request_is_sent_again(self, world: World) -> None:
        provider(world).moves = [TIMEOUT]
        payment = charged(world)
        refund = settle(world, world.request(REFUND, payment).operation)
        assert refund.status is OperationStatus.SUCCEEDED
        keys = {operation_request.provider_key for _, operation_request in provider(world).moved}
        assert ([kind for kind, _ in provider(world).moved], len(keys)) == (["move", "inquire", "move"], 1)

    def test_without_a_window_not_found_is_no_reason_to_send_again(self, world: World) -> None:
        provider(world).able = replace(RESENDABLE, operation_window_ms={})
        provider(world).moves = [TIMEOUT]
        payment = charged(world)
        refund = world.request(REFUND, payment).operation
        for _ in range(30):
            world.work_until_idle()
            world.clock.advance(600)
            world.sweep(world.deadline)
        now = world.operation_now(refund)
        assert (now.status, now.last_error.code if now.last_error else "") == ("IN_REVIEW", "outcome_unknown")
        assert provider(world).moves_of("move") == 1
        assert money(world.now(payment)) == {"captured": 100}

    def test_a_changed_request_is_not_sent_again(self, world: World) -> None:
        provider(world).moves = [TIMEOUT]
        payment = charged(world)
        world.request(REFUND, payment)
        world.work()
        provider(world).hash_salt = "newer version"
        world.work()
        assert provider(world).moves_of("move") == 1

    def test_a_review_is_asked_about_daily_and_closed_by_a_verified_answer(self, world: World) -> None:
        provider(world).able = replace(RESENDABLE, operation_window_ms={})
        provider(world).moves = [TIMEOUT]
        payment = charged(world)
        refund = world.request(REFUND, payment).operation
        while world.operation_now(refund).status is OperationStatus.PENDING:
            world.work_until_idle()
            world.clock.advance(600)
            world.sweep(world.deadline)
        provider(world).operation_inquiries = ["moved"]
        world.clock.advance(DAY_MS / 1000 + 1)
        world.sweep(world.deadline)
        assert settle(world, refund).status is OperationStatus.SUCCEEDED
        assert money(world.now(payment)) == {"captured": 100, "refunded": 100}

    def test_a_worker_that_died_is_found_and_its_attempt_resolved(self, world: World) -> None:
        def die(operation_request: object, account: object) -> Unknown:
            raise KeyboardInterrupt

        move, provider(world).move = provider(world).move, die  # type: ignore[method-assign, assignment]
        payment = charged(world)
        refund = world.request(REFUND, payment).operation
        with pytest.raises(KeyboardInterrupt):
            world.work()
        provider(world).move = move  # type: ignore[method-assign]
        provider(world).operation_inquiries = ["moved"]
        world.clock.advance(61)
        world.sweep(world.deadline)
        assert settle(world, refund).status is OperationStatus.SUCCEEDED
        assert provider(world).moves_of("move") == 0

    def test_a_refusal_of_a_later_send_says_nothing_of_the_first(self, world: World) -> None:
        provider(world).moves = [TIMEOUT, Rejected(code="rate_limited")]
        payment = charged(world)
        refund = world.request(REFUND, payment).operation
        world.work(turns=2)
        assert world.operation_now(refund).attempts[0].state is AttemptState.UNKNOWN
        assert len(world.operation_now(refund).attempts) == 1

    def test_pending_at_the_provider_is_waited_for(self, world: World) -> None:
        provider(world).moves = [Accepted(reference="re_1")]
        provider(world).operation_inquiries = [Accepted(reference="re_1"), Accepted(reference="re_1")]
        payment = charged(world)
        refund = world.request(REFUND, payment).operation
        world.work(turns=2)
        now = world.operation_now(refund)
        assert (now.status, now.attempts[0].state, now.attempts[0].reference) == ("PENDING", "ACCEPTED", "re_1")
        assert provider(world).moves_of("move") == 1

    def test_forty_drives_without_news_end_in_review(self, world: World) -> None:
        payment = charged(world)
        refund = world.request(REFUND, payment).operation
        world.jobs.sent.clear()
        for _ in range(MAX_DRIVES + 1):
            world.clock.advance(3 * 3600)
            swept = world.sweep(world.deadline)
        now = world.operation_now(refund)
        assert (swept.to_review, now.status, now.last_error and now.last_error.code) == (
            *(1, "IN_REVIEW", "drives_exhausted"),
        )
        assert money(world.now(payment)) == {"captured": 100}


class TestWithoutEffect:
    def test_a_refusal_gives_the_amount_back(self, world: World) -> None:
        provider(world).moves = [Declined(code="too_old")]
        payment = charged(world)
        refund = settle(world, world.request(REFUND, payment, 60).operation)
        assert (refund.status, refund.last_error and refund.last_error.provider_code) == ("FAILED", "too_old")
        assert money(world.now(payment)) == {"captured": 100, "refundable": 100}

    def test_what_was_not_sent_keeps_its_key_and_what_was_rejected_gets_a_new_one(self, world: World) -> None:
        provider(world).moves = [NotSent(code="connection_refused"), Rejected(code="rate_limited")]
        payment = charged(world)
        refund = settle(world, world.request(REFUND, payment).operation)
        assert [a.state for a in refund.attempts] == ["REJECTED", "SUCCEEDED"]
        keys = [operation_request.provider_key for _, operation_request in provider(world).moved]
        assert (keys[0] == keys[1], len(set(keys))) == (True, 2)

    def test_answered_tries_end_and_the_amount_is_given_back(self, world: World) -> None:
        provider(world).moves = [Rejected(code="rate_limited")] * 50
        payment = charged(world)
        refund = settle(world, world.request(REFUND, payment).operation)
        assert (refund.status, len(refund.attempts)) == ("FAILED", MAX_OPERATION_RETRIES + 1)
        assert money(world.now(payment)) == {"captured": 100, "refundable": 100}

    def test_after_its_deadline_nothing_is_sent(self, world: World) -> None:
        payment = charged(world)
        refund = world.request(REFUND, payment).operation
        world.clock.advance(24 * HOUR_MS / 1000)
        assert settle(world, refund).status is OperationStatus.FAILED
        assert provider(world).moved == []
        assert money(world.now(payment)) == {"captured": 100, "refundable": 100}

    def test_a_refused_capture_makes_the_charge_be_looked_at(self, world: World) -> None:
        provider(world).moves = [Declined(code="expired")]
        payment = held(world)
        settle(world, world.request(CAPTURE, payment).operation)
        now = world.now(payment)
        assert (now.status, now.open_capture_or_void) == (PaymentStatus.AUTHORIZED, None)
        assert money(now) == {"capturable": 100}
        assert now.due_at_ms is not None

    def test_a_removed_account_ends_in_review_when_something_may_have_moved(self, world: World) -> None:
        provider(world).moves = [TIMEOUT]
        payment = charged(world)
        refund = world.request(REFUND, payment).operation
        world.work()
        world.set_merchant(accounts=())
        world.work()
        assert world.operation_now(refund).status is OperationStatus.IN_REVIEW


def hinted_at(world: World, operation: Operation) -> Operation:
    """As a provider event leaves it, after its message to a worker was lost."""
    now_ms = world.clock.now_ms()
    return replace(operation, version=operation.version + 1, ready_at_ms=now_ms, due_at_ms=now_ms)


class TestSurprises:
    @pytest.mark.parametrize("change", [{"amount": 59}, {"currency": "EUR"}, {"merchant_reference": "pfx-x-1"}])
    def test_another_amount_currency_or_key_is_a_persons_business(
        self, world: World, change: dict[str, object]
    ) -> None:
        payment = charged(world)
        refund = world.request(REFUND, payment, 60).operation
        move = provider(world).move
        provider(world).move = lambda m, a: replace(move(m, a), **change)  # type: ignore[method-assign]
        now = settle(world, refund)
        assert (now.status, now.attempts[0].state) == (OperationStatus.IN_REVIEW, AttemptState.MISMATCH)
        assert money(world.now(payment)) == {"captured": 100, "refundable": 40}
        assert world.telemetry.total("Mismatches") == 1

    def test_a_refund_sent_back_by_a_bank_is_reviewed(self, world: World) -> None:
        payment = charged(world)
        refund = settle(world, world.request(REFUND, payment).operation)
        provider(world).operation_inquiries = [Declined(code="account_closed")]
        world.store(hinted_at(world, refund))
        world.sweep(world.deadline)
        now = settle(world, refund)
        assert (now.status, now.last_error and now.last_error.code) == (OperationStatus.IN_REVIEW, "reversed")
        assert money(world.now(payment)) == {"captured": 100, "refunded": 100}

    @pytest.mark.parametrize("kind", [CAPTURE, REFUND])
    def test_what_was_given_up_and_moved_all_the_same_is_reviewed(self, world: World, kind: OperationKind) -> None:
        provider(world).moves = [Declined(code="too_old")]
        payment = held(world) if kind is CAPTURE else charged(world)
        operation = settle(world, world.request(kind, payment, 60).operation)
        assert operation.status is OperationStatus.FAILED
        world.jobs.sent.clear()
        provider(world).operation_inquiries = ["moved"]
        hinted = replace(operation, version=operation.version + 1, due_at_ms=world.clock.now_ms())
        world.store(hinted)
        world.sweep(world.deadline)
        now = settle(world, operation)
        assert (now.status, now.last_error and now.last_error.code) == (OperationStatus.IN_REVIEW, "late_success")
        assert world.now(payment).refunded == (60 if kind is REFUND else 0)

    def test_a_success_that_is_hinted_at_and_stands_is_left_alone(self, world: World) -> None:
        payment = charged(world)
        refund = settle(world, world.request(REFUND, payment).operation)
        provider(world).operation_inquiries = ["moved"]
        world.store(hinted_at(world, refund))
        world.sweep(world.deadline)
        now = settle(world, refund)
        assert (now.status, now.due_at_ms) == (OperationStatus.SUCCEEDED, refund.due_at_ms)

    def test_a_reference_that_belongs_to_another_refund_is_a_mismatch(self, world: World) -> None:
        payment = charged(world)
        move = provider(world).move
        provider(world).move = lambda m, a: replace(move(m, a), reference="re_same")  # type: ignore[method-assign]
        settle(world, world.request(REFUND, payment, 10, key="a").operation)
        second = settle(world, world.request(REFUND, payment, 20, key="b").operation)
        assert (second.status, second.attempts[0].code) == (OperationStatus.IN_REVIEW, "reference_taken")

    def test_an_outcome_is_written_though_the_payment_keeps_moving(self, world: World) -> None:
        payment = charged(world)
        first = world.request(REFUND, payment, 10, key="a").operation
        move = provider(world).move

        def another_is_accepted(operation_request: object, account: object) -> object:
            if operation_request.amount == 10:  # type: ignore[attr-defined]
                world.request(REFUND, payment, 20, key="b")
            return move(operation_request, account)  # type: ignore[arg-type]

        provider(world).move = another_is_accepted  # type: ignore[method-assign, assignment]
        assert settle(world, first).status is OperationStatus.SUCCEEDED
        assert money(world.now(payment)) == {"captured": 100, "refundable": 70, "refunded": 30}


class TestCancelling:
    def test_an_authorization_is_released_by_a_void(self, world: World) -> None:
        payment = held(world)
        cancellation = world.cancel("acme", payment.transaction_id)
        assert cancellation.void is not None
        assert cancellation.payment.status is PaymentStatus.AUTHORIZED
        again = world.cancel("acme", payment.transaction_id)
        assert again.void is not None
        assert again.void.operation_id == cancellation.void.operation_id
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.CANCELLED
        assert world.cancel("acme", payment.transaction_id).payment.status is PaymentStatus.CANCELLED
        assert provider(world).moves_of("move") == 1

    def test_several_payments_are_cancelled_without_a_key(self, world: World) -> None:
        """Keys are a merchant's, and all of these payments are at the same event."""
        payments = [held(world, key=f"order-{number}") for number in range(3)]
        assert len({world.now(payment).event_seq for payment in payments}) == 1
        for payment in payments:
            assert world.cancel("acme", payment.transaction_id).void is not None
        world.work_until_idle()
        assert {world.now(payment).status for payment in payments} == {PaymentStatus.CANCELLED}

    def test_a_void_that_failed_can_be_asked_for_again(self, world: World) -> None:
        provider(world).moves = [Declined(code="try_later")]
        payment = held(world)
        first = world.cancel("acme", payment.transaction_id).void
        assert first is not None
        world.work(turns=1)
        second = world.cancel("acme", payment.transaction_id).void
        assert second is not None
        assert second.operation_id != first.operation_id

    def test_where_there_is_no_void_the_authorization_is_cancelled_and_confirmed(self, world: World) -> None:
        beta = world.providers.get("beta")
        beta.kinds = frozenset({CAPTURE, REFUND})
        beta.able = replace(CANCELLABLE, capture_modes=frozenset(CaptureMode))
        world.rules.document = fallback("beta")
        payment = held(world)
        cancellation = world.cancel("acme", payment.transaction_id)
        assert (cancellation.void, cancellation.payment.cancel_requested) == (None, True)
        with pytest.raises(Refusal, match="cancellation"):
            world.request(CAPTURE, payment)
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.CANCELLED

    def test_where_there_is_neither_it_is_said(self, world: World) -> None:
        provider(world).kinds = frozenset({CAPTURE, REFUND})
        payment = held(world)
        with pytest.raises(Refusal) as refusal:
            world.cancel("acme", payment.transaction_id)
        assert refusal.value.code == "not_supported"

    def test_a_capture_on_its_way_is_not_overtaken(self, world: World) -> None:
        payment = held(world)
        world.request(CAPTURE, payment)
        with pytest.raises(Refusal, match="only one can be open"):
            world.cancel("acme", payment.transaction_id)


class TestAuthorizations:
    def test_one_that_lapses_is_asked_about_at_its_deadline(self, world: World) -> None:
        provider(world).inquiries = [Authorized(reference="x", amount=0, currency="", merchant_reference="")]
        payment = held(world)
        assert world.now(payment).due_at_ms == world.now(payment).attempts[0].deadline_ms
        assert provider(world).asked("inquire") == 0

    def test_while_it_is_captured_nobody_asks_about_the_charge(self, world: World) -> None:
        provider(world).moves = [TIMEOUT]
        payment = held(world)
        world.request(CAPTURE, payment)
        world.work()
        world.wake(payment)
        assert provider(world).asked("inquire") == 0
        assert provider(world).asked("fence") == 0

    def test_a_capture_found_later_ends_in_success(self, world: World) -> None:
        provider(world).moves = [TIMEOUT]
        provider(world).operation_inquiries = [NotFound(), "moved"]
        provider(world).able = replace(provider(world).able, operation_window_ms={})
        payment = held(world)
        capture = settle(world, world.request(CAPTURE, payment).operation)
        assert (capture.status, world.now(payment).status) == ("SUCCEEDED", "SUCCESS")


def test_moved_is_what_the_scripted_provider_says_by_default(world: World) -> None:
    payment = charged(world)
    settle(world, world.request(REFUND, payment, 10).operation)
    ((_, operation_request),) = provider(world).moved
    assert isinstance(moved(operation_request), Succeeded)
