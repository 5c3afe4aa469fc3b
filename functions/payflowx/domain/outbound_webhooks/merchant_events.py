"""Deliveries of merchant events: to which endpoints, how often, and when next.

The audit log's event is the outbox: it is due until every endpoint has it or has exhausted its retries. The fields here
are outside of the audit log's hash.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from payflowx.domain.outbound_webhooks.endpoints import DisabledReason, Endpoint
from payflowx.domain.payments.change import Change
from payflowx.domain.payments.event_types import MERCHANT_RESTORED
from payflowx.domain.shared.backoff import delivery_delay_ms
from payflowx.domain.shared.identifiers import ID_CHARS, PAYMENT_PREFIX, derive_id
from payflowx.domain.shared.limits import (
    DELIVERY_GRACE_MS,
    EARLY_GRACE_MS,
    ENDPOINT_PATIENCE_MS,
    MAX_QUEUE_DELAY_SECONDS,
    SECOND_MS,
)
from payflowx.domain.shared.statuses import PaymentStatus

NOT_SIGNED: Final = "secret_unavailable"
"""The code of a try without a signature: nothing was sent, and the endpoint is not to blame."""
_GONE: Final = 410
_EVENT_ID: Final = re.compile(rf"evt_(?P<id>[a-z2-7]{{{ID_CHARS}}})_(?P<seq>[1-9][0-9]{{0,5}})")


class DeliveryState(StrEnum):
    """The state of one event's delivery to one endpoint."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    """Every try of the schedule failed."""
    SKIPPED = "SKIPPED"
    """The endpoint was disabled or deleted meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event's delivery to one endpoint.

    `code`: the reason of the last failure; `status`: the last HTTP status.
    """

    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    next_at_ms: int = 0
    status: int | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgottenTime:
    """The time that a restore of the tables has forgotten, as merchants are told of it."""

    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantEvent:
    """An event as merchants see it. `number` counts a payment's merchant events without a gap.

    An event with `forgotten` belongs to no payment: `transaction_id` is an id of its own, and it has no statuses.
    """

    merchant_id: str
    transaction_id: str
    seq: int
    number: int
    event_type: str
    status_from: PaymentStatus | None
    status_to: PaymentStatus | None
    operation_id: str | None
    at_ms: int
    forgotten: ForgottenTime | None = None
    planned: bool = False
    """The endpoints of this event were selected."""
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    version: int = 0
    due_at_ms: int | None = None
    drives: int = 0

    @property
    def event_id(self) -> str:
        """The same id for all endpoints and all tries: receivers recognize repetitions by it."""
        return event_id(self.transaction_id, self.seq)

    @property
    def is_undelivered(self) -> bool:
        """An endpoint has not taken it, or none was selected yet.

        An event that was never due is not: the merchant had no endpoint, so nobody was to be told.
        """
        if not self.planned:
            return self.due_at_ms is not None
        return any(delivery.state is not DeliveryState.DELIVERED for delivery in self.deliveries.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The endpoint's HTTP status; its body is discarded."""

    status: int
    retry_after_seconds: int = 0

    @property
    def is_success(self) -> bool:
        """Only 2xx is a success. A redirect is not followed: it could lead to any address."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAnswered:
    """No answer, or nothing was sent; `code` gives the reason."""

    code: str


Posted = Answered | NotAnswered


def event_id(transaction_id: str, seq: int) -> str:
    """Derive the event's id from its item, so that no look-up is needed."""
    return f"evt_{transaction_id.removeprefix(PAYMENT_PREFIX)}_{seq}"


def parse_event_id(text: str) -> tuple[str, int] | None:
    """Return the payment's id and the event's number; None for any other text."""
    found = _EVENT_ID.fullmatch(text)
    return (f"{PAYMENT_PREFIX}{found['id']}", int(found["seq"])) if found else None


def merchant_event_of(change: Change) -> MerchantEvent | None:
    """Return the merchant event of a change; None when merchants are not notified of it."""
    before, after, event = change.before, change.after, change.event
    operation = change.operation_after
    if change.merchant_event_type is None:
        return None
    return MerchantEvent(
        merchant_id=after.merchant_id,
        transaction_id=after.transaction_id,
        seq=event.seq,
        number=after.announced,
        event_type=change.merchant_event_type,
        status_from=before.status,
        status_to=after.status,
        operation_id=operation.operation_id if operation else None,
        at_ms=event.at_ms,
        due_at_ms=event.at_ms + DELIVERY_GRACE_MS if change.is_announced else None,
    )


def restored_event(merchant_id: str, forgotten: ForgottenTime, now_ms: int) -> MerchantEvent:
    """Return the one event that tells a merchant of a restore.

    Its id follows from the forgotten time, so that a repetition finds it stored. It is named like an event of a
    payment, and no payment has that id: keys, event ids and messages need no second form.
    """
    span = (str(forgotten.from_ms), str(forgotten.until_ms))
    return MerchantEvent(
        merchant_id=merchant_id,
        transaction_id=derive_id(PAYMENT_PREFIX, merchant_id, MERCHANT_RESTORED, *span),
        seq=1,
        number=1,
        event_type=MERCHANT_RESTORED,
        status_from=None,
        status_to=None,
        operation_id=None,
        at_ms=now_ms,
        forgotten=forgotten,
        due_at_ms=now_ms + DELIVERY_GRACE_MS,
    )


def planned(merchant_event: MerchantEvent, endpoints: Sequence[Endpoint], now_ms: int) -> MerchantEvent:
    """Select the endpoints once: those that existed and subscribed at that time, and are enabled."""
    if merchant_event.planned:
        return merchant_event
    told = {
        e.endpoint_id: Delivery(next_at_ms=now_ms) for e in _audience(merchant_event, endpoints, merchant_event.at_ms)
    }
    return replace(merchant_event, planned=True, deliveries=told)


def started_again(merchant_event: MerchantEvent, endpoints: Sequence[Endpoint], now_ms: int) -> MerchantEvent | None:
    """Restart deliveries to all subscribed endpoints from the first try; None if there are none."""
    told = {e.endpoint_id: Delivery(next_at_ms=now_ms) for e in _audience(merchant_event, endpoints, now_ms)}
    if not told:
        return None
    there = {e.endpoint_id for e in endpoints}
    kept = {endpoint_id: d for endpoint_id, d in merchant_event.deliveries.items() if endpoint_id in there}
    deliveries = {**kept, **told}
    return replace(merchant_event, planned=True, deliveries=deliveries, due_at_ms=now_ms + DELIVERY_GRACE_MS, drives=0)


def _audience(merchant_event: MerchantEvent, endpoints: Sequence[Endpoint], since_ms: int) -> Sequence[Endpoint]:
    wanting = (e for e in endpoints if e.is_enabled and e.wants(merchant_event.event_type))
    return [e for e in wanting if e.gets_events_since_ms <= since_ms]


def ready(merchant_event: MerchantEvent, now_ms: int) -> Collection[str]:
    """Return the endpoints whose next try is due."""
    return [
        endpoint_id
        for endpoint_id, delivery in merchant_event.deliveries.items()
        if delivery.state is DeliveryState.PENDING and delivery.next_at_ms <= now_ms + EARLY_GRACE_MS
    ]


def after_try(delivery: Delivery, posted: Posted, now_ms: int, jitter: float) -> Delivery:
    """Record a try. A delivered event stays delivered, whatever a slower try reports later."""
    if delivery.state is DeliveryState.DELIVERED:
        return delivery
    attempts = delivery.attempts + 1
    status = posted.status if isinstance(posted, Answered) else None
    if isinstance(posted, Answered) and posted.is_success:
        return Delivery(state=DeliveryState.DELIVERED, attempts=attempts, status=status)
    wait_seconds = posted.retry_after_seconds if isinstance(posted, Answered) else 0
    delay_ms = delivery_delay_ms(attempts, jitter, wait_seconds)
    code = posted.code if isinstance(posted, NotAnswered) else None
    if delay_ms is None:
        return Delivery(state=DeliveryState.FAILED, attempts=attempts, status=status, code=code)
    return Delivery(attempts=attempts, next_at_ms=now_ms + delay_ms, status=status, code=code)


def skipped(delivery: Delivery) -> Delivery:
    """Mark a delivery whose endpoint was disabled or deleted."""
    return replace(delivery, state=DeliveryState.SKIPPED, next_at_ms=0)


def after_deliveries(
    merchant_event: MerchantEvent, deliveries: Mapping[str, Delivery], now_ms: int
) -> tuple[MerchantEvent, int | None]:
    """Return the event with new deliveries, and the delay of the deliverer's wake-up.

    The delay is None when the sweeper will wake it, or when no delivery is pending.
    """
    after = replace(merchant_event, deliveries=deliveries, due_at_ms=None, drives=0)
    pending = [d.next_at_ms for d in deliveries.values() if d.state is DeliveryState.PENDING]
    if not pending:
        return after, None
    wait_seconds = max(0, -(-(min(pending) - now_ms) // SECOND_MS))
    if wait_seconds > MAX_QUEUE_DELAY_SECONDS:
        return replace(after, due_at_ms=min(pending)), None
    return replace(after, due_at_ms=min(pending) + DELIVERY_GRACE_MS), wait_seconds


def why_to_disable(endpoint: Endpoint, posted: Posted, now_ms: int) -> DisabledReason | None:
    """Return the reason to disable an endpoint; None if there is none.

    It answered 410, or no delivery succeeded for three days.
    """
    if isinstance(posted, Answered) and posted.is_success:
        return None
    if isinstance(posted, Answered) and posted.status == _GONE:
        return DisabledReason.GONE
    since_ms = endpoint.failing_since_ms
    return DisabledReason.FAILING if since_ms is not None and now_ms - since_ms >= ENDPOINT_PATIENCE_MS else None
