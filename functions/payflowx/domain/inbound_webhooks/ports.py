"""What webhooks of providers need from the outside world."""

from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.providers.ports import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAccount:
    """Whose webhooks arrive at an address."""

    merchant_id: str
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """An authentic webhook, reduced to what it is about.

    The message that carries it holds nothing else of it.
    """

    merchant_id: str
    provider: str
    account_id: str
    received_at_ms: int
    provider_event: ProviderEvent
    tries: int = 0
    """How often it was put back because it came too early: before our own write, or while a worker was busy."""
    correlation_id: str | None = None
    """Of the webhook's request; filled in by the queue's adapter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceOwner:
    """What a provider's reference stands for: an attempt of a payment, or an operation on it."""

    merchant_id: str
    transaction_id: str
    attempt: int
    operation_id: str | None = None


class WebhookAccounts(Protocol):
    """Accounts by the secret part of their webhook address; answers may be a minute old."""

    def find(self, provider: str, token: str) -> WebhookAccount | None: ...


class ProviderEventQueue(Protocol):
    """The queue between receiving and applying.

    Raises `StorageUnavailableError`: then the provider must repeat.
    """

    def send(self, inbound: ReceivedEvent, *, delay_seconds: int = 0) -> None: ...


class References(Protocol):
    """Providers' ids with their one owner each."""

    def find(self, provider: str, account_id: str, reference: str) -> ReferenceOwner | None: ...
