"""The operators' trail: who changed what besides payments, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from payflowx.domain.merchants.directory import Administration, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRecords:
    """A month at a time."""

    administration: Administration

    def __call__(self, month: str, *, limit: int) -> Sequence[Record]:
        """Newest first."""
        return self.administration.records(month, limit=limit)
