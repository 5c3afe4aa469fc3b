"""What merchants are told of: a new status of a payment, or of a capture, void or refund on it.

One change has one topic. Where it moves both, it is named after the payment: that is what a merchant ships goods by,
and the message shows the operation as well.
"""

from collections.abc import Mapping
from typing import Final

from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus

_PAYMENT: Final[Mapping[PaymentStatus, str]] = {
    PaymentStatus.PENDING: "payment.pending",
    PaymentStatus.REQUIRES_ACTION: "payment.requires_action",
    PaymentStatus.AUTHORIZED: "payment.authorized",
    PaymentStatus.SUCCESS: "payment.succeeded",
    PaymentStatus.FAILED: "payment.failed",
    PaymentStatus.CANCELLED: "payment.cancelled",
    PaymentStatus.IN_REVIEW: "payment.in_review",
}

EVENT_TYPES: Final = frozenset(_PAYMENT.values()) | {
    f"{kind.value}.{status.lower()}" for kind in OperationKind for status in OperationStatus
}


def merchant_event_type(
    payment: tuple[PaymentStatus, PaymentStatus],
    operation: tuple[OperationKind, OperationStatus | None, OperationStatus] | None,
) -> str | None:
    """The event type of a change, by the statuses before and after it. None: merchants are not notified of it."""
    return payment_event_type(*payment) or (operation_event_type(*operation) if operation else None)


def payment_event_type(before: PaymentStatus, after: PaymentStatus) -> str | None:
    """None when the status stays."""
    return None if before is after else _PAYMENT[after]


def operation_event_type(kind: OperationKind, before: OperationStatus | None, after: OperationStatus) -> str | None:
    """None when the status stays, or when the merchant has just asked for the operation and knows."""
    return None if before is None or before is after else f"{kind.value}.{after.lower()}"
