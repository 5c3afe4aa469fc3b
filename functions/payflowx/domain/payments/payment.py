"""The payment: one amount that a merchant asks for once, and its attempts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.checkout import Checkout
from payflowx.domain.payments.dispute import Dispute
from payflowx.domain.payments.event_inquiries import EventInquiries
from payflowx.domain.payments.hosted import ExtraCharge
from payflowx.domain.payments.order_link import OrderLink, OrderStanding
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.shared.limits import DUE_AFTER_LEASE_MS, LATEST_DUE_AFTER_LEASE_MS
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, Initiator, PaymentStatus

_SEPARATORS: Final = re.compile(r"[\s/:]+")
_MIN_PRIVATE_CHARS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    """A token issued by a provider's vault: one for all providers, or one for each.

    Never a card number.
    """

    type: str
    token: str | None = field(default=None, repr=False)
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    def token_for(self, provider: str) -> str | None:
        """Return the token for this provider; None if there is none, and routing skips the provider."""
        return self.tokens.get(provider, self.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The payer's postal address. `country` is ISO 3166-1 alpha-2."""

    line1: str | None = field(default=None, repr=False)
    line2: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The payer. Personal data: stored on the encrypted payment item only, and erasable."""

    id: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    country: str | None = None
    address: Address | None = field(default=None, repr=False)


FACT_PREFIX: Final = "customer."
CUSTOMER_FACTS: Final = frozenset(
    f"{FACT_PREFIX}{name}" for name in ("id", "name", "email", "phone", "country", "address")
)
"""The facts about a payer that a provider may need, by the names of the request's fields."""


def customer_facts(customer: Customer | None) -> frozenset[str]:
    """Return the names of the facts that are known."""
    return frozenset(name for name in CUSTOMER_FACTS if getattr(customer, name.removeprefix(FACT_PREFIX), None))


def private_values(payer: Customer | None, token: str | None, receipt_email: str | None) -> tuple[str, ...]:
    """Return the values that a provider may repeat in a message and that no message may keep, the longest first.

    The payer's data, and the token with its parts: a provider may repeat the first name alone, or the second half of a
    token that names its customer too.
    """
    payer = payer or Customer()
    address = payer.address
    lines = (address.line1, address.line2, address.city, address.postal_code) if address else ()
    whole = [payer.id, payer.name, payer.email, payer.phone, *lines, token, receipt_email]
    parts = [part for value in (payer.name, token) if value for part in _SEPARATORS.split(value)]
    found = {value for value in (*whole, *parts) if value and len(value) >= _MIN_PRIVATE_CHARS}
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The exclusive, expiring right to work on the payment.

    The epoch only grows: a write by an older holder is refused.
    """

    owner: str = ""
    epoch: int = 0
    expires_at_ms: int = 0

    def is_live(self, now_ms: int) -> bool:
        """A worker may be calling a provider right now."""
        return self.expires_at_ms > now_ms

    def released(self) -> "Lease":
        """Return the lease released for the next worker; the epoch stays."""
        return Lease(epoch=self.epoch)

    def after_change_by_another(self, now_ms: int) -> "Lease":
        """Return the lease after a change by anyone but its holder.

        An expired lease is released under a new epoch, so that its former holder can write nothing beside the change.
        """
        return Lease(epoch=self.epoch + 1) if self.owner and not self.is_live(now_ms) else self


FREE_LEASE: Final = Lease()


def due_times_after(lease: Lease) -> tuple[int, int]:
    """Return the earliest and the latest time at which an item under this lease may be due, in milliseconds."""
    return lease.expires_at_ms + DUE_AFTER_LEASE_MS, lease.expires_at_ms + LATEST_DUE_AFTER_LEASE_MS


NOT_CHARGED: Final = "not_charged"
"""The last error's code of a payment whose review a person closed with evidence that nothing was charged or kept."""
_BESIDE_HOLDER: Final = frozenset({OrderStanding.CONTENDING, OrderStanding.CHARGED_TWICE})
_ORDER_REVIEWS: Final[frozenset[str]] = frozenset({ReviewReason.ORDER_CONTENDED, ReviewReason.ORDER_CHARGED_TWICE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A provider that the route allows, with the merchant's account there."""

    provider: str
    account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The routing decision with its reasons, made once when the payment was accepted."""

    document: str
    rule: str
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """The reason why the last attempt did not succeed: our code and the provider's own."""

    code: str
    message: str
    provider: str | None = None
    provider_code: str | None = None
    attempt: int | None = None


class BalanceSource(StrEnum):
    """The source of `reserved`.

    A release before the balance was stored leaves `balanceVersion` behind `version`; then the stored `reserved` is old.
    """

    STORED = "stored"
    DERIVED = "derived"
    """Computed from the operations; the next write stores it."""
    OUTDATED = "outdated"
    """Not computed yet: no amount may change."""


class Layout(IntEnum):
    """The form in which a payment's item is stored, from its acceptance on. The number is its `schemaVersion`."""

    FULL = 1
    """Every release reads it."""
    COMPACT = 2
    """Below one kilobyte, and without a row of its own for the idempotency key. Release 0.2.0 cannot read it."""


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
    content_fingerprint: str | None = None
    """None on a payment of release 0.2.0."""
    statement_descriptor_suffix: str | None = None
    receipt_email: str | None = field(default=None, repr=False)
    """The address to which the provider sends its receipt. Personal, as the customer is."""
    initiator: Initiator = Initiator.CUSTOMER
    save_payment_method: bool = False
    """The provider is asked to keep the payment method for later charges by the merchant."""
    status: PaymentStatus = PaymentStatus.PENDING
    version: int = 1
    lease: Lease = FREE_LEASE
    attempts: tuple[Attempt, ...] = ()
    charged_attempt: int | None = None
    capturable: int = 0
    """The amount that is held at the provider and not reserved for a capture or void."""
    captured: int = 0
    refundable: int = 0
    """The amount that was taken and is neither refunded nor reserved for a refund."""
    refunded: int = 0
    reserved: int = 0
    """The amount that is reserved for open refunds."""
    excess: int = 0
    """The amount by which `refunded` and `reserved` exceed `captured`.

    It shrinks before anything becomes refundable.
    """
    balance_source: BalanceSource = BalanceSource.STORED
    open_capture_or_void: str | None = None
    """The id of the open capture or void. At most one is open; it decides the charge's state."""
    event_seq: int = 0
    event_hash: str = ""
    announced: int = 0
    """Number of merchant events of this payment."""
    last_error: LastError | None = None
    not_sent_since_ms: int | None = None
    """The time of the first of the latest sends that provably did not leave; None after any other result.

    Release 0.2.0 neither writes nor reads it.
    """
    ready_at_ms: int = 0
    """No worker takes the next step before this time, whatever wakes it."""
    due_at_ms: int | None = None
    """The time at which the sweeper wakes a worker; None when no work is left."""
    drives: int = 0
    """Number of wake-ups by the sweeper without progress."""
    cancel_requested: bool = False
    erased: bool = False
    searched_at_ms: int | None = None
    """The time of the search for keys that a restore had forgotten. Release 0.2.0 neither writes nor reads it."""
    review_since_ms: int | None = None
    """The time at which the open review began; None without one."""
    disputes: tuple[Dispute, ...] = ()
    """The disputes of its charge, in the order of their first reports. Release 0.2.0 neither writes nor reads them."""
    event_inquiries: EventInquiries | None = None
    """The inquiries that provider events caused lately, and those that wait."""
    checkout: Checkout | None = None
    """None for a payment with a token. Release 0.2.0 neither writes nor reads it."""
    extra_charges: tuple[ExtraCharge, ...] = ()
    """Charges inside its hosted objects beside its own. No amount of the payment has them."""
    payer_paid: int | None = None
    """What the payer paid, where a declared fee or an offer of the provider makes it differ from the amount."""
    order: OrderLink | None = None
    """The merchant's order that it pays; None if the request named none."""
    layout: Layout = Layout.FULL
    holds_first_event: bool = False
    """The first event of the audit log has no item of its own yet. The write of the second event stores both."""

    @property
    def is_charged_beside_holder(self) -> bool:
        """In review only because it was charged although another payment holds its order."""
        beside = self.order is not None and self.order.standing in _BESIDE_HOLDER
        reason = self.last_error.code if self.last_error else None
        return beside and self.status is PaymentStatus.IN_REVIEW and reason in _ORDER_REVIEWS

    @property
    def is_beside_holder(self) -> bool:
        """Charged, or perhaps charged, although another payment holds its order."""
        return self.order is not None and self.order.standing in _BESIDE_HOLDER

    @property
    def is_order_charged_twice(self) -> bool:
        """In review only because the payment that holds its order was charged as well."""
        decided = self.order is not None and self.order.standing is OrderStanding.CHARGED_TWICE
        return decided and self.is_charged_beside_holder

    @property
    def owed_charges(self) -> tuple[ExtraCharge, ...]:
        """The further charges whose refunds are not recorded, in the order in which they were found."""
        return tuple(charge for charge in self.extra_charges if charge.is_owed)

    @property
    def is_balance_derived(self) -> bool:
        """`reserved` was computed and is not stored yet."""
        return self.balance_source is BalanceSource.DERIVED

    @property
    def retry_count(self) -> int:
        """Number of attempts after the first."""
        return max(0, len(self.attempts) - 1)

    @property
    def last_attempt(self) -> Attempt | None:
        """The attempt that was claimed last, the only one that can be open.

        It is not the newest one after an earlier attempt was opened again.
        """
        return max(self.attempts, key=lambda attempt: (attempt.epoch, attempt.number), default=None)

    @property
    def unresolved_attempt(self) -> Attempt | None:
        """The open attempt, else a closed one that the provider may still turn into a charge."""
        is_open = next((attempt for attempt in self.attempts if attempt.is_open), None)
        return is_open or next((attempt for attempt in self.attempts if attempt.is_watched), None)

    @property
    def is_closed_as_uncharged(self) -> bool:
        """A person closed its review: nothing was charged, or all of it was returned at the provider.

        Its attempts keep their records: one may have succeeded, or taken something else than was requested.
        """
        return (
            self.status is PaymentStatus.FAILED and self.last_error is not None and self.last_error.code == NOT_CHARGED
        )

    @property
    def awaits_verdict(self) -> bool:
        """In review because of an attempt that took something else than was requested: only a person ends that."""
        mismatched = any(attempt.state is AttemptState.MISMATCH for attempt in self.attempts)
        return self.status is PaymentStatus.IN_REVIEW and mismatched

    @property
    def is_checkout_to_go_on(self) -> bool:
        """A checkout whose next step needs no payer: a choice that no attempt has used, or a cancellation."""
        if self.checkout is None or self.status is not PaymentStatus.REQUIRES_ACTION:
            return False
        return self.cancel_requested or self.checkout.choice_for(len(self.attempts) + 1) is not None

    def attempt(self, number: int) -> Attempt:
        """The attempt with this number, counted from 1."""
        return self.attempts[number - 1]
