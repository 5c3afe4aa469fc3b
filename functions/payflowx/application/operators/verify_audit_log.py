"""Verification of a payment's audit log.

It has no gap and no altered entry, and its last entry is the payment's state.
"""

from dataclasses import dataclass
from typing import Final

from payflowx.domain.payments.events import AuditLogCheck
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments
from payflowx.domain.shared.errors import Refusal

_PAGE: Final = 1_000
MAX_EVENTS_VERIFIED: Final = 100_000
"""As many as the operators' function reads within its 30 seconds; a payment takes no refund after 20,000."""
MAX_FAULTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLogVerification:
    """`complete` False: the log is longer than the limit; nothing is said about its events after the first `events`.

    At most `MAX_FAULTS` faults are named.
    """

    events: int
    faults: tuple[str, ...]
    complete: bool

    @property
    def is_intact(self) -> bool:
        """Return whether the whole log was verified, without a fault."""
        return self.complete and not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAuditLog:
    """Raises `Refusal` (`not_found`)."""

    payments: Payments
    max_events: int = MAX_EVENTS_VERIFIED

    def __call__(self, merchant_id: str, transaction_id: str) -> AuditLogVerification:
        """Read the log to its end, one page in memory at a time.

        The payment is read after its last page. If it has moved on meanwhile, the new events are read as well.
        """
        check = AuditLogCheck(max_faults=MAX_FAULTS)
        while check.events < self.max_events:
            limit = min(_PAGE, self.max_events - check.events)
            page = self.payments.events(merchant_id, transaction_id, after_seq=check.last_seq, limit=limit)
            for event in page.items:
                check.add(event)
            if page.next_seq is None or check.events >= self.max_events:  # a full page may be the last one
                payment = self.payments.get(merchant_id, transaction_id)
                if payment is None:
                    raise Refusal("not_found", "There is no payment with this id.")
                if payment.event_seq <= check.last_seq or not page.items:
                    return _ended(check, payment)
        return AuditLogVerification(events=check.events, faults=tuple(check.faults), complete=False)


def _ended(check: AuditLogCheck, payment: Payment) -> AuditLogVerification:
    faults = list(check.faults)
    if (check.last_seq, check.last_hash, check.last_status) != (payment.event_seq, payment.event_hash, payment.status):
        faults.append("the last event does not match the payment's state")
    return AuditLogVerification(events=check.events, faults=tuple(faults), complete=True)
