"""Ports of inbound webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.providers.ports import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAccount:
    """The merchant's account that a webhook URL belongs to."""

    merchant_id: str
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """An authentic webhook, reduced to its ids and outcome.

    Its queue message holds nothing else.
    """

    merchant_id: str
    provider: str
    account_id: str
    received_at_ms: int
    provider_event: ProviderEvent
    tries: int = 0
    """Number of times it was put back: it came before our own write, or while a worker was busy."""
    correlation_id: str | None = None
    """The correlation id of the webhook's request; set by the queue's adapter."""
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Fields of a newer release's message: not read, and put back with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceOwner:
    """The owner of a provider's reference: an attempt of a payment, or an operation on it."""

    merchant_id: str
    transaction_id: str
    attempt: int
    operation_id: str | None = None


class WebhookAccounts(Protocol):
    """Accounts by the token of their webhook URL; up to a minute old."""

    def find(self, provider: str, token: str) -> WebhookAccount | None: ...


class ProviderEventQueue(Protocol):
    """The queue between receiving and applying webhooks.

    Raises `StorageUnavailableError`: then the provider must repeat the webhook.
    """

    def send(self, inbound: ReceivedEvent, *, delay_seconds: int = 0) -> None: ...


class References(Protocol):
    """Providers' references, each with its one owner."""

    def find(self, merchant_id: str, provider: str, account_id: str, reference: str) -> ReferenceOwner | None:
        """Return the owner among this merchant's attempts; where there is none, another merchant's."""
        ...
