"""Reads PayU's list of transactions. Pure. An unexpected form is an error, because a gap reconciles nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from payflowx.domain.reconciliation.reports import EntryKind, ReportAnswer, ReportEntry, ReportPage
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.text import provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import as_text, json_object, reference
from payflowx.providers.payu.requests import INDIA
from payflowx.providers.payu.responses import CURRENCY, is_done, minor_amount, word_of

_MAX_ENTRIES: Final = 5_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)

_MOVED: Final = frozenset({"captured", "success", "refunded"})
_NOT_MOVED: Final = frozenset(
    {
        *("auth", "pending", "in progress", "initiated", "dropped"),
        *("failed", "failure", "bounced", "usercancelled", "cancelled", "autorefund"),
    }
)


def read(_page: ReportPage, response: HttpResponse) -> ReportAnswer:
    """Read the whole range: PayU has no pages, so the caller must choose a short range."""
    if response.status != 200:
        raise ValueError("the list was not given")
    answer = json_object(response)
    rows = answer.get("Transaction_details", answer.get("transaction_details"))
    if not isinstance(rows, list) or len(rows) > _MAX_ENTRIES:
        raise ValueError("the answer holds no list that could be read")
    if rows and not is_done(answer):
        raise ValueError("a failed command with a list")
    return ReportAnswer(entries=tuple(_entry(row) for row in rows), next_cursor=None)


def _entry(row: Any) -> ReportEntry:
    if not isinstance(row, dict):
        raise ValueError("a row is no object")  # noqa: TRY004 - bad data, not a bad argument
    status = word_of(row.get("status"))
    if status not in _MOVED | _NOT_MOVED:
        raise ValueError("a status is not known")
    amount = minor_amount(row.get("amount"))
    if amount is None:
        raise ValueError("an amount is not understood")
    return ReportEntry(
        kind=EntryKind.CHARGE,
        reference=reference(row.get("id") or row.get("mihpayid")),
        provider_key=provider_reference(row.get("txnid")),
        amount=amount,
        currency=CURRENCY,
        succeeded=status in _MOVED,
        at_ms=_at_ms(as_text(row.get("addedon"))),
    )


def _at_ms(value: str) -> int:
    """PayU's times are Indian time, to the second."""
    at = datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=INDIA)
    return (at - _EPOCH) // _SECOND * SECOND_MS
