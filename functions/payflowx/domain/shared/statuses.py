"""Statuses of payments and operations, and states of attempts."""

from enum import StrEnum
from typing import Final


class PaymentStatus(StrEnum):
    """A payment's status, as merchants see it. Most clients need the first three only."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    AUTHORIZED = "AUTHORIZED"
    CANCELLED = "CANCELLED"
    IN_REVIEW = "IN_REVIEW"


class OperationStatus(StrEnum):
    """The status of a capture, void or refund, as merchants see it."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    IN_REVIEW = "IN_REVIEW"


class AttemptState(StrEnum):
    """The known state of one logical try at one provider."""

    STARTED = "STARTED"
    SUCCEEDED = "SUCCEEDED"
    AUTHORIZED = "AUTHORIZED"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    NOT_SENT = "NOT_SENT"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"
    MISMATCH = "MISMATCH"
    FENCED = "FENCED"


class CaptureMode(StrEnum):
    """Whether the money is taken with the charge or by a later capture."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class Initiator(StrEnum):
    """Who starts the charge: the payer, who is present, or the merchant with a saved payment method."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"


class DeclineKind(StrEnum):
    """A soft decline may succeed elsewhere, a hard one never, a funds decline on another day."""

    SOFT = "soft"
    HARD = "hard"
    FUNDS = "funds"


FINAL_STATUSES: Final = frozenset({PaymentStatus.SUCCESS, PaymentStatus.FAILED, PaymentStatus.CANCELLED})

FINAL_OPERATION_STATUSES: Final = frozenset({OperationStatus.SUCCEEDED, OperationStatus.FAILED})

OPEN_STATES: Final = frozenset(
    {
        AttemptState.STARTED,
        AttemptState.UNKNOWN,
        AttemptState.ACCEPTED,
        AttemptState.REQUIRES_ACTION,
        AttemptState.AUTHORIZED,
    }
)
"""The provider may have charged, or may still charge: no other attempt may start."""

NO_CHARGE_STATES: Final = frozenset(
    {AttemptState.DECLINED, AttemptState.NOT_SENT, AttemptState.REJECTED, AttemptState.FENCED}
)
"""Proven not charged."""
