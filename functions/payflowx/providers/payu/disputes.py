"""Reads the chargeback of a post. Pure. Source: https://docs.payu.in/docs/webhooks-for-chargeback.

PayU signs no post about a chargeback: the report says so, and it never changes what a signed one said.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Final

from payflowx.domain.payments.dispute import DisputeReport, DisputeState, deadline_ms
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS
from payflowx.domain.shared.text import provider_code
from payflowx.providers.payu.responses import CURRENCY, minor_amount

_INDIA: Final = timezone(timedelta(hours=5, minutes=30))
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_ID: Final = re.compile(r"\d{1,30}")
_STATES: Final = {
    "new": DisputeState.OPEN,
    "pending response": DisputeState.OPEN,
    "me comm sent": DisputeState.OPEN,
    "insufficient document": DisputeState.OPEN,
    "doc rejected": DisputeState.OPEN,
    "pending doc review": DisputeState.UNDER_REVIEW,
    "me comm received": DisputeState.UNDER_REVIEW,
    "submitted to bank": DisputeState.UNDER_REVIEW,
    "bank comm sent": DisputeState.UNDER_REVIEW,
    "closed merchant favour": DisputeState.WON,
    "closed under fraud liability": DisputeState.WON,
    "closed customer favour": DisputeState.LOST,
}
"""Words without case, and without the word "in", which PayU's pages write or leave out."""


def report_of(fields: Mapping[str, str]) -> DisputeReport | None:
    """Return the report; None for a word or form that is not known."""
    words = fields.get("cb_status", "").lower().split()
    state = _STATES.get(" ".join(word for word in words if word != "in"))
    amount = minor_amount(fields.get("cb_amount"))
    if state is None or amount is None or not _ID.fullmatch(fields.get("cb_id", "")):
        return None
    try:
        due_at_ms = _end_of_day(fields["due_date"]) if fields.get("due_date") else None
        return DisputeReport(
            reference=fields["cb_id"],
            state=state,
            amount=amount,
            currency=CURRENCY,
            reason=provider_code(fields.get("reason_code", "").replace(" ", "_")),
            reported_at_ms=_time(fields.get("updated_at") or fields.get("created_at", "")),
            evidence_due_at_ms=deadline_ms(due_at_ms) if due_at_ms is not None else None,
            is_signed=False,
        )
    except ValueError:
        return None


def _time(text: str) -> int:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without an offset")
    return int(at.timestamp() * SECOND_MS)


def _end_of_day(date: str) -> int:
    """The end of a day in India. Raises ValueError for another form."""
    if not _DATE.fullmatch(date):
        raise ValueError("not a date")
    return int(datetime.fromisoformat(date).replace(tzinfo=_INDIA).timestamp() * SECOND_MS) + DAY_MS
