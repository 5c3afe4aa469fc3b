"""The words in which generated operations talk to the sender."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

JsonBody = Mapping[str, object]
QueryValue = str | int | datetime | None


class Repeat(StrEnum):
    """Whether a request whose answer was lost may be sent again."""

    SAFE = "safe"
    WITH_KEY = "with_key"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A row of the table of operations."""

    id: str
    method: str
    path: str
    repeat: Repeat
    authenticated: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One request. A body of bytes is sent as it is."""

    operation: Operation
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, QueryValue] = field(default_factory=dict)
    body: JsonBody | bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = None


Send = Callable[[Call], object]
"""Returns the parsed answer, None for an answer without a body. Raises `PayFlowXError`."""
