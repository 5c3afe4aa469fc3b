"""The cost of a payment at AWS so far: counted from what is stored of it, with the counts of `make bench`.

Nothing is stored for this. Not in it, because no record of them is left: reads by clients, webhooks without news,
sweeps of payments, inquiries without news about an attempt that has ended, configuration and secrets that functions
remember for minutes, and what functions and logs cost (docs/costs.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from payflowx.application.operators.step_counts import STEPS, Step
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.outbound_webhooks.ports import MerchantEvents
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.order_link import OrderStanding
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
        """Sizes after the first attempts follow from the last one: the attempts are what makes a payment grow.

        What ended the payment came with its last attempt.
        """

        def kilobytes_more(step: Step, attempts: int) -> int:
            last_error = payment.last_error if attempts == len(payment.attempts) else None
            then = replace(payment, attempts=payment.attempts[:attempts], last_error=last_error)
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

    Each attempt leaves an event, and so does each choice of a payer. An event beyond those, and beyond two of each
    operation, is the news of an inquiry.
    """
    hooked = any(event.planned or event.due_at_ms is not None for event in merchant_events)
    attempts, choices = len(payment.attempts), sum(event.type == _CHOSEN for event in events)
    inquiries = max(0, len(events) - 1 - 2 * operations - choices - attempts)
    of_payment = sum(event.operation_id is None for event in merchant_events)
    of_operations = sum(event.operation_id is not None and bool(event.deliveries) for event in merchant_events)
    is_checkout = payment.checkout is not None
    known = min(1, attempts) + (inquiries if is_checkout else 0)
    parts = (
        (_accept(payment), 1, 0),
        ("choice of a payer", choices, 0),
        *_attempts(payment),
        ("inquiry of a checkout" if is_checkout else "inquiry", inquiries, attempts),
        ("inquiry without news", sum(attempt.inquiries for attempt in payment.attempts), attempts),
        ("operation", operations, attempts),
        ("delivery", len(merchant_events) - of_operations, attempts),
        ("delivery of an operation", of_operations, attempts),
    )
    found = Usage(api_requests=1 + operations + choices)
    for name, count, number in parts:
        step = STEPS[f"{'one' if hooked else 'no'} endpoint, {payment.layout.name.lower()} layout"][name]
        found += _usage(step, kilobytes_more(step, number)).times(count)
    for further, count in (
        (_REFERENCE, _references(events) - known),
        (_ANNOUNCED if hooked else _LISTED, of_payment - min(1, inquiries if is_checkout else attempts)),
        (_CANCELLED, sum(event.type == _VOID for event in events)),
        (_FREED, int(payment.order is not None and payment.order.standing is OrderStanding.RELEASED)),
    ):
        found += further.times(count)
    return sum((_repeated(_rounds(event) - 1) for event in merchant_events), found)


_CHOSEN: Final = "checkout.method_chosen"
_REFERENCE: Final = Usage(write_units=2)
"""A provider's reference in a transaction. An attempt that goes well has one; one that is declined has none."""
_LISTED: Final = Usage(write_units=1)
"""A further merchant event's entry in the merchant's list."""
_ANNOUNCED: Final = Usage(write_units=2, calls=1, messages=1)
"""The same, with a due time and a message to the deliverer."""
_FREED: Final = Usage(write_units=2, calls=1, half_read_units=2)
"""A freeing end of a payment with an order."""
_VOID: Final = "void.requested"
_CANCELLED: Final = Usage(calls=2, half_read_units=4)
"""A cancellation reads what it cancels, and answers with the payment as it is then."""
_AGAIN: Final = Usage(write_units=3, calls=2, half_read_units=6)
"""A round of a delivery that is tried again: its due time is moved."""
_WOKEN: Final = Usage(calls=1, messages=1)
_SWEPT: Final = Usage(write_units=3, calls=2, messages=1)
"""A round that is later than a message can wait: the sweeper takes the event, and sends for up to ten in one call."""
_WAKES_BY_MESSAGE: Final = 2
_FAILING: Final = Usage(write_units=2, calls=2)
"""The endpoint stores since when it fails, and that it does not any more."""


def _accept(payment: Payment) -> str:
    if payment.checkout is not None:
        return "accept a checkout"
    return "accept, with an order" if payment.order is not None else "accept"


def _attempts(payment: Payment) -> Sequence[tuple[str, int, int]]:
    if payment.checkout is not None:
        return [("attempt of a checkout", 1, number + 1) for number in range(len(payment.attempts))]
    return [("later attempt" if number else "first attempt", 1, number + 1) for number in range(len(payment.attempts))]


def _references(events: Sequence[Event]) -> int:
    return sum(event.type.startswith("attempt.") and "reference" in event.facts for event in events)


def _rounds(event: MerchantEvent) -> int:
    """All endpoints are posted to in one round."""
    return max((delivery.attempts for delivery in event.deliveries.values()), default=1) or 1


def _repeated(rounds: int) -> Usage:
    """Of the rounds after the first one."""
    if not rounds:
        return Usage()
    by_message = min(rounds, _WAKES_BY_MESSAGE)
    return _AGAIN.times(rounds) + _WOKEN.times(by_message) + _SWEPT.times(rounds - by_message) + _FAILING


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
