"""Reads Cashfree's webhooks about disputes. Pure. The payer's data in them is not read."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from payflowx.domain.payments.dispute import DisputeReport, DisputeState
from payflowx.providers.cashfree.responses import minor_amount
from payflowx.providers.json_fields import as_object, as_text, reference
from payflowx.providers.sanitize import sanitize

_INDIA: Final = timezone(timedelta(hours=5, minutes=30))
"""Some of Cashfree's samples have times without a zone."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_CLOSED: Final = "DISPUTE_CLOSED"

_STATES: Final = {
    "_CREATED": DisputeState.OPEN,
    "_DOCS_RECEIVED": DisputeState.UNDER_REVIEW,
    "_UNDER_REVIEW": DisputeState.UNDER_REVIEW,
    "_MERCHANT_WON": DisputeState.WON,
    "_MERCHANT_LOST": DisputeState.LOST,
    "_MERCHANT_ACCEPTED": DisputeState.LOST,
}
"""By the end of the status, which begins with the kind of dispute. `..._INSUFFICIENT_EVIDENCE` depends on the event."""


def read(kind: str, data: Mapping[str, Any]) -> DisputeReport:
    """Return the report of a dispute. Raises ValueError or KeyError for what it does not understand.

    `kind`: the type of the webhook. A further step against the merchant has an id of its own.
    """
    dispute, order = as_object(data.get("dispute")), as_object(data.get("order_details"))
    currency = dispute.get("dispute_amount_currency") or order.get("payment_currency") or order.get("order_currency")
    amount = minor_amount(dispute.get("dispute_amount"), as_text(currency))
    if amount is None:
        raise ValueError("not an amount of this currency")
    state = _state(kind, as_text(dispute.get("dispute_status")))
    due = dispute.get("respond_by") if state is DisputeState.OPEN else None
    return DisputeReport(
        reference=reference(dispute.get("dispute_id")),
        state=state,
        amount=amount,
        currency=as_text(currency),
        reason=sanitize(dispute.get("reason_description")) or sanitize(str(dispute.get("reason_code") or "")),
        reported_at_ms=_time_ms(dispute.get("updated_at") or dispute.get("created_at")),
        evidence_due_at_ms=_time_ms(due) if due else None,
    )


def _state(kind: str, status: str) -> DisputeState:
    """An unknown word leaves the dispute open, unless the event says that it ended."""
    known = next((state for ending, state in _STATES.items() if status.strip('"').endswith(ending)), None)
    if known is not None:
        return known
    if kind != _CLOSED:
        return DisputeState.OPEN
    return DisputeState.LOST if status.strip('"').endswith("_INSUFFICIENT_EVIDENCE") else DisputeState.CLOSED


def _time_ms(value: Any) -> int:
    at = datetime.fromisoformat(as_text(value))
    return ((at if at.tzinfo else at.replace(tzinfo=_INDIA)) - _EPOCH) // _MILLISECOND
