"""`make chaos` judges captures, voids, refunds, provider events and deliveries: each rule has a bad history."""

import base64
import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import urllib3
from standardwebhooks.webhooks import Webhook

from local.chaos import cases
from local.chaos.deliveries import MerchantEvent, delivery_rows, judge_deliveries
from local.chaos.load import Answer, OperationAnswer, Order, draw_order
from local.chaos.operations import (
    Account,
    Balance,
    LedgerEntry,
    Operation,
    entries_in,
    judge_operations,
    operation_rows,
)
from local.chaos.provider_events import ProviderEvents
from local.chaos.result import Charge, Seen
from local.chaos.reviews import judge_reviews
from local.chaos.trouble import Simulators
from local.errors import LocalEnvironmentError
from local.merchant_endpoint import Message, Received

ID = "pay_abcdefgh234567ab"
KEY = "pfx-abcdefgh234567ab-1"
REFUND = Operation(operation_id="ref_1", kind="refund", status="SUCCEEDED", amount=300)
CAPTURE = Operation(operation_id="cap_1", kind="capture", status="SUCCEEDED", amount=1000)
SEEN = Seen(
    transaction_id=ID,
    status="SUCCESS",
    amount=1500,
    currency="USD",
    captured=1000,
    provider_keys=(KEY,),
    events=((1, "PENDING"), (2, "SUCCESS")),
    chain_whole=True,
)
BALANCE = Balance(captured=1000, refundable=700, refunded=300)
ACCOUNT = Account(seen=SEEN, balance=BALANCE, operations=(CAPTURE, REFUND))
CAPTURED = LedgerEntry(kind="capture", reference=KEY, charge=KEY, amount=1000, has_moved=True)
REFUNDED = LedgerEntry(kind="refund", reference="pfx-r-1", charge=KEY, amount=300, has_moved=True)
ASKED = OperationAnswer(
    key="k-refund-1", transaction_id=ID, kind="refund", amount=300, status=202, operation_id="ref_1"
)


def judged(
    *,
    answers: list[OperationAnswer] | None = None,
    account: Account = ACCOUNT,
    entries: list[LedgerEntry] | None = None,
) -> list[str]:
    found = judge_operations(
        [ASKED] if answers is None else answers,
        [account],
        [CAPTURED, REFUNDED] if entries is None else entries,
    )
    return [violation.rule for violation in found]


def with_refund(**changes: Any) -> Account:
    return replace(ACCOUNT, operations=(CAPTURE, replace(REFUND, **changes)))


def test_a_payment_whose_books_agree_is_no_violation() -> None:
    assert judged() == []
    assert judged(answers=[ASKED, ASKED, replace(ASKED, amount=301, status=422, operation_id=None, altered=True)]) == []
    assert judged(answers=[replace(ASKED, status=409, operation_id=None)]) == []
    assert judged(answers=[replace(ASKED, status=422, operation_id=None, is_too_much=True)]) == []


@pytest.mark.parametrize("moved", [True, False])
def test_an_operation_that_nobody_knows_may_have_moved_or_not(moved: bool) -> None:
    open_refund = replace(
        with_refund(status="PENDING", asked_on=True),
        balance=Balance(captured=1000, refundable=700, reserved=300),
    )
    entries = [CAPTURED, REFUNDED] if moved else [CAPTURED]
    assert judged(account=open_refund, entries=entries) == []
    review = replace(open_refund, operations=(CAPTURE, replace(REFUND, status="IN_REVIEW")))
    assert judged(account=review, entries=entries) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"answers": [replace(ASKED, status=0, operation_id=None)]}, "an operation was never answered"),
        ({"answers": [replace(ASKED, status=503, operation_id=None)]}, "an operation was never answered"),
        ({"answers": [replace(ASKED, status=400, operation_id=None)]}, "a valid operation was refused"),
        ({"answers": [replace(ASKED, is_too_much=True)]}, "more was accepted than was paid"),
        ({"answers": [replace(ASKED, operation_id="ref_9")]}, "an operation was accepted and lost"),
        ({"answers": [replace(ASKED, operation_id=None)]}, "an operation was accepted and lost"),
        ({"answers": [replace(ASKED, amount=301)]}, "another operation was stored"),
        ({"answers": [replace(ASKED, kind="capture")]}, "another operation was stored"),
        ({"answers": [ASKED, replace(ASKED, operation_id="cap_1")]}, "one key, several operations"),
        ({"answers": [ASKED, replace(ASKED, altered=True)]}, "another body of an operation was not refused"),
        ({"account": replace(ACCOUNT, balance=replace(BALANCE, refundable=701))}, "amounts off balance"),
        ({"account": replace(ACCOUNT, balance=replace(BALANCE, excess=1))}, "amounts off balance"),
        (
            {"account": replace(ACCOUNT, balance=replace(BALANCE, refundable=1000, reserved=-300))},
            "amounts off balance",
        ),
        (
            {"account": replace(ACCOUNT, balance=replace(BALANCE, refundable=1000, refunded=0))},
            "refunded is not the sum of the refunds",
        ),
        (
            {"account": replace(ACCOUNT, balance=replace(BALANCE, captured=1500, refundable=1200))},
            "captured is not the capture",
        ),
        (
            {"account": replace(ACCOUNT, balance=replace(BALANCE, refundable=600, reserved=100))},
            "reserved for nothing",
        ),
        ({"account": with_refund(status="PENDING")}, "an operation is stuck"),
        ({"entries": [CAPTURED, REFUNDED, REFUNDED]}, "money moved that no operation booked"),
        ({"entries": [CAPTURED, replace(REFUNDED, amount=301)]}, "money moved that no operation booked"),
        ({"account": with_refund(status="FAILED")}, "money moved that no operation booked"),
        ({"entries": [CAPTURED]}, "an operation succeeded that no ledger has"),
        ({"entries": [CAPTURED, replace(REFUNDED, has_moved=False)]}, "an operation succeeded that no ledger has"),
        (
            {"entries": [CAPTURED, REFUNDED, replace(REFUNDED, charge="pfx-zz-1")]},
            "money moved on an unknown charge",
        ),
    ],
)
def test_judge_operations_detects(changes: dict[str, Any], rule: str) -> None:
    assert rule in judged(**changes)


def test_entries_belong_to_the_charge_of_their_provider() -> None:
    charge = {"kind": "charge", "provider": "mock", "chargeId": "ch_1", "reference": KEY, "status": "charged"}
    refund = {
        "kind": "refund",
        "provider": "mock",
        "chargeId": "ch_1",
        "reference": "r",
        "amount": 300,
        "status": "failed",
    }
    found = entries_in([{**charge, "amount": 1}, refund, {**refund, "provider": "other", "status": "pending"}])
    assert [(m.charge, m.has_moved) for m in found] == [(KEY, False), ("", True)]


def test_the_rows_count_operations_by_status() -> None:
    rows = operation_rows([ACCOUNT], [ASKED, replace(ASKED, status=409)])
    assert rows == {"capture SUCCEEDED": 1, "refund SUCCEEDED": 1, "requests refused with 409": 1}


# -- orders


def test_orders_have_operations_of_every_kind() -> None:
    rng = random.Random(7)
    orders = [draw_order(rng, number) for number in range(400)]
    held = [order for order in orders if order.manual]
    assert all(order.body()["capture"] == "manual" for order in held)
    assert any(order.captures == order.amount for order in held)
    assert any(order.captures is not None and order.captures < order.amount for order in held)
    assert any(order.voids for order in held)
    assert not any(order.voids and order.captures for order in held)
    assert any(order.captures is None and not order.voids for order in held)
    assert any(len(order.refunds) == 2 for order in orders)
    assert any(amount > order.amount for order in orders for amount in order.refunds)
    assert any(order.repeats and order.refunds for order in orders)
    assert not any(order.captures or order.voids for order in orders if not order.manual)


def test_an_order_without_operations_is_captured_at_once() -> None:
    assert "capture" not in Order(key="k", amount=1, currency="USD", token="tok_success").body()


# -- merchant events

EVENT = MerchantEvent(
    event_id="evt_1", transaction_id=ID, sequence=1, kind="payment.succeeded", attempts=1, is_delivered=True
)
MESSAGE = Message(event_id="evt_1", transaction_id=ID, sequence=1, kind="payment.succeeded")


def delivered(
    *,
    statuses: dict[str, str] | None = None,
    events: list[MerchantEvent] | None = None,
    received: list[Message] | None = None,
    forged: int = 0,
) -> list[str]:
    found = judge_deliveries(
        {ID: "SUCCESS"} if statuses is None else statuses,
        [EVENT] if events is None else events,
        Counter([MESSAGE] if received is None else received),
        forged=forged,
    )
    return [violation.rule for violation in found]


def test_an_event_that_arrived_once_or_more_is_no_violation() -> None:
    assert delivered() == []
    assert delivered(received=[MESSAGE, MESSAGE]) == []
    assert delivered(events=[replace(EVENT, is_delivered=False)]) == []  # the answer was lost on its way back


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"statuses": {ID: "FAILED"}}, "a status without a merchant event"),
        ({"statuses": {ID: "SUCCESS", "pay_b": "CANCELLED"}}, "a status without a merchant event"),
        ({"events": [replace(EVENT, sequence=2)]}, "a gap in the merchant events"),
        ({"events": [EVENT, replace(EVENT, event_id="evt_2")]}, "a gap in the merchant events"),
        ({"received": []}, "recorded as delivered, but never received"),
        (
            {"received": [], "events": [replace(EVENT, attempts=0, is_delivered=False)]},
            "a merchant event was never posted",
        ),
        ({"received": [], "events": [replace(EVENT, is_delivered=False)]}, "a merchant event did not arrive"),
        ({"received": [replace(MESSAGE, kind="payment.failed")]}, "another merchant event arrived"),
        ({"received": [replace(MESSAGE, sequence=3)]}, "another merchant event arrived"),
        ({"received": [MESSAGE, replace(MESSAGE, event_id="evt_9")]}, "an unknown merchant event arrived"),
        ({"forged": 1}, "webhooks without a valid signature"),
    ],
)
def test_judge_deliveries_detects(changes: dict[str, Any], rule: str) -> None:
    assert rule in delivered(**changes)


ENDED = replace(EVENT, event_id="evt_2", sequence=2, kind="refund.succeeded", operation_id="ref_1")
HAS_REFUND = replace(ACCOUNT, operations=(REFUND,))


@pytest.mark.parametrize(
    ("status", "events", "is_missing"),
    [
        ("SUCCEEDED", [ENDED], False),
        ("PENDING", [], False),
        ("SUCCEEDED", [], True),
        ("FAILED", [ENDED], True),
        ("IN_REVIEW", [ENDED], True),
        ("SUCCEEDED", [replace(ENDED, operation_id="ref_2")], True),
        ("SUCCEEDED", [replace(ENDED, operation_id=None)], True),
    ],
)
def test_each_end_of_an_operation_has_its_event(status: str, events: list[MerchantEvent], *, is_missing: bool) -> None:
    account = replace(ACCOUNT, operations=(replace(REFUND, status=status),))
    received = [MESSAGE, *(replace(MESSAGE, event_id=e.event_id, sequence=2, kind=e.kind) for e in events)]
    found = judge_deliveries({ID: "SUCCESS"}, [EVENT, *events], Counter(received), forged=0, accounts=[account])
    assert [v.rule for v in found] == ["the end of an operation without a merchant event"] * is_missing


@pytest.mark.parametrize(("operation_id", "missing"), [("cap_1", 0), ("cap_2", 1), (None, 1)])
def test_the_success_of_a_capture_is_told_by_the_payments_event(operation_id: str | None, missing: int) -> None:
    events = [replace(EVENT, operation_id=operation_id)]
    account = replace(ACCOUNT, operations=(CAPTURE,))
    found = judge_deliveries({ID: "SUCCESS"}, events, Counter([MESSAGE]), forged=0, accounts=[account])
    assert [v.rule for v in found] == ["the end of an operation without a merchant event"] * missing


def test_an_operations_event_that_did_not_arrive_is_found() -> None:
    found = judge_deliveries(
        {ID: "SUCCESS"},
        [EVENT, replace(ENDED, is_delivered=False)],
        Counter([MESSAGE]),
        forged=0,
        accounts=[HAS_REFUND],
    )
    assert [v.rule for v in found] == ["a merchant event did not arrive"]


CHARGE = Charge(provider="mock", reference=KEY, amount=1000, currency="USD")
IN_REVIEW = replace(ACCOUNT, seen=replace(SEEN, status="IN_REVIEW"), operations=())
REVIEWED = replace(ACCOUNT, operations=(replace(REFUND, status="IN_REVIEW", provider_keys=("pfx-r-1",)),))


def reviewed(
    account: Account, *, token: str = "tok_success", charges: tuple[Charge, ...] = (CHARGE,), entries: Any = ()
) -> list[str]:
    orders = {"k": Order(key="k", amount=1500, currency="USD", token=token)}
    answers = [Answer(key="k", status=202, transaction_id=ID)]
    return [violation.rule for violation in judge_reviews(orders, answers, [account], charges, entries)]


@pytest.mark.parametrize(
    "case",
    [
        {"account": ACCOUNT},
        {"account": IN_REVIEW, "token": "tok_wrong_amount@mock"},
        {"account": IN_REVIEW, "charges": (replace(CHARGE, amount=1001),)},
        {"account": IN_REVIEW, "charges": (replace(CHARGE, currency="INR"),)},
        {"account": IN_REVIEW, "charges": (CHARGE, CHARGE)},
        {"account": REVIEWED, "entries": (replace(REFUNDED, amount=301),)},
        {"account": REVIEWED, "entries": (replace(REFUNDED, has_moved=False),)},
        {"account": REVIEWED, "entries": (REFUNDED, REFUNDED)},
    ],
)
def test_a_review_with_a_reason_is_no_violation(case: dict[str, Any]) -> None:
    assert reviewed(**case) == []


@pytest.mark.parametrize(
    "case",
    [
        {"account": IN_REVIEW},
        {"account": IN_REVIEW, "charges": ()},
        {"account": IN_REVIEW, "charges": (replace(CHARGE, reference="pfx-another-1", amount=1),)},
        {"account": REVIEWED, "entries": (REFUNDED,)},
        {"account": REVIEWED},
        {"account": REVIEWED, "entries": (replace(REFUNDED, reference="pfx-r-2", amount=1),)},
        {"account": REVIEWED, "entries": (replace(CAPTURED, amount=1),)},
    ],
)
def test_a_review_without_a_reason_is_found(case: dict[str, Any]) -> None:
    assert reviewed(**case) == ["a review without a reason"]


def test_the_rows_count_events_and_posts() -> None:
    rows = delivery_rows([EVENT], Counter([MESSAGE, MESSAGE]), refused=3, redelivered=1)
    assert rows == {
        "payment.succeeded": 1,
        "accepted by the merchant": 2,
        "accepted more than once": 1,
        "refused by the merchant": 3,
        "redelivered on request": 1,
    }


SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


def post(body: bytes, *, secret: str = SECRET) -> dict[str, str]:
    now = datetime.now(UTC)
    signature = Webhook(secret).sign("evt_1", now, body.decode())
    return {
        "Webhook-Id": "evt_1",
        "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": signature,
    }


def test_the_merchants_endpoint_verifies_before_it_accepts_or_refuses() -> None:
    body = json.dumps({"type": "payment.succeeded", "sequence": 1, "data": {"payment": {"transactionId": ID}}}).encode()
    received = Received(secret=SECRET)
    assert received.take(post(body), body) == 204
    assert received.accepted == {MESSAGE: 1}
    other = "whsec_" + base64.b64encode(b"x" * 24).decode()
    assert received.take(post(body, secret=other), body) == 400
    assert received.take(post(body), body + b" ") == 400
    assert received.take({}, body) == 400
    assert received.forged == 3
    received.refusal_rate = 1.0
    assert received.take(post(body), body) >= 300
    assert (received.refused, received.accepted[MESSAGE]) == (1, 1)


# -- provider events


def test_each_report_of_a_simulator_is_counted_once() -> None:
    events = ProviderEvents(Simulators({}, urllib3.PoolManager()))
    reports: list[dict[str, Any]] = [
        {"number": 1, "send": 1, "status": 200, "fault": None},
        {"number": 2, "send": 1, "status": None, "fault": "never sent"},
        {"number": 3, "send": 2, "status": None, "fault": None},
        {"number": 4, "send": 1, "status": 401, "fault": "wrong signature"},
    ]
    events.count("mock", reports[:2])
    events.count("mock", reports)
    assert events.rows == {
        "posted: 200": 1,
        "never sent": 1,
        "posted again: no answer": 1,
        "posted, wrong signature: 401": 1,
    }
    assert events.violations() == []
    events.count("mock", [{"number": 5, "send": 1, "status": 200, "fault": "wrong signature"}])
    assert [violation.rule for violation in events.violations()] == ["a webhook with a wrong signature was accepted"]


class ScriptedSimulators:
    """Takes settings, or has a closed port."""

    def __init__(self, *, is_open: bool) -> None:
        self.addresses, self.is_open = {"mock": "http://127.0.0.1:1"}, is_open
        self.settings: list[dict[str, Any]] = []

    def control(self, _name: str, **settings: Any) -> bool:
        self.settings.append(settings)
        return self.is_open


def test_the_faults_of_webhooks_end_when_they_are_told_to() -> None:
    simulators = ScriptedSimulators(is_open=True)
    ProviderEvents(simulators).calm()
    assert simulators.settings == [{"webhookFaults": {}, "webhookLateSeconds": 20}]


def test_faults_that_a_simulator_did_not_take_are_an_error() -> None:
    with pytest.raises(LocalEnvironmentError, match="mock"):
        ProviderEvents(ScriptedSimulators(is_open=False)).calm()


# -- waiting for deliveries


class ScriptedMerchant:
    """Lists the event as each round says; the last round repeats."""

    def __init__(self, *rounds: tuple[int, str]) -> None:
        self.rounds = list(rounds)
        self.redelivered: list[str] = []

    def call_until_answered(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        if method == "POST":
            self.redelivered.append(path)
            return 202, {}
        if "cursor" in path:
            return 200, {"items": [], "nextCursor": None}
        attempts, state = self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]
        item = {
            "id": "evt_1",
            "transactionId": ID,
            "sequence": 1,
            "type": "payment.succeeded",
            "deliveries": [{"attempts": attempts, "state": state}],
        }
        return 200, {"items": [item], "nextCursor": "c"}


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "_POLL_SECONDS", 0.01)


@pytest.mark.usefixtures("no_pauses")
def test_an_event_that_was_refused_is_redelivered_once_on_request() -> None:
    merchant = ScriptedMerchant((1, "PENDING"), (1, "PENDING"), (2, "DELIVERED"))
    events, redelivered = cases.wait_for_events(merchant, seconds=5)
    assert merchant.redelivered == ["/events/evt_1/redeliver"]
    assert redelivered == ["evt_1"]
    assert [event.is_delivered for event in events] == [True]


@pytest.mark.usefixtures("no_pauses")
def test_an_event_that_was_never_posted_is_left_alone_for_the_verdict() -> None:
    merchant = ScriptedMerchant((0, "PENDING"))
    events, redelivered = cases.wait_for_events(merchant, seconds=0.05)
    assert merchant.redelivered == redelivered == []
    assert [event.attempts for event in events] == [0]
