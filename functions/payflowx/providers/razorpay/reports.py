"""Razorpay's lists: first all payments, then all refunds, each in pages by offset.

A page does not contain its position in the list, so the position comes from the requested page.
"""

from typing import Any, Final

from payflowx.domain.reconciliation.reports import EntryKind, ReportAnswer, ReportEntry, ReportPage
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.money import CURRENCY_EXPONENTS
from payflowx.domain.shared.text import provider_reference
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.json_fields import as_int, as_text, json_object, reference
from payflowx.providers.razorpay.operations import key_of_refund
from payflowx.providers.razorpay.responses import listed, noted_key

PAGE_ITEMS: Final = 50
"""Razorpay allows 100, but a payment with many notes is long, and an answer may have 256 KB."""
MAX_SKIP: Final = 100_000
_EARLIEST_SECONDS: Final = 946_684_800
"""Razorpay accepts no time before the year 2000."""
_LISTS: Final = {"payment": EntryKind.CHARGE, "refund": EntryKind.REFUND}
_NO_MONEY_YET: Final = frozenset({"created", "authorized", "failed"})
_REFUND_STATUSES: Final = frozenset({"created", "pending", "processed", "failed"})


def request(page: ReportPage) -> HttpRequest:
    """One second more at both ends, because it is not documented whether the limits are inclusive."""
    name, skip = _position(page.cursor)
    from_seconds = max(page.from_ms // SECOND_MS - 1, _EARLIEST_SECONDS)
    until_seconds = -(-page.until_ms // SECOND_MS)
    query = f"from={from_seconds}&to={until_seconds}&count={PAGE_ITEMS}&skip={skip}"
    return HttpRequest(method="GET", path=f"/v1/{name}s?{query}")


def read(page: ReportPage, response: HttpResponse) -> ReportAnswer:
    """Raises ValueError for any answer that may have a gap."""
    if response.status != 200:
        raise ValueError(f"the list was refused with {response.status}")
    items = listed(_collection(response))
    if len(items) > PAGE_ITEMS:
        raise ValueError("the page is longer than what was asked for")
    name, skip = _position(page.cursor)
    if any(item.get("entity") != name for item in items):
        raise ValueError("not the list that was asked for")
    found = (_entry(name, item) for item in items)
    entries = tuple(entry for entry in found if page.from_ms <= entry.at_ms < page.until_ms)
    return ReportAnswer(entries=entries, next_cursor=_next(name, skip, len(items)))


def _collection(response: HttpResponse) -> dict[str, Any]:
    try:
        return json_object(response)
    except RecursionError:
        raise ValueError("the list is nested too deeply") from None


def _next(name: str, skip: int, count: int) -> str | None:
    if count == PAGE_ITEMS:
        return f"{name}:{skip + count}"
    return "refund:0" if name == "payment" else None


def _position(cursor: str | None) -> tuple[str, int]:
    name, _, skip = (cursor or "payment:0").partition(":")
    if name not in _LISTS or not (skip.isascii() and skip.isdecimal()) or int(skip) > MAX_SKIP:
        raise ValueError("not a cursor of this list")
    return name, int(skip)


def _entry(name: str, item: dict[str, Any]) -> ReportEntry:
    currency = as_text(item.get("currency"))
    if currency not in CURRENCY_EXPONENTS:
        raise ValueError("not a currency")
    return ReportEntry(
        kind=_LISTS[name],
        reference=reference(item.get("id")),
        provider_key=noted_key(item) if name == "payment" else key_of_refund(item),
        amount=as_int(item.get("amount")),
        currency=currency,
        succeeded=_took_money(item) if name == "payment" else _gave_money(item),
        at_ms=as_int(item.get("created_at")) * SECOND_MS,
        charge_reference=provider_reference(item.get("payment_id")) if name == "refund" else None,
    )


def _took_money(payment: dict[str, Any]) -> bool:
    """A payment that was returned had taken money only if it was captured."""
    status, captured = as_text(payment.get("status")), payment.get("captured")
    if status in _NO_MONEY_YET and captured is not True:
        return False
    if status == "captured" and captured is not False:
        return True
    if status == "refunded" and isinstance(captured, bool):
        return captured
    raise ValueError("the state of a payment is not known")


def _gave_money(refund: dict[str, Any]) -> bool:
    if as_text(refund.get("status")) not in _REFUND_STATUSES:
        raise ValueError("the state of a refund is not known")
    return refund.get("status") == "processed"
