"""The reasons of manual reviews. Each has a page under docs/runbooks/review."""

from enum import StrEnum


class ReviewReason(StrEnum):
    """The code of `lastError` on a payment or operation in manual review."""

    OUTCOME_UNKNOWN = "outcome_unknown"
    """No automatic step can determine the outcome of an attempt."""
    MISMATCH = "mismatch"
    """The provider reports a different amount, currency or reference than requested."""
    LATE_SUCCESS = "late_success"
    """Money moved after the attempt or the payment had ended without it, or moved twice."""
    REVERSED = "reversed"
    """The provider reversed an operation that had succeeded."""
    DRIVES_EXHAUSTED = "drives_exhausted"
    """The sweeper has woken a worker `MAX_DRIVES` times without progress."""
    RECONCILIATION = "reconciliation"
    """The provider's report and the ledger disagree."""
    BALANCE = "balance"
    """The payment's amounts contradict each other: an older release booked an amount twice."""
    ORDER_CONTENDED = "order_contended"
    """The payment was charged although another one holds its order, and that one is not decided yet."""
    ORDER_CHARGED_TWICE = "order_charged_twice"
    """The payment was charged, and so was the one that holds its order."""
