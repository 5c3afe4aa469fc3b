"""What a payment has cost at AWS so far: counted from what is stored of it, with the counts of `make bench`.

Nothing is stored for this. Not in it, because no record of them is left: reads by clients, webhooks without news,
sweeps, inquiries without news about an attempt that has ended, and what functions and logs cost (docs/costs.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from payflowx.application.operators.step_counts import STEPS, Step
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.outbound_webhooks.ports import MerchantEvents
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments
from payflowx.domain.shared.errors import Refusal

MAX_EVENTS: Final = 100
"""As many as are looked at, each with its deliveries. A payment of more has a cost of at least the answer's."""
MAX_OPERATIONS: Final = 100

_WRITE_UNIT: Final = 625_000
_HALF_READ_UNIT: Final = 62_500
_QUEUE_REQUEST: Final = 400_000
_API_REQUEST: Final = 3_500_000
"""Picodollars in us-east-1. A test compares them with the price list of docs/costs.md."""
_PICO_IN_MICRO: Final = 1_000_000
_REQUESTS_A_MESSAGE: Final = 3
"""Sent, received and deleted; a full batch needs fewer."""

KilobytesMore = Callable[[Step, int], int]
"""By how many kilobytes the payment was larger in a step than the one that was measured, with so many attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """`calls`: of AWS by our functions. A read unit of an eventually consistent read is half of one."""

    calls: int = 0
    write_units: int = 0
    half_read_units: int = 0
    messages: int = 0
    api_requests: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            write_units=self.write_units + other.write_units,
            half_read_units=self.half_read_units + other.half_read_units,
            messages=self.messages + other.messages,
            api_requests=self.api_requests + other.api_requests,
        )

    def times(self, factor: int) -> "Usage":
        return Usage(
            calls=self.calls * factor,
            write_units=self.write_units * factor,
            half_read_units=self.half_read_units * factor,
            messages=self.messages * factor,
            api_requests=self.api_requests * factor,
        )

    @property
    def micro_dollars(self) -> int:
        """Millionths of a dollar, rounded half up."""
        pico = (
            self.write_units * _WRITE_UNIT
            + self.half_read_units * _HALF_READ_UNIT
            + self.messages * _REQUESTS_A_MESSAGE * _QUEUE_REQUEST
            + self.api_requests * _API_REQUEST
        )
        return (2 * pico + _PICO_IN_MICRO) // (2 * _PICO_IN_MICRO)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCost:
    """`complete` False: the payment has more events or operations than were looked at."""

    usage: Usage
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CountPaymentCost:
    """Raises `Refusal` (`not_found`)."""

    payments: Payments
    operations: Operations
    merchant_events: MerchantEvents
    payment_bytes: Callable[[Payment], int]
    """The size of its item: a write is billed by started kilobytes."""

    def __call__(self, merchant_id: str, transaction_id: str) -> PaymentCost:
        payment = self.payments.get(merchant_id, transaction_id)
        if payment is None:
            raise Refusal("not_found", "There is no payment with this id.")
        page = self.payments.events(merchant_id, transaction_id, after_seq=0, limit=MAX_EVENTS)
        told = [self.merchant_events.get(merchant_id, transaction_id, event.seq) for event in page.items]
        operations = self.operations.page(merchant_id, transaction_id, limit=MAX_OPERATIONS, position=None)
        known = [event for event in told if event is not None]
        usage = usage_of(payment, page.items, known, len(operations.items), self._kilobytes_more(payment))
        complete = page.next_seq is None and operations.next_position is None
        return PaymentCost(usage=usage, complete=complete)

    def _kilobytes_more(self, payment: Payment) -> KilobytesMore:
        """Sizes after the first attempts follow from the last one: the attempts are what makes a payment grow."""

        def kilobytes_more(step: Step, attempts: int) -> int:
            then = replace(payment, attempts=payment.attempts[:attempts])
            more_bytes = self.payment_bytes(then) - step.payment_bytes
            return _kilobytes(step.item_bytes + more_bytes) - _kilobytes(step.item_bytes)

        return kilobytes_more


def usage_of(
    payment: Payment,
    events: Sequence[Event],
    merchant_events: Sequence[MerchantEvent],
    operations: int,
    kilobytes_more: KilobytesMore,
) -> Usage:
    """Add up the steps of which the records are left.

    Each attempt leaves an event; an event beyond those, and beyond two of each operation, is the news of an inquiry.
    """
    hooked = any(event.deliveries for event in merchant_events)
    changes = max(0, len(events) - 1 - 2 * operations)
    attempts = len(payment.attempts)
    fruitless = sum(attempt.inquiries for attempt in payment.attempts)
    accept = "accept, with an order" if payment.order is not None else "accept"
    parts = (
        (accept, 1, 0),
        ("first attempt", min(attempts, 1), 1),
        *(("later attempt", 1, number) for number in range(2, attempts + 1)),
        ("inquiry", max(0, changes - attempts), attempts),
        ("inquiry without news", fruitless, attempts),
        ("operation", operations, attempts),
        ("delivery", sum(event.operation_id is None for event in merchant_events), attempts),
        ("delivery of an operation", sum(event.operation_id is not None for event in merchant_events), attempts),
        ("repeated delivery", sum(_rounds(event) - 1 for event in merchant_events), attempts),
    )
    found = Usage(api_requests=1 + operations)
    for name, count, number in parts:
        step = STEPS["one endpoint" if hooked else "no endpoint"][name]
        found += _usage(step, kilobytes_more(step, number)).times(count)
    return found


def _rounds(event: MerchantEvent) -> int:
    """All endpoints are posted to in one round."""
    return max((delivery.attempts for delivery in event.deliveries.values()), default=1) or 1


def _usage(step: Step, kilobytes_more: int) -> Usage:
    return Usage(
        calls=step.calls,
        write_units=step.write_units + step.further_kilobyte * kilobytes_more,
        half_read_units=step.half_read_units,
        messages=step.messages,
    )


def _kilobytes(size: int) -> int:
    """Started ones."""
    return -(-size // 1024)
