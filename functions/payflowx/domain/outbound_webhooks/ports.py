"""What telling merchants needs from the outside world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.outbound_webhooks.endpoints import WebhookEndpoints
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent, Posted
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryJob:
    """A wake-up of an event that is to be delivered.

    `correlation_id`: of the request that it all goes back to.
    """

    merchant_id: str
    transaction_id: str
    seq: int
    correlation_id: str | None = None


class Deliveries(Protocol):
    """The queue that wakes the deliverer. Losing a message delays a delivery, never loses it."""

    def send(self, job: DeliveryJob, *, delay_seconds: int = 0) -> None:
        """Raises `StorageUnavailableError` when the queue did not take it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantEventQuery:
    """Which events of a merchant, newest first.

    Times are milliseconds, from inclusive, until exclusive.
    """

    merchant_id: str
    from_ms: int
    until_ms: int
    limit: int
    position: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantEventPage:
    """Newest first. `next_position` continues the list; None ends it.

    A page may be empty and still go on.
    """

    items: Sequence[MerchantEvent]
    next_position: str | None


class MerchantEvents(Protocol):
    """The delivery side of the trail's events. All raise `StorageUnavailableError`."""

    def get(self, merchant_id: str, transaction_id: str, seq: int) -> MerchantEvent | None:
        """None for an event that is not announced, too."""
        ...

    def save(self, before: MerchantEvent, after: MerchantEvent) -> bool:
        """Store the deliveries of `after`; False if somebody stored others since `before` was read."""
        ...

    def page(self, query: MerchantEventQuery) -> MerchantEventPage: ...


class WebhookEndpointStore(Protocol):
    """A merchant's endpoints, read consistently. Both raise `StorageUnavailableError`."""

    def get(self, merchant_id: str) -> WebhookEndpoints: ...

    def save(self, before: WebhookEndpoints, after: WebhookEndpoints) -> bool:
        """False if somebody stored another version since `before` was read."""
        ...


class SecretCipher(Protocol):
    """Encrypts endpoints' secrets, bound to their owner. Both raise `StorageUnavailableError`."""

    def encrypt(self, secret: str, *, merchant_id: str, endpoint_id: str) -> str: ...

    def open(self, encrypted: str, *, merchant_id: str, endpoint_id: str) -> str: ...


class WebhookClient(Protocol):
    """Posts to a merchant's address: public ones only, no redirects, bounded in time and size.

    Never raises.
    """

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted: ...


class Compose(Protocol):
    """The message's body: the event, and payment and operation as they are now."""

    def __call__(self, merchant_event: MerchantEvent, payment: Payment, operation: Operation | None) -> bytes: ...
