"""From a stored capture, void or refund to what a provider is asked."""

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.operation_request import Movement, MovementKind


def movement_of(payment: Payment, operation: Operation, attempt: Attempt) -> Movement:
    """The movement of a stored attempt."""
    return _movement(payment, operation, attempt.provider_key, attempt)


def new_movement_of(payment: Payment, operation: Operation) -> Movement:
    """The movement of the next attempt, which is about to be stored."""
    key = derive_provider_key(operation.operation_id, len(operation.attempts) + 1)
    return _movement(payment, operation, key, None)


def _movement(payment: Payment, operation: Operation, provider_key: str, attempt: Attempt | None) -> Movement:
    charge = payment.attempt(operation.charge_attempt)
    return Movement(
        kind=operation.kind,
        provider_key=provider_key,
        amount=operation.amount,
        currency=operation.currency,
        charge_key=charge.provider_key,
        charge_reference=charge.reference or "",
        charge_amount=payment.captured if operation.kind is MovementKind.REFUND else payment.amount,
        charge_progress=charge.progress,
        progress=attempt.progress if attempt else {},
        reference=attempt.reference if attempt else None,
    )
