"""Verification of a payment's audit log.

It has no gap and no altered entry, and its last entry is the payment's state.
"""

from dataclasses import dataclass

from payflowx.domain.payments.events import Event, chain_faults
from payflowx.domain.payments.ports import Payments
from payflowx.domain.shared.errors import Refusal

_PAGE = 100
_MAX_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAuditLog:
    """Raises `Refusal` (`not_found`)."""

    payments: Payments

    def __call__(self, merchant_id: str, transaction_id: str) -> list[str]:
        """Return the faults in words; an empty list when the audit log is intact."""
        payment = self.payments.get(merchant_id, transaction_id)
        if payment is None:
            raise Refusal("not_found", "There is no payment with this id.")
        events = self._events(merchant_id, transaction_id)
        faults = chain_faults(events)
        last = events[-1] if events else None
        if last is None or (last.seq, last.hash, last.status_to) != (
            payment.event_seq,
            payment.event_hash,
            payment.status,
        ):
            faults.append("the last event does not match the payment's state")
        return faults

    def _events(self, merchant_id: str, transaction_id: str) -> list[Event]:
        events: list[Event] = []
        for _ in range(_MAX_PAGES):
            after_seq = events[-1].seq if events else 0
            page = self.payments.events(merchant_id, transaction_id, after_seq=after_seq, limit=_PAGE)
            events += page.items
            if page.next_seq is None:
                break
        return events
