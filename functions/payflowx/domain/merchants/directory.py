"""What operators' commands about merchants, keys, accounts and switches need from the outside world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.events import Fact
from payflowx.domain.providers.ports import Account
from payflowx.domain.routing.routing import RoutingDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """An entry of the operators' trail: for changes that belong to no payment.

    Never a secret, never personal data.
    """

    action: str
    at_ms: int
    operator_action: OperatorAction
    merchant_id: str | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRecord:
    """What is kept of an API key. `key_id` names it where the key itself must not be said."""

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
    """By id. `next_after` continues the list; None ends it."""

    items: Sequence[MerchantSummary]
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """A provider switched off or on, for one merchant or (None) for everyone."""

    provider: str
    merchant_id: str | None
    disabled: bool
    changed_at_ms: int


class MerchantDirectory(Protocol):
    """Reads consistently, nothing remembered.

    Each change is written with its record, both or none.

    False when a condition did not hold; then nothing was written.
    """

    def create_merchant(self, merchant: Merchant, key: ApiKeyRecord, record: AuditEntry) -> bool: ...

    def merchants(self, *, after: str | None, limit: int) -> MerchantPage: ...

    def merchant(self, merchant_id: str) -> Merchant | None: ...

    def keys(self, merchant_id: str) -> Sequence[ApiKeyRecord]: ...

    def add_key(self, key: ApiKeyRecord, record: AuditEntry, *, replaced: ApiKeyRecord | None = None) -> bool:
        """Store a key; with `replaced`, that other key's new expiry as well."""
        ...

    def change_key(self, key: ApiKeyRecord, record: AuditEntry) -> bool:
        """Store the expiry or revocation of a key that exists."""
        ...

    def put_account(self, merchant_id: str, account: Account, record: AuditEntry) -> bool:
        """Add an account that the merchant does not have."""
        ...

    def set_provider_status(self, switch: ProviderStatus, record: AuditEntry) -> bool: ...

    def provider_statuses(self, merchant_id: str | None) -> Sequence[ProviderStatus]: ...

    def record(self, record: AuditEntry) -> None:
        """An entry for a change that lies outside of this store.

        Written first: a change is never without one.
        """
        ...

    def records(self, month: str, *, limit: int) -> Sequence[AuditEntry]:
        """Of a month (2026-11), newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSecret:
    """A provider account's credentials.

    `webhook_secret` None: the provider signs webhooks with the key secret.
    """

    key_id: str = field(repr=False)
    key_secret: str = field(repr=False)
    webhook_secret: str | None = field(default=None, repr=False)


class AccountSecrets(Protocol):
    """Credentials in the vault.

    Raises `Refusal` (`secret_forbidden`, `secret_missing`, `secret_unreadable`).
    """

    def put(self, name: str, secret: AccountSecret) -> str:
        """Store under a name of ours, over whatever is there; the ARN."""
        ...

    def replace(self, arn: str, secret: AccountSecret, *, keep_previous: bool) -> None:
        """Store over what is there. `keep_previous`: the one of before stays valid for webhooks."""
        ...

    def forget_previous(self, arn: str) -> bool:
        """End a rotation; False if none is open."""
        ...

    def is_rotating(self, arn: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A routing document as it is being served."""

    number: int
    """Of the version in the configuration store, not the document's own."""
    document: bytes
    state: str
    percent: int


class RoutingPublisher(Protocol):
    """Where the routing document is rolled out from.

    Raises `Refusal` (`routing_busy`, `nothing_to_roll_back`).
    """

    def current(self) -> Publication: ...

    def publish(self, document: bytes, description: str) -> Publication: ...

    def roll_back(self, description: str) -> Publication:
        """Stop a roll-out under way, or put the version of before back."""
        ...


class RoutingDecoder(Protocol):
    """From JSON to the domain's words; raises `ConfigurationError` with the fault and its place."""

    def __call__(self, data: bytes) -> RoutingDocument: ...
