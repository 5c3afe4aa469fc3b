"""Reads Cashfree's list of events. Pure. An unexpected form is an error, because a gap reconciles nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from payflowx.domain.reconciliation.reports import EntryKind, ReportAnswer, ReportEntry, ReportPage
from payflowx.domain.shared.text import provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.cashfree.requests import REPORT_ROWS
from payflowx.providers.cashfree.responses import minor_amount
from payflowx.providers.json_fields import as_text, json_object, reference

_MAX_CURSOR_CHARS: Final = 2_048
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

_ELSEWHERE: Final = frozenset(
    {
        *("SETTLEMENT", "DISPUTE", "DISPUTE_REVERSAL", "CHARGEBACK", "CHARGEBACK_REVERSAL"),
        *("OTHER_ADJUSTMENT", "FUND_SWEEP_REVERSAL"),
    }
)
"""Money between Cashfree, the banks and the merchant: neither a charge nor a refund of ours."""
_GROUPS: Final = {
    "event_details": ("event_id", "event_type", "event_status", "event_amount", "event_currency", "event_time"),
    "order_details": ("order_id",),
    "payment_details": ("cf_payment_id",),
    "refund_details": ("refund_id",),
}
"""The objects of a row of API version 2026-01-01, with the members that are read. Before, a row had all of them."""
_MOVED: Final = "SUCCESS"
_NOT_MOVED: Final = frozenset({"FAILED", "PENDING", "CANCELLED", "ONHOLD", "USER_DROPPED", "NOT_ATTEMPTED", "VOID"})


def read(_page: ReportPage, response: HttpResponse) -> ReportAnswer:
    """Read one page. A page without rows ends the list, even if it has a cursor."""
    if response.status != 200:
        raise ValueError("the list was not given")
    try:
        answer = json_object(response)
    except RecursionError:
        raise ValueError("the answer is nested too deeply") from None
    rows, cursor = answer.get("data"), answer.get("cursor")
    if not isinstance(rows, list) or len(rows) > REPORT_ROWS:
        raise ValueError("the answer holds no list that could be read")
    if cursor is not None and (not isinstance(cursor, str) or len(cursor) > _MAX_CURSOR_CHARS):
        raise ValueError("the cursor is none")
    found = [_entry(row) for row in rows]
    entries = tuple(entry for entry in found if entry is not None)
    return ReportAnswer(entries=entries, next_cursor=cursor or None if rows else None)


def _entry(given: Any) -> ReportEntry | None:
    row = _flat(given)
    match row.get("event_type"):
        case "PAYMENT":
            payment_id = reference(row.get("cf_payment_id"))
            return _of(row, EntryKind.CHARGE, payment_id, row.get("order_id"), succeeded=_has_moved(row))
        case "REFUND":
            refund_id = reference(row.get("event_id"))
            return _of(row, EntryKind.REFUND, refund_id, row.get("refund_id"), succeeded=_has_moved(row))
        case "REFUND_REVERSAL":
            # The money of a refund came back to the merchant: in total none moved.
            refund_id = reference(row.get("event_id"))
            return _of(row, EntryKind.REFUND, refund_id, row.get("refund_id"), succeeded=False)
        case str(kind) if kind in _ELSEWHERE:
            return None
        case _:
            raise ValueError("a row is of no known type")


def _flat(row: Any) -> dict[str, Any]:
    """The members of a row of either version; a row that mixes them is none."""
    if not isinstance(row, dict):
        raise ValueError("a row is no object")  # noqa: TRY004 - bad data, not a bad argument
    if "event_details" not in row:
        return row
    if any(name in row for names in _GROUPS.values() for name in names):
        raise ValueError("a row has the members of two versions")
    flat: dict[str, Any] = {}
    for group, names in _GROUPS.items():
        members = row.get(group)
        if members is not None and not isinstance(members, dict):
            raise ValueError("a part of a row is no object")
        flat |= {name: (members or {}).get(name) for name in names}
    return flat


def _of(row: dict[str, Any], kind: EntryKind, row_reference: str, key: Any, *, succeeded: bool) -> ReportEntry:
    currency = as_text(row.get("event_currency"))
    amount = minor_amount(row.get("event_amount"), currency)
    if amount is None:
        raise ValueError("an amount is not understood")
    return ReportEntry(
        kind=kind,
        reference=row_reference,
        provider_key=provider_reference(key),
        amount=amount,
        currency=currency,
        succeeded=succeeded,
        at_ms=_at_ms(as_text(row.get("event_time"))),
        charge_reference=provider_reference(row.get("cf_payment_id")) if kind is EntryKind.REFUND else None,
    )


def _has_moved(row: dict[str, Any]) -> bool:
    status = as_text(row.get("event_status"))
    if status != _MOVED and status not in _NOT_MOVED:
        raise ValueError("a status is not known")
    return status == _MOVED


def _at_ms(value: str) -> int:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return (at - _EPOCH) // _MILLISECOND
