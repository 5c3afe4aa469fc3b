"""For whatever is stored of a payment or operation in review, a documented closing is accepted: nothing stays for ever.

An excess is the exception by design: more was refunded than captured, and that stays with a person.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.balances import is_balanced
from payflowx.domain.payments.change import Change
from payflowx.domain.payments.hosted import HOSTED_EXPIRES_AT, HOSTED_METHOD, HOSTED_OBJECT, HOSTED_RETURN_URL
from payflowx.domain.payments.named_charge import NamedCharge
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.operation_review import close_operation_review
from payflowx.domain.payments.payment import LastError, Payment
from payflowx.domain.payments.review import ReviewDecision, ReviewVerdict, close_review
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OPEN_STATES, AttemptState, OperationStatus, PaymentStatus
from tests.support.memory import NOW_MS
from tests.support.world import World
from tests.unit.domain.payments.test_review import CONTEXT

MISMATCHES = ("amount_differs", "currency_differs", "reference_taken", "duplicate_charge", "later_attempt_found")
CODES: dict[AttemptState, tuple[str | None, ...]] = {
    AttemptState.MISMATCH: MISMATCHES,
    # A person closed it before as the charge, which a charge in another currency never is.
    AttemptState.SUCCEEDED: (None, *(code for code in MISMATCHES if code != "currency_differs")),
}
STATES = [(state, code) for state in AttemptState for code in CODES.get(state, (None,))]
HOSTED = {
    HOSTED_METHOD: "card",
    HOSTED_EXPIRES_AT: str(NOW_MS),
    HOSTED_RETURN_URL: "https://pay.example/back",
    HOSTED_OBJECT: "obj_1",
}
ELSEWHERE = NamedCharge(provider="beta", account_id="main")
AMOUNT = 100


def decisions() -> Iterator[ReviewDecision]:
    """The arguments of `payflowx review close`, as the runbooks name them."""
    for reference, amount, charge in product((None, "ch_9"), (None, 60), (None, ELSEWHERE)):
        yield ReviewDecision(verdict=ReviewVerdict.CHARGED, reference=reference, amount=amount, charge=charge)
    yield ReviewDecision(verdict=ReviewVerdict.NOT_CHARGED)


def attempt(number: int, state: AttemptState, code: str | None = None, *, is_hosted: bool = False) -> Attempt:
    return Attempt(
        number=number,
        provider="alpha",
        account_id="main",
        provider_key=f"pfx-aaaaaaaaaaaaaaaa-{number}",
        request_hash="h",
        epoch=number,
        started_at_ms=NOW_MS - 1,
        state=state,
        code=code,
        reference="obj_1" if is_hosted else None,
        progress=HOSTED if is_hosted else {},
    )


def attempts_of_payments() -> Iterator[tuple[Attempt, ...]]:
    yield ()
    for (state, code), is_hosted in product(STATES, (False, True)):
        last = attempt(1, state, code, is_hosted=is_hosted)
        yield (last,)
        for before in (AttemptState.DECLINED, AttemptState.MISMATCH, AttemptState.SUCCEEDED, AttemptState.UNKNOWN):
            if before in OPEN_STATES and state in OPEN_STATES:
                continue
            yield (attempt(1, before), replace(last, number=2))


BOOKS = [
    {},
    {"captured": 100, "refundable": 100},
    {"captured": 100, "refundable": 60, "refunded": 40},
    {"captured": 100, "refunded": 100},
    {"captured": 100, "refundable": 60, "reserved": 40},
    {"captured": 60, "refundable": 60},
]


def payments(reason: ReviewReason) -> Iterator[Payment]:
    accepted = World().accept(amount=AMOUNT)
    for attempts, books in product(attempts_of_payments(), BOOKS):
        charged = next((a.number for a in attempts if a.state is AttemptState.SUCCEEDED), None)
        if bool(books) is not (charged is not None):
            continue
        found = replace(
            accepted,
            status=PaymentStatus.IN_REVIEW,
            last_error=LastError(code=reason.value, message="x"),
            attempts=attempts,
            charged_attempt=charged,
            due_at_ms=NOW_MS + 1 if any(a.is_open for a in attempts) else None,
            **books,
        )
        assert is_balanced(found)
        yield found


@pytest.mark.parametrize("reason", [reason for reason in ReviewReason if reason is not ReviewReason.REVERSED])
def test_every_payment_in_review(reason: ReviewReason) -> None:
    stuck = [
        (payment.attempts, payment.captured, payment.refunded)
        for payment in payments(reason)
        if not any(_closes(payment, decision) for decision in decisions())
    ]
    assert stuck == []


def _closes(payment: Payment, decision: ReviewDecision) -> bool:
    try:
        return close_review(payment, decision, CONTEXT).after.status is not PaymentStatus.IN_REVIEW
    except Refusal:
        return False


def operations(kind: OperationKind) -> Iterator[tuple[Payment, Operation]]:
    """An operation in review beside every state of its payment that keeps the balance."""
    states = [
        (),
        *[(attempt(1, state, code),) for state, code in STATES],
        *[(attempt(1, AttemptState.SUCCEEDED), attempt(2, state)) for state in AttemptState],
        *[(attempt(1, AttemptState.REJECTED), attempt(2, state)) for state in AttemptState],
    ]
    world = World()
    accepted = world.accept(amount=AMOUNT)
    base = Operation(
        operation_id={"capture": "cap_", "void": "void_", "refund": "ref_"}[kind] + "a" * 16,
        kind=kind,
        merchant_id=accepted.merchant_id,
        transaction_id=accepted.transaction_id,
        charge_attempt=1,
        amount=40 if kind is OperationKind.REFUND else AMOUNT,
        currency=accepted.currency,
        fingerprint="f",
        created_at_ms=NOW_MS - 2,
        updated_at_ms=NOW_MS - 1,
        send_deadline_ms=NOW_MS + 1,
        ready_at_ms=NOW_MS,
        status=OperationStatus.IN_REVIEW,
        last_error=LastError(code="late_success", message="x"),
    )
    for attempts, held, (status, charge, books) in product(states, (None, *Held), list(_payments_beside(kind))):
        if held is Held.BOOKED and not any(a.state is AttemptState.SUCCEEDED for a in attempts):
            continue
        operation = replace(base, attempts=attempts, held=held)
        opened = operation.operation_id if kind is not OperationKind.REFUND and held is Held.RESERVED else None
        payment = replace(
            accepted,
            status=status,
            attempts=(attempt(1, charge),),
            charged_attempt=1 if charge is AttemptState.SUCCEEDED and books else None,
            open_capture_or_void=opened,
            **books,
        )
        if is_balanced(payment) and _is_where_it_says(payment, operation):
            yield payment, operation


def _is_where_it_says(payment: Payment, operation: Operation) -> bool:
    if operation.kind is not OperationKind.REFUND:
        return True
    held_there = {Held.RESERVED: payment.reserved, Held.BOOKED: payment.refunded}
    return operation.held not in held_there or held_there[operation.held] >= operation.amount


def _payments_beside(kind: OperationKind) -> Iterator[tuple[PaymentStatus, AttemptState, dict[str, int]]]:
    if kind is OperationKind.REFUND:
        for status, books in product((PaymentStatus.SUCCESS, PaymentStatus.IN_REVIEW), BOOKS[1:]):
            yield status, AttemptState.SUCCEEDED, books
        return
    yield PaymentStatus.AUTHORIZED, AttemptState.AUTHORIZED, {}
    for state in (
        AttemptState.AUTHORIZED,
        AttemptState.UNKNOWN,
        AttemptState.MISMATCH,
        AttemptState.SUCCEEDED,
        AttemptState.FENCED,
    ):
        yield PaymentStatus.IN_REVIEW, state, {}
    for status, books in product((PaymentStatus.SUCCESS, PaymentStatus.IN_REVIEW), BOOKS[1:]):
        yield status, AttemptState.SUCCEEDED, books
    yield PaymentStatus.CANCELLED, AttemptState.FENCED, {}
    yield PaymentStatus.FAILED, AttemptState.FENCED, {}


@pytest.mark.parametrize("kind", OperationKind)
def test_every_operation_in_review(kind: OperationKind) -> None:
    stuck = [
        (payment.status.value, payment.attempts[0].state.value, payment.captured, operation.held, operation.attempts)
        for payment, operation in operations(kind)
        if not any(_closes_operation(payment, operation, *arguments) for arguments in _operation_arguments())
    ]
    assert stuck == []


def _operation_arguments() -> list[tuple[ReviewDecision, Held | None]]:
    return [(decision, held) for decision in decisions() for held in (None, *Held) if decision.charge is None]


def _closes_operation(payment: Payment, operation: Operation, decision: ReviewDecision, held: Held | None) -> bool:
    change = _closed(payment, operation, decision, held)
    closed = change.operation_after if change else None
    return closed is not None and closed.status is not OperationStatus.IN_REVIEW


def _closed(payment: Payment, operation: Operation, decision: ReviewDecision, held: Held | None) -> Change | None:
    if decision.amount is not None and operation.kind is OperationKind.REFUND:
        decision = replace(decision, amount=40)
    try:
        return close_operation_review(payment, operation, replace(decision, held=held), CONTEXT)
    except Refusal:
        return None


@pytest.mark.parametrize("kind", [OperationKind.CAPTURE, OperationKind.VOID])
def test_every_payment_whose_review_waits_for_that_of_its_operation(kind: OperationKind) -> None:
    """An open capture or void decides what was charged, so its own review is closed first."""
    waiting = [
        (payment, operation)
        for payment, operation in operations(kind)
        if payment.status is PaymentStatus.IN_REVIEW and payment.open_capture_or_void == operation.operation_id
    ]
    assert waiting
    for payment, operation in waiting:
        assert not any(_closes(payment, decision) for decision in decisions())
        afterwards = [
            change.after
            for arguments in _operation_arguments()
            if (change := _closed(payment, operation, *arguments)) is not None
        ]
        assert any(
            after.status is not PaymentStatus.IN_REVIEW or any(_closes(after, decision) for decision in decisions())
            for after in afterwards
        ), (payment, operation)


def test_an_excess_is_closed_only_by_a_refund_that_came_back() -> None:
    """The closing is accepted, and the review stays: docs/runbooks/review/late-success.md."""
    (payment,) = [p for p in payments(ReviewReason.LATE_SUCCESS) if _is_plain(p) and p.refunded == AMOUNT]
    over = replace(payment, refunded=AMOUNT + 40, excess=40)
    closed = close_review(over, ReviewDecision(verdict=ReviewVerdict.CHARGED), CONTEXT).after
    assert (closed.status, closed.excess) == (PaymentStatus.IN_REVIEW, 40)


def _is_plain(payment: Payment) -> bool:
    return [(a.state, a.code, a.hosted) for a in payment.attempts] == [(AttemptState.SUCCEEDED, None, None)]
