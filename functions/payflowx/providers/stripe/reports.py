"""Stripe's report: balance transactions, each with the charge or refund that caused it. Pure.

A balance transaction is in the settlement currency; its source has the amount that the payer was charged.
"""

from typing import Any, Final

from payflowx.domain.reconciliation.reports import EntryKind, ReportAnswer, ReportEntry, ReportPage
from payflowx.domain.shared.identifiers import parse_provider_key
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.text import provider_reference
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.json_fields import as_int, as_text, json_object, reference
from payflowx.providers.stripe.objects import currency_of, is_object, items_of, our_key
from payflowx.providers.stripe.requests import get

ENTRIES_A_PAGE: Final = 25
"""With expanded sources, a page of this size fits into one answer."""

_CHARGES: Final = frozenset({"charge", "payment"})
_REFUNDS: Final = frozenset({"refund", "payment_refund"})
_FAILED_CHARGES: Final = frozenset({"payment_failure_refund"})
_FAILED_REFUNDS: Final = frozenset({"refund_failure"})


def request(page: ReportPage) -> HttpRequest:
    """Stripe's times are whole seconds: from the first second that begins inside to the first that begins outside."""
    fields = [
        ("created[gte]", str(-(-page.from_ms // SECOND_MS))),
        ("created[lt]", str(-(-page.until_ms // SECOND_MS))),
        ("limit", str(ENTRIES_A_PAGE)),
        ("expand[]", "data.source"),
    ]
    if page.cursor is not None:
        fields.append(("starting_after", page.cursor))
    return get("/v1/balance_transactions", fields)


def read(_page: ReportPage, response: HttpResponse) -> ReportAnswer:
    """Raises ValueError for what it does not understand. Fees, payouts and disputes are skipped."""
    if response.status != 200:
        raise ValueError(f"the list was answered with status {response.status}")
    items = items_of(response)
    entries = [entry for item in items if (entry := _entry(item)) is not None]
    return ReportAnswer(entries=tuple(entries), next_cursor=_next(response, items))


def _next(response: HttpResponse, items: list[dict[str, Any]]) -> str | None:
    more = json_object(response).get("has_more")
    if not isinstance(more, bool) or (more and not items):
        raise ValueError("the list does not say whether it goes on")
    return reference(items[-1].get("id")) if more else None


def _entry(item: dict[str, Any]) -> ReportEntry | None:
    if not is_object(item, "balance_transaction"):
        raise ValueError("not a balance transaction")
    kind = as_text(item.get("type"))
    at_ms = as_int(item.get("created")) * SECOND_MS
    if kind in _CHARGES | _FAILED_CHARGES:
        return _charge(_source(item, "charge"), at_ms, failed=kind in _FAILED_CHARGES)
    if kind in _REFUNDS | _FAILED_REFUNDS:
        return _refund(_source(item, "refund"), at_ms, failed=kind in _FAILED_REFUNDS)
    return None


def _charge(source: dict[str, Any], at_ms: int, *, failed: bool) -> ReportEntry:
    """Identified by its intent, which is the reference that we store; a charge without one is not ours."""
    return ReportEntry(
        kind=EntryKind.CHARGE,
        reference=reference(source.get("payment_intent") or source.get("id")),
        provider_key=_key_of(source),
        amount=as_int(source.get("amount_captured")),
        currency=currency_of(source),
        succeeded=source.get("status") == "succeeded" and not failed,
        at_ms=at_ms,
    )


def _refund(source: dict[str, Any], at_ms: int, *, failed: bool) -> ReportEntry:
    """A refund may fail after it succeeded; a second entry then reverses the first."""
    return ReportEntry(
        kind=EntryKind.REFUND,
        reference=reference(source.get("id")),
        provider_key=_key_of(source),
        amount=as_int(source.get("amount")),
        currency=currency_of(source),
        succeeded=source.get("status") == "succeeded" and not failed,
        at_ms=at_ms,
        charge_reference=provider_reference(source.get("payment_intent") or source.get("charge")),
    )


def _source(item: dict[str, Any], kind: str) -> dict[str, Any]:
    source = item.get("source")
    if not isinstance(source, dict) or not is_object(source, kind):
        raise ValueError(f"a balance transaction without its {kind}")
    return source


def _key_of(source: dict[str, Any]) -> str | None:
    key = our_key(source)
    return key if key is not None and parse_provider_key(key) else None
