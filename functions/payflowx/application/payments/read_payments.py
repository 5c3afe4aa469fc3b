"""Reads of payments and audit logs. Another merchant's payment is not found."""

from dataclasses import dataclass

from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import EventPage, PaymentPage, PaymentQuery, Payments
from payflowx.domain.shared.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPayments:
    """Raises `Refusal` (`not_found`)."""

    payments: Payments

    def get(self, merchant_id: str, transaction_id: str) -> Payment:
        """Return the payment by a consistent read, so that a client sees its own writes."""
        payment = self.payments.get(merchant_id, transaction_id)
        if payment is None:
            raise Refusal("not_found", "There is no payment with this id.")
        return payment

    def page(self, query: PaymentQuery) -> PaymentPage:
        """Return a page of payments, newest first."""
        return self.payments.page(query)

    def events(self, merchant_id: str, transaction_id: str, *, after_seq: int, limit: int) -> EventPage:
        """Return a page of the audit log, oldest first."""
        page = self.payments.events(merchant_id, transaction_id, after_seq=after_seq, limit=limit)
        if not page.items and after_seq == 0:
            raise Refusal("not_found", "There is no payment with this id.")
        return page
