"""Items that release 0.2.0 wrote last: their balance is derived from the operations, and stored by the next write.

0.2.0 stores none of `reserved`, `excess`, `balanceVersion`, `held`, and leaves those of a newer release as they are.
"""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.partitions import FIRST
from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.adapters.dynamodb.payments.operations import DynamoDBOperations
from payflowx.application.reviews.close_operation_review import CloseOperationReview
from payflowx.application.reviews.close_review import CloseReview, ReviewEntry
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.change import Context, change_of
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.operation_state_machine import send_operation_to_review
from payflowx.domain.payments.outcome import Declined, Unknown
from payflowx.domain.payments.payment import BalanceSource, Payment
from payflowx.domain.payments.ports import Job
from payflowx.domain.payments.review import ReviewVerdict
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.shared.errors import InvariantError, Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode, PaymentStatus
from tests.support.balance import amounts, assert_agrees, assert_balanced
from tests.support.tables import TRANSACTIONS
from tests.support.world import World

REFUND = OperationKind.REFUND
CHARGED, NOT_CHARGED = ReviewVerdict.CHARGED, ReviewVerdict.NOT_CHARGED
ADA = OperatorAction(who="ada", why="T-1")
NEW_ATTRIBUTES = ("reserved", "excess", "balanceVersion", "held", "bookedAmount", "origin")


@dataclass
class StoredWorld(World):
    """The use cases over the real adapters."""

    # -- what an older release does to the items

    def rewrite(self, key: dict[str, str], changes: dict[str, Any], *, strip: bool) -> None:
        client = self.dynamodb
        item = from_attributes(client.get_item(TableName=TRANSACTIONS, Key=to_attributes(key))["Item"])
        kept = {name: value for name, value in item.items() if not (strip and name in NEW_ATTRIBUTES)}
        changed = kept | {"version": item["version"] + 1} | changes
        client.put_item(TableName=TRANSACTIONS, Item=to_attributes(changed))

    def old_payment(self, payment: Payment, *, strip: bool = True, **changes: Any) -> Payment:
        self.rewrite(dict(keys.payment_key(payment.merchant_id, payment.transaction_id)), changes, strip=strip)
        return self.now(payment)

    def old_operation(self, operation: Operation, *, strip: bool = True, **changes: Any) -> Operation:
        key = keys.operation_key(operation.merchant_id, operation.transaction_id, operation.operation_id)
        self.rewrite(dict(key), changes, strip=strip)
        return self.operation_now(operation)

    # -- shorthands

    def charged(self) -> Payment:
        payment = self.accept(amount=100)
        self.work_until_idle()
        return self.now(payment)

    def refund(self, payment: Payment, amount: int, answer: Any = "moved", key: str = "r") -> Operation:
        self.providers.get("alpha").moves = [answer]
        operation = self.request(REFUND, payment, amount, key=key).operation
        self.work()
        return self.operation_now(operation)

    def close(self, operation: Operation, verdict: ReviewVerdict, was: Held | None = None) -> Operation:
        use_case = CloseOperationReview(
            payments=self.payments,
            operations=self.operations,
            outcome_writer=self.outcome_writer,
            merchant_directory=self.merchant_directory,
            clock=self.clock,
            policy=self.policy,
        )
        entry = ReviewEntry(verdict=verdict, evidence="line 7", held=was)
        return use_case(operation.merchant_id, operation.operation_id, entry, ADA)

    def close_payment(self, payment: Payment, amount: int | None = None) -> Payment:
        use_case = CloseReview(
            payments=self.payments,
            operations=self.operations,
            outcome_writer=self.outcome_writer,
            merchant_directory=self.merchant_directory,
            able=self.providers.capabilities(),
            clock=self.clock,
            policy=self.policy,
        )
        entry = ReviewEntry(verdict=CHARGED, evidence="line 7", amount=amount)
        return use_case(payment.merchant_id, payment.transaction_id, entry, ADA)

    def checked(self, payment: Payment) -> dict[str, int]:
        """The amounts as stored, in balance and current."""
        now = self.now(payment)
        assert now.balance_source is BalanceSource.STORED
        assert_balanced(now)
        assert_agrees(now, list(self.operations.of_payment(now.merchant_id, now.transaction_id)))
        return amounts(now)

    def item(self, payment: Payment) -> dict[str, Any]:
        client = self.dynamodb
        key = to_attributes(keys.payment_key(payment.merchant_id, payment.transaction_id))
        return from_attributes(client.get_item(TableName=TRANSACTIONS, Key=key)["Item"])


IN_REVIEW = {
    "status": "IN_REVIEW",
    "lastError": {"code": "reconciliation", "message": "x", "provider": "alpha", "attempt": 1},
}


@pytest.fixture
def world() -> StoredWorld:
    return StoredWorld()


def test_an_item_of_this_release_is_small_and_needs_no_read_of_its_operations(
    world: StoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = world.accept(amount=100)
    before = world.item(payment)
    assert not set(NEW_ATTRIBUTES) & set(before)
    world.work_until_idle()
    after = world.item(payment)
    assert {name: after[name] for name in NEW_ATTRIBUTES if name in after} == {"balanceVersion": after["version"]}
    with monkeypatch.context() as without:
        without.setattr(DynamoDBOperations, "of_payment", None)  # nobody calls it
        world.refund(payment, 60)
    assert world.checked(payment) == {"captured": 100, "refundable": 40, "refunded": 60}


def test_an_open_refund_of_0_2_0_is_reserved(world: StoredWorld) -> None:
    payment = world.charged()
    operation = world.request(REFUND, payment, 60).operation
    assert world.old_operation(operation).held is Held.RESERVED
    assert world.old_payment(payment).balance_source is BalanceSource.OUTDATED
    world.work_until_idle()
    assert world.checked(payment) == {"captured": 100, "refundable": 40, "refunded": 60}
    assert world.item(payment)["balanceVersion"] == world.item(payment)["version"]


def test_a_second_refund_beside_an_open_one_of_0_2_0(world: StoredWorld) -> None:
    payment = world.charged()
    world.old_operation(world.request(REFUND, payment, 60).operation)
    world.old_payment(payment)
    world.request(REFUND, payment, 30, key="second")
    assert world.checked(payment) == {"captured": 100, "refundable": 10, "reserved": 90}


@pytest.mark.parametrize(
    ("verdict", "after"),
    [
        (CHARGED, {"captured": 100, "refundable": 40, "refunded": 60}),
        (NOT_CHARGED, {"captured": 100, "refundable": 100}),
    ],
)
@pytest.mark.parametrize(
    ("answer", "held"), [("moved", "booked"), (Unknown(code="x"), "reserved"), (None, "given_back")]
)
def test_the_balance_says_what_an_operation_in_review_holds(
    world: StoredWorld, answer: Any, held: str, verdict: ReviewVerdict, after: dict[str, int]
) -> None:
    """0.2.0 put it into review after a success, after no answer, and after a refusal."""
    payment = world.charged()
    operation = world.refund(payment, 60, answer or Declined(code="too_old"))
    old = world.old_operation(operation, **IN_REVIEW)
    assert old.held is None
    world.old_payment(payment)
    closed = world.close(operation, verdict)
    assert world.checked(payment) == after
    assert closed.held == ("booked" if verdict is CHARGED else "given_back")


def test_a_stale_held_of_a_newer_release_counts_for_nothing(world: StoredWorld) -> None:
    """This release reserved it; 0.2.0 then recorded its success and put it into review."""
    payment = world.charged()
    operation = world.request(REFUND, payment, 60).operation
    world.old_operation(operation, strip=False, **IN_REVIEW)
    assert world.operation_now(operation).held is Held.RESERVED
    world.old_payment(payment, strip=False, refundable=40, refunded=60)
    world.jobs.sent.clear()
    with pytest.raises(Refusal, match="no money can have moved"):
        world.close(operation, CHARGED)
    world.close(operation, NOT_CHARGED)
    assert world.checked(payment) == {"captured": 100, "refundable": 100}


def test_where_the_balance_leaves_more_than_one_answer_a_person_names_it(world: StoredWorld) -> None:
    """Two refunds of 30 in review: one is reserved, one was given back."""
    payment = world.charged()
    first = world.refund(payment, 30, Unknown(code="x"), key="a")
    second = world.refund(payment, 30, Declined(code="too_old"), key="b")
    for operation in (first, second):
        world.old_operation(operation, **IN_REVIEW)
    world.old_payment(payment)
    for operation in (first, second):
        with pytest.raises(Refusal, match=r"reserved .*booked .*given_back") as refusal:
            world.close(operation, CHARGED)
        assert (refusal.value.code, refusal.value.field) == ("held_unknown", "held")
    with pytest.raises(Refusal, match="not booked: only 0") as refusal:
        world.close(first, NOT_CHARGED, Held.BOOKED)
    assert refusal.value.code == "held_unknown"
    world.close(first, CHARGED, Held.RESERVED)
    # Now only one answer is left for the other.
    world.close(second, NOT_CHARGED)
    assert world.checked(payment) == {"captured": 100, "refundable": 70, "refunded": 30}


def test_what_this_release_stored_decides_where_the_balance_does_not(world: StoredWorld) -> None:
    """Two refunds of 30 that this release put in review; then 0.2.0 wrote the payment without touching an amount."""
    payment = world.charged()
    booked = world.refund(payment, 30, key="a")
    reserved = world.refund(payment, 30, Unknown(code="x"), key="b")
    for operation in (booked, reserved):
        now = world.operation_now(operation)
        context = Context(now_ms=world.clock.now_ms(), actor="test", policy=world.policy)
        change = send_operation_to_review(world.now(payment), now, ReviewReason.RECONCILIATION, context)
        assert world.outcome_writer.commit(change) is not None
    world.old_payment(payment, strip=False)
    world.close(booked, CHARGED)
    world.close(reserved, NOT_CHARGED)
    assert world.checked(payment) == {"captured": 100, "refundable": 70, "refunded": 30}


def test_what_an_operation_of_0_2_0_holds_is_stored_when_it_goes_to_review(world: StoredWorld) -> None:
    payment = world.charged()
    operation = world.refund(payment, 60)
    old = world.old_operation(operation)
    context = Context(now_ms=world.clock.now_ms(), actor="test", policy=world.policy)
    change = send_operation_to_review(world.now(payment), old, ReviewReason.RECONCILIATION, context)
    assert world.outcome_writer.commit(change) is not None
    assert world.operation_now(operation).held is Held.BOOKED


def test_a_success_is_recorded_though_nobody_knows_what_the_operation_holds(world: StoredWorld) -> None:
    payment = world.charged()
    first = world.refund(payment, 30, Unknown(code="x"), key="a")
    second = world.refund(payment, 30, Unknown(code="x"), key="b")
    for operation in (first, second):
        world.old_operation(
            operation, **IN_REVIEW, dueAt=1, readyAt=1, dueShard=FIRST.due_shard(operation.operation_id)
        )
    world.old_payment(payment, refundable=70)
    world.providers.get("alpha").operation_inquiries = ["moved"]
    job = Job(merchant_id=first.merchant_id, transaction_id=first.transaction_id, operation_id=first.operation_id)
    world.process(job, world.deadline)
    assert world.operation_now(first).attempts[0].state == "SUCCEEDED"
    reviewed = [world.operation_now(operation) for operation in (first, second)]
    assert {operation.status for operation in reviewed} == {"IN_REVIEW"}
    assert amounts(world.now(payment)) == {"captured": 100, "refundable": 70, "reserved": 30}


OFF_BALANCE = [
    {"refundable": 40, "refunded": 120},
    {"refundable": 100, "refunded": 60},
    {"refundable": 160, "refunded": 0},
    {"refundable": 0, "refunded": 160},
]


@pytest.mark.parametrize("wrong", OFF_BALANCE)
def test_amounts_that_0_2_0_left_off_balance_are_reviewed_and_nothing_more_is_refunded(
    world: StoredWorld, wrong: dict[str, int]
) -> None:
    payment = world.charged()
    world.old_operation(world.refund(payment, 60))
    world.old_payment(payment, **wrong)
    with pytest.raises(Refusal, match="manual review"):
        world.request(REFUND, payment, 1, key="more")
    now = world.now(payment)
    assert (now.status, now.last_error and now.last_error.code) == (PaymentStatus.IN_REVIEW, "balance")
    # The amounts that its operations give are what closing it restores.
    world.close_payment(payment)
    assert world.checked(payment) == {"captured": 100, "refundable": 40, "refunded": 60}
    assert world.now(payment).status is PaymentStatus.SUCCESS


@pytest.mark.parametrize("wrong", OFF_BALANCE)
def test_an_outcome_is_recorded_on_amounts_that_are_off_balance(world: StoredWorld, wrong: dict[str, int]) -> None:
    payment = world.charged()
    world.old_operation(world.refund(payment, 60))
    open_ = world.request(REFUND, payment, 20, key="open").operation
    world.old_payment(payment, **wrong)
    before = world.now(payment)
    world.work_until_idle()
    assert world.operation_now(open_).status == "SUCCEEDED"
    now = world.now(payment)
    assert (now.status, now.refunded) == (PaymentStatus.IN_REVIEW, before.refunded + 20)
    world.close_payment(payment)
    assert world.checked(payment) == {"captured": 100, "refundable": 20, "refunded": 80}


def test_more_refunded_than_captured_stays_in_review(world: StoredWorld) -> None:
    payment = world.charged()
    world.refund(payment, 60)
    world.old_payment(payment, refundable=100, refunded=60)
    with pytest.raises(Refusal):
        world.request(REFUND, payment, 1, key="more")
    closed = world.close_payment(payment, amount=50)
    assert amounts(closed) == {"captured": 50, "refunded": 60, "excess": 10}
    assert closed.status is PaymentStatus.IN_REVIEW
    closed = world.close_payment(payment, amount=100)
    assert (closed.status, amounts(closed)) == ("SUCCESS", {"captured": 100, "refundable": 40, "refunded": 60})


def test_a_capture_of_0_2_0_in_review(world: StoredWorld) -> None:
    payment = world.accept(amount=100, capture=CaptureMode.MANUAL)
    world.work_until_idle()
    world.providers.get("alpha").moves = [Unknown(code="x")]
    capture = world.request(OperationKind.CAPTURE, payment, 70).operation
    world.work()
    world.old_operation(capture, **IN_REVIEW)
    world.close(capture, CHARGED)
    assert world.checked(payment) == {"captured": 70, "refundable": 70}


def test_amounts_change_on_no_outdated_balance(world: StoredWorld) -> None:
    payment = world.charged()
    outdated = world.old_payment(payment)
    context = Context(now_ms=world.clock.now_ms(), actor="test", policy=world.policy)
    with pytest.raises(InvariantError, match="derived from the operations"):
        change_of(outdated, replace(outdated, refundable=1), "x", {}, context)
    with pytest.raises(InvariantError, match="breaks the balance"):
        change_of(payment, replace(payment, refundable=1), "x", {}, context)
    assert change_of(outdated, outdated, "x", {}, context).after.balance_source is BalanceSource.OUTDATED
