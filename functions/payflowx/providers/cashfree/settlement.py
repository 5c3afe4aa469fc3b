"""Reads rows of Cashfree's settlement reconciliation report: one column for each member of its API. Pure."""

from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Final

from payflowx.domain.reconciliation.reports import EntryKind, ReportEntry
from payflowx.domain.shared.text import provider_reference
from payflowx.providers import csv_fields
from payflowx.providers.json_fields import reference

_INDIA: Final = timezone(timedelta(hours=5, minutes=30))
_KINDS: Final = {
    "PAYMENT": (EntryKind.CHARGE, True),
    "REFUND": (EntryKind.REFUND, True),
    "REFUND_REVERSAL": (EntryKind.REFUND, False),
}


def read(row: Mapping[str, str]) -> ReportEntry | None:
    """Settled rows have moved money, except a reversal, which returned a refund. Other events are skipped."""
    found = _KINDS.get(row["event_type"])
    if found is None:
        return None
    kind, moved = found
    is_refund = kind is EntryKind.REFUND
    currency = csv_fields.currency(row["event_currency"])
    return ReportEntry(
        kind=kind,
        reference=reference(row["event_id"] if is_refund else row["cf_payment_id"]),
        provider_key=csv_fields.our_key(row["refund_id"] if is_refund else row["order_id"]),
        amount=csv_fields.minor_amount(row["event_amount"], currency),
        currency=currency,
        succeeded=moved and row["event_status"] == "SUCCESS",
        at_ms=csv_fields.time_ms(row["event_time"], "%Y-%m-%d %H:%M:%S", _INDIA),
        charge_reference=provider_reference(row["cf_payment_id"]) if is_refund else None,
    )
