"""Ports of operators' commands on merchants, keys, accounts and provider statuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from payflowx.domain.merchants.checkout_profile import CheckoutProfile
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.merchants.ports import NO_LIMITS, ApprovalLimits, Merchant
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.providers.ports import Account
from payflowx.domain.routing.routing import RoutingDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """An audit entry of an operator's change outside of payments. No secrets, no personal data."""

    action: str
    at_ms: int
    operator_action: OperatorAction
    merchant_id: str | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRecord:
    """The stored record of an API key. `key_id` names it without revealing the key."""

    key_id: str
    merchant_id: str
    key_hash: str = field(repr=False)
    created_at_ms: int
    expires_at_ms: int | None = None
    revoked_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantSummary:
    """A merchant in a list."""

    merchant_id: str
    name: str
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantPage:
    """A page of merchants by id. `next_after` continues the list; None ends it."""

    items: Sequence[MerchantSummary]
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """A provider enabled or disabled, for one merchant or (None) for all."""

    provider: str
    merchant_id: str | None
    disabled: bool
    changed_at_ms: int


class AuditLog(Protocol):
    """The operators' audit log. Entries cannot be altered."""

    def record(self, record: AuditEntry) -> None:
        """Store the audit entry of a change outside of this store, before that change is made."""
        ...

    def records(self, month: str, *, limit: int) -> Sequence[AuditEntry]:
        """Return the entries of a month (2026-11), newest first."""
        ...


class MerchantDirectory(AuditLog, Protocol):
    """The store of merchants, read consistently and without a cache.

    Each change is written with its audit entry, both or none. Methods return False when a condition did not hold; then
    nothing was written.
    """

    def create_merchant(
        self, merchant: Merchant, key: ApiKeyRecord, record: AuditEntry, *, claims: Sequence[str] = ()
    ) -> bool:
        """Store a merchant that owns the accounts with the identities `claims`, unless another merchant owns one."""
        ...

    def merchants(self, *, after: str | None, limit: int) -> MerchantPage: ...

    def merchant(self, merchant_id: str) -> Merchant | None: ...

    def reviews_indexed(self, merchant_id: str) -> bool | None:
        """Return whether the index of reviews is known to hold all of a merchant's; None without the merchant."""
        ...

    def mark_reviews_indexed(self, merchant_id: str, record: AuditEntry) -> bool: ...

    def set_checkout(self, merchant_id: str, profile: CheckoutProfile, record: AuditEntry) -> bool: ...
    def set_automatic_refund(self, merchant_id: str, record: AuditEntry, *, enabled: bool) -> bool:
        """Set the switch of an existing merchant."""
        ...

    def set_approval_limits(
        self, merchant_id: str, limits: ApprovalLimits, record: AuditEntry, *, before: ApprovalLimits
    ) -> bool:
        """Store limits in place of `before`. A proposal that the record's action approves is done by the same write."""
        ...

    def keys(self, merchant_id: str) -> Sequence[ApiKeyRecord]: ...

    def add_key(
        self, key: ApiKeyRecord, record: AuditEntry, *, number: int, replaced: ApiKeyRecord | None = None
    ) -> bool:
        """Store the key with this number, one more than were read, unless another writer added one meanwhile.

        With `replaced`, also store the other key's expiry, unless that is earlier already.
        """
        ...

    def change_key(self, key: ApiKeyRecord, record: AuditEntry) -> bool:
        """Store the expiry or revocation of an existing key."""
        ...

    def account_owner(self, identity: str) -> str | None: ...

    def claim_account(self, merchant_id: str, identity: str) -> str:
        """Give an unclaimed account at a provider to a merchant; return the merchant that owns it."""
        ...

    def put_account(self, merchant_id: str, account: Account, record: AuditEntry, *, number: int) -> bool:
        """Add the account with this number, one more than were read, unless another writer added one meanwhile."""
        ...

    def set_provider_status(self, switch: ProviderStatus, record: AuditEntry) -> bool: ...

    def provider_statuses(self, merchant_id: str | None) -> Sequence[ProviderStatus]: ...

    def restore_window(self) -> RestoreWindow | None:
        """Return what the last restore has forgotten; None if there was none."""
        ...

    def set_restore_window(self, window: RestoreWindow, record: AuditEntry) -> bool:
        """Store it in the place of an earlier one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSecret:
    """A provider account's credentials.

    `webhook_secret` None: the provider signs webhooks with the key secret.
    """

    key_id: str = field(repr=False)
    key_secret: str = field(repr=False)
    webhook_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretVersion:
    """The facts of a secret's current version. `is_rotating`: it also holds the credentials of before."""

    written_at_ms: int
    is_rotating: bool


ROTATION_OPEN: Final = "A rotation of this account is open already. Finish it first with --finish."


class AccountSecrets(Protocol):
    """The credentials in the secret store.

    Raises `Refusal` (`secret_forbidden`, `secret_missing`, `secret_unreadable`).
    """

    def put(self, name: str, secret: AccountSecret) -> str:
        """Store a secret under our name, replacing any other; return its ARN."""
        ...

    def replace(self, arn: str, secret: AccountSecret, *, keep_previous: bool) -> None:
        """Replace a secret. `keep_previous`: the old one stays valid for webhooks.

        Raises `Refusal` (`rotation_open`) where it would have to take the place of one that is valid for them already.
        """
        ...

    def holds(self, arn: str, secret: AccountSecret) -> bool:
        """Return whether these are the current credentials; a webhook secret that is not named is not compared."""
        ...

    def forget_previous(self, arn: str) -> bool:
        """End a rotation; False if none is open."""
        ...

    def version(self, arn: str) -> SecretVersion: ...

    def key_id(self, arn: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A published routing document and its roll-out state."""

    number: int
    """The configuration store's version number, not the document's own."""
    document: bytes
    state: str
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingVersions:
    """The version that is served, wholly or in part, and the one that a roll-back serves instead."""

    served: int
    before: int


class RoutingPublisher(Protocol):
    """Publishes routing documents. Raises `Refusal` (`routing_busy`, `nothing_to_roll_back`)."""

    def current(self) -> Publication: ...

    def published(self, document: bytes) -> Publication | None:
        """Return the roll-out that serves this very document; None if it may be published."""
        ...

    def publish(self, document: bytes, description: str) -> Publication: ...

    def versions_to_roll_back(self, to: int | None) -> RoutingVersions:
        """Return what `roll_back` would do, to this version, or to the one before the last roll-out. Writes nothing."""
        ...

    def roll_back(self, to: int, description: str) -> Publication:
        """Serve this version again: by stopping the last roll-out, where it came before that one."""
        ...


class RoutingDecoder(Protocol):
    """Decodes JSON into a routing document.

    Raises `ConfigurationError` with the fault and its place.
    """

    def __call__(self, data: bytes) -> RoutingDocument: ...


def limits_of(merchant_directory: MerchantDirectory, merchant_id: str) -> ApprovalLimits:
    """Return the merchant's limits as stored now."""
    merchant = merchant_directory.merchant(merchant_id)
    return merchant.approval_limits if merchant is not None else NO_LIMITS
