"""Payments and operations of the double: each step of a scenario is a change, and a change of status is an event."""

import hashlib
import json
from base64 import b32encode
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from payflowx_client.testing.data import DATA, RefusedError, Scenario, is_checkout, scenario_of

Json = dict[str, Any]
_OPERATION_SECONDS: Final = 1
_PREFIXES: Final = {"capture": "cap", "refund": "ref", "void": "void"}
_UNRESOLVED: Final = frozenset({"PENDING", "REQUIRES_ACTION", "IN_REVIEW"})
_FREE: Final = frozenset({"FAILED", "CANCELLED"})
ACTION_URL: Final = "https://payer.example.com/authenticate"


@dataclass
class Record:
    """A payment with what the double knows of it. `answer` is what the API shows."""

    answer: Json
    scenario: Scenario
    audit: list[Json] = field(default_factory=list)
    operations: list[Json] = field(default_factory=list)
    sequence: int = 0
    is_stopped: bool = False
    """Cancelled or expired: the rest of the scenario does not happen."""
    action: Json = field(default_factory=lambda: _action(ACTION_URL))
    """What the payer has to do while an action is open."""
    last_step_ms: int = 0
    """When the scenario is over: until then, a payment that failed may still be charged."""

    @property
    def id(self) -> str:
        return str(self.answer["transactionId"])


class Book:
    """Everything that happened. `events` are those for merchants, oldest first."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.records: dict[str, Record] = {}
        self.events: list[Json] = []
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    # -- time

    def advance(self, seconds: float) -> None:
        """Let time pass, and let happen what is due meanwhile, in order."""
        until_ms = self.now_ms + round(seconds * 1000)
        while self._due and min(self._due)[0] <= until_ms:
            first = min(self._due, key=lambda each: each[:2])
            self._due.remove(first)
            self.now_ms = max(self.now_ms, first[0])
            first[2]()
        self.now_ms = until_ms

    def time(self, at_ms: int | None = None) -> str:
        """RFC 3339 in milliseconds."""
        at = datetime.fromtimestamp((self.now_ms if at_ms is None else at_ms) / 1000, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def new_id(self, prefix: str) -> str:
        """`prefix_` and 16 characters of a to z and 2 to 7, another each time."""
        self._count += 1
        digest = hashlib.sha256(f"{prefix}{self._count}".encode()).digest()
        return f"{prefix}_{b32encode(digest[:10]).decode().lower()}"

    def _later(self, seconds: float, change: Callable[[], None]) -> None:
        self._count += 1
        self._due.append((self.now_ms + round(seconds * 1000), self._count, change))

    # -- payments

    def create(self, request: Mapping[str, Any]) -> Record:
        """Accept a payment. Raises `RefusedError` while another one holds its order."""
        self._check_order(request)
        shown = {name: request.get(name, default) for name, default in DATA["requestFields"].items()}
        answer = {name: shown.get(name) or empty for name, empty in deepcopy(DATA["emptyPayment"]).items()}
        answer |= {
            "transactionId": self.new_id("pay"),
            "status": "PENDING",
            "paymentMethodType": request["paymentMethod"]["type"],
            "oncePerOrder": request.get("oncePerOrder", True),
            "routing": {"document": "test", "rule": "all", "reasons": [], "providers": ["alpha", "beta"]},
            "createdAt": self.time(),
            "updatedAt": self.time(),
        }
        record = Record(answer, scenario_of(request))
        self.records[record.id] = record
        if is_checkout(request):
            self._open(record, request)
        self._log(record, "payment.accepted", None)
        for step in record.scenario.steps:
            record.last_step_ms = self.now_ms + round(step["atSeconds"] * 1000)
            self._later(step["atSeconds"], lambda step=step: self._step(record, step))  # type: ignore[misc]
        return record

    def payment(self, transaction_id: str) -> Record:
        """Raises `RefusedError`."""
        if transaction_id not in self.records:
            raise RefusedError("no_payment")
        return self.records[transaction_id]

    def cancel(self, record: Record) -> int:
        """The HTTP status of the answer."""
        status = record.answer["status"]
        if status == "CANCELLED":
            return 200
        if status in {"PENDING", "REQUIRES_ACTION"} and not record.answer["attempts"]:
            record.is_stopped = True
            record.answer["nextAction"] = None
            self._change(record, "CANCELLED", "payment.cancelled")
            return 200
        if status == "AUTHORIZED":
            if not any(each["status"] == "PENDING" for each in record.operations):
                self._operate(record, "void", record.answer["capturable"])
            return 202
        if status == "REQUIRES_ACTION":
            record.answer["cancelRequested"] = True
            record.is_stopped = True
            self._later(_OPERATION_SECONDS, lambda: self._fenced(record))
            return 202
        raise RefusedError("outcome_unknown" if status in _UNRESOLVED else "not_open")

    def _check_order(self, request: Mapping[str, Any]) -> None:
        order_id = request.get("orderId")
        if order_id is None or not request.get("oncePerOrder", True):
            return
        found = [each for each in self.records.values() if each.answer["orderId"] == order_id and not self._frees(each)]
        if not found:
            return
        holder = next((each for each in found if each.answer["oncePerOrder"]), None)
        shown = {name: holder.answer[name] if holder else None for name in ("transactionId", "status", "nextAction")}
        free_at = self.time(holder.last_step_ms) if holder and holder.answer["status"] == "FAILED" else None
        beside = sum(not each.answer["oncePerOrder"] for each in found)
        raise RefusedError("order_not_free", order={**shown, "freeAt": free_at, "beside": beside})

    def _frees(self, record: Record) -> bool:
        """Whether nothing of it was charged for good, or all of it was given back."""
        answer = record.answer
        if answer["status"] in _FREE:
            return record.is_stopped or self.now_ms >= record.last_step_ms
        return bool(answer["captured"]) and answer["refunded"] == answer["captured"]

    def _open(self, record: Record, request: Mapping[str, Any]) -> None:
        """Until its end, the payer can come to our page; with `direct`, to the provider's as soon as it is open."""
        rules = DATA["checkout"]
        seconds = request.get("expiresInSeconds", rules["defaultSeconds"])
        is_direct = request["paymentMethod"].get("presentation") == "direct"
        url = ACTION_URL if is_direct else rules["page"] + record.id
        record.action = _action(url, self.time(self.now_ms + seconds * 1000))
        record.answer |= {"status": "REQUIRES_ACTION", "nextAction": None if is_direct else record.action}
        self._later(seconds, lambda: self._expire(record))

    def _expire(self, record: Record) -> None:
        answer = record.answer
        if record.is_stopped or answer["status"] != "REQUIRES_ACTION":
            return
        record.is_stopped = True
        answer["lastError"] = _last_error("checkout_expired", None)
        self._end(record, "FAILED", "payment.failed")

    def _step(self, record: Record, step: Mapping[str, Any]) -> None:
        if record.is_stopped:
            return
        answer, is_manual = record.answer, record.answer["capture"] == "manual"
        held = {"SUCCEEDED": "AUTHORIZED", "SUCCESS": "AUTHORIZED"} if is_manual else {}
        answer["attempts"] = [
            self._attempt(record, number, provider, held.get(state, state), code)
            for number, (provider, state, code) in enumerate(step["attempts"], start=1)
        ]
        last = answer["attempts"][-1]
        answer["provider"], answer["providerRef"] = last["provider"], last["providerRef"]
        answer["retryCount"] = len(answer["attempts"]) - 1
        answer["lastError"] = _last_error(step.get("lastError"), last)
        answer["nextAction"] = record.action if step.get("isActionOpen") else None
        status = step.get("status", answer["status"])
        self._change(record, held.get(status, status), f"attempt.{last['state'].lower()}")

    def _attempt(self, record: Record, number: int, provider: str, state: str, code: str | None) -> Json:
        known = {each["number"]: each for each in record.answer["attempts"]}
        key = f"pfx-{record.id.removeprefix('pay_')}-{number}"
        is_open = state in {"UNKNOWN", "REQUIRES_ACTION"}
        return {
            "number": number,
            "provider": provider,
            "accountId": "main",
            "state": state,
            "providerKey": key,
            "providerRef": None if state in {"UNKNOWN", "DECLINED"} else f"ref-{key}",
            "providerCode": code,
            "startedAt": known[number]["startedAt"] if number in known else self.time(),
            "settledAt": None if is_open else self.time(),
        }

    def _change(self, record: Record, status: str, entry: str) -> None:
        answer, before = record.answer, record.answer["status"]
        answer["status"], answer["updatedAt"] = status, self.time()
        amount = answer["amount"]
        if status == "SUCCESS" and before != "SUCCESS" and answer["capture"] == "automatic":
            answer["captured"] = answer["refundable"] = amount
        if status == "AUTHORIZED" and before != "AUTHORIZED":
            answer["capturable"] = amount
        self._log(record, entry, before)
        if status != before:
            self._tell(record, _payment_topic(status), before)

    def _fenced(self, record: Record) -> None:
        record.answer["cancelRequested"] = False
        self._end(record, "CANCELLED", "attempt.fenced")

    def _end(self, record: Record, status: str, entry: str) -> None:
        """Nothing can be paid any more."""
        record.answer["nextAction"] = None
        for each in record.answer["attempts"]:
            each["state"] = "FENCED" if each["state"] in {"REQUIRES_ACTION", "AUTHORIZED"} else each["state"]
        self._change(record, status, entry)

    # -- operations

    def operate(self, record: Record, kind: str, amount: int | None) -> Json:
        """Accept a capture or a refund."""
        answer, status = record.answer, record.answer["status"]
        if status in _UNRESOLVED:
            raise RefusedError("outcome_unknown")
        if kind == "capture" and status != "AUTHORIZED":
            raise RefusedError("not_authorized", status=status)
        if kind == "refund" and status != "SUCCESS":
            raise RefusedError("not_captured", status=status)
        if kind == "capture" and any(each["status"] == "PENDING" for each in record.operations):
            raise RefusedError("operation_open")
        left = answer["capturable" if kind == "capture" else "refundable"]
        if left == 0 or (amount is not None and amount > left):
            raise RefusedError("amount_exceeded", left=left)
        return self._operate(record, kind, left if amount is None else amount)

    def _operate(self, record: Record, kind: str, amount: int) -> Json:
        operation = {
            **deepcopy(DATA["emptyOperation"]),
            "operationId": self.new_id(_PREFIXES[kind]),
            "transactionId": record.id,
            "kind": kind,
            "origin": "merchant",
            "status": "PENDING",
            "amount": amount,
            "currency": record.answer["currency"],
            "createdAt": self.time(),
            "updatedAt": self.time(),
        }
        record.operations.append(operation)
        if kind == "refund":
            record.answer["refundable"] -= amount
        else:
            record.answer["capturable"] = 0
        self._log(record, f"{kind}.accepted", record.answer["status"])
        self._later(_OPERATION_SECONDS, lambda: self._operated(record, operation))
        return operation

    def _operated(self, record: Record, operation: Json) -> None:
        answer, amount, kind = record.answer, operation["amount"], operation["kind"]
        key = f"pfx-{operation['operationId']}-1"
        number = len(operation["attempts"]) + 1
        attempt = self._attempt(record, number, answer["provider"], "SUCCEEDED", None)
        operation["attempts"] = [{**attempt, "providerKey": key, "providerRef": f"ref-{key}", "startedAt": self.time()}]
        operation |= {"status": "SUCCEEDED", "provider": answer["provider"], "providerRef": f"ref-{key}"}
        operation["updatedAt"] = self.time()
        if kind == "refund":
            answer["refunded"] += amount
            self._log(record, "refund.succeeded", answer["status"])
            self._tell(record, "refund.succeeded", answer["status"], operation)
            return
        before = answer["status"]
        answer["status"], answer["updatedAt"] = ("SUCCESS" if kind == "capture" else "CANCELLED"), self.time()
        if kind == "capture":
            answer["captured"] = answer["refundable"] = amount
        for each in answer["attempts"]:
            each["state"] = "SUCCEEDED" if kind == "capture" else "FENCED"
        self._log(record, f"{kind}.succeeded", before)
        self._tell(record, _payment_topic(answer["status"]), before, operation)

    # -- what is told

    def _log(self, record: Record, entry: str, before: str | None) -> None:
        previous = record.audit[-1]["hash"] if record.audit else "0" * 64
        logged = {
            "seq": len(record.audit) + 1,
            "type": entry,
            "from": before,
            "to": record.answer["status"],
            "actor": "api" if before is None else "worker",
            "at": self.time(),
            "facts": {},
            "previousHash": previous,
        }
        digest = hashlib.sha256(json.dumps(logged, sort_keys=True).encode()).hexdigest()
        record.audit.append({**logged, "hash": digest})

    def _tell(self, record: Record, topic: str, before: str, operation: Json | None = None) -> None:
        record.sequence += 1
        event = {
            "id": f"evt_{record.id.removeprefix('pay_')}_{len(record.audit)}",
            "type": topic,
            "sequence": record.sequence,
            "transactionId": record.id,
            "operationId": operation["operationId"] if operation else None,
            "from": before,
            "to": record.answer["status"],
            "createdAt": self.time(),
            "deliveries": [],
        }
        self.events.append(event)

    def message(self, event: Mapping[str, Any]) -> Json:
        """What is posted: payment and operation as they are now."""
        record = self.records[event["transactionId"]]
        operations = [each for each in record.operations if each["operationId"] == event["operationId"]]
        return {
            "id": event["id"],
            "type": event["type"],
            "timestamp": event["createdAt"],
            "sequence": event["sequence"],
            "data": {
                "change": {"from": event["from"], "to": event["to"]},
                "payment": deepcopy(record.answer),
                "operation": deepcopy(operations[0]) if operations else None,
            },
        }


def _payment_topic(status: str) -> str:
    return "payment.succeeded" if status == "SUCCESS" else f"payment.{status.lower()}"


def _last_error(code: str | None, attempt: Mapping[str, Any] | None) -> Json | None:
    if code is None:
        return None
    of_attempt = attempt or {"provider": None, "providerCode": None, "number": None}
    return {
        "code": code,
        "message": DATA["messages"][code],
        "provider": of_attempt["provider"],
        "providerCode": of_attempt["providerCode"],
        "providerMessage": None,
        "attempt": of_attempt["number"],
    }


def _action(url: str, expires_at: str | None = None) -> Json:
    return {"type": "redirect", "url": url, "fields": None, "expiresAt": expires_at}
