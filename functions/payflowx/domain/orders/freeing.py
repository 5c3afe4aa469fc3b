"""The proofs that free an order of a payment. Pure.

Whatever the payment's status is called, its attempts decide.
"""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.closed_attempts import is_waiting
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.order_link import OrderStanding
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, OperationStatus, PaymentStatus

_ENDED_UNCHARGED: Final = frozenset({PaymentStatus.FAILED, PaymentStatus.CANCELLED})


def is_uncharged_for_good(payment: Payment) -> bool:
    """Return whether nothing was charged and nothing will be: all attempts are closed, and none can reopen.

    A FAILED or CANCELLED payment with a decline that may reopen, an amount that the provider still holds, a mismatch,
    or a provider event that is not inquired about yet is none. What a person closed as not charged is proven by that.
    """
    return (
        payment.status in _ENDED_UNCHARGED
        and payment.charged_attempt is None
        and (all(attempt.is_proven_uncharged for attempt in payment.attempts) or _is_proven_by_a_person(payment))
        and not is_waiting(payment)
    )


def _is_proven_by_a_person(payment: Payment) -> bool:
    """Return whether a person closed the payment as not charged, and no attempt can become a charge since."""
    return payment.is_closed_as_uncharged and not any(a.is_open or a.is_watched for a in payment.attempts)


def frees_order(before: Payment, after: Payment) -> bool:
    """Return whether the write of `after` proves a payment uncharged for good that holds an order, or is counted."""
    is_counted = after.order is not None and after.order.standing is OrderStanding.COUNTED
    return is_counted and is_uncharged_for_good(after) and not is_uncharged_for_good(before)


def only_waits_for_reopening(payment: Payment) -> bool:
    """Return whether the payment failed, and only a decline that the provider may reopen speaks against its end."""
    return (
        payment.status is PaymentStatus.FAILED
        and payment.charged_attempt is None
        and all(attempt.is_proven_uncharged or _may_only_reopen(attempt) for attempt in payment.attempts)
        and not is_waiting(payment)
    )


def free_at_ms(payment: Payment) -> int | None:
    """Return the time at which an ended payment's last decline can no longer reopen; None if something else holds."""
    ended = payment.status in _ENDED_UNCHARGED and payment.charged_attempt is None
    if not ended or not all(a.is_proven_uncharged or a.is_watched for a in payment.attempts):
        return None
    return max((a.reopens_until_ms or 0 for a in payment.attempts if a.is_watched), default=None)


def may_be_given_back(payment: Payment) -> bool:
    """Return whether the amounts say that all was refunded. The refunds themselves decide (`is_given_back`).

    A further charge inside a hosted object is no part of the amounts: until a person has recorded its refund, such a
    payment keeps its order.
    """
    return (
        payment.captured > 0
        and not payment.owed_charges
        and payment.refunded == payment.captured
        and payment.reserved == 0
        and payment.excess == 0
        and (payment.status is PaymentStatus.SUCCESS or payment.is_charged_beside_holder)
    )


def is_given_back(payment: Payment, operations: Sequence[Operation]) -> bool:
    """Return whether the whole charge was refunded. A refund in review may have come back to us.

    A mismatch counts until a person has closed its review: what it took was returned then.
    """
    refunds = [operation for operation in operations if operation.kind is OperationKind.REFUND]
    decided = all(o.status in {OperationStatus.SUCCEEDED, OperationStatus.FAILED} for o in refunds)
    undecided = payment.awaits_verdict or any(attempt.is_open for attempt in payment.attempts)
    return may_be_given_back(payment) and decided and not undecided


def _may_only_reopen(attempt: Attempt) -> bool:
    return attempt.state is AttemptState.DECLINED and attempt.is_watched and attempt.authorized_late_at_ms is None
