"""The audit log of a payment: append-only, numbered without a gap, chained by hashes."""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from payflowx.domain.payments.event_types import PAYMENT_RESTORED
from payflowx.domain.shared.statuses import PaymentStatus

GENESIS_HASH: Final = "0" * 64
_FORMAT: Final = 1
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)

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
        return hashlib.sha256(_CANONICAL.encode(content).encode()).hexdigest()


@dataclass(slots=True, kw_only=True)
class AuditLogCheck:
    """Checks an audit log event by event, in their order, and holds none of them.

    `faults`: the first `max_faults`, in the order of the log.
    """

    max_faults: int
    events: int = 0
    last_seq: int = 0
    last_hash: str = GENESIS_HASH
    last_status: PaymentStatus | None = None
    faults: list[str] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Compare an event with its own hash and with the event before."""
        self.faults += self._faults_of(event)[: self.max_faults - len(self.faults)]
        self.events += 1
        self.last_seq, self.last_hash, self.last_status = event.seq, event.hash, event.status_to

    def _is_restored(self, event: Event) -> bool:
        """The event leaves out the numbers that were used in a time which a restore has forgotten, and says so."""
        is_gap = event.seq > self.last_seq and event.facts.get("afterSeq") == self.last_seq
        return event.type == PAYMENT_RESTORED and is_gap

    def _faults_of(self, event: Event) -> list[str]:
        found = []
        if event.seq != self.last_seq + 1 and not self._is_restored(event):
            found.append(f"event {self.last_seq + 1} is missing")
        if event.previous_hash != self.last_hash:
            found.append(f"event {event.seq} does not follow the previous event")
        if event.hash != event.compute_hash():
            found.append(f"event {event.seq} was altered")
        if event.status_from != self.last_status:
            found.append(f"event {event.seq} starts from a different status than the previous event ended with")
        return found


def chain_faults(events: Iterable[Event]) -> list[str]:
    """Return the faults of an audit log in order of sequence; an empty list when it is intact."""
    check = AuditLogCheck(max_faults=sys.maxsize)
    for event in events:
        check.add(event)
    return check.faults
