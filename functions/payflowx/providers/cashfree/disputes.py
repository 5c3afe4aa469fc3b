"""Reads the dispute of a webhook. Pure.

Source: https://www.cashfree.com/docs/api-reference/payments/latest/disputes/dispute-webhooks. A status is a kind and an
ending, such as `CHARGEBACK_MERCHANT_WON`; the ending tells the state.
"""

from datetime import datetime, timedelta, timezone
from typing import Any, Final

from payflowx.domain.payments.dispute import DisputeReport, DisputeState, deadline_ms
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.providers.cashfree.responses import minor_amount
from payflowx.providers.json_fields import as_text, reference

_INDIA: Final = timezone(timedelta(hours=5, minutes=30))
_ENDINGS: Final = (
    ("_MERCHANT_WON", DisputeState.WON),
    ("_MERCHANT_LOST", DisputeState.LOST),
    ("_MERCHANT_ACCEPTED", DisputeState.LOST),
    ("_INSUFFICIENT_EVIDENCE", DisputeState.LOST),
    ("_UNDER_REVIEW", DisputeState.UNDER_REVIEW),
    ("_DOCS_RECEIVED", DisputeState.UNDER_REVIEW),
    ("_CREATED", DisputeState.OPEN),
)


def report_of(dispute: dict[str, Any], order: dict[str, Any]) -> DisputeReport | None:
    """Return the report; None for a word or form that is not known. `order`: the `order_details` beside it."""
    status = str(dispute.get("dispute_status")).strip('"')
    state = next((state for ending, state in _ENDINGS if status.endswith(ending)), None)
    if state is None:
        return None
    try:
        currency = as_text(
            dispute.get("dispute_amount_currency") or order.get("payment_currency") or order.get("order_currency")
        )
        amount = minor_amount(dispute.get("dispute_amount"), currency)
        reported_at_ms = _time(dispute.get("updated_at") or dispute.get("created_at"))
        if amount is None or reported_at_ms is None:
            return None
        due_at_ms = _time(dispute.get("respond_by"))
        return DisputeReport(
            reference=reference(dispute.get("dispute_id")),
            state=state,
            amount=amount,
            currency=currency,
            reason=provider_code(provider_reference(dispute.get("reason_code"))),  # as a text or a number
            reported_at_ms=reported_at_ms,
            evidence_due_at_ms=deadline_ms(due_at_ms) if due_at_ms is not None else None,
        )
    except ValueError:
        return None


def _time(text: Any) -> int | None:
    """ISO 8601; without an offset, as in the contract's example, the time is India's."""
    if text is None:
        return None
    at = datetime.fromisoformat(as_text(text))
    return int((at if at.tzinfo else at.replace(tzinfo=_INDIA)).timestamp() * SECOND_MS)
