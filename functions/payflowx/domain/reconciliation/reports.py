"""A provider's own list of what it did, for reconciliation."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class EntryKind(StrEnum):
    """A line of a statement."""

    CHARGE = "charge"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """Which part of the list: milliseconds since 1970, from inclusive, until exclusive; `cursor` of the page before."""

    from_ms: int
    until_ms: int
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEntry:
    """One charge or refund as the provider has it. `succeeded`: money moved.

    `provider_key`: ours, where it is told.
    """

    kind: EntryKind
    reference: str
    provider_key: str | None
    amount: int
    currency: str
    succeeded: bool
    at_ms: int
    charge_reference: str | None = None
    """Of a refund: the provider's id of the charge that is given back, where it is told."""
    line: str | None = None
    """Where a file has it: a list of objects names each once, a file may name one twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAnswer:
    """A page; `next_cursor` None ends the list."""

    entries: Sequence[ReportEntry]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTooLong:
    """More than an answer may hold: ask for a shorter span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUnavailable:
    """It could not be read, or not be understood as a whole: a list with holes reconciles nothing."""

    code: str


ReportResult = ReportAnswer | ReportTooLong | ReportUnavailable
