"""The effect of a capture, void or refund on its payment's amounts. Pure.

`captured + excess = refundable + refunded + reserved` holds in every stored version. The operation's `held` says where
its amount is; the functions here set it and obey it, so that an amount moves once, whatever is recorded how often.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from payflowx.domain.payments.closed_attempts import with_final_read
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.payment import BalanceSource, Payment
from payflowx.domain.payments.transitions import check_attempt_transition
from payflowx.domain.shared.errors import InvariantError
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, OperationStatus, PaymentStatus


class Move(StrEnum):
    """The change of an operation's amount."""

    NONE = "none"
    """The amount is where it belongs already."""
    RESERVE = "reserve"
    BOOK = "book"
    """A reserved amount was booked."""
    BOOK_LATE = "book_late"
    """An amount that was given back, or more than was reserved, was booked: manual review."""
    GIVE_BACK = "give_back"
    """A reserved amount was given back."""
    UNBOOK = "unbook"
    """A booked amount was given back."""
    CONTRADICTION = "contradiction"
    """The payment's amounts exclude the operation: nothing was changed, manual review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Payment and operation after a move."""

    payment: Payment
    operation: Operation
    move: Move


# -- the balance


def imbalance(payment: Payment) -> int:
    """Return the amount by which the payment is off balance; 0 if it is balanced."""
    return payment.captured + payment.excess - payment.refundable - payment.refunded - payment.reserved


def is_balanced(payment: Payment) -> bool:
    """Return whether the amounts agree, none is negative and no more is captured than was authorized."""
    amounts = (
        payment.capturable,
        payment.captured,
        payment.refundable,
        payment.refunded,
        payment.reserved,
        payment.excess,
    )
    within = payment.captured + payment.capturable <= payment.amount
    return imbalance(payment) == 0 and min(amounts) >= 0 and within and not (payment.excess and payment.refundable)


def is_off_balance(payment: Payment) -> bool:
    """Return whether the amounts are known to contradict each other."""
    return payment.balance_source is not BalanceSource.OUTDATED and not is_balanced(payment)


def check_balance(before: Payment, after: Payment) -> None:
    """Raise `InvariantError` for a change that breaks the balance.

    A payment that was off balance before takes recordings, which leave the difference as it is.
    """
    if before.balance_source is BalanceSource.OUTDATED:
        if _amounts(before) != _amounts(after):
            raise InvariantError("the amounts may change only after `reserved` was derived from the operations")
        return
    if is_balanced(after) or (not is_balanced(before) and imbalance(before) == imbalance(after)):
        return
    raise InvariantError("the change breaks the balance of the payment's amounts")


def _amounts(payment: Payment) -> tuple[int, ...]:
    return payment.captured, payment.refundable, payment.refunded, payment.excess


# -- operations


def reserve(payment: Payment, operation: Operation) -> Moved:
    """Reserve the amount of a new operation, so that no other operation can use it.

    A capture or void also suspends inquiries about the charge itself.
    """
    held = replace(operation, held=Held.RESERVED)
    if operation.kind is OperationKind.REFUND:
        taken = _take(payment, operation.amount)
        return Moved(
            payment=replace(taken, reserved=taken.reserved + operation.amount), operation=held, move=Move.RESERVE
        )
    suspended = replace(
        payment,
        capturable=payment.capturable - operation.amount,
        open_capture_or_void=operation.operation_id,
        due_at_ms=None,
    )
    return Moved(payment=suspended, operation=held, move=Move.RESERVE)


def reserve_again(payment: Payment, operation: Operation) -> Moved:
    """Reserve a refund's amount again: it was given back, and now money may have moved after all.

    A capture or void shows in the charge, which is inquired.
    """
    if operation.kind is OperationKind.REFUND and operation.held is Held.GIVEN_BACK:
        return reserve(payment, operation)
    return Moved(payment=payment, operation=operation, move=Move.NONE)


def apply_success(payment: Payment, operation: Operation, amount: int | None = None) -> Moved:
    """Book an operation that took effect. `amount`: what moved in all, where it is not the operation's amount.

    A refund adds up, a capture ends in SUCCESS, a void in CANCELLED.
    """
    if operation.held is None:
        return Moved(payment=payment, operation=operation, move=Move.CONTRADICTION)
    match operation.kind:
        case OperationKind.REFUND:
            return _book_refund(payment, operation, operation.booked if amount is None else amount)
        case OperationKind.CAPTURE:
            return _book_capture(payment, operation, operation.booked if amount is None else amount)
        case OperationKind.VOID:
            return _book_void(payment, operation)


def book_external(payment: Payment, operation: Operation) -> Moved:
    """Book or reserve a refund that was made at the provider, as its status says."""
    reserved = reserve(payment, operation)
    if operation.status is not OperationStatus.SUCCEEDED:
        return reserved
    return apply_success(reserved.payment, reserved.operation)


def apply_second_success(payment: Payment, operation: Operation) -> Moved:
    """Book a success beside an earlier one of the same operation. A second refund took the amount once more.

    Nothing of the first is booked any more where an operator found that it had been returned.
    """
    if operation.held is not Held.BOOKED:
        return apply_success(payment, operation, operation.amount)
    if operation.kind is not OperationKind.REFUND:
        return Moved(payment=payment, operation=operation, move=Move.CONTRADICTION)
    return _book_refund(payment, operation, operation.booked + operation.amount)


def give_back(payment: Payment, operation: Operation, now_ms: int) -> Moved:
    """Give back the amount of an operation that is proven without effect, or whose effect was returned.

    An authorization becomes due again, at the latest when it lapses.
    """
    if operation.held is Held.GIVEN_BACK:
        return Moved(payment=payment, operation=operation, move=Move.NONE)
    booked = operation.held is Held.BOOKED
    if operation.held is None or (booked and operation.kind is not OperationKind.REFUND):
        return Moved(payment=payment, operation=operation, move=Move.CONTRADICTION)
    given_back = replace(operation, held=Held.GIVEN_BACK, booked_amount=None)
    if operation.kind is not OperationKind.REFUND:
        return Moved(payment=_reopened(payment, operation, now_ms), operation=given_back, move=Move.GIVE_BACK)
    return Moved(
        payment=_withdrawn(payment, operation),
        operation=given_back,
        move=Move.UNBOOK if booked else Move.GIVE_BACK,
    )


def correct_captured(payment: Payment, captured: int) -> Payment:
    """Return the payment with the amount that was really captured."""
    changed = replace(payment, captured=captured)
    more = captured - payment.captured
    return _free(changed, more) if more > 0 else _take(changed, -more)


# -- refunds


def _book_refund(payment: Payment, operation: Operation, amount: int) -> Moved:
    if operation.held is Held.BOOKED and operation.booked == amount:
        return Moved(payment=payment, operation=operation, move=Move.NONE)
    taken = _take(_withdrawn(payment, operation), amount)
    booked = replace(operation, held=Held.BOOKED, booked_amount=amount if amount != operation.amount else None)
    late = operation.held is not Held.RESERVED or amount > operation.amount
    return Moved(
        payment=replace(taken, refunded=taken.refunded + amount),
        operation=booked,
        move=Move.BOOK_LATE if late else Move.BOOK,
    )


def _withdrawn(payment: Payment, operation: Operation) -> Payment:
    """Return the payment without this refund, whatever it holds."""
    match operation.held:
        case Held.RESERVED:
            return _free(replace(payment, reserved=payment.reserved - operation.amount), operation.amount)
        case Held.BOOKED:
            return _free(replace(payment, refunded=payment.refunded - operation.booked), operation.booked)
        case _:
            return payment


def _take(payment: Payment, amount: int) -> Payment:
    """Take an amount from what is refundable; the rest is an excess."""
    taken = min(max(payment.refundable, 0), amount)
    return replace(payment, refundable=payment.refundable - taken, excess=payment.excess + amount - taken)


def _free(payment: Payment, amount: int) -> Payment:
    """Make an amount refundable again, after it has covered an excess."""
    covered = min(payment.excess, amount)
    return replace(payment, refundable=payment.refundable + amount - covered, excess=payment.excess - covered)


# -- captures and voids


def _book_capture(payment: Payment, operation: Operation, amount: int) -> Moved:
    charge = payment.attempt(operation.charge_attempt)
    if operation.held is Held.BOOKED:
        return Moved(payment=payment, operation=operation, move=Move.NONE)
    if charge.state is not AttemptState.AUTHORIZED or any(_amounts(payment)) or _is_another_open(payment, operation):
        return Moved(payment=payment, operation=operation, move=Move.CONTRADICTION)
    captured = replace(
        _with_charge(payment, operation, AttemptState.SUCCEEDED),
        status=PaymentStatus.IN_REVIEW if payment.awaits_verdict else PaymentStatus.SUCCESS,
        charged_attempt=operation.charge_attempt,
        captured=amount,
        capturable=0,
        refundable=amount,
        open_capture_or_void=None,
        last_error=payment.last_error if payment.awaits_verdict else None,
        due_at_ms=None,
    )
    # Its payer may have approved another amount in the same hosted object, and support may have captured that.
    read_later = with_final_read(captured, captured.attempt(charge.number))
    return _booked_on_charge(read_later, operation, amount)


def _book_void(payment: Payment, operation: Operation) -> Moved:
    charge = payment.attempt(operation.charge_attempt)
    if operation.held is Held.BOOKED:
        return Moved(payment=payment, operation=operation, move=Move.NONE)
    if charge.state is not AttemptState.AUTHORIZED or any(_amounts(payment)) or _is_another_open(payment, operation):
        return Moved(payment=payment, operation=operation, move=Move.CONTRADICTION)
    voided = replace(
        _with_charge(payment, operation, AttemptState.FENCED),
        status=PaymentStatus.IN_REVIEW if payment.awaits_verdict else PaymentStatus.CANCELLED,
        capturable=0,
        open_capture_or_void=None,
        last_error=payment.last_error if payment.awaits_verdict else None,
        due_at_ms=None,
    )
    return _booked_on_charge(voided, operation, operation.amount)


def _booked_on_charge(payment: Payment, operation: Operation, amount: int) -> Moved:
    booked = replace(operation, held=Held.BOOKED, booked_amount=amount if amount != operation.amount else None)
    return Moved(
        payment=payment,
        operation=booked,
        move=Move.BOOK if operation.held is Held.RESERVED else Move.BOOK_LATE,
    )


def _is_another_open(payment: Payment, operation: Operation) -> bool:
    return payment.open_capture_or_void not in {None, operation.operation_id}


def _reopened(payment: Payment, operation: Operation, now_ms: int) -> Payment:
    if payment.open_capture_or_void != operation.operation_id:
        return payment
    freed = replace(payment, open_capture_or_void=None)
    if not payment.attempt(operation.charge_attempt).is_open:
        return freed
    held = payment.status is PaymentStatus.AUTHORIZED
    # A refusal may mean that the authorization is gone: the charge itself is inquired at once.
    return replace(
        freed,
        capturable=payment.capturable + (operation.amount if held else 0),
        ready_at_ms=now_ms,
        due_at_ms=now_ms + DUE_AFTER_ACCEPT_MS,
    )


def _with_charge(payment: Payment, operation: Operation, state: AttemptState) -> Payment:
    charge = payment.attempt(operation.charge_attempt)
    check_attempt_transition(charge.state, state)
    closed = replace(charge, state=state, deadline_ms=None)
    return replace(payment, attempts=tuple(closed if a.number == charge.number else a for a in payment.attempts))
