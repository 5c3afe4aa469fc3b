"""The verdict of `make chaos` detects what it is for, and the chaos loop touches nobody else's processes."""

import random
import time
from dataclasses import replace
from typing import Any

import pytest

from local.chaos.cases import _is_asked_on
from local.chaos.load import Answer, Order, draw_order
from local.chaos.result import Charge, Seen, Violation, judge, table
from local.chaos.trouble import job_message, workers_of
from local.process_table import descendants
from payflowx.adapters.sqs.messages import JOBS
from payflowx.domain.payments.ports import Job

STEM = "abcdefgh234567ab"
ID = f"pay_{STEM}"
ORDER = Order(key="k", amount=1999, currency="USD", token="tok_success")
ANSWER = Answer(key="k", status=202, transaction_id=ID)
PAYMENT = Seen(
    transaction_id=ID,
    status="SUCCESS",
    amount=1999,
    currency="USD",
    provider_keys=(f"pfx-{STEM}-1",),
    events=((1, "PENDING"), (2, "SUCCESS")),
    chain_whole=True,
)
FAILED = replace(PAYMENT, status="FAILED", events=((1, "PENDING"), (2, "FAILED")))
WAITING = replace(PAYMENT, status="PENDING", events=((1, "PENDING"),), asked_on=True)
CHARGE = Charge(provider="mock", reference=f"pfx-{STEM}-1", amount=1999, currency="USD")


def judged(
    *,
    answers: list[Answer] | None = None,
    seen: list[Seen] | None = None,
    charges: list[Charge] | None = None,
) -> list[str]:
    violations = judge(
        {"k": ORDER},
        [ANSWER] if answers is None else answers,
        [PAYMENT] if seen is None else seen,
        [CHARGE] if charges is None else charges,
    )
    return [violation.rule for violation in violations]


def test_a_payment_that_agrees_with_the_logs_is_no_violation() -> None:
    assert judged() == []
    assert judged(seen=[FAILED], charges=[]) == []
    assert judged(answers=[ANSWER, ANSWER, Answer(key="k", status=422, altered=True)]) == []


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"charges": [CHARGE, CHARGE]}, "double charge"),
        ({"charges": [CHARGE, replace(CHARGE, provider="cashfree_mock")]}, "double charge"),
        ({"seen": []}, "accepted and lost"),
        ({"seen": [replace(PAYMENT, status="PENDING")]}, "stuck"),
        ({"seen": [replace(PAYMENT, status="REQUIRES_ACTION")]}, "stuck"),
        ({"charges": []}, "SUCCESS without a charge"),
        ({"charges": [replace(CHARGE, amount=2000)]}, "SUCCESS with another charge"),
        ({"charges": [replace(CHARGE, currency="INR")]}, "SUCCESS with another charge"),
        ({"seen": [FAILED]}, "FAILED but charged"),
        ({"seen": [replace(PAYMENT, status="AUTHORIZED")]}, "AUTHORIZED but charged"),
        ({"seen": [replace(PAYMENT, captured=1000)]}, "SUCCESS with another charge"),
        ({"seen": [replace(FAILED, status="CANCELLED")]}, "CANCELLED but charged"),
        ({"seen": [replace(PAYMENT, events=((1, "PENDING"), (3, "SUCCESS")))]}, "a gap in the events"),
        ({"seen": [replace(PAYMENT, events=((2, "SUCCESS"),))]}, "a gap in the events"),
        ({"seen": [replace(PAYMENT, events=())]}, "a gap in the events"),
        ({"seen": [replace(PAYMENT, events=((1, "PENDING"), (2, "FAILED")))]}, "events and status disagree"),
        ({"seen": [replace(PAYMENT, chain_whole=False)]}, "the audit log's hash chain is broken"),
        ({"seen": [replace(PAYMENT, amount=1)]}, "another amount was stored"),
        ({"charges": [replace(CHARGE, reference=f"pfx-{STEM}-2")]}, "charged under a key that is not stored"),
        ({"charges": [CHARGE, replace(CHARGE, reference="pfx-zzzzzzzzzzzzzzzz-1")]}, "a charge without a payment"),
        ({"seen": [WAITING]}, "a charge that no inquiry found"),
        ({"answers": [ANSWER, replace(ANSWER, transaction_id="pay_other")]}, "one key, several payments"),
        ({"answers": [ANSWER, replace(ANSWER, status=0, transaction_id=None)]}, "never answered"),
        ({"answers": [ANSWER, replace(ANSWER, status=503, transaction_id=None)]}, "never answered"),
        ({"answers": [replace(ANSWER, status=400, transaction_id=None)]}, "a valid request was refused"),
        ({"answers": [ANSWER, replace(ANSWER, altered=True)]}, "another body was not refused"),
    ],
)
def test_judge_detects(changed: dict[str, Any], rule: str) -> None:
    assert rule in judged(**changed)


def test_two_keys_must_not_share_a_payment() -> None:
    orders = {"k": ORDER, "l": replace(ORDER, key="l")}
    found = judge(orders, [ANSWER, replace(ANSWER, key="l")], [PAYMENT], [CHARGE])
    assert [violation.rule for violation in found] == ["two keys, one payment"]


def test_an_outcome_that_nobody_knows_is_still_asked_for_and_that_is_said() -> None:
    assert judged(seen=[WAITING], charges=[]) == []
    printed = print_table(seen=[WAITING])
    assert "PENDING, still asked about" in printed


def test_the_table_counts() -> None:
    printed = print_table(seen=[PAYMENT], violations=[Violation(rule="stuck", subject=ID, detail="x")])
    lines = [line.split() for line in printed.splitlines()]
    for line in (["requests", "3"], ["answered", "202", "2"], ["no", "answer", "1"], ["workers", "killed", "5"]):
        assert line in lines
    for line in (["operations", "4"], ["provider", "events", "6"], ["merchant", "events", "7"]):
        assert line in lines
    for line in (["payments", "1"], ["SUCCESS", "1"], ["violations", "1"], ["stuck", "1"]):
        assert line in lines


def print_table(*, seen: list[Seen], violations: list[Violation] | None = None) -> str:
    return table(
        statuses={202: 2, 0: 1},
        orders={"k": ORDER},
        held_back=0,
        tally={"workers killed": 5},
        seen=seen,
        charges=[CHARGE],
        operations={"refund SUCCEEDED": 4, "requests refused with 409": 2},
        provider_events={"posted: 200": 6},
        merchant_events=7,
        deliveries={"accepted by the merchant": 8},
        violations=violations or [],
    )


def test_only_workers_of_this_environment_are_found() -> None:
    listing = [
        "  1     0  100 /sbin/init",
        " 10     1  100 python -m local.chaos",
        " 11    10  100 python -m ministack",
        " 12    11  900 python /tmp/p/ministack-lambda-Dev-Worker-1-abc/_worker.py",
        " 13    11  100 python /tmp/p/ministack-lambda-Dev-Api-1-abc/_worker.py",
        " 14    11  100 ",
        " 20     1  100 python -m ministack",
        " 21    20  100 python /tmp/q/ministack-lambda-Dev-Worker-1-xyz/_worker.py",
        " 22     1  100 python /tmp/p/ministack-lambda-Dev-Worker-1-old/_worker.py",
    ]
    own = descendants(listing, root=10)
    assert [process.pid for process in own] == [10, 11, 12, 13]
    assert [process.pid for process in own if process.is_function] == [12, 13]
    (worker,) = workers_of(own, "Dev-Worker-1")
    assert (worker.pid, worker.rss_kib) == (12, 900)


def test_a_message_that_is_sent_again_is_a_job() -> None:
    assert JOBS.decode(job_message(ID)) == Job(merchant_id="demo", transaction_id=ID)


def test_the_same_seed_draws_the_same_orders_of_every_kind() -> None:
    def drawn() -> list[Order]:
        dice = random.Random(7)
        return [draw_order(dice, number) for number in range(400)]

    orders = drawn()
    assert orders == drawn()
    assert len({order.key for order in orders}) == 400
    assert {order.currency for order in orders} == {"INR", "USD"}
    assert any(order.amount >= 1_000_000 for order in orders)
    assert all(any(getattr(order, name) for order in orders) for name in ("altered", "cancels", "approves", "at_once"))
    assert not any("before" in order.token for order in orders if order.currency == "INR")


def test_asked_on_means_undecided_and_planned() -> None:
    soon, past = str(int(time.time() * 1000) + 60_000), "1"
    for state, due, expected in (
        ("UNKNOWN", soon, True),
        ("STARTED", soon, True),
        ("UNKNOWN", past, False),
        ("REJECTED", soon, False),
    ):
        payment = {"status": "PENDING", "attempts": [{"state": state}]}
        assert _is_asked_on(payment, {"dueAt": {"N": due}}) is expected
    assert not _is_asked_on({"status": "PENDING", "attempts": []}, {"dueAt": {"N": soon}})
    assert not _is_asked_on({"status": "PENDING", "attempts": [{"state": "UNKNOWN"}]}, {})
