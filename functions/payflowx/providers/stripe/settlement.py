"""Reads rows of Stripe's itemized reports ("balance change from activity", "payout reconciliation"). Pure.

The report must be made with the columns `payment_metadata[...]` and `refund_metadata[...]` of our key; without them
a charge is still found by its intent. Amount and currency of the payer are separate columns beside the settled
ones.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Final

from payflowx.domain.reconciliation.reports import EntryKind, ReportEntry
from payflowx.domain.shared.text import provider_reference
from payflowx.providers import csv_fields
from payflowx.providers.json_fields import reference
from payflowx.providers.stripe.fields import KEY_FIELD

_KINDS: Final = {
    "charge": (EntryKind.CHARGE, True),
    "charge_failure": (EntryKind.CHARGE, False),
    "refund": (EntryKind.REFUND, True),
    "refund_failure": (EntryKind.REFUND, False),
}
"""Kind and success by `reporting_category`. All other categories are fees, payouts, disputes and adjustments."""


def read(row: Mapping[str, str]) -> ReportEntry | None:
    """A charge is identified by its intent, a refund by its own id."""
    found = _KINDS.get(row["reporting_category"])
    if found is None:
        return None
    kind, succeeded = found
    amount_cell, currency_cell = _sum_of(row)
    currency = csv_fields.currency(currency_cell)
    is_refund = kind is EntryKind.REFUND
    intent = row["payment_intent_id"]
    return ReportEntry(
        kind=kind,
        reference=reference(row["source_id"] if is_refund else intent or row["source_id"]),
        provider_key=csv_fields.our_key(row.get(f"{'refund' if is_refund else 'payment'}_metadata[{KEY_FIELD}]")),
        amount=csv_fields.minor_amount(amount_cell, currency),
        currency=currency,
        succeeded=succeeded,
        at_ms=csv_fields.time_ms(row["created_utc"], "%Y-%m-%d %H:%M:%S", UTC),
        charge_reference=provider_reference(intent) if is_refund else None,
    )


def _sum_of(row: Mapping[str, str]) -> tuple[str, str]:
    """The payer's amount and currency, or the settled ones where the file has neither. Raises ValueError for a mix."""
    amount, currency = (row.get(f"customer_facing_{name}", "").strip() for name in ("amount", "currency"))
    if bool(amount) != bool(currency):
        raise ValueError("the row has one of two columns that belong together")
    return (amount, currency) if amount else (row["gross"], row["currency"])
