"""The audit log of a payment: append-only, numbered without a gap, chained by hashes."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from payflowx.domain.shared.statuses import PaymentStatus

GENESIS_HASH: Final = "0" * 64
_FORMAT: Final = 1

Fact = str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry: what happened, who did it, and what changed.

    It holds no token, no personal data and no free text of a provider.
    """

    merchant_id: str
    transaction_id: str
    seq: int
    type: str
    status_from: PaymentStatus | None
    status_to: PaymentStatus
    actor: str
    at_ms: int
    facts: Mapping[str, Fact]
    previous_hash: str
    hash: str = ""

    def compute_hash(self) -> str:
        """Return the SHA-256 over the canonical JSON of every field but the hash itself."""
        content = {name: getattr(self, name) for name in self.__slots__}
        content |= {"hash": "", "format": _FORMAT, "facts": dict(self.facts)}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def chain_faults(events: Iterable[Event]) -> list[str]:
    """Return the faults of an audit log in order of sequence; an empty list when it is intact."""
    faults: list[str] = []
    previous_hash, status, expected = GENESIS_HASH, None, 1
    for event in events:
        if event.seq != expected:
            faults.append(f"event {expected} is missing")
        if event.previous_hash != previous_hash:
            faults.append(f"event {event.seq} does not follow the previous event")
        if event.hash != event.compute_hash():
            faults.append(f"event {event.seq} was altered")
        if event.status_from != status:
            faults.append(f"event {event.seq} starts from a different status than the previous event ended with")
        previous_hash, status, expected = event.hash, event.status_to, event.seq + 1
    return faults
