"""The words a payment and an attempt can be described with."""

from enum import StrEnum
from typing import Final


class PaymentStatus(StrEnum):
    """What a merchant sees. Most clients need the first three only."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    AUTHORIZED = "AUTHORIZED"
    CANCELLED = "CANCELLED"
    IN_REVIEW = "IN_REVIEW"


class OperationStatus(StrEnum):
    """What a merchant sees of a capture, void or refund."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    IN_REVIEW = "IN_REVIEW"


class AttemptState(StrEnum):
    """What is known of one logical try at one provider."""

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


class DeclineKind(StrEnum):
    """Soft may pass elsewhere, hard must never be tried again, funds may pass on another day."""

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
"""The provider may still charge, or may have charged: a further attempt is forbidden."""

NO_CHARGE_STATES: Final = frozenset(
    {AttemptState.DECLINED, AttemptState.NOT_SENT, AttemptState.REJECTED, AttemptState.FENCED}
)
"""Proven not charged."""
