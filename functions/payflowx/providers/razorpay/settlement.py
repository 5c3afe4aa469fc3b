"""Reads rows of Razorpay's settlement reconciliation report, with the columns of its combined report. Pure.

The dashboard's report is in rupees. Our key is the receipt of a payment's order, and in the notes of a refund.
"""

import json
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Final

from payflowx.domain.reconciliation.reports import EntryKind, ReportEntry
from payflowx.domain.shared.text import provider_reference
from payflowx.providers import csv_fields
from payflowx.providers.json_fields import as_object, reference
from payflowx.providers.razorpay.requests import KEY_NOTE

_INDIA: Final = timezone(timedelta(hours=5, minutes=30))
_KINDS: Final = {"payment": EntryKind.CHARGE, "refund": EntryKind.REFUND}
_TIME: Final = "%d/%m/%Y %H:%M:%S"


def read(row: Mapping[str, str]) -> ReportEntry | None:
    """Settled rows have moved money. Transfers, adjustments and the settlement itself are skipped."""
    kind = _KINDS.get(row["transaction_entity"])
    if kind is None:
        return None
    is_refund = kind is EntryKind.REFUND
    currency = csv_fields.currency(row["currency"])
    noted = _noted(row.get("refund_notes" if is_refund else "payment_notes", ""))
    return ReportEntry(
        kind=kind,
        reference=reference(row["entity_id"]),
        provider_key=csv_fields.our_key(noted, None if is_refund else row.get("order_receipt")),
        amount=csv_fields.minor_amount(row["amount"], currency),
        currency=currency,
        succeeded=True,
        at_ms=csv_fields.time_ms(row["entity_created_at"], _TIME, _INDIA),
        charge_reference=provider_reference(row.get("payment_id")) if is_refund else None,
    )


def _noted(notes: str) -> str | None:
    try:
        key = as_object(json.loads(notes or "{}")).get(KEY_NOTE)
    except (ValueError, RecursionError):
        return None  # notes of another system
    return key if isinstance(key, str) else None
