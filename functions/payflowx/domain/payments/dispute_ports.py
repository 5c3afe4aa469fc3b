"""Storage port of the list of open disputes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDispute:
    """A dispute that awaits evidence. `reference`: the provider's id of it."""

    merchant_id: str
    transaction_id: str
    provider: str
    reference: str
    evidence_due_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputePage:
    """A page, the earliest deadline first. `next_position` continues the list; None ends it."""

    items: Sequence[OpenDispute]
    next_position: str | None


class OpenDisputes(Protocol):
    """The disputes that await evidence. The list follows the stored payments with a delay of about a second."""

    def page(
        self, merchant_id: str, *, limit: int, position: str | None, from_ms: int, until_ms: int | None = None
    ) -> DisputePage:
        """Return those whose deadline is at `from_ms` or later, and before `until_ms`.

        A dispute that ended without a webhook leaves the list with its deadline: entries of the past are not read.
        """
        ...
