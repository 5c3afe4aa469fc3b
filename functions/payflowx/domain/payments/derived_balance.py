"""The balance of a payment that an older release wrote last, derived from its operations. Pure.

Releases up to 0.2.0 store neither `reserved` on the payment nor `held` on an operation. They leave both attributes of a
newer release as they are, so a payment's are current only where its `balanceVersion` is its `version`. An operation's
status says what its amount is, except in review; there the payment's amounts decide, where they leave one answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from payflowx.domain.payments.balances import imbalance, is_balanced
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.payment import BalanceSource, Payment
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus

_BY_STATUS: Final[Mapping[OperationStatus, Held]] = {
    OperationStatus.PENDING: Held.RESERVED,
    OperationStatus.SUCCEEDED: Held.BOOKED,
    OperationStatus.FAILED: Held.GIVEN_BACK,
}
_MOST_UNKNOWN: Final = 8
"""Each has three answers; with more than eight in review, a person names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A payment with a derived `reserved`, and its operations with what they hold, by id."""

    payment: Payment
    operations: Mapping[str, Operation]


def held_by_status(status: OperationStatus) -> Held | None:
    """Return what an operation of this status holds; None in review, where the status does not say it."""
    return _BY_STATUS.get(status)


def derive_ledger(payment: Payment, operations: Sequence[Operation]) -> Ledger:
    """Derive `reserved` from all operations of the payment, and what each holds.

    An operation whose amount has more than one possible place keeps None. A payment whose amounts no answer explains is
    off balance.
    """
    refunds = [operation for operation in operations if operation.kind is OperationKind.REFUND]
    outdated = payment.balance_source is BalanceSource.OUTDATED
    unknown = [o for o in refunds if o.held is None or (outdated and o.status is OperationStatus.IN_REVIEW)]
    known = [o for o in refunds if o not in unknown]
    answers = list(_answers(payment, known, unknown)) if len(unknown) <= _MOST_UNKNOWN else []
    solved = {o.operation_id: replace(o, held=_agreed(o, place, answers)) for place, o in enumerate(unknown)}
    others = {o.operation_id: _with_held(payment, o, operations) for o in operations if o not in refunds}
    found = {o.operation_id: o for o in known} | solved | others
    if not outdated:
        return Ledger(payment=payment, operations=found)
    reserved = _unreserved_rest(payment) if answers else _sum(found.values(), Held.RESERVED)
    derived = replace(payment, reserved=reserved, balance_source=BalanceSource.DERIVED)
    return Ledger(payment=derived, operations=found)


def rebuild(ledger: Ledger) -> Payment:
    """Return the payment with the amounts that its captured amount and its operations give.

    Raises `Refusal` (`held_unknown`).
    """
    payment = ledger.payment
    if is_balanced(payment):
        return payment
    refunds = [o for o in ledger.operations.values() if o.kind is OperationKind.REFUND]
    if any(o.held is None for o in refunds):
        raise Refusal(
            "held_unknown",
            "The amounts of this payment contradict each other, and so does the amount of a refund in review. "
            "Close the reviews of its refunds first, and say where their amounts are.",
        )
    refunded, reserved = _sum(refunds, Held.BOOKED), _sum(refunds, Held.RESERVED)
    rest = payment.captured - refunded - reserved
    return replace(payment, refunded=refunded, reserved=reserved, refundable=max(0, rest), excess=max(0, -rest))


def _answers(payment: Payment, known: Sequence[Operation], unknown: Sequence[Operation]) -> Iterator[tuple[Held, ...]]:
    """Yield every assignment to the unknown that explains the payment's amounts."""
    outdated = payment.balance_source is BalanceSource.OUTDATED
    reserved = (_unreserved_rest(payment) if outdated else payment.reserved) - _sum(known, Held.RESERVED)
    booked = payment.refunded - _sum(known, Held.BOOKED)
    for answer in product(Held, repeat=len(unknown)):
        assigned = [replace(o, held=held) for o, held in zip(unknown, answer, strict=True)]
        if (_sum(assigned, Held.RESERVED), _sum(assigned, Held.BOOKED)) == (reserved, booked):
            yield answer


def _unreserved_rest(payment: Payment) -> int:
    """Return the amount that is neither refundable nor refunded."""
    return imbalance(replace(payment, reserved=0))


def _sum(operations: Iterable[Operation], held: Held) -> int:
    amounts = (o.booked if held is Held.BOOKED else o.amount for o in operations if o.held is held)
    return sum(amounts)


def _agreed(operation: Operation, place: int, answers: Sequence[tuple[Held, ...]]) -> Held | None:
    """Return the only answer; of several, the stored one if it is among them."""
    possible = {answer[place] for answer in answers}
    if len(possible) == 1:
        return possible.pop()
    return operation.held if operation.held in possible else None


def _with_held(payment: Payment, operation: Operation, operations: Sequence[Operation]) -> Operation:
    """Return a capture or void with what it holds: at most one is open, and at most one took effect."""
    if operation.held is not None and payment.balance_source is not BalanceSource.OUTDATED:
        return operation
    if operation.status is not OperationStatus.IN_REVIEW:
        return operation
    if payment.open_capture_or_void == operation.operation_id:
        return replace(operation, held=Held.RESERVED)
    effect = (
        payment.captured > 0 if operation.kind is OperationKind.CAPTURE else payment.status is PaymentStatus.CANCELLED
    )
    elsewhere = any(o.kind is operation.kind and o.status is OperationStatus.SUCCEEDED for o in operations)
    return replace(operation, held=Held.BOOKED if effect and not elsewhere else Held.GIVEN_BACK)
