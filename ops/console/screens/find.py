"""Payments by a name, or by status, time and amount; as a table or as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, islice
from typing import Any, Final, Self
from urllib.parse import urlencode

from ops.commands.payments import STATUSES
from ops.console.command_line import CommandLine
from ops.console.parts import gather
from ops.console.screen import Answer, Download, Elsewhere, Page, Screen, ScreenRequest, View
from ops.console.screens.story import address_of
from ops.console.typed import typed_amount, typed_day
from ops.errors import Exit, OperatorError
from ops.log_search import payments_of_correlation
from ops.options import milliseconds
from ops.session import Session

_PAGE: Final = 100
_MAX_PAGES: Final = 5
"""Pages of payments that one page of the screen reads, where an amount leaves most of them out."""
_MAX_CSV_ROWS: Final = 10_000
_MAX_MERCHANTS: Final = 50
_DEFAULT_DAYS: Final = 7
_LOG_HOURS: Final = 24
_COLUMNS: Final = (
    "createdAt",
    "merchantId",
    "transactionId",
    "orderId",
    "status",
    "amount",
    "currency",
    "provider",
    "providerRef",
    "captured",
    "refunded",
)
_FORMULA: Final = frozenset("=+-@\t\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The query of the operator, checked. Amounts are in the minor unit; `end` is the last day."""

    text: str
    merchant: str
    status: str
    begin: datetime
    end: datetime
    least: int | None
    most: int | None
    position: str | None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Raises `OperatorError`."""
        status, end = query.get("status", ""), _day(query.get("to")) or _today()
        begin = _day(query.get("from")) or end - timedelta(days=_DEFAULT_DAYS - 1)
        if status and status not in STATUSES:
            raise OperatorError(f"A status is one of {', '.join(STATUSES)}.", Exit.USAGE)
        if begin > end:
            raise OperatorError("The first day is after the last day.", Exit.USAGE)
        return cls(
            text=query.get("text", "").strip(),
            merchant=query.get("merchant", "").strip(),
            status=status,
            begin=begin,
            end=end,
            least=_amount(query.get("least")),
            most=_amount(query.get("most")),
            position=query.get("position") or None,
        )

    def fields(self, merchant: str) -> dict[str, Any]:
        """Of the function's command."""
        return {
            "merchantId": merchant,
            "status": self.status or None,
            "fromMs": milliseconds(self.begin),
            "untilMs": milliseconds(self.end + timedelta(days=1)),
            "limit": _PAGE,
        }

    def wants(self, payment: Mapping[str, Any]) -> bool:
        """Whether the amount is within the limits."""
        amount = payment["amount"]
        return (self.least is None or amount >= self.least) and (self.most is None or amount <= self.most)

    def address(self, path: str, **changes: str | None) -> str:
        """The same search at another place of the list, or as a file."""
        known = {
            "merchant": self.merchant,
            "status": self.status,
            "from": f"{self.begin:%Y-%m-%d}",
            "to": f"{self.end:%Y-%m-%d}",
            "least": str(self.least) if self.least is not None else "",
            "most": str(self.most) if self.most is not None else "",
            **changes,
        }
        return f"{path}?{urlencode({name: value for name, value in known.items() if value})}"


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _day(text: str | None) -> datetime | None:
    return typed_day(text) if text else None


def _amount(text: str | None) -> int | None:
    return typed_amount(text) if text else None


def _show(request: ScreenRequest) -> Answer:
    try:
        filters = Filters.of(request.query)
    except OperatorError as error:
        return _page(request, Filters.of({}), [], None, error=error)
    if request.query.get("correlation"):
        return _correlated(request, filters, request.query["correlation"].strip())
    if filters.text:
        return _named(request, filters)
    merchant = filters.merchant or request.session.target.merchant
    if merchant is None:
        merchants = request.session.merchants(None)
        if not merchants:
            return _page(request, filters, [], None)
        merchant = merchants[0]
    items, position = _listed(request, filters, merchant)
    return _page(request, filters, items, position, merchant=merchant)


def _named(request: ScreenRequest, filters: Filters) -> Answer:
    """One that is found alone is opened."""
    session = request.session
    merchants = session.merchants(filters.merchant or None)[:_MAX_MERCHANTS]
    parts = gather({name: partial(_found, session, name, filters.text) for name in merchants})
    items = [item for part in parts.values() if part.value for item in part.value]
    faults = {name: part.fault for name, part in parts.items() if part.fault}
    if len(items) == 1 and not faults:
        return Elsewhere(location=address_of(items[0]["merchantId"], items[0]["transactionId"]))
    return _page(request, filters, items, None, merchant=filters.merchant, faults=faults)


def _correlated(request: ScreenRequest, filters: Filters, correlation_id: str) -> Answer:
    """Payments that log lines of the last day name, read by their ids."""
    session, command = request.session, request.command("payments", "correlate", correlation_id)
    try:
        named = payments_of_correlation(session.target, correlation_id, hours=_LOG_HOURS)[:_PAGE]
    except OperatorError as error:
        page = _page(request, filters, [], None, error=error)
        return replace(page, commands=(command,))
    if len(named) == 1:
        return Elsewhere(location=address_of(named[0]["merchantId"], named[0]["transactionId"]))
    items = [session.ask("show_payment", **one) for one in named]
    return replace(_page(request, filters, items, None, named=correlation_id), commands=(command,))


def _found(session: Session, merchant: str, text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = session.ask("find_payments", merchantId=merchant, text=text)["items"]
    return found


def _listed(request: ScreenRequest, filters: Filters, merchant: str) -> tuple[list[dict[str, Any]], str | None]:
    """The next payments that are wanted, from a bounded number of pages."""
    items: list[dict[str, Any]] = []
    position = filters.position
    for _ in range(_MAX_PAGES):
        page = request.session.ask("list_payments", **filters.fields(merchant), position=position)
        items += [payment for payment in page["items"] if filters.wants(payment)]
        position = page["nextPosition"]
        if position is None or len(items) >= _PAGE:
            break
    return items, position


def _page(
    request: ScreenRequest,
    filters: Filters,
    items: list[dict[str, Any]],
    position: str | None,
    *,
    merchant: str = "",
    faults: Mapping[str, OperatorError] | None = None,
    error: OperatorError | None = None,
    named: str = "",
) -> Page:
    return Page(
        template="find.html",
        title="Find",
        values={
            "filters": filters,
            "items": items,
            "merchant": merchant,
            "statuses": STATUSES,
            "address_of": address_of,
            "more": filters.address("/find", position=position, merchant=merchant) if position else None,
            "csv": filters.address("/find.csv", merchant=merchant),
            "faults": faults or {},
            "error": error,
            "named": named or filters.text,
            "correlation": request.query.get("correlation", ""),
        },
        commands=_commands(request, filters, merchant),
        status=422 if error else 200,
    )


def _commands(request: ScreenRequest, filters: Filters, merchant: str) -> tuple[CommandLine, ...]:
    if filters.text:
        return (request.command("payments", "find", filters.text, merchant=merchant or None),)
    days = {"from": f"{filters.begin:%Y-%m-%d}", "to": f"{filters.end:%Y-%m-%d}"}
    line = request.command(
        "payments", "list", merchant=merchant or None, status=filters.status or None, **days, limit=_PAGE
    )
    return (line,)


def _csv(request: ScreenRequest) -> Download:
    filters = Filters.of(request.query)
    merchant = filters.merchant or request.session.merchant(None)
    pages = request.session.pages("list_payments", "position", "nextPosition", **filters.fields(merchant))
    # A refusal comes with the first page: read before the answer begins, it is a page that says why.
    first = list(islice(pages, 1))
    rows = islice((payment for payment in chain(first, pages) if filters.wants(payment)), _MAX_CSV_ROWS)
    return Download(
        name=f"payments-{filters.begin:%Y-%m-%d}-{filters.end:%Y-%m-%d}.csv",
        content_type="text/csv",
        content=_written(rows),
    )


def _written(payments: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """Row by row: the download begins before the last page was read."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(_COLUMNS)
    for payment in payments:
        yield line.getvalue()
        line.seek(0)
        line.truncate()
        writer.writerow([_safe(payment[name]) for name in _COLUMNS])
    yield line.getvalue()


def _safe(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA else value


FIND: Final = Screen(
    name="find",
    title="Find",
    path="/find",
    key="f",
    summary="payments by name, status, time or amount",
    views=(View("/find", _show), View("/find.csv", _csv)),
)
