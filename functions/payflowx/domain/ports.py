"""What the use cases need from the outside world, as Protocols. Adapters provide them; tests replace them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from payflowx.domain.attempt import Attempt
from payflowx.domain.capabilities import Capabilities
from payflowx.domain.conclusion import Change, SeenEvent
from payflowx.domain.events import Event
from payflowx.domain.metrics import Metric
from payflowx.domain.movement import Movement
from payflowx.domain.notices import Notice, Webhook
from payflowx.domain.outcome import MovementOutcome, Outcome, StepResult
from payflowx.domain.payment import Customer, Lease, Payment
from payflowx.domain.routing import RoutingDocument
from payflowx.domain.statuses import CaptureMode, PaymentStatus


class Clock(Protocol):
    """Wall-clock time in milliseconds since 1970, UTC."""

    def now_ms(self) -> int: ...


class Deadline(Protocol):
    """How long this invocation may still run."""

    def remaining_ms(self) -> int: ...


class Randomness(Protocol):
    """Unpredictable values: names of lease holders, and jitter in [0, 1)."""

    def owner(self) -> str: ...
    def jitter(self) -> float: ...
    def secret_text(self, chars: int) -> str:
        """Base62 characters from the system's cryptographic source."""
        ...


# --- providers -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A merchant's account at a provider. The credentials lie in Secrets Manager under `secret_arn`."""

    provider: str
    account_id: str
    endpoint: str
    secret_arn: str
    webhook_token: str | None = field(default=None, repr=False)
    """The last part of the address that the provider posts its webhooks to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """All that a provider needs to charge, or to be asked about, one attempt."""

    provider_key: str
    amount: int
    currency: str
    token: str = field(repr=False)
    payment_method_type: str
    capture: CaptureMode
    customer: Customer | None = field(default=None, repr=False)
    description: str | None = None
    return_url: str | None = None
    progress: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None


class Provider(Protocol):
    """One provider, ready to be called. Every call sends one request at a time and never retries by itself."""

    @property
    def capabilities(self) -> Capabilities: ...

    def request_hash(self, charge: Charge) -> str:
        """A hash of the requests that would be sent; equal hashes mean equal requests."""
        ...

    def may_have_charged(self, progress: Mapping[str, str]) -> bool:
        """Whether, with these steps stored, a request that charges may have left."""
        ...

    def charge(self, charge: Charge, account: Account) -> StepResult:
        """Send the next step. `Progress` must be stored before the one after it."""
        ...

    def inquire(self, charge: Charge, account: Account) -> Outcome:
        """Read what became of the attempt. Changes nothing at the provider."""
        ...

    def fence(self, charge: Charge, account: Account) -> Outcome:
        """Cancel what could still charge and read it back; `Fenced` only when that is proven."""
        ...

    def can_move(self, movement: Movement) -> bool:
        """Whether the provider has this kind of movement, for this part of the charge."""
        ...

    def movement_hash(self, movement: Movement) -> str:
        """A hash of the request that would be sent; equal hashes mean equal requests."""
        ...

    def move(self, movement: Movement, account: Account) -> MovementOutcome:
        """Send the capture, void or refund."""
        ...

    def inquire_movement(self, movement: Movement, account: Account) -> MovementOutcome:
        """Read what became of it, by our key or the provider's id. Changes nothing at the provider."""
        ...

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> Notice:
        """What an authentic webhook says; raises `ForgedWebhookError` for any other."""
        ...


class Providers(Protocol):
    """The providers of this deployment."""

    def get(self, name: str) -> Provider: ...
    def capabilities(self) -> Mapping[str, Capabilities]: ...


# --- storage -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """The payment was stored by this call."""

    payment: Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """The key was used before, for this id, with the request of this fingerprint."""

    transaction_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The lease is ours; this is the payment as stored now."""

    payment: Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Somebody else was faster; this is the payment as stored now, None if it is gone."""

    payment: Payment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceTaken:
    """The provider's reference belongs to another attempt already; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadySeen:
    """The provider's event was applied before; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentQuery:
    """Which payments of a merchant, newest first. Times are milliseconds, from inclusive, until exclusive."""

    merchant_id: str
    from_ms: int
    until_ms: int
    status: PaymentStatus | None
    limit: int
    position: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPage:
    """Newest first. `next_position` continues the list; None ends it. A page may be empty and still go on."""

    items: Sequence[Payment]
    next_position: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Oldest first. `next_seq` continues the trail; None ends it."""

    items: Sequence[Event]
    next_seq: int | None


class Payments(Protocol):
    """The store of payments and their trails. Every method is conditional; none overwrites what it did not see.

    All raise `StorageUnavailableError` when a write's fate is not known or the store does not answer.
    """

    def create(self, payment: Payment, event: Event, idempotency_key: str) -> Created | Existing: ...

    def find_key(self, merchant_id: str, idempotency_key: str) -> Existing | None: ...

    def get(self, merchant_id: str, transaction_id: str) -> Payment | None: ...

    def claim(
        self,
        *,
        merchant_id: str,
        transaction_id: str,
        version: int,
        lease: Lease,
        now_ms: int,
        append: Attempt | None,
    ) -> Claimed | Moved:
        """Take the lease, and with `append` store that attempt, if the payment still has this version."""
        ...

    def save_progress(self, payment: Payment, number: int, progress: Mapping[str, str]) -> Claimed | Moved:
        """Store a step of an attempt under the lease's epoch."""
        ...

    def reschedule(self, before: Payment, after: Payment) -> Claimed | Moved:
        """Release the lease and plan the next look, under the lease's epoch. No event: nothing happened."""
        ...

    def commit(self, change: Change) -> Claimed | Moved | ReferenceTaken | AlreadySeen:
        """Store a change with its event, its operation and the provider's reference, all or nothing."""
        ...

    def hasten(self, before: Payment, after: Payment, seen: SeenEvent) -> Claimed | Moved | AlreadySeen:
        """Plan the next look earlier because of a provider's event, once for each event."""
        ...

    def page(self, query: PaymentQuery) -> PaymentPage: ...

    def events(self, merchant_id: str, transaction_id: str, *, after_seq: int, limit: int) -> EventPage: ...


class DueKind(StrEnum):
    """What can be due."""

    PAYMENT = "payment"
    OPERATION = "operation"
    EVENT = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An item of the due index. `item_id`: the operation's id or the event's number; empty for the payment itself."""

    merchant_id: str
    transaction_id: str
    due_at_ms: int
    kind: DueKind = DueKind.PAYMENT
    item_id: str = ""


class DueItems(Protocol):
    """The sweeper's view of the store."""

    def pages(self, shard: int, until_ms: int) -> Iterable[Sequence[Due]]: ...

    def postpone(self, due: Due, *, due_at_ms: int, drives: int) -> bool:
        """Move the due time and count the drive; False if somebody changed it since."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A wake-up of a payment, or of an operation on it.

    The hints spare the first worker a read; a job without them is decided from a read.
    """

    merchant_id: str
    transaction_id: str
    operation_id: str | None = None
    version: int | None = None
    provider: str | None = None
    account_id: str | None = None
    request_hash: str | None = None
    correlation_id: str | None = None
    """Of the request that it goes back to; filled in by the queue's adapter."""


class Jobs(Protocol):
    """The queue that wakes workers. Losing a message delays a payment, never loses it."""

    def send(self, job: Job, *, delay_seconds: int = 0) -> None:
        """Raises `StorageUnavailableError` when the queue did not take it."""
        ...


# --- configuration -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """A tenant, its accounts in order of preference, and the providers switched off for it or for everyone."""

    merchant_id: str
    name: str
    accounts: tuple[Account, ...]
    disabled: frozenset[str] = frozenset()

    def preferred_accounts(self) -> dict[str, str]:
        """Provider to the id of the account that new payments use there: the first one."""
        return {account.provider: account.account_id for account in reversed(self.accounts)}

    def account(self, provider: str, account_id: str) -> Account | None:
        """The account an attempt was begun with; None if it was removed since."""
        wanted = (provider, account_id)
        return next((a for a in self.accounts if (a.provider, a.account_id) == wanted), None)


class Merchants(Protocol):
    """Merchants and their accounts; answers may be up to a minute old."""

    def get(self, merchant_id: str) -> Merchant | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is stored of a key: never the key itself."""

    merchant_id: str
    revoked: bool
    expires_at_ms: int | None


class ApiKeys(Protocol):
    """Look-up by the key's SHA-256."""

    def find(self, key_hash: str) -> ApiKey | None: ...


class RoutingRules(Protocol):
    """The published routing document; may be up to a minute old."""

    def current(self) -> RoutingDocument: ...


class Concurrency(Protocol):
    """Runs independent tasks side by side, and returns when all have ended."""

    def run(self, tasks: Sequence[Callable[[], None]]) -> None: ...


class Telemetry(Protocol):
    """Log lines and metrics. Neither may ever hold card data, tokens, secrets or personal data."""

    def info(self, message: str, **facts: str | int | bool | None) -> None: ...

    def warn(self, message: str, **facts: str | int | bool | None) -> None: ...

    def about(self, **facts: str | int | bool | None) -> None:
        """Every later line of this request or message says these too."""
        ...

    def count(self, name: Metric, value: int = 1, **dimensions: str) -> None: ...

    def milliseconds(self, name: Metric, value: int, **dimensions: str) -> None: ...

    def seconds(self, name: Metric, value: int, **dimensions: str) -> None: ...
