"""A capture, void or refund: attempts like a payment's, with its own id, lease and due time."""

from dataclasses import dataclass
from enum import StrEnum

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.event_inquiries import EventInquiries
from payflowx.domain.payments.payment import FREE_LEASE, LastError, Lease, Payment
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus


class Held(StrEnum):
    """The place of an operation's amount on its payment. Only `balances` sets it.

    An operation in review may hold any of them: it may have come there after its amount was booked or given back.
    """

    RESERVED = "reserved"
    BOOKED = "booked"
    GIVEN_BACK = "given_back"


class Origin(StrEnum):
    """The party that requested an operation."""

    MERCHANT = "merchant"
    PROVIDER = "provider"
    """The operation was made at the provider, such as a refund in its dashboard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation on an existing charge. Every stored change raises `version` by one.

    Its amount is reserved on the payment from the moment it is accepted, and given back only when it is proven that no
    money moved.
    """

    merchant_id: str
    transaction_id: str
    operation_id: str
    kind: OperationKind
    fingerprint: str
    amount: int
    currency: str
    charge_attempt: int
    """The number of the attempt that holds the charge; the operation goes to its provider only."""
    created_at_ms: int
    updated_at_ms: int
    send_deadline_ms: int
    """After this time nothing is sent any more; sent requests are still resolved."""
    status: OperationStatus = OperationStatus.PENDING
    held: Held | None = None
    """None: an older release put the operation into review, and the amounts on the payment decide."""
    booked_amount: int | None = None
    """The amount that was booked, where it differs from `amount`."""
    origin: Origin = Origin.MERCHANT
    version: int = 1
    lease: Lease = FREE_LEASE
    attempts: tuple[Attempt, ...] = ()
    last_error: LastError | None = None
    not_sent_since_ms: int | None = None
    """As of a payment: the time since which nothing could be sent."""
    ready_at_ms: int = 0
    due_at_ms: int | None = None
    drives: int = 0
    searched_at_ms: int | None = None
    """As of a payment: the time of the search after a restore."""
    review_since_ms: int | None = None
    """The time at which the open review began; None without one."""
    event_inquiries: EventInquiries | None = None
    """The inquiries that provider events caused lately, and those that wait."""

    @property
    def booked(self) -> int:
        """The amount that a booking of this operation adds, or has added."""
        return self.amount if self.booked_amount is None else self.booked_amount

    @property
    def last_attempt(self) -> Attempt | None:
        """The newest attempt, the only one that can be open."""
        return self.attempts[-1] if self.attempts else None

    def attempt(self, number: int) -> Attempt:
        """The attempt with this number, counted from 1."""
        return self.attempts[number - 1]


def new_operation(
    payment: Payment,
    charge: Attempt,
    kind: OperationKind,
    amount: int,
    *,
    operation_id: str,
    fingerprint: str,
    now_ms: int,
    send_deadline_ms: int,
) -> Operation:
    """Return an operation on the charge that this attempt holds, due now."""
    return Operation(
        merchant_id=payment.merchant_id,
        transaction_id=payment.transaction_id,
        operation_id=operation_id,
        kind=kind,
        fingerprint=fingerprint,
        amount=amount,
        currency=payment.currency,
        charge_attempt=charge.number,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
        send_deadline_ms=send_deadline_ms,
        ready_at_ms=now_ms,
        due_at_ms=now_ms + DUE_AFTER_ACCEPT_MS,
    )
