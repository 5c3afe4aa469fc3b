"""A history made by hand: items as stored, events with their hashes, requests and answers, the providers' books.

A test tells what happened, in order; `evidence` gives what the checker sees of it. Nothing of the product runs.
"""

import base64
import hashlib
import hmac
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from simulation.checker.evidence import Evidence, gather
from simulation.checker.records import hash_of
from simulation.faults import Faults
from simulation.history import Call, Commanded, Delivered, Entry, History, PostedWebhook, Sent, Source, Write
from simulation.kernel import EPOCH_MS
from simulation.providers import SECRET
from simulation.workload import Order
from simulation.world import TRANSACTIONS, Plan, Result

DAY_MS = 24 * 3_600_000
PAYER = {"name": "Asha Rao", "email": "asha.rao@example.org", "phone": "+919811112222", "id": "cust_asha_17"}
KINDS = {"capture": "cap_", "void": "void_", "refund": "ref_"}
OPERATION_NAMES = {"capture": "c" * 16, "void": "v" * 16, "refund": "r" * 16}


def attributes(value: Any) -> dict[str, Any]:
    """A Python value as DynamoDB's API carries it."""
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case dict():
            return {"M": {name: attributes(inner) for name, inner in value.items() if inner is not None}}
        case _:
            return {"L": [attributes(inner) for inner in value]}


def stored(item: dict[str, Any]) -> dict[str, Any]:
    """An item as it is stored: absent values are left out."""
    return {name: attributes(value) for name, value in item.items() if value is not None}


URL = "https://acme-1.example.com/webhooks"
ENDPOINT_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def signed(body: dict[str, Any], at_seconds: int, secret: str = ENDPOINT_SECRET) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    digest = hmac.digest(key, f"{body['id']}.{at_seconds}.{text}".encode(), hashlib.sha256)
    return {
        "webhook-id": body["id"],
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


@dataclass
class Story:
    """One merchant's payments, told step by step. Every step takes a second."""

    merchant: str = "acme"
    name: str = "a" * 16
    history: History = field(default_factory=History)
    items: dict[Any, Any] = field(default_factory=dict)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    strikes: Counter[str] = field(default_factory=Counter)
    listed: set[tuple[str, str, str | None]] | None = None
    now_ms: int = EPOCH_MS + 60_000
    stopped_ms: int | None = None
    """When the last fault was over; at the end, unless a test says otherwise."""

    # -- what is stored

    @property
    def transaction_id(self) -> str:
        return f"pay_{self.name}"

    @property
    def partition(self) -> str:
        return f"M#{self.merchant}#P#{self.transaction_id}"

    def item(self, sort: str = "PAYMENT") -> dict[str, Any]:
        """As plain values, to be read."""
        return dict(self._plain[self.partition, sort])

    _plain: dict[Any, dict[str, Any]] = field(default_factory=dict)

    def put(self, sort: str, item: dict[str, Any], process: int, *, partition: str | None = None) -> None:
        """Write an item as it is."""
        key = (partition or self.partition, sort)
        item = {"pk": key[0], "sk": sort, **item}
        before, after = self.items.get((TRANSACTIONS, key)), stored(item)
        self.items[TRANSACTIONS, key] = after
        self._plain[key] = {name: value for name, value in item.items() if value is not None}
        self.history.writes.append(Write(self.now_ms, TRANSACTIONS, key, before, after, process))
        if process > 0:
            self._count(sort, before, after)

    def _count(self, sort: str, before: Any, after: Any) -> None:
        """The metrics of an honest process."""
        was, status = (item.get("status", {}).get("S") for item in (before or {}, after))
        counted, is_new = self.history.counted, was != status
        match sort.partition("#")[0]:
            case "PAYMENT" if before is None:
                counted["PaymentsAccepted", ""] += 1
            case "PAYMENT":
                extras = [len(item.get("extraCharges", {"L": []})["L"]) for item in (before, after)]
                counted["ObjectsChargedTwice", ""] += max(0, extras[1] - extras[0])
                counted["PaymentsInReview", ""] += is_new and status == "IN_REVIEW"
                counted["PaymentsFinal", status] += is_new and status in {"SUCCESS", "FAILED", "CANCELLED"}
            case "OP":
                is_asked = after.get("fingerprint", {}).get("S") not in {"late", "made_at_provider", "cancel_requested"}
                counted["OperationsAccepted", ""] += before is None and is_asked
                counted["OperationsInReview", ""] += is_new and status == "IN_REVIEW"
                counted["OperationsFinal", status] += is_new and status in {"SUCCEEDED", "FAILED"}

    def change(self, process: int, sort: str = "PAYMENT", **changes: Any) -> None:
        """A new version of the payment or of an operation, without an event."""
        before = self.item(sort)
        after = {**before, "version": before["version"] + 1, "updatedAt": self.now_ms, **changes}
        self.put(sort, after, process)

    def event(self, kind: str, process: int, *, actor: str = "worker", told: str | None = None, **facts: Any) -> None:
        """The event of the payment's change that was just made."""
        item = self.item()
        events = [e for (p, sort), e in self._plain.items() if p == self.partition and sort.startswith("EVENT#")]
        last = max(events, key=lambda e: e["seq"], default=None)
        event = {
            "pk": self.partition,
            "sk": f"EVENT#{item['eventSeq']:06}",
            "merchantId": self.merchant,
            "transactionId": self.transaction_id,
            "seq": item["eventSeq"],
            "type": kind,
            "from": last["to"] if last else None,
            "to": item["status"],
            "actor": actor,
            "at": self.now_ms,
            "facts": facts,
            "previousHash": last["hash"] if last else "0" * 64,
        }
        event["hash"] = hash_of(event)
        if told:
            event |= {"topic": told, "number": item["announced"], "planned": True}
        self.put(event["sk"], event, process)
        head = {**self.item(), "eventHash": event["hash"]}
        self._plain[self.partition, "PAYMENT"] = head
        self.items[TRANSACTIONS, (self.partition, "PAYMENT")] = stored(head)
        place = max(i for i, write in enumerate(self.history.writes) if write.key == (self.partition, "PAYMENT"))
        write = self.history.writes[place]
        self.history.writes[place] = Write(
            write.at_ms, write.table, write.key, write.before, stored(head), write.process
        )

    def record(
        self,
        kind: str,
        process: int,
        *,
        told: str | None = None,
        actor: str = "worker",
        facts: dict[str, Any] | None = None,
        operation: tuple[str, dict[str, Any]] | None = None,
        **changes: Any,
    ) -> None:
        """One transaction: the payment, an operation where there is one, and the event."""
        self.now_ms += 1_000
        before = self.item()
        changes = {"eventSeq": before["eventSeq"] + 1, "announced": before.get("announced", 0) + bool(told), **changes}
        if operation is not None:
            sort, wanted = operation
            if (self.partition, sort) in self._plain:
                self.change(process, sort, **wanted)
            else:
                self.put(sort, wanted, process)
        self.change(process, **changes)
        self.event(kind, process, actor=actor, told=told, **(facts or {}))

    # -- a payment

    def accept(
        self,
        *,
        amount: int = 100,
        capture: str = "automatic",
        providers: tuple[str, ...] = ("mock",),
        order: dict[str, Any] | None = None,
        reasons: tuple[str, ...] = (),
    ) -> None:
        """POST /payments, answered with 202. `order`: the members of the request that name the merchant's order.

        `reasons`: those of its route.
        """
        self.now_ms += 1_000
        body: dict[str, Any] = {
            "amount": amount,
            "currency": "EUR",
            "capture": capture,
            "paymentMethod": {"type": "card", "token": f"tok_success_{self.name[0]}"},
            "customer": PAYER,
            **(order or {}),
        }
        key = f"order-{self.name[0]}"
        self.orders.append(Order(self.merchant, key, self.now_ms, body, approves=False, payer=PAYER))
        self.put(
            "PAYMENT",
            {
                "merchantId": self.merchant,
                "transactionId": self.transaction_id,
                "fingerprint": "f",
                "amount": amount,
                "currency": "EUR",
                "capture": capture,
                "paymentMethod": {"type": "card", "token": body["paymentMethod"]["token"]},
                "customer": PAYER,
                "orderId": (order or {}).get("orderId"),
                "route": {
                    "document": "d",
                    "rule": "default",
                    "reasons": list(reasons),
                    "candidates": [{"provider": name, "account_id": "main"} for name in providers],
                },
                "createdAt": self.now_ms,
                "updatedAt": self.now_ms,
                "chargeDeadline": self.now_ms + DAY_MS,
                "status": "PENDING",
                "version": 1,
                "lease": {"owner": "", "epoch": 0, "expiresAt": 0},
                "attempts": [],
                "capturable": 0,
                "refundable": 0,
                "eventSeq": 1,
                "eventHash": "",
                "readyAt": self.now_ms,
                "dueAt": self.now_ms + 90_000,
                "drives": 0,
            },
            1,
        )
        self.event("payment.created", 1, actor="api")
        self.call("POST", "/payments", 202, key=key, body=json.dumps(body))

    def claim(
        self, process: int, *, provider: str = "mock", sort: str = "PAYMENT", append: bool = True, **facts: Any
    ) -> None:
        """A worker takes the lease, and appends an attempt unless it resolves the one that is open.

        `facts` are further facts of the attempt.
        """
        self.now_ms += 1_000
        item = self.item(sort)
        epoch = item["lease"]["epoch"] + 1
        attempts = list(item["attempts"])
        if append:
            name = self.name if sort == "PAYMENT" else sort.partition("_")[2]
            attempts.append(
                {
                    "number": len(attempts) + 1,
                    "provider": provider,
                    "account_id": "main",
                    "provider_key": f"pfx-{name}-{len(attempts) + 1}",
                    "request_hash": "h",
                    "epoch": epoch,
                    "started_at_ms": self.now_ms,
                    "state": "STARTED",
                    **facts,
                }
            )
        lease = {"owner": f"w{process}", "epoch": epoch, "expiresAt": self.now_ms + 45_000}
        self.change(process, sort, lease=lease, attempts=attempts, dueAt=self.now_ms + 60_000)

    def settled(self, state: str, sort: str = "PAYMENT", **facts: Any) -> list[dict[str, Any]]:
        """The attempts with the newest one in this state."""
        *others, last = self.item(sort)["attempts"]
        return [*others, {**last, "state": state, **facts}]

    def free(self, sort: str = "PAYMENT") -> dict[str, Any]:
        """The lease as an outcome leaves it."""
        return {"owner": "", "epoch": self.item(sort)["lease"]["epoch"], "expiresAt": 0}

    def outcome(self, process: int, state: str, status: str, *, told: str | None = None, **changes: Any) -> None:
        """The end of a session with a payment's attempt."""
        facts = changes.pop("facts", {})
        attempt = changes.pop("attempt", {})
        self.record(
            f"attempt.{state.lower()}",
            process,
            told=told,
            facts=facts,
            status=status,
            attempts=self.settled(state, **attempt),
            lease=self.free(),
            **changes,
        )

    def charge(self, process: int = 2) -> None:
        """A payment that goes well."""
        self.claim(process)
        self.send(process, "POST", "/v1/charges", f"pfx-{self.name}-1")
        amount = self.item()["amount"]
        self.book("charge", f"pfx-{self.name}-1", amount)
        self.outcome(
            process,
            "SUCCEEDED",
            "SUCCESS",
            told="payment.succeeded",
            attempt={"reference": f"ch_{self.name}"},
            chargedAttempt=1,
            captured=amount,
            refundable=amount,
            dueAt=None,
        )
        self.own(f"ch_{self.name}", attempt=1)

    def authorize(self, process: int = 2) -> None:
        """A payment with manual capture that is authorized."""
        self.claim(process)
        self.send(process, "POST", "/v1/charges", f"pfx-{self.name}-1")
        self.outcome(
            process,
            "AUTHORIZED",
            "AUTHORIZED",
            told="payment.authorized",
            attempt={"reference": f"ch_{self.name}", "deadline_ms": self.now_ms + 5 * DAY_MS},
            capturable=self.item()["amount"],
        )

    # -- operations

    def request(self, kind: str, amount: int, *, name: str = "", fingerprint: str = "f") -> str:
        """A capture, void or refund is accepted; gives its sort key."""
        name = name or OPERATION_NAMES[kind]
        operation_id = f"{KINDS[kind]}{name}"
        sort, item, self.now_ms = f"OP#{operation_id}", self.item(), self.now_ms + 1_000
        operation = {
            "merchantId": self.merchant,
            "transactionId": self.transaction_id,
            "operationId": operation_id,
            "kind": kind,
            "fingerprint": fingerprint,
            "amount": amount,
            "currency": "EUR",
            "chargeAttempt": 1,
            "createdAt": self.now_ms,
            "updatedAt": self.now_ms,
            "sendDeadline": self.now_ms + DAY_MS,
            "status": "PENDING",
            "version": 1,
            "lease": {"owner": "", "epoch": 0, "expiresAt": 0},
            "attempts": [],
            "readyAt": self.now_ms,
            "dueAt": self.now_ms + 90_000,
            "drives": 0,
        }
        money = (
            {"refundable": item["refundable"] - amount}
            if kind == "refund"
            else {"capturable": item["capturable"] - amount, "openSettlement": operation_id, "dueAt": None}
        )
        facts = {"operationId": operation_id, "amount": amount, "operationStatus": "PENDING"}
        self.record(f"{kind}.requested", 1, actor="api", facts=facts, operation=(sort, operation), **money)
        path = f"/payments/{self.transaction_id}/{'refunds' if kind == 'refund' else kind}"
        self.call("POST", path, 202, key=f"{kind}-{name[0]}", body=f'{{"amount": {amount}}}', sort=sort)
        return sort

    def moved(
        self,
        process: int,
        sort: str,
        state: str,
        ended: str,
        *,
        told: str | None = None,
        actor: str = "worker",
        attempt: dict[str, Any] | None = None,
        error: str | None = None,
        name: str = "",
        evidence: dict[str, Any] | None = None,
        **money: Any,
    ) -> None:
        """The end of a session with an operation; `money` changes the payment."""
        item = self.item(sort)
        wanted = {
            "status": ended,
            "attempts": self.settled(state, sort, **(attempt or {})),
            "lease": self.free(sort),
            "lastError": {"code": error, "message": "m"} if error else None,
            "dueAt": self._due_after(item["kind"], ended),
            "updatedAt": self.now_ms + 1_000,
        }
        facts = {"operationId": item["operationId"], "amount": item["amount"], "operationStatus": ended}
        kind = name or f"{item['kind']}.{ended.lower()}"
        facts |= evidence or {}
        self.record(kind, process, actor=actor, told=told, facts=facts, operation=(sort, wanted), **money)

    def _due_after(self, kind: str, ended: str) -> int | None:
        """A refund that succeeded is read once more, when it can no longer come back."""
        if (kind, ended) == ("refund", "SUCCEEDED"):
            return self.now_ms + 30 * DAY_MS
        return None if ended in {"SUCCEEDED", "FAILED"} else self.now_ms + 90_000

    def capture(self, amount: int, process: int = 3) -> None:
        """A capture that goes well."""
        sort = self.request("capture", amount)
        self.claim(process, sort=sort)
        self.send(process, "POST", f"/v1/charges/ch_{self.name}/captures", f"pfx-{sort[7:]}-1")
        self.book("charge", f"pfx-{self.name}-1", amount)
        self.book("capture", f"pfx-{sort[7:]}-1", amount)
        self.moved(
            process,
            sort,
            "SUCCEEDED",
            "SUCCEEDED",
            told="payment.succeeded",
            status="SUCCESS",
            attempts=self.settled("SUCCEEDED"),
            chargedAttempt=1,
            captured=amount,
            capturable=0,
            refundable=amount,
            openSettlement=None,
        )

    def refund(self, amount: int, process: int = 4, *, name: str = "") -> str:
        """A refund that goes well."""
        sort = self.request("refund", amount, name=name)
        self.claim(process, sort=sort)
        self.send(process, "POST", f"/v1/charges/ch_{self.name}/refunds", f"pfx-{sort[7:]}-1")
        self.book("refund", f"pfx-{sort[7:]}-1", amount)
        refunded = self.item().get("refunded", 0) + amount
        self.moved(process, sort, "SUCCEEDED", "SUCCEEDED", told="refund.succeeded", refunded=refunded)
        return sort

    # -- what clients and providers see

    def call(
        self,
        method: str,
        path: str,
        status: int,
        *,
        key: str | None = None,
        body: str | None = None,
        sort: str = "PAYMENT",
    ) -> None:
        """A request whose answer shows the item as it is now."""
        answer = self.shown(sort)
        self.history.calls.append(
            Call(self.now_ms, self.merchant, method, path, key, body, status, answer, self.now_ms + 10)
        )

    def shown(self, sort: str) -> dict[str, Any]:
        """The item as the API shows it now."""
        item = self.item(sort)
        shown = ("status", "amount", "currency", "transactionId", "operationId", "kind")
        answer = {name: item[name] for name in shown if name in item}
        answer["attempts"] = [
            {
                "number": a["number"],
                "provider": a["provider"],
                "accountId": a["account_id"],
                "state": a["state"],
                "providerKey": a["provider_key"],
                "providerRef": a.get("reference"),
                "providerCode": a.get("code"),
            }
            for a in item["attempts"]
        ]
        error = item.get("lastError")
        answer["lastError"] = (
            {
                "code": error["code"],
                "message": error["message"],
                "provider": None,
                "providerCode": None,
                "attempt": None,
            }
            if error
            else None
        )
        if sort == "PAYMENT":
            last = (item["attempts"] or [{}])[-1]
            amounts = ("capturable", "captured", "refundable", "refunded")
            answer |= {name: item.get(name, 0) for name in amounts}
            answer |= {"provider": last.get("provider", item["route"]["candidates"][0]["provider"])}
            answer |= {"providerRef": last.get("reference"), "cancelRequested": item.get("cancelRequested", False)}
            answer |= {"nextAction": None, "metadata": {}, "description": None, "orderId": item.get("orderId")}
            answer |= {"capture": item["capture"], "retryCount": max(0, len(item["attempts"]) - 1)}
            answer |= {"oncePerOrder": not item.get("orderBeside", False), "contendsWith": None, "extraCharges": []}
        else:
            last = (item["attempts"] or [{}])[-1]
            answer |= {"provider": last.get("provider"), "providerRef": last.get("reference"), "origin": "merchant"}
        times = {name: item[name] / 1_000 for name in ("createdAt", "updatedAt")}
        return answer | {
            name: f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.000Z" for name, at in times.items()
        }

    def send(self, process: int, method: str, path: str, key: str, provider: str = "mock") -> None:
        """A request that a provider gets."""
        self.history.sent.append(
            Sent(self.now_ms, provider, method, path, key, True, process, self.merchant, self.merchant, "worker")
        )

    def book(self, kind: str, key: str, amount: int, *, status: str = "", provider: str = "mock", **facts: Any) -> None:
        """An entry of the provider's books, as they are in the end."""
        charge_id = f"ch_{self.name}"
        self.ledger.append(
            {
                "reference": key,
                "providerKey": key,
                "chargeId": charge_id,
                "kind": kind,
                "amount": amount,
                "refunded": 0,
                "currency": "EUR",
                "status": status or ("charged" if kind == "charge" else "done"),
                "at": self.now_ms / 1000,
                "gateway": provider,
                "provider": provider,
                "merchant": self.merchant,
                "source": Source.REQUEST,
                **facts,
            }
        )
        self.history.entries.append(
            Entry(self.now_ms, provider, self.merchant, kind, charge_id, "", amount, "EUR", key, Source.REQUEST, 0)
        )

    def own(self, reference: str, *, attempt: int, operation_id: str | None = None) -> None:
        """The row of a provider's reference."""
        item = {
            "merchantId": self.merchant,
            "transactionId": self.transaction_id,
            "attempt": attempt,
            "operationId": operation_id,
        }
        self.put("REFERENCE", item, 2, partition=f"R#mock#main#{reference}")

    def webhook(self, event_id: str, *, merchant: str = "", address: str = "", signed_by: str = "") -> None:
        """A provider posts an event about this payment."""
        merchant, address = merchant or self.merchant, address or self.merchant
        body = f'{{"reference": "pfx-{self.name}-1"}}'.encode()
        kind, signed_by = "charge.succeeded", signed_by or self.merchant
        self.history.webhooks.append(
            PostedWebhook(self.now_ms, "mock", merchant, address, signed_by, event_id, kind, 1, 200, body)
        )

    def endpoint(self, *types: str) -> None:
        """The merchant has an endpoint for these types of events, or for all, and its secret was shown."""
        made_ms = self.now_ms - 10_000
        made_at = datetime.fromtimestamp(made_ms / 1_000, UTC).isoformat()
        shown: dict[str, Any] = {"id": "we_1", "url": URL, "secret": ENDPOINT_SECRET, "createdAt": made_at}
        shown["eventTypes"] = list(types)
        self.history.calls.append(
            Call(made_ms, self.merchant, "POST", "/webhook-endpoints", "e", "{}", 201, shown, made_ms)
        )

    def deliver(self, seq: int, *, status: int = 200, state: str = "DELIVERED", tries: int = 1, **changes: Any) -> None:
        """An event is posted to the endpoint, and the result is stored."""
        event = self.item(f"EVENT#{seq:06}")
        body = {
            "id": f"evt_{self.name}_{seq}",
            "type": event["topic"],
            "sequence": event["number"],
            "data": self.data_of(event),
            **changes,
        }
        if status:
            self.history.deliveries.append(
                Delivered(self.now_ms, self.merchant, URL, body, signed(body, self.now_ms // 1000), status, 8)
            )
        self.put(event["sk"], {**event, "deliveries": {"we_1": {"state": state, "attempts": tries}}}, 8)

    def data_of(self, event: dict[str, Any]) -> dict[str, Any]:
        """What a message about an event holds."""
        operation_id = event["facts"].get("operationId")
        return {
            "change": {"from": event["from"], "to": event["to"]},
            "payment": self.shown("PAYMENT"),
            "operation": self.shown(f"OP#{operation_id}") if operation_id else None,
        }

    def _in_review(self) -> set[tuple[str, str, str | None]]:
        """What the list of reviews shows, if it is right."""
        found: set[tuple[str, str, str | None]] = set()
        for (partition, sort), item in self._plain.items():
            if item.get("status") == "IN_REVIEW":
                merchant = partition.split("#")[1]
                found.add((merchant, item["transactionId"], item.get("operationId") if sort != "PAYMENT" else None))
        return found

    def command(self, command: str, *, is_right: bool | None = None, **facts: Any) -> None:
        """An operator's command that is carried out."""
        named = {"command": command, "merchantId": self.merchant, "transactionId": self.transaction_id, **facts}
        self.history.commands.append(
            Commanded(self.now_ms, "operations", named, {"ok": True}, self.now_ms + 10, is_right)
        )

    def beside(self, name: str, merchant: str = "") -> "Story":
        """Another payment of the same run."""
        return Story(
            merchant=merchant or self.merchant,
            name=name * 16,
            history=self.history,
            items=self.items,
            ledger=self.ledger,
            orders=self.orders,
            strikes=self.strikes,
            now_ms=self.now_ms,
        )

    def evidence(self) -> Evidence:
        """What the checker sees."""
        faults = Faults.none(Random(0))
        faults.counts = self.strikes
        return gather(
            Result(
                plan=Plan(0),
                history=self.history,
                faults=faults,
                orders=self.orders,
                items=self.items,
                ledger=self.ledger,
                trouble_ended_ms=self.now_ms if self.stopped_ms is None else self.stopped_ms,
                ended_ms=self.now_ms + 60_000,
                settled=True,
                listed=self.listed if self.listed is not None else self._in_review(),
                api_keys={f"{self.merchant}#0": "pfx_test_key"},
                secrets=(SECRET,),
            )
        )
