"""A merchant's webhook endpoints, stored as one record: they are few, and change together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from payflowx.domain.shared.identifiers import ID_CHARS, derive_id
from payflowx.domain.shared.limits import SECRET_OVERLAP_MS

ENDPOINT_PREFIX: Final = "we_"
ENDPOINT_ID_PATTERN: Final = re.compile(rf"{ENDPOINT_PREFIX}[a-z2-7]{{{ID_CHARS}}}")


class EndpointStatus(StrEnum):
    """Whether events are delivered to the endpoint."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class DisabledReason(StrEnum):
    """The reason why an endpoint was disabled."""

    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    """No delivery succeeded for three days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A merchant's webhook address. Empty `event_types` means all; secrets are ciphertext."""

    endpoint_id: str
    url: str
    event_types: tuple[str, ...]
    encrypted_secret: str = field(repr=False)
    created_at_ms: int
    """The time of its registration."""
    updated_at_ms: int
    owed_since_ms: int | None = None
    """The time of an earlier registration of the address whose search for missed events this one goes on with.

    Release 0.2.0 ignores it, and the events that the earlier registration missed are not delivered.
    """
    previous_encrypted_secret: str | None = field(default=None, repr=False)
    previous_until_ms: int = 0
    status: EndpointStatus = EndpointStatus.ENABLED
    disabled_reason: DisabledReason | None = None
    failing_since_ms: int | None = None
    """The first failure since the last successful delivery; None if there is none."""
    slow_since_ms: int | None = None
    """The time of a post that was slow or timed out; None after a prompt answer. Release 0.2.0 ignores and keeps it."""

    @property
    def is_enabled(self) -> bool:
        """Events are delivered to the endpoint."""
        return self.status is EndpointStatus.ENABLED

    @property
    def gets_events_since_ms(self) -> int:
        """The time from which on events are delivered to the endpoint."""
        return self.created_at_ms if self.owed_since_ms is None else self.owed_since_ms

    @property
    def is_slow(self) -> bool:
        """Posts to the endpoint belong to the slow lane, until one is answered promptly there."""
        return self.slow_since_ms is not None

    def wants(self, event_type: str) -> bool:
        """Return whether the endpoint is subscribed to this event type."""
        return not self.event_types or event_type in self.event_types

    def encrypted_secrets(self, now_ms: int) -> Sequence[str]:
        """Return the current secret and, for a day after a rotation, the previous one."""
        previous = self.previous_encrypted_secret if now_ms < self.previous_until_ms else None
        return (self.encrypted_secret,) if previous is None else (self.encrypted_secret, previous)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoints:
    """All endpoints of a merchant. `version` 0: nothing is stored yet."""

    merchant_id: str
    version: int = 0
    endpoints: tuple[Endpoint, ...] = ()

    def find(self, endpoint_id: str) -> Endpoint | None:
        """Return the endpoint with this id; None if there is none."""
        return next((e for e in self.endpoints if e.endpoint_id == endpoint_id), None)

    def with_endpoint(self, endpoint: Endpoint) -> "WebhookEndpoints":
        """Add the endpoint, or replace the one with the same id."""
        if self.find(endpoint.endpoint_id) is None:
            return self._after((*self.endpoints, endpoint))
        return self._after(tuple(endpoint if e.endpoint_id == endpoint.endpoint_id else e for e in self.endpoints))

    def without(self, endpoint_id: str) -> "WebhookEndpoints":
        return self._after(tuple(e for e in self.endpoints if e.endpoint_id != endpoint_id))

    def _after(self, endpoints: tuple[Endpoint, ...]) -> "WebhookEndpoints":
        return replace(self, version=self.version + 1, endpoints=endpoints)


def derive_endpoint_id(merchant_id: str, url: str) -> str:
    """Derive the id from the URL: a second registration would duplicate every delivery."""
    return derive_id(ENDPOINT_PREFIX, merchant_id, url)


def rotated(endpoint: Endpoint, encrypted_secret: str, now_ms: int) -> Endpoint:
    """Set a new secret; the previous one also signs for a day, so that the merchant can change over."""
    return replace(
        endpoint,
        encrypted_secret=encrypted_secret,
        previous_encrypted_secret=endpoint.encrypted_secret,
        previous_until_ms=now_ms + SECRET_OVERLAP_MS,
        updated_at_ms=now_ms,
    )


def disabled(endpoint: Endpoint, reason: DisabledReason, now_ms: int) -> Endpoint:
    """Disable the endpoint; no event is delivered to it any more."""
    return replace(endpoint, status=EndpointStatus.DISABLED, disabled_reason=reason, updated_at_ms=now_ms)
