"""The payment: what a merchant wants paid once, and all that was done about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.shared.statuses import CaptureMode, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    """A token that some provider's vault issued: one for all, or one a provider. Never a card number."""

    type: str
    token: str | None = field(default=None, repr=False)
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    def token_for(self, provider: str) -> str | None:
        """The token this provider understands, or None: then routing passes it over."""
        return self.tokens.get(provider, self.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who pays. Personal data: lives on the encrypted payment item only and can be erased."""

    id: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who works on the payment. The epoch only grows: what an older holder would write is refused."""

    owner: str = ""
    epoch: int = 0
    expires_at_ms: int = 0

    def is_live(self, now_ms: int) -> bool:
        """Whether somebody may be talking to a provider right now."""
        return self.expires_at_ms > now_ms

    def released(self) -> "Lease":
        """Free for the next worker; the epoch stays."""
        return Lease(epoch=self.epoch)


FREE_LEASE: Final = Lease()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A provider that the route allows, with the merchant's account there."""

    provider: str
    account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The routing decision, made once when the payment was accepted, and its reasons."""

    document: str
    rule: str
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """Why the last attempt did not succeed: our class of failure and the provider's own code beside it."""

    code: str
    message: str
    provider: str | None = None
    provider_code: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The aggregate. Every stored change raises `version` by one."""

    merchant_id: str
    transaction_id: str
    fingerprint: str
    amount: int
    currency: str
    capture: CaptureMode
    payment_method: PaymentMethod
    customer: Customer | None
    description: str | None
    metadata: Mapping[str, str]
    return_url: str | None
    route: Route
    created_at_ms: int
    updated_at_ms: int
    charge_deadline_ms: int
    status: PaymentStatus = PaymentStatus.PENDING
    version: int = 1
    lease: Lease = FREE_LEASE
    attempts: tuple[Attempt, ...] = ()
    charged_attempt: int | None = None
    capturable: int = 0
    """What is held at the provider and not reserved for a capture or void."""
    captured: int = 0
    refundable: int = 0
    """What was taken and is neither refunded nor reserved for a refund."""
    refunded: int = 0
    open_capture_or_void: str | None = None
    """The capture or void that is on its way: there is one at a time, and it decides what becomes of the charge."""
    event_seq: int = 0
    event_hash: str = ""
    announced: int = 0
    """How many of its events merchants are told of."""
    last_error: LastError | None = None
    ready_at_ms: int = 0
    """Not before this time is the next step to be taken, whoever wakes the worker."""
    due_at_ms: int | None = None
    """When the sweeper wakes a worker if nobody else did; None when nothing is left to do."""
    drives: int = 0
    """Wake-ups by the sweeper that brought no news."""
    cancel_requested: bool = False
    erased: bool = False

    @property
    def retry_count(self) -> int:
        """Attempts after the first."""
        return max(0, len(self.attempts) - 1)

    @property
    def last_attempt(self) -> Attempt | None:
        """The newest attempt, the only one that can be open."""
        return self.attempts[-1] if self.attempts else None

    def attempt(self, number: int) -> Attempt:
        """The attempt with this number, counted from 1."""
        return self.attempts[number - 1]
