"""The client load: orders through the public API, each repeated with its key until there is a clear answer."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final

import urllib3

ACCEPTED: Final = 202
NO_ANSWER: Final = 0
"""Stands for a status where the connection failed."""

_TIMEOUT_SECONDS: Final = 35.0
"""More than API Gateway's 29 s: the client gets API Gateway's own answer first."""
_PATIENCE_SECONDS: Final = 180.0
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 5.0
_AT_WORK: Final = 32
"""Orders in work at once; when so many hang, no more are placed: the load is bounded."""
_ON_THE_WIRE: Final = 6
"""Requests at once. The engine starts a process for each that it cannot serve at once: after a restart, thirty clients
would have it start sixty, and on a small machine none of them would be up before its function's timeout.
"""
_APPROVAL_SECONDS: Final = 20.0
_RECENT: Final = 30
_HIGH_VALUE: Final = 1_000_000
_ENDED: Final = frozenset({"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"})
_MANUAL: Final = 0.35
_OPERATION_SECONDS: Final = 120.0
"""A payment that is not ready for an operation after this time gets none: its slot is needed."""

_ANYWHERE: Final = (
    *("tok_success",) * 6,
    "tok_slow_success",
    "tok_soft_decline",
    "tok_hard_decline",
    "tok_insufficient_funds",
    "tok_timeout_after_charge",
    "tok_500_after_charge",
    "tok_garbage",
    "tok_wrong_amount",
    "tok_async_success",
    "tok_async_failure",
    "tok_rate_limited",
)
_WHERE_PROOF_EXISTS: Final = ("tok_500_before_charge", "tok_timeout_before_charge")
"""A lost request that did nothing: razorpay_mock cannot prove it, and would be asked for longer than we wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A payment that a client wants made once, and the client's behaviour."""

    key: str
    amount: int
    currency: str
    token: str
    copies: int = 1
    at_once: bool = False
    altered: bool = False
    """Afterwards the key is used again for another amount, which must be refused."""
    approves: bool = False
    cancels: bool = False
    manual: bool = False
    captures: int | None = None
    """Of a manual order; None leaves the amount held."""
    voids: bool = False
    refunds: tuple[int, ...] = ()
    """Amounts, requested one after the other once the payment has succeeded."""
    repeats: bool = False
    """Each operation is requested twice under its key, and once more with another amount, which must be refused."""

    def body(self) -> dict[str, Any]:
        """The request."""
        method = {"type": "card", "token": self.token}
        body = {"amount": self.amount, "currency": self.currency, "paymentMethod": method}
        return body | ({"capture": "manual"} if self.manual else {})


def draw_order(rng: random.Random, number: int) -> Order:
    """One order of the mix: currencies and amounts for all three routes, tokens for all kinds of outcome."""
    currency, amount = rng.choice(
        [
            ("INR", rng.randint(100, 90_000)),
            ("USD", rng.randint(100, 90_000)),
            ("USD", rng.randint(100, 90_000)),
            ("USD", rng.randint(_HIGH_VALUE, 5 * _HIGH_VALUE)),
        ]
    )
    token = rng.choice(_ANYWHERE if currency == "INR" else (*_ANYWHERE, *_WHERE_PROOF_EXISTS))
    manner = rng.random()
    cancels = currency != "INR" and manner < 0.08
    approves = not cancels and manner < 0.14
    if approves or (cancels and rng.random() < 0.5):
        token = "tok_requires_action"  # noqa: S105 - opens nothing
    elif rng.random() < 0.1 and currency != "INR":
        token = f"tok_soft_decline@{'mock' if amount < _HIGH_VALUE else 'cashfree_mock'}"
    return _with_operations(
        rng,
        Order(
            key=f"chaos-{number}",
            amount=amount,
            currency=currency,
            token=token,
            copies=rng.choice([1, 1, 1, 2, 4]),
            at_once=rng.random() < 0.5,
            altered=rng.random() < 0.1,
            approves=approves,
            cancels=cancels,
        ),
    )


def _with_operations(rng: random.Random, order: Order) -> Order:
    """A third is held; most of that is captured, wholly or in part, the rest voided or left. Half is refunded."""
    manual = rng.random() < _MANUAL
    manner, part = rng.random(), rng.randint(1, order.amount)
    captured = (order.amount if manner < 0.4 else part if manner < 0.75 else None) if manual else None
    paid = captured or order.amount
    refunds = rng.choice(
        [(), (), (paid,), (rng.randint(1, paid),), (max(1, paid // 3), max(1, paid // 3)), (order.amount + 1,)]
    )
    return replace(
        order,
        manual=manual,
        captures=captured,
        voids=manual and 0.75 <= manner < 0.92,
        refunds=refunds if captured or not manual else (),
        repeats=rng.random() < 0.3,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The last word on one request: a status of the API, or NO_ANSWER when the client's patience was over."""

    key: str
    status: int
    transaction_id: str | None = None
    altered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationAnswer:
    """The last word on one request for a capture or refund."""

    key: str
    transaction_id: str
    kind: str
    amount: int
    status: int
    operation_id: str | None = None
    altered: bool = False
    is_too_much: bool = False
    """The amount exceeds all that was paid: no answer may accept it."""


@dataclass(slots=True)
class RequestLog:
    """The clients' orders and the answers to them. Every method may be called from any thread."""

    orders: dict[str, Order] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    operations: list[OperationAnswer] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    held_back: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def place(self, order: Order) -> None:
        """An order is about to be sent."""
        with self._lock:
            self.orders[order.key] = order

    def count(self, status: int) -> None:
        """One request over the wire, with or without success."""
        with self._lock:
            self.statuses[status] += 1

    def answered(self, answer: Answer) -> None:
        """A client got its answer, or gave up."""
        with self._lock:
            self.answers.append(answer)

    def operation_answered(self, answer: OperationAnswer) -> None:
        """A client got its answer about a capture or refund, or gave up."""
        with self._lock:
            self.operations.append(answer)

    def accepted(self) -> list[str]:
        """The ids of all payments that were accepted, in the order of the answers."""
        with self._lock:
            found = [a.transaction_id for a in self.answers if a.status == ACCEPTED and a.transaction_id]
        return list(dict.fromkeys(found))

    def recent(self) -> Sequence[str]:
        """The payments that are likely in work."""
        return self.accepted()[-_RECENT:]


@dataclass(frozen=True, slots=True)
class Merchant:
    """Speaks to the API. No call raises: a lost connection is NO_ANSWER."""

    base_url: str
    api_key: str
    log: RequestLog
    stopped: threading.Event
    pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=_ON_THE_WIRE, retries=False, timeout=_TIMEOUT_SECONDS)
    )
    wire: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_ON_THE_WIRE))

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """One request."""
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        data = json.dumps(body).encode() if body is not None else None
        try:
            with self.wire:
                answer = self.pool.request(method, self.base_url + path, headers=headers, body=data)
            status, document = answer.status, json.loads(answer.data)
        except (urllib3.exceptions.HTTPError, ValueError):
            status, document = NO_ANSWER, {}
        self.log.count(status)
        return status, document if isinstance(document, dict) else {}

    def call_until_answered(
        self, method: str, path: str, body: dict[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """As a good client does: the same again with the same key, with growing pauses, while the answer is none."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            status, document = self.call(method, path, body, key)
            clear = 200 <= status < 500 and status != 429
            pause = pause_seconds * random.uniform(0.5, 1)  # noqa: S311 - so that clients do not all come back at once
            if clear or time.monotonic() > deadline or self.stopped.wait(pause):
                return status, document
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)

    def approve(self, payment: dict[str, Any]) -> None:
        """The payer opens the provider's page; its port may be closed just then."""
        try:
            self.pool.request("GET", payment["nextAction"]["url"])
        except urllib3.exceptions.HTTPError:
            return


class Load:
    """Places orders at a rate, in the background."""

    def __init__(self, merchant: Merchant, *, payments_per_second: float, rng: random.Random) -> None:
        self._merchant, self._log, self._random = merchant, merchant.log, rng
        self._interval_seconds = 1 / payments_per_second
        self._ended = threading.Event()
        self._slots = threading.Semaphore(_AT_WORK)
        self._pool = ThreadPoolExecutor(_AT_WORK)
        self._placer = threading.Thread(target=self._place_orders, daemon=True)

    def start(self) -> None:
        """Until `finish`."""
        self._placer.start()

    def finish(self) -> None:
        """No more orders; those in work get their answers, or run out of patience."""
        self._ended.set()
        self._placer.join()
        self._pool.shutdown(wait=True)

    def abandon(self) -> None:
        """Ctrl-C: stop without waiting for answers."""
        self._ended.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _place_orders(self) -> None:
        number = 0
        while not self._ended.wait(self._interval_seconds):
            if not self._slots.acquire(blocking=False):
                self._log.held_back += 1
                continue
            number += 1
            order = draw_order(self._random, number)
            self._log.place(order)
            self._pool.submit(self._serve, order)

    def _serve(self, order: Order) -> None:
        try:
            transaction_id = self._send_copies(order)
            if transaction_id is None or self._merchant.stopped.is_set():
                return
            if order.altered:
                self._send(order, altered=True)
            if order.cancels:
                self._merchant.call_until_answered("POST", f"/payments/{transaction_id}/cancel")
            if order.approves:
                self._approve(transaction_id)
            self._operate(order, transaction_id)
        finally:
            self._slots.release()

    def _send_copies(self, order: Order) -> str | None:
        """One after the other, or all at once as when several of the client's own processes do the same work."""
        if not order.at_once:
            return [self._send(order) for _ in range(order.copies)][-1]
        threads = [threading.Thread(target=self._send, args=(order,)) for _ in range(order.copies - 1)]
        for thread in threads:
            thread.start()
        transaction_id = self._send(order)
        for thread in threads:
            thread.join()
        return transaction_id

    def _send(self, order: Order, *, altered: bool = False) -> str | None:
        body = order.body() | ({"amount": order.amount + 1} if altered else {})
        status, document = self._merchant.call_until_answered("POST", "/payments", body, order.key)
        if self._merchant.stopped.is_set():
            return None
        transaction_id = document.get("transactionId") if status == ACCEPTED else None
        self._log.answered(Answer(key=order.key, status=status, transaction_id=transaction_id, altered=altered))
        return transaction_id

    def _approve(self, transaction_id: str) -> None:
        """Soon: the longer a payer waits, the longer are the pauses between inquiries."""
        deadline = time.monotonic() + _APPROVAL_SECONDS
        while time.monotonic() < deadline and not self._merchant.stopped.wait(1):
            _, payment = self._merchant.call("GET", f"/payments/{transaction_id}")
            if payment.get("status") == "REQUIRES_ACTION" and payment.get("nextAction"):
                self._merchant.approve(payment)
                return

    def _operate(self, order: Order, transaction_id: str) -> None:
        """Capture or void what is held, then refund what was paid."""
        if order.manual and (order.captures or order.voids):
            if not self._reaches(transaction_id, "AUTHORIZED"):
                return
            if order.voids:
                self._merchant.call_until_answered("POST", f"/payments/{transaction_id}/cancel")
            elif order.captures:
                self._request(order, transaction_id, "capture", order.captures, 1)
        if order.refunds and self._reaches(transaction_id, "SUCCESS"):
            for number, amount in enumerate(order.refunds, 1):
                self._request(order, transaction_id, "refund", amount, number)

    def _request(self, order: Order, transaction_id: str, kind: str, amount: int, number: int) -> None:
        key = f"{order.key}-{kind}-{number}"
        amounts = [amount, amount, amount + 1] if order.repeats else [amount]
        for asked in amounts:
            path = f"/payments/{transaction_id}/{'capture' if kind == 'capture' else 'refunds'}"
            status, document = self._merchant.call_until_answered("POST", path, {"amount": asked}, key)
            if self._merchant.stopped.is_set():
                return
            self._log.operation_answered(
                OperationAnswer(
                    key=key,
                    transaction_id=transaction_id,
                    kind=kind,
                    amount=asked,
                    status=status,
                    operation_id=document.get("operationId") if status == ACCEPTED else None,
                    altered=asked != amount,
                    is_too_much=asked > order.amount,
                )
            )

    def _reaches(self, transaction_id: str, wanted: str) -> bool:
        deadline = time.monotonic() + _OPERATION_SECONDS
        while time.monotonic() < deadline and not self._merchant.stopped.wait(1):
            _, payment = self._merchant.call("GET", f"/payments/{transaction_id}")
            if payment.get("status") == wanted:
                return True
            if payment.get("status") in _ENDED:
                return False
        return False
