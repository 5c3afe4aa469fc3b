"""The operators' audit log: who changed what outside of payments, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from payflowx.domain.merchants.directory import AuditEntry, MerchantDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAuditLog:
    """Reads one month at a time."""

    merchant_directory: MerchantDirectory

    def __call__(self, month: str, *, limit: int) -> Sequence[AuditEntry]:
        """Return the entries, newest first."""
        return self.merchant_directory.records(month, limit=limit)
