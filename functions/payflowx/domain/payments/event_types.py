"""Event types of merchant events: a new status of a payment, capture, void or refund.

One change has one event type. Where a change affects both payment and operation, the event is named after the payment,
because merchants ship goods by the payment's status; the message shows the operation as well.
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

DISPUTE_PREFIX: Final = "payment.dispute."
_DISPUTE: Final = frozenset(f"{DISPUTE_PREFIX}{news}" for news in ("opened", "updated", "won", "lost", "closed"))

CHARGED_TWICE: Final = "payment.charged_twice"
"""The payer paid twice inside one hosted object. The payment's status and amounts stay."""

MERCHANT_RESTORED: Final = "merchant.restored"
"""The deployment was restored to an earlier time, and had forgotten what happened to the merchant's payments since. One
event a merchant and restore; it belongs to no payment.
"""

PAYMENT_RESTORED: Final = "payment.restored"
"""An event of the audit log, of which merchants are not notified: the numbers of the payment's events go on above those
that were used before the restore.
"""

EVENT_TYPES: Final = (
    frozenset(_PAYMENT.values())
    | {f"{kind.value}.{status.lower()}" for kind in OperationKind for status in OperationStatus}
    | _DISPUTE
    | {CHARGED_TWICE, MERCHANT_RESTORED}
)


def merchant_event_type(
    payment: tuple[PaymentStatus, PaymentStatus],
    operation: tuple[OperationKind, OperationStatus | None, OperationStatus] | None,
) -> str | None:
    """The event type of a change, by the statuses before and after it. None: merchants are not notified of it."""
    return payment_event_type(*payment) or (operation_event_type(*operation) if operation else None)


def payment_event_type(before: PaymentStatus, after: PaymentStatus) -> str | None:
    """Return None when the status stays the same."""
    return None if before is after else _PAYMENT[after]


def external_event_type(kind: OperationKind, status: OperationStatus) -> str:
    """The event type of a new operation that no merchant requested, such as a refund in the provider's dashboard."""
    return f"{kind.value}.{status.lower()}"


def operation_event_type(kind: OperationKind, before: OperationStatus | None, after: OperationStatus) -> str | None:
    """Return None when the status stays the same or the operation was just created.

    The response to the merchant's request has already reported a new operation.
    """
    return None if before is None or before is after else f"{kind.value}.{after.lower()}"
