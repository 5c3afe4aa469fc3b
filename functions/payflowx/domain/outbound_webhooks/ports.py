"""Ports of outbound webhooks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.outbound_webhooks.catch_up import CatchUp
from payflowx.domain.outbound_webhooks.endpoints import WebhookEndpoints
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent, Posted
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryJob:
    """A message that wakes the deliverer for one event.

    `correlation_id`: of the request that caused the event.
    """

    merchant_id: str
    transaction_id: str
    seq: int
    slow: bool = False
    """It was handed to the slow lane, which posts to every endpoint."""
    correlation_id: str | None = None


class Deliveries(Protocol):
    """The queue that wakes the deliverer. A lost message delays a delivery but never loses it."""

    def send(self, job: DeliveryJob, *, delay_seconds: int = 0) -> None:
        """Raises `StorageUnavailableError` when the queue did not accept the message."""
        ...


class WakeDeliveries(Protocol):
    """The same queue, for many wake-ups at once."""

    def send_all(self, jobs: Sequence[DeliveryJob]) -> Sequence[DeliveryJob]:
        """Send each; return those that the queue did not accept."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantEventQuery:
    """A query for a merchant's events, newest first.

    Times are milliseconds, from inclusive, until exclusive.
    """

    merchant_id: str
    from_ms: int
    until_ms: int
    limit: int
    position: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantEventPage:
    """A page, newest first. `next_position` continues the list; None ends it.

    A page may be empty and still have a next one. `unreadable` holds the ids of events of the page that this release
    cannot read.
    """

    items: Sequence[MerchantEvent]
    next_position: str | None
    unreadable: Sequence[str] = ()


class MerchantEvents(Protocol):
    """The deliveries of merchant events. All methods raise `StorageUnavailableError`."""

    def get(self, merchant_id: str, transaction_id: str, seq: int) -> MerchantEvent | None:
        """Return an event; None if it does not exist or is not a merchant event."""
        ...

    def add(self, merchant_event: MerchantEvent) -> bool:
        """Store an event that belongs to no payment; False if it is stored already."""
        ...

    def save(self, before: MerchantEvent, after: MerchantEvent) -> bool:
        """Store the deliveries of `after`; False if they changed since `before` was read."""
        ...

    def page(self, query: MerchantEventQuery) -> MerchantEventPage: ...


class WebhookEndpointStore(Protocol):
    """A merchant's endpoints, read consistently. Both methods raise `StorageUnavailableError`."""

    def get(self, merchant_id: str) -> WebhookEndpoints: ...

    def save(self, before: WebhookEndpoints, after: WebhookEndpoints, *, catch_up: CatchUp | None = None) -> bool:
        """Store `after`, with the search that a registration begins; False if the version is not that of `before`."""
        ...


class CatchUps(Protocol):
    """The searches for events that new endpoints missed. Both methods raise `StorageUnavailableError`."""

    def get(self, merchant_id: str, endpoint_id: str) -> CatchUp | None: ...

    def save(self, catch_up: CatchUp, *, postponed_to_ms: int) -> None:
        """Store when the search goes on, unless another run or a new registration set a time meanwhile."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryItems:
    """The items of a delivery, as stored now. `payment` reads the item that was found: it may be a newer release's."""

    merchant_event: MerchantEvent | None
    webhook_endpoints: WebhookEndpoints
    payment: Callable[[], Payment | None]


class DeliverySource(Protocol):
    """Reads what a delivery needs in one call. Raises `StorageUnavailableError`."""

    def items_of(self, job: DeliveryJob) -> DeliveryItems: ...


class EndpointPresence(Protocol):
    """Whether anybody may want a merchant's events."""

    def may_have_endpoints(self, merchant_id: str) -> bool:
        """Return False only for a merchant without endpoints, as of a minute ago at most. Never raises."""
        ...


class SecretCipher(Protocol):
    """Encrypts endpoints' secrets, bound to their owner.

    Both methods raise `StorageUnavailableError`.
    """

    def encrypt(self, secret: str, *, merchant_id: str, endpoint_id: str) -> str: ...

    def open(self, encrypted: str, *, merchant_id: str, endpoint_id: str) -> str: ...


class WebhookClient(Protocol):
    """Posts to a merchant's URL: public addresses only, no redirects, bounded. Never raises."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted: ...


class Compose(Protocol):
    """Builds the message's body: the event, and payment and operation as they are now."""

    def __call__(self, merchant_event: MerchantEvent, payment: Payment | None, operation: Operation | None) -> bytes:
        """`payment`: None for an event that belongs to none."""
        ...
