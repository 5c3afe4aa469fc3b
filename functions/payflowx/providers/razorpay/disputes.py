"""Reads the dispute of a webhook. Pure. Source: https://razorpay.com/docs/api/disputes/entity/."""

from typing import Any, Final

from payflowx.domain.payments.dispute import DisputeReport, DisputeState, deadline_ms
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.text import provider_code
from payflowx.providers.json_fields import as_int, as_text, reference

_STATES: Final = {
    "open": DisputeState.OPEN,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
    "closed": DisputeState.CLOSED,
}


def report_of(dispute: dict[str, Any], event_at: Any) -> DisputeReport | None:
    """Return the report; None for a word or form that is not known. `event_at`: the event's time in seconds."""
    state = _STATES.get(str(dispute.get("status")))
    if state is None:
        return None
    try:
        due_at = dispute.get("respond_by")
        return DisputeReport(
            reference=reference(dispute.get("id")),
            state=state,
            amount=as_int(dispute.get("amount")),
            currency=as_text(dispute.get("currency")),
            reason=provider_code(dispute.get("reason_code")),
            reported_at_ms=as_int(event_at) * SECOND_MS,
            evidence_due_at_ms=deadline_ms(as_int(due_at) * SECOND_MS) if due_at is not None else None,
        )
    except ValueError:
        return None
