"""Reads rows of PayU's settlement report: one for each settled capture and refund. Pure.

The row of a refund has PayU's request number and no token of ours: it is matched by the charge that it refunds.
"""

from collections.abc import Mapping
from typing import Final

from payflowx.domain.reconciliation.reports import EntryKind, ReportEntry
from payflowx.providers import csv_fields
from payflowx.providers.json_fields import reference
from payflowx.providers.payu.requests import INDIA
from payflowx.providers.payu.responses import CURRENCY

_KINDS: Final = {"capture": EntryKind.CHARGE, "refund": EntryKind.REFUND}


def read(row: Mapping[str, str]) -> ReportEntry | None:
    """The currency is always INR; a settled row has moved money."""
    kind = _KINDS.get(row["requestaction"].strip().lower())
    if kind is None:
        return None
    is_refund = kind is EntryKind.REFUND
    payu_id = reference(row["payuid"])
    return ReportEntry(
        kind=kind,
        reference=reference(row["requestid"]) if is_refund else payu_id,
        provider_key=None if is_refund else csv_fields.our_key(row["txnid"]),
        amount=csv_fields.minor_amount(row["requestamount"], CURRENCY),
        currency=CURRENCY,
        succeeded=True,
        at_ms=csv_fields.time_ms(row["requestdate" if is_refund else "txndate"], "%Y-%m-%d %H:%M:%S", INDIA),
        charge_reference=payu_id if is_refund else None,
    )
