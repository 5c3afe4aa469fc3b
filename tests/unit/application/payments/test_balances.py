"""Amounts are booked once, whatever way an operation came into manual review."""

from dataclasses import replace

import pytest

from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.application.reviews.close_operation_review import CloseOperationReview
from payflowx.application.reviews.close_review import ReviewEntry
from payflowx.domain.merchants.approvals import SecondPersonNeeded
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.balances import Move, apply_success
from payflowx.domain.payments.change import Context, change_of
from payflowx.domain.payments.closed_attempts import ask
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.operation_state_machine import (
    apply_operation_outcome,
    expedite_operation,
    send_operation_to_review,
)
from payflowx.domain.payments.outcome import Declined, Mismatch, Rejected, Succeeded, Unknown
from payflowx.domain.payments.payment import Lease, Payment
from payflowx.domain.payments.ports import Job, Stored, VersionConflict
from payflowx.domain.payments.review import ReviewVerdict
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.review_since import seen_review
from payflowx.domain.payments.state_machine import apply_outcome, erase, expedite
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DAY_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, OperationStatus, PaymentStatus
from tests.support.balance import amounts, assert_agrees, assert_balanced, operations_of
from tests.support.tables import CONFIGURATION
from tests.support.world import RESENDABLE, World
from tests.unit.application.payments.test_operations import charged, held, provider, settle

REFUND, CAPTURE = OperationKind.REFUND, OperationKind.CAPTURE
CHARGED, NOT_CHARGED = ReviewVerdict.CHARGED, ReviewVerdict.NOT_CHARGED
ADA = OperatorAction(who="ada", why="T-1")


@pytest.fixture
def world() -> World:
    return World()


def context(world: World, actor: str = "test") -> Context:
    return Context(now_ms=world.clock.now_ms(), actor=actor, policy=world.policy, able=RESENDABLE)


def close(
    world: World,
    operation: Operation,
    verdict: ReviewVerdict,
    amount: int | None = None,
    was: Held | None = None,
    *,
    seen: str | None = None,
) -> Operation:
    """`payflowx review close ref_...`."""
    use_case = CloseOperationReview(
        payments=world.payments,
        operations=world.operations,
        outcome_writer=world.outcome_writer,
        merchant_directory=world.merchant_directory,
        clock=world.clock,
        policy=world.policy,
    )
    entry = ReviewEntry(verdict=verdict, evidence="line 7", amount=amount, held=was, seen=seen)
    return use_case(operation.merchant_id, operation.operation_id, entry, ADA)


def to_review(world: World, payment: Payment, operation: Operation) -> Operation:
    """As a reconciliation run does when the provider's report disagrees."""
    change = send_operation_to_review(
        world.now(payment), world.operation_now(operation), ReviewReason.RECONCILIATION, context(world)
    )
    assert world.outcome_writer.commit(change) is not None
    return world.operation_now(operation)


def ask_again(world: World, operation: Operation, *answers: object) -> Operation:
    """A provider event proves nothing, and has a worker inquire."""
    provider(world).operation_inquiries = list(answers)  # type: ignore[arg-type]
    now = world.operation_now(operation)
    world.operations.reschedule(now, expedite_operation(now, world.clock.now_ms()))
    job = Job(merchant_id=now.merchant_id, transaction_id=now.transaction_id, operation_id=now.operation_id)
    world.process(job, world.deadline)
    return world.operation_now(operation)


def refund(world: World, payment: Payment, amount: int, key: str = "r", answer: object = "moved") -> Operation:
    provider(world).moves = [answer]  # type: ignore[list-item]
    return settle(world, world.request(REFUND, payment, amount, key=key).operation)


def of(world: World, payment: Payment) -> dict[str, int]:
    """The amounts now, checked."""
    now = world.now(payment)
    assert_balanced(now)
    assert_agrees(now, operations_of(world, payment))
    return amounts(now)


class TestEveryWayIntoReview:
    @pytest.mark.parametrize(
        ("verdict", "after"),
        [
            (CHARGED, {"captured": 100, "refundable": 40, "refunded": 60}),
            (NOT_CHARGED, {"captured": 100, "refundable": 100}),
        ],
    )
    def test_a_booked_refund_that_the_report_contradicts(
        self, world: World, verdict: ReviewVerdict, after: dict[str, int]
    ) -> None:
        payment = charged(world)
        operation = to_review(world, payment, refund(world, payment, 60))
        assert of(world, payment) == {"captured": 100, "refundable": 40, "refunded": 60}
        close(world, operation, verdict)
        assert of(world, payment) == after

    def test_an_approved_closing_is_of_the_review_that_was_proposed(self, world: World) -> None:
        payment = charged(world)
        operation = to_review(world, payment, refund(world, payment, 60))
        seen = seen_review(operation)
        close(world, operation, CHARGED)
        world.clock.advance(1)
        again = to_review(world, payment, world.operation_now(operation))
        with pytest.raises(Refusal, match="has changed"):
            close(world, again, NOT_CHARGED, seen=seen)
        assert of(world, payment) == {"captured": 100, "refundable": 40, "refunded": 60}
        close(world, again, NOT_CHARGED, seen=seen_review(again))

    def test_a_failed_refund_that_the_report_lists_and_the_daily_inquiry_confirms(self, world: World) -> None:
        payment = charged(world)
        failed = refund(world, payment, 60, answer=Declined(code="too_old"))
        assert of(world, payment) == {"captured": 100, "refundable": 100}
        to_review(world, payment, failed)
        assert of(world, payment) == {"captured": 100, "refundable": 40, "reserved": 60}
        provider(world).operation_inquiries = ["moved"]
        world.clock.advance(DAY_MS / 1000 + 1)
        world.sweep(world.deadline)
        now = settle(world, failed)
        assert (now.status, now.last_error and now.last_error.code) == ("IN_REVIEW", "late_success")
        assert of(world, payment) == {"captured": 100, "refundable": 40, "refunded": 60}
        with pytest.raises(Refusal, match="At most 40"):
            world.request(REFUND, payment, 100, key="next")

    @pytest.mark.parametrize(
        ("verdict", "amount", "after"),
        [
            (CHARGED, 60, {"captured": 100, "refundable": 40, "refunded": 60}),
            (CHARGED, 59, {"captured": 100, "refundable": 41, "refunded": 59}),
            (NOT_CHARGED, None, {"captured": 100, "refundable": 100}),
        ],
    )
    def test_a_failed_refund_whose_inquiry_shows_another_amount(
        self, world: World, verdict: ReviewVerdict, amount: int | None, after: dict[str, int]
    ) -> None:
        payment = charged(world)
        failed = refund(world, payment, 60, answer=Declined(code="too_old"))
        other = Succeeded(
            reference="re_9", amount=59, currency="USD", merchant_reference=failed.attempts[0].provider_key
        )
        now = ask_again(world, failed, other)
        assert (now.status, now.last_error and now.last_error.code) == ("IN_REVIEW", "mismatch")
        assert of(world, payment) == {"captured": 100, "refundable": 40, "reserved": 60}
        close(world, now, verdict, amount)
        assert of(world, payment) == after
        with pytest.raises(Refusal, match="At most"):
            world.request(REFUND, payment, after["refundable"] + 1, key="next")

    @pytest.mark.parametrize(
        ("verdict", "after"),
        [
            (CHARGED, {"captured": 100, "refunded": 200, "excess": 100}),
            (NOT_CHARGED, {"captured": 100, "refunded": 100}),
        ],
    )
    def test_a_late_success_beside_a_refund_of_the_whole(
        self, world: World, verdict: ReviewVerdict, after: dict[str, int]
    ) -> None:
        payment = charged(world)
        first = refund(world, payment, 100, key="a", answer=Declined(code="too_old"))
        refund(world, payment, 100, key="b")
        now = ask_again(world, first, "moved")
        assert now.status is OperationStatus.IN_REVIEW
        assert of(world, payment) == {"captured": 100, "refunded": 200, "excess": 100}
        close(world, now, verdict)
        assert of(world, payment) == after
        # An excess is never without a review.
        expected = PaymentStatus.IN_REVIEW if "excess" in after else PaymentStatus.SUCCESS
        assert world.now(payment).status is expected
        assert world.telemetry.total("PaymentsInReview") == int("excess" in after)

    def test_a_booked_refund_whose_account_is_missing_is_left_alone(self, world: World) -> None:
        payment = charged(world)
        operation = refund(world, payment, 60)
        world.set_merchant(accounts=())
        now = ask_again(world, operation)
        assert now.status is OperationStatus.SUCCEEDED
        assert of(world, payment) == {"captured": 100, "refundable": 40, "refunded": 60}

    def test_an_unknown_refund_whose_account_is_missing_goes_to_review_once(self, world: World) -> None:
        payment = charged(world)
        provider(world).moves = [Unknown(code="read_timeout")]
        operation = world.request(REFUND, payment, 60).operation
        world.work()
        world.set_merchant(accounts=())
        assert ask_again(world, operation).status is OperationStatus.IN_REVIEW
        events = world.now(payment).event_seq
        assert ask_again(world, operation).due_at_ms is not None
        assert world.now(payment).event_seq == events
        close(world, operation, NOT_CHARGED)
        assert of(world, payment) == {"captured": 100, "refundable": 100}

    @pytest.mark.parametrize("verdict", [CHARGED, NOT_CHARGED])
    def test_a_review_of_every_reason_is_closed_twice_over(self, world: World, verdict: ReviewVerdict) -> None:
        """Closed, found to be wrong, in review again, closed the other way: each amount moves once."""
        payment = charged(world)
        operation = refund(world, payment, 60)
        other = NOT_CHARGED if verdict is CHARGED else CHARGED
        for closed_as in (verdict, other, verdict):
            to_review(world, payment, operation)
            close(world, operation, closed_as)
            booked = 60 if closed_as is CHARGED else 0
            expected = {"captured": 100, "refundable": 100 - booked, "refunded": booked}
            assert of(world, payment) == {name: value for name, value in expected.items() if value}


class TestTwoExecutions:
    def _two_attempts(self, world: World) -> tuple[Payment, Operation]:
        """Attempt 1 was rejected, says the provider; attempt 2 is open."""
        payment = charged(world)
        provider(world).moves = [Rejected(code="rate_limited"), Unknown(code="read_timeout")]
        operation = world.request(REFUND, payment, 60).operation
        world.work(turns=2)
        assert [a.state for a in world.operation_now(operation).attempts] == ["REJECTED", "UNKNOWN"]
        return payment, operation

    def _prove(self, world: World, payment: Payment, operation: Operation, number: int) -> Operation:
        now = world.operation_now(operation)
        attempt = now.attempt(number)
        success = Succeeded(
            reference=f"re_{number}", amount=60, currency="USD", merchant_reference=attempt.provider_key
        )
        change = apply_operation_outcome(world.now(payment), now, attempt, success, context(world, "webhook"))
        assert change is not None
        assert isinstance(world.outcome_writer.apply(change), Stored)
        return world.operation_now(operation)

    @pytest.mark.parametrize("order", [(1, 2), (2, 1)])
    def test_both_are_counted_and_reviewed(self, world: World, order: tuple[int, int]) -> None:
        payment, operation = self._two_attempts(world)
        first = self._prove(world, payment, operation, order[0])
        if order[0] == 1:
            # A success beside an open attempt: nobody may forget the open one.
            assert (first.status, first.due_at_ms is not None) == (OperationStatus.IN_REVIEW, True)
        second = self._prove(world, payment, operation, order[1])
        assert (second.status, second.last_error and second.last_error.code) == ("IN_REVIEW", "late_success")
        assert of(world, payment) == {"captured": 100, "refunded": 120, "excess": 20}
        assert world.telemetry.total("OperationsInReview") == 1

    @pytest.mark.parametrize(
        ("amount", "after"),
        [
            (None, {"captured": 100, "refunded": 120, "excess": 20}),
            (60, {"captured": 100, "refundable": 40, "refunded": 60}),
        ],
    )
    def test_a_person_says_how_much_was_moved_in_all(
        self, world: World, amount: int | None, after: dict[str, int]
    ) -> None:
        payment, operation = self._two_attempts(world)
        self._prove(world, payment, operation, 1)
        self._prove(world, payment, operation, 2)
        close(world, operation, CHARGED, amount)
        assert of(world, payment) == after

    def test_the_open_attempt_without_effect_gives_nothing_back(self, world: World) -> None:
        payment, operation = self._two_attempts(world)
        self._prove(world, payment, operation, 1)
        now = ask_again(world, operation, Declined(code="gone"))
        assert (now.status, now.due_at_ms) == (OperationStatus.IN_REVIEW, None)
        assert of(world, payment) == {"captured": 100, "refundable": 40, "refunded": 60}
        close(world, operation, CHARGED)
        assert of(world, payment) == {"captured": 100, "refundable": 40, "refunded": 60}


class TestExpiredLeases:
    def _stalled(self, world: World) -> Payment:
        """A worker inquires about an authorization, and its lease runs out meanwhile."""
        payment = held(world)
        lease = Lease(owner="stalled", epoch=payment.lease.epoch + 1, expires_at_ms=world.clock.now_ms() - 1)
        world.store(replace(payment, lease=lease))
        return world.now(payment)

    def test_who_holds_an_expired_lease_writes_nothing_beside_a_capture(self, world: World) -> None:
        stalled = self._stalled(world)
        world.request(CAPTURE, stalled, 70)
        now = world.now(stalled)
        assert (now.lease.owner, now.lease.epoch) == ("", stalled.lease.epoch + 1)
        settle(world, operations_of(world, stalled)[0])
        assert amounts(world.now(stalled)) == {"captured": 70, "refundable": 70}

    @pytest.mark.parametrize("change", ["cancel", "expedite", "ask", "capture"])
    def test_every_change_by_another_releases_it(self, world: World, change: str) -> None:
        stalled = self._stalled(world)
        match change:
            case "cancel":
                world.cancel(stalled.merchant_id, stalled.transaction_id)
            case "expedite":
                world.payments.reschedule(stalled, expedite(stalled, world.clock.now_ms()))
            case "ask":
                asked = ask(stalled, 1, world.clock.now_ms())
                assert asked is not None
                world.payments.reschedule(stalled, asked)
            case "capture":
                world.request(CAPTURE, stalled)
        now = world.now(stalled)
        assert (now.lease.owner, now.lease.epoch) == ("", stalled.lease.epoch + 1)
        late = erase(stalled, replace(context(world), holds_lease=True))
        assert isinstance(world.payments.commit(late), VersionConflict)

    def test_an_operations_lease_too(self, world: World) -> None:
        payment = charged(world)
        provider(world).moves = [Unknown(code="read_timeout")]
        operation = world.request(REFUND, payment, 60).operation
        world.work()
        now = world.operation_now(operation)
        lease = Lease(owner="stalled", epoch=5, expires_at_ms=world.clock.now_ms() - 1)
        world.store(replace(now, lease=lease))
        to_review(world, payment, operation)
        assert world.operation_now(operation).lease == Lease(epoch=6)

    def test_an_operations_lease_at_an_event_without_a_proof_too(self, world: World) -> None:
        payment = charged(world)
        provider(world).moves = [Unknown(code="read_timeout")]
        operation = world.request(REFUND, payment, 60).operation
        world.work()
        lease = Lease(owner="stalled", epoch=5, expires_at_ms=world.clock.now_ms() - 1)
        stalled = replace(world.operation_now(operation), lease=lease)
        world.store(stalled)
        world.operations.reschedule(stalled, expedite_operation(stalled, world.clock.now_ms()))
        assert world.operation_now(operation).lease == Lease(epoch=6)

    def test_a_live_lease_stays(self, world: World) -> None:
        payment = charged(world)
        lease = Lease(owner="busy", epoch=9, expires_at_ms=world.clock.now_ms() + 1)
        operation = refund(world, payment, 60)
        world.store(replace(world.now(payment), lease=lease))
        to_review(world, payment, operation)
        assert world.now(payment).lease == lease

    @pytest.mark.parametrize("kind", [CAPTURE, OperationKind.VOID])
    def test_nothing_is_booked_beside_another_open_one(self, world: World, kind: OperationKind) -> None:
        """That one decides the charge's state."""
        payment = held(world)
        operation = world.request(kind, payment).operation
        other = replace(world.now(payment), open_capture_or_void="cap_other")
        moved = apply_success(other, operation)
        assert (moved.move, moved.payment) == (Move.CONTRADICTION, other)

    @pytest.mark.parametrize("captured", [100, 70])
    def test_a_capture_overwrites_no_amounts(self, world: World, captured: int) -> None:
        """The charge was recorded otherwise while the capture was on its way."""
        payment = held(world)
        capture = world.request(CAPTURE, payment, 70).operation
        now = world.now(payment)
        charge = replace(now.attempts[0], state=AttemptState.SUCCEEDED)
        recorded = replace(
            now,
            status=PaymentStatus.SUCCESS,
            attempts=(charge,),
            charged_attempt=1,
            captured=captured,
            refundable=captured,
            capturable=0,
        )
        world.payments.commit(change_of(now, recorded, "attempt.succeeded", {}, context(world)))
        recorded = world.now(payment)
        world.request(REFUND, recorded, 70, key="r")
        settle(world, capture)
        now = world.now(payment)
        assert_balanced(now)
        assert now.captured == captured
        assert now.refunded == 70
        after = world.operation_now(capture)
        assert (after.status, after.last_error and after.last_error.code) == ("IN_REVIEW", "mismatch")
        close(world, capture, CHARGED)
        assert_balanced(world.now(payment))
        assert world.now(payment).captured == 70
        assert world.now(payment).open_capture_or_void is None


def test_a_capture_adds_nothing_to_a_charge_of_another_attempt(world: World) -> None:
    """Attempt 1 had been refused and charges late, while a capture of attempt 2's authorization is on its way."""
    provider(world).charges = [Rejected(code="rate_limited")]
    beta = world.providers.get("beta")
    beta.able = replace(beta.able, capture_modes=frozenset(CaptureMode))
    payment = held(world)
    capture = world.request(CAPTURE, payment, 70).operation
    late = Succeeded(
        reference="ch_late", amount=100, currency="USD", merchant_reference=payment.attempts[0].provider_key
    )
    change = apply_outcome(world.now(payment), payment.attempts[0], late, context(world))
    assert change is not None
    assert isinstance(world.outcome_writer.apply(change), Stored)
    assert amounts(world.now(payment)) == {"captured": 100, "refundable": 100}
    settle(world, capture)
    after = world.operation_now(capture)
    assert (after.status, after.last_error and after.last_error.code) == ("IN_REVIEW", "mismatch")
    assert amounts(world.now(payment)) == {"captured": 100, "refundable": 100}


class TestMoneyMovedElsewhere:
    def test_a_part_that_was_captured_in_the_dashboard_is_what_is_captured(self, world: World) -> None:
        payment = held(world)
        provider(world).inquiries = [
            Succeeded(
                reference=payment.attempts[0].reference or "",
                amount=60,
                currency="USD",
                merchant_reference=payment.attempts[0].provider_key,
            )
        ]
        world.clock.advance((payment.due_at_ms or 0) / 1000 - world.clock.now_ms() / 1000 + 1)
        world.sweep(world.deadline)
        world.work_until_idle()
        now = world.now(payment)
        assert (now.status, amounts(now)) == (PaymentStatus.SUCCESS, {"captured": 60, "refundable": 60})
        assert_balanced(now)
        refund(world, now, 60)
        assert of(world, payment) == {"captured": 60, "refunded": 60}

    @pytest.mark.parametrize("amount", [0, 101, -1])
    def test_no_other_amount_is_a_part(self, world: World, amount: int) -> None:
        payment = held(world)
        attempt = payment.attempts[0]
        said = Succeeded(reference="x", amount=amount, currency="USD", merchant_reference=attempt.provider_key)
        verified = verify_outcome(said, payment, attempt, first_send=False)
        assert verified == Mismatch(code="amount_differs", reference="x", amount=amount, currency="USD")

    @pytest.mark.parametrize("state", sorted(set(AttemptState) - {AttemptState.AUTHORIZED}))
    def test_only_of_a_known_authorization(self, world: World, state: AttemptState) -> None:
        """A charge that was never known to be held, or that had lapsed, took another amount: a person decides."""
        payment = held(world)
        attempt = replace(payment.attempts[0], state=state)
        said = Succeeded(reference="x", amount=60, currency="USD", merchant_reference=attempt.provider_key)
        assert isinstance(verify_outcome(said, payment, attempt, first_send=False), Mismatch)

    def test_a_capture_that_was_given_up_and_happened_in_part(self, world: World) -> None:
        """The refused capture of 60 was executed all the same; the charge shows it."""
        payment = held(world)
        provider(world).moves = [Declined(code="expired")]
        capture = settle(world, world.request(CAPTURE, payment, 60).operation)
        assert capture.status is OperationStatus.FAILED
        provider(world).inquiries = [
            Succeeded(
                reference=payment.attempts[0].reference or "",
                amount=60,
                currency="USD",
                merchant_reference=payment.attempts[0].provider_key,
            )
        ]
        world.wake(payment)
        assert amounts(world.now(payment)) == {"captured": 60, "refundable": 60}
        now = ask_again(world, capture, "moved")
        assert now.status is OperationStatus.IN_REVIEW
        close(world, now, CHARGED)
        assert amounts(world.now(payment)) == {"captured": 60, "refundable": 60}
        assert world.now(payment).status is PaymentStatus.SUCCESS


@pytest.mark.parametrize(
    ("requested", "named", "needs_two"), [(60, None, False), (60, 70, False), (60, 71, True), (71, 1, True)]
)
def test_a_second_person_decides_about_the_larger_of_what_was_requested_and_what_is_named(
    world: World, requested: int, named: int | None, needs_two: bool
) -> None:
    payment = charged(world)
    operation = to_review(world, payment, refund(world, payment, requested))
    world.dynamodb.update_item(
        TableName=CONFIGURATION,
        Key=to_attributes({"pk": "M#acme", "sk": "MERCHANT"}),
        UpdateExpression="SET approvalLimits = :l",
        ExpressionAttributeValues=to_attributes({":l": {"USD": 70}}),
    )
    if needs_two:
        with pytest.raises(SecondPersonNeeded):
            close(world, operation, CHARGED, named)
    assert needs_two or close(world, operation, CHARGED, named).status is OperationStatus.SUCCEEDED
