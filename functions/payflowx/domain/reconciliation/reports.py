"""A provider's report: its report of charges and refunds."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class EntryKind(StrEnum):
    """The kind of a report entry."""

    CHARGE = "charge"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """One page of the report.

    Milliseconds since 1970, from inclusive, until exclusive; `cursor` comes from the page before.
    """

    from_ms: int
    until_ms: int
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEntry:
    """One charge or refund as the provider lists it.

    `succeeded`: money moved. `provider_key`: our key, where the provider reports it.
    """

    kind: EntryKind
    reference: str
    provider_key: str | None
    amount: int
    currency: str
    succeeded: bool
    at_ms: int
    charge_reference: str | None = None
    """For a refund: the provider's id of the refunded charge, where the provider reports it."""
    line: str | None = None
    """The line in a settlement file: an API lists each object once, a file may name one twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAnswer:
    """A page of entries; `next_cursor` None ends the report."""

    entries: Sequence[ReportEntry]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTooLong:
    """More entries than an answer may hold: request a shorter time range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUnavailable:
    """The report could not be read, or not parsed as a whole: an incomplete list proves nothing.

    `where`: the place in a file in words, such as `line 3, column amount`; it holds nothing of a cell.
    """

    code: str
    where: str | None = None

    @property
    def problem(self) -> str:
        return f"{self.code}: {self.where}" if self.where else self.code


ReportResult = ReportAnswer | ReportTooLong | ReportUnavailable
