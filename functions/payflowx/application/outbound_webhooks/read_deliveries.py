"""The merchant events of one payment, with their deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.outbound_webhooks.ports import MerchantEvents
from payflowx.domain.payments.ports import Payments
from payflowx.domain.shared.errors import Refusal

MAX_EVENTS_READ: Final = 25
"""The newest events of a payment that are read, one item each. A payment without disputes has fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDeliveries:
    """Raises `Refusal` (`not_found`)."""

    payments: Payments
    merchant_events: MerchantEvents

    def __call__(self, merchant_id: str, transaction_id: str) -> tuple[Sequence[MerchantEvent], bool]:
        """Return the merchant events, oldest first, and whether these are all."""
        payment = self.payments.get(merchant_id, transaction_id)
        if payment is None:
            raise Refusal("not_found", "There is no payment with this id.")
        first = max(1, payment.event_seq - MAX_EVENTS_READ + 1)
        numbers = range(first, payment.event_seq + 1)
        found = [self.merchant_events.get(merchant_id, transaction_id, number) for number in numbers]
        return [event for event in found if event is not None], first == 1
