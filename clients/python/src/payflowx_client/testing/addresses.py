"""The double's addresses: what each answers."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from payflowx_client.sender import VERSION
from payflowx_client.testing.book import Book, Json, Record
from payflowx_client.testing.data import DATA, RefusedError
from payflowx_client.testing.endpoints import Endpoints
from payflowx_client.testing.requests import check_cancellation, checked_operation, checked_payment, key_of

_MAX_LIMIT: Final = 100
_FILTERS: Final = ("status", "orderId", "providerRef")
_CURSOR: Final = re.compile(r"after_(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, taken apart."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json


class Addresses:
    """Each method answers one operation of the API, with status, body and headers."""

    def __init__(self, book: Book, endpoints: Endpoints) -> None:
        self._book, self._endpoints = book, endpoints
        self._keys: dict[tuple[str, str], tuple[str, str]] = {}
        self.lost = 0
        """So many of the next answers are lost."""

    def create(self, asked: Asked) -> "Answered":
        key = key_of(asked.headers, asked.body)
        wanted = checked_payment(asked.body)
        known = self._known("payment", key, wanted)
        record = self._book.records[known] if known else self._book.create(wanted)
        if not known:
            self._keys["payment", key] = (_canonical(wanted), record.id)
            self.lost += record.scenario.loses_answers
        return 202, record.answer, {"location": f"/payments/{record.id}", **_replayed(is_known=bool(known))}

    def list_payments(self, asked: Asked) -> "Answered":
        status = asked.query.get("status")
        if status is not None and status not in DATA["paymentStatuses"]:
            raise RefusedError("status")
        if "provider" in asked.query and "providerRef" not in asked.query:
            raise RefusedError("provider")
        rows = [
            each.answer
            for each in self._book.records.values()
            if all(each.answer[name] == asked.query.get(name, each.answer[name]) for name in _FILTERS)
        ]
        return 200, {**self._page(asked, self._in_time(asked, rows)[::-1]), "unreadable": []}, {}

    def get(self, _: Asked, transaction_id: str) -> "Answered":
        return 200, self._book.payment(transaction_id).answer, {}

    def audit(self, asked: Asked, transaction_id: str) -> "Answered":
        return 200, self._page(asked, self._book.payment(transaction_id).audit), {}

    def cancel(self, asked: Asked, transaction_id: str) -> "Answered":
        check_cancellation(asked.headers, asked.body)
        record = self._book.payment(transaction_id)
        return self._book.cancel(record), record.answer, {}

    def capture(self, asked: Asked, transaction_id: str) -> "Answered":
        return self._move(asked, "capture", self._book.payment(transaction_id))

    def refund(self, asked: Asked, transaction_id: str) -> "Answered":
        return self._move(asked, "refund", self._book.payment(transaction_id))

    def _move(self, asked: Asked, kind: str, record: Record) -> "Answered":
        key, amount = key_of(asked.headers, asked.body), checked_operation(asked.body)
        wanted = {"payment": record.id, "amount": amount}
        known = self._known(kind, key, wanted)
        if known:
            operation = next(each for each in record.operations if each["operationId"] == known)
        else:
            operation = self._book.operate(record, kind, amount)
            self._keys[kind, key] = (_canonical(wanted), operation["operationId"])
        location = f"/payments/{record.id}/operations/{operation['operationId']}"
        return 202, operation, {"location": location, **_replayed(is_known=bool(known))}

    def _known(self, kind: str, key: str, wanted: Mapping[str, Any]) -> str:
        before, found = self._keys.get((kind, key), ("", ""))
        if found and before != _canonical(wanted):
            raise RefusedError("key_reused")
        return found

    def operations(self, asked: Asked, transaction_id: str) -> "Answered":
        rows = self._book.payment(transaction_id).operations
        return 200, {**self._page(asked, rows, limit=_MAX_LIMIT), "unreadable": []}, {}

    def operation(self, _: Asked, transaction_id: str, operation_id: str) -> "Answered":
        for each in self._book.payment(transaction_id).operations:
            if each["operationId"] == operation_id:
                return 200, each, {}
        raise RefusedError("no_operation")

    def create_endpoint(self, asked: Asked) -> "Answered":
        return 201, self._endpoints.create(asked.body), {}

    def list_endpoints(self, _: Asked) -> "Answered":
        return 200, {"items": self._endpoints.shown()}, {}

    def delete_endpoint(self, _: Asked, endpoint_id: str) -> "Answered":
        self._endpoints.delete(endpoint_id)
        return 204, None, {}

    def rotate_secret(self, _: Asked, endpoint_id: str) -> "Answered":
        return 200, self._endpoints.rotate_secret(endpoint_id), {}

    def list_events(self, asked: Asked) -> "Answered":
        self._endpoints.plan()
        page = self._page(asked, self._in_time(asked, self._book.events)[::-1])
        return 200, {**page, "items": [_event(each) for each in page["items"]], "unreadable": []}, {}

    def redeliver(self, _: Asked, event_id: str) -> "Answered":
        for event in self._book.events:
            if event["id"] == event_id:
                self._endpoints.plan(again=event)
                return 202, _event(event), {}
        raise RefusedError("no_event")

    def health(self, _: Asked) -> "Answered":
        return 200, {"status": "ok"}, {}

    def describe(self, _: Asked) -> "Answered":
        return 200, {"openapi": "3.1.0", "info": {"title": "PayFlowX", "version": VERSION}, "paths": {}}, {}

    def webhook(self, _: Asked, _provider: str, _token: str) -> "Answered":
        raise RefusedError("webhook")

    def _in_time(self, asked: Asked, rows: Sequence[Json]) -> list[Json]:
        start, end = (_time(asked.query.get(name)) for name in ("from", "to"))
        at = [datetime.fromisoformat(each["createdAt"]).timestamp() for each in rows]
        return [
            row
            for row, seconds in zip(rows, at, strict=True)
            if (start is None or seconds >= start) and (end is None or seconds < end)
        ]

    def _page(self, asked: Asked, rows: Sequence[Json], limit: int = 20) -> Json:
        given = asked.query.get("limit", str(limit))
        if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= _MAX_LIMIT:
            raise RefusedError("limit")
        match = _CURSOR.fullmatch(asked.query.get("cursor", "after_0"))
        if match is None:
            raise RefusedError("cursor")
        start = int(match[1])
        end = start + int(given)
        return {"items": list(rows[start:end]), "nextCursor": f"after_{end}" if end < len(rows) else None}


Answered = tuple[int, Json | None, dict[str, str]]
_Handler = Callable[..., Answered]
ROUTES: Final[tuple[tuple[str, Mapping[str, _Handler]], ...]] = (
    ("/payments", {"POST": Addresses.create, "GET": Addresses.list_payments}),
    ("/payments/([^/]+)", {"GET": Addresses.get}),
    ("/payments/([^/]+)/events", {"GET": Addresses.audit}),
    ("/payments/([^/]+)/cancel", {"POST": Addresses.cancel}),
    ("/payments/([^/]+)/capture", {"POST": Addresses.capture}),
    ("/payments/([^/]+)/refunds", {"POST": Addresses.refund}),
    ("/payments/([^/]+)/operations", {"GET": Addresses.operations}),
    ("/payments/([^/]+)/operations/([^/]+)", {"GET": Addresses.operation}),
    ("/webhook-endpoints", {"POST": Addresses.create_endpoint, "GET": Addresses.list_endpoints}),
    ("/webhook-endpoints/([^/]+)", {"DELETE": Addresses.delete_endpoint}),
    ("/webhook-endpoints/([^/]+)/rotate-secret", {"POST": Addresses.rotate_secret}),
    ("/events", {"GET": Addresses.list_events}),
    ("/events/([^/]+)/redeliver", {"POST": Addresses.redeliver}),
    ("/webhooks/([^/]+)/([^/]+)", {"POST": Addresses.webhook}),
    ("/health", {"GET": Addresses.health}),
    ("/openapi.json", {"GET": Addresses.describe}),
)


def _canonical(wanted: Mapping[str, Any]) -> str:
    return json.dumps(wanted, sort_keys=True)


def _replayed(*, is_known: bool) -> dict[str, str]:
    return {"idempotency-replayed": "true"} if is_known else {}


def _time(given: str | None) -> float | None:
    try:
        return None if given is None else datetime.fromisoformat(given).timestamp()
    except ValueError as error:
        raise RefusedError("time") from error


def _event(event: Json) -> Json:
    return {name: value for name, value in event.items() if name != "isPlanned"}
