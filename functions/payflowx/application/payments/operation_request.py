"""Operation requests of a stored capture, void or refund."""

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment, private_values
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest


def operation_request_of(payment: Payment, operation: Operation, attempt: Attempt) -> OperationRequest:
    """Return the request of a stored attempt."""
    return _operation_request(payment, operation, attempt.provider_key, attempt)


def new_operation_request_of(payment: Payment, operation: Operation) -> OperationRequest:
    """Return the request of the next attempt, which is not stored yet."""
    return numbered_operation_request_of(payment, operation, len(operation.attempts) + 1)


def numbered_operation_request_of(payment: Payment, operation: Operation, number: int) -> OperationRequest:
    """Return the request of an attempt with this number that is not stored."""
    return _operation_request(payment, operation, derive_provider_key(operation.operation_id, number), None)


def _operation_request(
    payment: Payment, operation: Operation, provider_key: str, attempt: Attempt | None
) -> OperationRequest:
    charge = payment.attempt(operation.charge_attempt)
    return OperationRequest(
        kind=operation.kind,
        provider_key=provider_key,
        amount=operation.amount,
        currency=operation.currency,
        charge_key=charge.provider_key,
        charge_reference=charge.reference or "",
        charge_amount=payment.captured if operation.kind is OperationKind.REFUND else payment.amount,
        charge_progress=charge.progress,
        progress=attempt.progress if attempt else {},
        reference=attempt.reference if attempt else None,
        private_values=private_values(
            payment.customer, payment.payment_method.token_for(charge.provider), payment.receipt_email
        ),
    )
