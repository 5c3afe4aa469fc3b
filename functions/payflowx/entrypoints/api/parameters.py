"""Path and query parameters."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from payflowx.adapters.platform.cursors import Cursors
from payflowx.domain.payments.ports import PaymentQuery
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.identifiers import OPERATION_ID_PATTERN, PROVIDER_NAME_PATTERN, TRANSACTION_ID_PATTERN
from payflowx.domain.shared.limits import (
    DAY_MS,
    DEFAULT_PAGE_ITEMS,
    MAX_LIST_DAYS_PER_PAGE,
    MAX_LIST_RANGE_DAYS,
    MAX_PAGE_ITEMS,
    SECOND_MS,
)
from payflowx.domain.shared.statuses import PaymentStatus
from payflowx.domain.shared.text import is_order_id, provider_reference
from payflowx.entrypoints.api.field_rules import RULES
from payflowx.entrypoints.api.times import parse_time_ms

LIST_PARAMETERS: Final = frozenset({"limit", "cursor", "status", "from", "to", "orderId", "providerRef", "provider"})
EVENT_PARAMETERS: Final = frozenset({"limit", "cursor"})
OPERATION_PARAMETERS: Final = EVENT_PARAMETERS
_LOST_PLUS: Final = re.compile(r"[0-9:.] [0-9]{2}:[0-9]{2}$")
"""A plus in a query stands for a blank."""
_DEFAULT_RANGE_MS: Final = MAX_LIST_DAYS_PER_PAGE * DAY_MS


def transaction_id(value: str) -> str:
    """A well-formed id; whether it exists is another question."""
    if not TRANSACTION_ID_PATTERN.fullmatch(value):
        raise Refusal("parameter_invalid", "A transaction id is pay_ and 16 characters of a-z and 2-7.")
    return value


def operation_id(value: str) -> str:
    """As `transaction_id`, for a capture, void or refund."""
    if not OPERATION_ID_PATTERN.fullmatch(value):
        detail = "An operation id is cap_, void_ or ref_ and 16 characters of a-z and 2-7."
        raise Refusal("parameter_invalid", detail)
    return value


def limit(query: dict[str, str], *, default: int = DEFAULT_PAGE_ITEMS) -> int:
    """1 to 100."""
    text = query.get("limit", str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= MAX_PAGE_ITEMS):
        raise Refusal("parameter_invalid", f"limit must be a whole number from 1 to {MAX_PAGE_ITEMS}.", field="limit")
    return int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """Which times a list covers, and where it goes on."""

    from_ms: int
    until_ms: int
    position: str | None = None


def time_range(query: dict[str, str], cursors: Cursors, scope: str, now_ms: int) -> TimeRange:
    """Without times: the last 31 days. A cursor carries its times with it."""
    if "cursor" in query:
        return _continued(query, cursors, scope)
    until_ms = _time(query["to"], "to") if "to" in query else now_ms + SECOND_MS
    from_ms = _time(query["from"], "from") if "from" in query else until_ms - _DEFAULT_RANGE_MS
    if not from_ms < until_ms:
        raise Refusal("parameter_invalid", "from must be earlier than to.", field="from")
    if until_ms - from_ms > MAX_LIST_RANGE_DAYS * DAY_MS:
        detail = f"from and to may be at most {MAX_LIST_RANGE_DAYS} days apart."
        raise Refusal("parameter_invalid", detail, field="from")
    return TimeRange(from_ms=from_ms, until_ms=until_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfOrder:
    """The payments of an order."""

    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfReference:
    """The payments that own a provider's id, at all of the merchant's accounts or at those of one provider."""

    reference: str
    provider: str | None


PaymentName = OfOrder | OfReference


def payment_name(query: dict[str, str]) -> PaymentName | None:
    """The name by which payments are asked for; None for a list by time. A name stands alone."""
    asked = {"orderId", "providerRef"} & query.keys()
    if not asked:
        if "provider" in query:
            raise Refusal("parameter_invalid", "provider stands beside providerRef only.", field="provider")
        return None
    name = "orderId" if "orderId" in asked else "providerRef"
    others = query.keys() - {name} - ({"provider"} if name == "providerRef" else set())
    if others:
        raise Refusal("parameter_invalid", f"{name} takes no other filter beside it.", field=min(others))
    if name == "orderId":
        return OfOrder(order_id=_order_id(query["orderId"]))
    reference = provider_reference(query["providerRef"])
    if reference is None:
        raise Refusal("parameter_invalid", "providerRef must be a provider's id.", field="providerRef")
    provider = query.get("provider")
    if provider is not None and not PROVIDER_NAME_PATTERN.fullmatch(provider):
        detail = "provider must be a provider's name, such as stripe: small letters, digits and underscores."
        raise Refusal("parameter_invalid", detail, field="provider")
    return OfReference(reference=reference, provider=provider)


def _order_id(text: str) -> str:
    normal = unicodedata.normalize("NFC", text)
    if not is_order_id(normal):
        raise Refusal("parameter_invalid", RULES["orderId"][1], field="orderId")
    return normal


def payment_query(query: dict[str, str], merchant_id: str, cursors: Cursors, now_ms: int) -> PaymentQuery:
    """The list's filters."""
    status = _status(query.get("status"))
    times = time_range(query, cursors, _scope(merchant_id, status), now_ms)
    return PaymentQuery(
        merchant_id=merchant_id,
        from_ms=times.from_ms,
        until_ms=times.until_ms,
        status=status,
        limit=limit(query),
        position=times.position,
    )


def next_cursor(query: PaymentQuery, position: str | None, cursors: Cursors) -> str | None:
    """The signed continuation of a list."""
    if position is None:
        return None
    return cursors.sign(f"{query.from_ms}|{query.until_ms}|{position}", _scope(query.merchant_id, query.status))


def event_cursor(seq: int | None, merchant_id: str, of_transaction: str, cursors: Cursors) -> str | None:
    """The signed continuation of an audit log."""
    return None if seq is None else cursors.sign(str(seq), f"events|{merchant_id}|{of_transaction}")


def events_after(query: dict[str, str], merchant_id: str, of_transaction: str, cursors: Cursors) -> int:
    """The number of the event that the last page ended with."""
    if "cursor" not in query:
        return 0
    return int(cursors.open(query["cursor"], f"events|{merchant_id}|{of_transaction}"))


def operation_cursor(position: str | None, merchant_id: str, of_transaction: str, cursors: Cursors) -> str | None:
    """The signed continuation of a list of operations."""
    return None if position is None else cursors.sign(position, f"operations|{merchant_id}|{of_transaction}")


def operations_after(query: dict[str, str], merchant_id: str, of_transaction: str, cursors: Cursors) -> str | None:
    """The position of the operation that the last page ended with."""
    if "cursor" not in query:
        return None
    return cursors.open(query["cursor"], f"operations|{merchant_id}|{of_transaction}")


def _continued(query: dict[str, str], cursors: Cursors, scope: str) -> TimeRange:
    if "from" in query or "to" in query:
        raise Refusal("parameter_invalid", "A cursor carries its from and to; leave them out.", field="cursor")
    from_ms, until_ms, position = cursors.open(query["cursor"], scope).split("|")
    return TimeRange(from_ms=int(from_ms), until_ms=int(until_ms), position=position)


def _scope(merchant_id: str, status: PaymentStatus | None) -> str:
    return f"payments|{merchant_id}|{status or ''}"


def _status(text: str | None) -> PaymentStatus | None:
    if text is None:
        return None
    if text not in PaymentStatus.__members__:
        known = ", ".join(PaymentStatus)
        raise Refusal("parameter_invalid", f"status must be one of {known}.", field="status")
    return PaymentStatus(text)


def _time(text: str, field: str) -> int:
    try:
        at_ms = parse_time_ms(text)
    except ValueError:
        at_ms = -1
    if at_ms >= 0:
        return at_ms
    if _LOST_PLUS.search(text):
        detail = f"{field} has a blank where its offset has a plus. Encode the plus as %2B in the address."
    else:
        detail = f"{field} must be an RFC 3339 time such as 2026-11-23T09:30:00Z, from 1970 on."
    raise Refusal("parameter_invalid", detail, field=field)
