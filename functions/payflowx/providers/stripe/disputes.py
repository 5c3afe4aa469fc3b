"""Reads disputes from webhooks (https://docs.stripe.com/api/disputes/object). Pure."""

from typing import Any, Final

from payflowx.domain.payments.dispute import DisputeReport, DisputeState, deadline_ms
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.providers.json_fields import as_int, as_object, as_text, reference
from payflowx.providers.stripe.messages import safe_code
from payflowx.providers.stripe.objects import currency_of

_STATES: Final = {
    "warning_needs_response": DisputeState.OPEN,
    "needs_response": DisputeState.OPEN,
    "warning_under_review": DisputeState.UNDER_REVIEW,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
    "warning_closed": DisputeState.CLOSED,
    "charge_refunded": DisputeState.CLOSED,
    "prevented": DisputeState.CLOSED,
}
"""A warning is an inquiry of the bank, before a chargeback. The last two words are of older and newer API versions."""


def dispute_report(dispute: dict[str, Any], at_seconds: Any) -> DisputeReport | None:
    """Return the report of an event at this time; None for a dispute that is not understood."""
    state = _STATES.get(str(dispute.get("status")))
    if state is None:
        return None
    due = as_object(dispute.get("evidence_details")).get("due_by")
    try:
        return DisputeReport(
            reference=reference(dispute.get("id")),
            state=state,
            amount=as_int(dispute.get("amount")),
            currency=currency_of(dispute),
            reason=safe_code(as_text(dispute.get("reason"))),
            reported_at_ms=as_int(at_seconds) * SECOND_MS,
            evidence_due_at_ms=deadline_ms(as_int(due) * SECOND_MS) if due is not None else None,
        )
    except ValueError:
        return None
