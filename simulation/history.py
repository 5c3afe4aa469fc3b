"""What happened, as it can be seen from outside: requests and answers, writes, messages, what providers were sent."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from testing.dynamodb.tables import Key
from testing.dynamodb.values import Item


@dataclass(slots=True)
class Call:
    """A client's request and what came back; `status` 0 when no answer came."""

    at_ms: int
    merchant: str
    method: str
    path: str
    key: str | None
    body: str | None
    status: int = 0
    answer: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """A change of an item, and the process that made it."""

    at_ms: int
    table: str
    key: Key
    before: Item | None
    after: Item | None
    process: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that a provider got. `stored`: its key lay in the database when it arrived; None: it names no key."""

    at_ms: int
    connector: str
    method: str
    path: str
    provider_key: str | None
    stored: bool | None
    process: int


@dataclass(slots=True)
class History:
    """Everything of one run. `steps` tells the story; its hash tells whether two runs were the same."""

    calls: list[Call] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    steps: list[tuple[int, str, str, str]] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    sometimes: Counter[str] = field(default_factory=Counter)

    def hash(self) -> str:
        """The same for the same seed, on any machine."""
        return hashlib.sha256(repr(self.steps).encode()).hexdigest()[:16]
