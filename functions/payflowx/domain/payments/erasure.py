"""Erasure of personal data and of everything that can pay, from a payment and its operations. Pure.

The audit log never held any, and stays.
"""

from dataclasses import replace
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.checkout import erased_checkout
from payflowx.domain.payments.hosted import HOSTED_RETURN_URL
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus

BEARER_FACTS: Final = frozenset({"payment_session_id", HOSTED_RETURN_URL})
"""Facts of an attempt's progress with which anybody can pay the provider's order, or see our page.

All others are identifiers.

A test holds the facts of every connector against this set.
"""
ERASED_FACT: Final = "erased"
"""Takes the place of an erased fact: which steps of the attempt were done must stay known."""


def erase_payment(payment: Payment) -> Payment:
    """Return the payment without customer, receipt address, tokens, the merchant's texts, URLs and providers' texts."""
    return replace(
        payment,
        payment_method=replace(payment.payment_method, token=None, tokens={}),
        customer=None,
        receipt_email=None,
        description=None,
        metadata={},
        statement_descriptor_suffix=None,
        return_url=None,
        checkout=erased_checkout(payment.checkout) if payment.checkout else None,
        attempts=tuple(_erase_attempt(attempt) for attempt in payment.attempts),
        disputes=tuple(replace(dispute, reason="") for dispute in payment.disputes),
        order=replace(payment.order, order_id=None) if payment.order else None,
        erased=True,
    )


def erase_operation(operation: Operation) -> Operation:
    """Return the operation without texts of providers, which may name the payer."""
    return replace(operation, attempts=tuple(_erase_attempt(attempt) for attempt in operation.attempts))


def is_payment_open(payment: Payment, now_ms: int) -> bool:
    """Return whether a worker still sends or reads something about the payment.

    A paid hosted object is read once more after its end: nothing of the payer is needed for that.
    """
    waiting = payment.event_inquiries.waiting if payment.event_inquiries else ()
    is_read_once_more = (
        payment.status is PaymentStatus.SUCCESS
        and payment.unresolved_attempt is None
        and bool(waiting)
        and all(payment.attempt(number).final_read_at_ms is not None for number in waiting)
    )
    return (payment.due_at_ms is not None and not is_read_once_more) or payment.lease.is_live(now_ms)


def is_operation_open(operation: Operation, now_ms: int) -> bool:
    """Return whether a worker still sends or reads something about the operation.

    A refund that succeeded is read once more weeks later: nothing of the payer is needed for that.
    """
    is_read = operation.due_at_ms is not None and operation.status is not OperationStatus.SUCCEEDED
    return operation.status is OperationStatus.PENDING or is_read or operation.lease.is_live(now_ms)


def _erase_attempt(attempt: Attempt) -> Attempt:
    progress = {name: ERASED_FACT if name in BEARER_FACTS else value for name, value in attempt.progress.items()}
    return replace(attempt, next_action=None, message=None, progress=progress)
