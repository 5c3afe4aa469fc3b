"""Each rule must find a history that breaks it, and leave an honest one alone."""

import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from simulation.check import evidence_of
from simulation.checker.approvals import two_people
from simulation.checker.evidence import Evidence, PaymentEvidence, Violation
from simulation.checker.invariants import INVARIANTS, first_violation, violations
from simulation.checker.money import _more_than_there_was, i3_status_is_truth
from simulation.checker.records import i16_merchant_events
from simulation.checker.reports import (
    false_amounts_are_found,
    false_refunds_are_reviewed,
    refunds_made_there_are_known,
)
from simulation.checker.work import MAX_REQUESTS_PER_SESSION, MAX_SESSIONS_PER_HOUR, i13_bounded_work
from simulation.history import Call, ReportChange, Sent, Strike, Write
from simulation.kernel import EPOCH_MS
from simulation.providers import SECRET
from simulation.restores import Forgotten
from simulation.world import CONFIGURATION, TRANSACTIONS, Plan
from tests.unit.simulation import checkout_stories
from tests.unit.simulation.checkout_stories import BAD_CHECKOUTS, GOOD_CHECKOUTS
from tests.unit.simulation.deciding_stories import BAD_DECIDED, GOOD_DECIDED, closed_alone
from tests.unit.simulation.dispute_stories import BAD_DISPUTES, GOOD_DISPUTES
from tests.unit.simulation.judging_stories import BAD_JUDGED, GOOD_JUDGED
from tests.unit.simulation.story import DAY_MS, ENDPOINT_SECRET, PAYER, URL, Story, signed, stored

SEED = 5
HOUR_MS = 3_600_000
OUR_KEY = f"pfx-{'r' * 16}-1"
PERSON = {"operator": "o", "reason": "r"}
Told = Callable[[], Story]


def found(evidence: Evidence) -> set[str]:
    return {str(violation) for violation in violations(evidence)}


def captured_and_refunded() -> Story:
    """Authorized, 80 of 100 captured, 30 refunded, and read by the client at each step."""
    story = Story()
    story.accept(capture="manual")
    story.authorize()
    story.call("GET", f"/payments/{story.transaction_id}", 200)
    story.capture(80)
    story.call("GET", f"/payments/{story.transaction_id}", 200)
    sort = story.refund(30)
    story.call("GET", f"/payments/{story.transaction_id}/operations/x", 200, sort=sort)
    return story


def paid() -> Story:
    story = Story()
    story.accept()
    story.charge()
    return story


def declined(kind: str = "hard", **facts: Any) -> Story:
    story = Story()
    story.accept(providers=("mock", "cashfree_mock"))
    story.claim(2)
    story.send(2, "POST", "/v1/charges", f"pfx-{story.name}-1")
    story.book("charge", f"pfx-{story.name}-1", 100, status="declined")
    attempt = {"decline_kind": kind, "code": "stolen_card", **facts}
    story.outcome(2, "DECLINED", "FAILED", told="payment.failed", attempt=attempt, dueAt=None)
    return story


def erased(**left: Any) -> Story:
    story = paid()
    gone = {"customer": None, "paymentMethod": {"type": "card"}, "erased": True}
    story.record("payment.erased", 9, actor="operator", facts=PERSON, **{**gone, **left})
    return story


def mismatched(amount: int = 101) -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.send(2, "POST", "/v1/charges", f"pfx-{story.name}-1")
    story.book("charge", f"pfx-{story.name}-1", amount)
    story.outcome(
        2,
        "MISMATCH",
        "IN_REVIEW",
        told="payment.in_review",
        attempt={"code": "amount_differs"},
        lastError={"code": "mismatch", "message": "m"},
        dueAt=None,
    )
    return story


def left_a_review_by_itself(reason: str) -> Told:
    """No person closed it, and the provider proves nothing about what the review is for."""

    def tell() -> Story:
        story = mismatched() if reason == "mismatch" else reviewed(reason)()
        story.record("attempt.fenced", 3, told="payment.failed", status="FAILED", dueAt=None)
        return story

    return tell


def unknown_then_reviewed(after_ms: int) -> Story:
    """Nobody knows what became of a charge; after a while a person is asked."""
    story = Story()
    story.accept()
    story.claim(2)
    story.send(2, "POST", "/v1/charges", f"pfx-{story.name}-1")
    story.outcome(2, "UNKNOWN", "PENDING", dueAt=story.now_ms + 60_000, readyAt=story.now_ms + 6_000)
    story.now_ms += after_ms
    story.claim(3, append=False)
    story.outcome(
        3,
        "UNKNOWN",
        "IN_REVIEW",
        told="payment.in_review",
        lastError={"code": "outcome_unknown", "message": "m"},
    )
    return story


def proven_by_event(**how: Any) -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.send(2, "POST", "/v1/charges", f"pfx-{story.name}-1")
    story.book("charge", f"pfx-{story.name}-1", 100)
    story.webhook("evt_1", **how)
    story.record(
        "attempt.succeeded",
        3,
        actor="webhook",
        told="payment.succeeded",
        facts={"webhook": "evt_1", "provider": "mock"},
        status="SUCCESS",
        attempts=story.settled("SUCCEEDED"),
        lease=story.free(),
        chargedAttempt=1,
        captured=100,
        refundable=100,
        dueAt=None,
    )
    return story


def switched_off() -> Story:
    """The second provider of the route was off when the first one had refused."""
    return refused_once(before=lambda story: switch(story, "cashfree_mock"))


def switch(story: Story, provider: str) -> None:
    item = stored({"disabled": True})
    key = ("GLOBAL", f"SWITCH#{provider}")
    story.history.writes.append(Write(story.now_ms, CONFIGURATION, key, None, item, 0))


def refused_once(before: Callable[[Story], None] = lambda _story: None) -> Story:
    story = Story()
    story.accept(providers=("mock", "cashfree_mock"))
    before(story)
    story.claim(2)
    story.send(2, "POST", "/v1/charges", f"pfx-{story.name}-1")
    story.book("charge", f"pfx-{story.name}-1", 100, status="declined")
    attempt = {"decline_kind": "soft", "code": "busy"}
    error = {"code": "soft_decline", "message": "m"}
    story.outcome(2, "DECLINED", "FAILED", told="payment.failed", attempt=attempt, lastError=error, dueAt=None)
    return story


def delivered() -> Story:
    """The endpoint was there before, and has answered."""
    story = Story()
    story.endpoint()
    story.accept()
    story.charge()
    story.deliver(2)
    return story


def refunded_in_the_dashboard(
    told: str | None = "refund.succeeded", *, key: str = "", story: Story | None = None, refundable: int = 70
) -> Story:
    """A refund that the merchant made at the provider becomes an operation, and is news at once."""
    story = story or paid()
    sort = f"OP#ref_{'o' * 16}"
    operation = {
        "merchantId": story.merchant,
        "transactionId": story.transaction_id,
        "operationId": sort[3:],
        "kind": "refund",
        "origin": "provider",
        "amount": 30,
        "currency": "EUR",
        "status": "SUCCEEDED",
        "held": "booked",
        "version": 1,
        "lease": {"owner": "", "epoch": 0, "expiresAt": 0},
        "attempts": [{"number": 1, "provider": "mock", "state": "SUCCEEDED", "provider_key": key, "reference": "op_9"}],
        "createdAt": story.now_ms,
        "updatedAt": story.now_ms,
        "readyAt": story.now_ms,
    }
    story.book("refund", "", 30, operationId="op_9")
    facts = {"operationId": sort[3:], "operationStatus": "SUCCEEDED"}
    money = {"refunded": 30, "refundable": refundable}
    story.record("refund.made_at_provider", 5, told=told, facts=facts, operation=(sort, operation), **money)
    return story


def of_order(*, once: bool = True) -> dict[str, Any]:
    return {"orderId": "shop-order-1", **({} if once else {"oncePerOrder": False})}


def beside_a_forgotten_one(*, opened_after_ms: int) -> set[str]:
    """A payment that is charged; the books have a charge of another one of its order, which a restore forgot."""
    story, holder = Story(), "b" * 16
    opened_ms = story.now_ms + opened_after_ms
    story.accept(order=of_order())
    story.charge()
    story.book("charge", f"pfx-{holder}-1", 100)
    answer = {"transactionId": f"pay_{holder}"}
    accepted = Call(0, story.merchant, "POST", "/payments", "order-b", json.dumps(of_order()), 202, answer, 1)
    evidence = story.evidence()
    evidence.result.forgotten = Forgotten(opened_ms=opened_ms, accepted=[accepted])
    return {what for what in found(evidence) if "was forgotten" in what}


def test_a_forgotten_payment_holds_its_order() -> None:
    assert len(beside_a_forgotten_one(opened_after_ms=0)) == 1


def test_what_was_charged_before_the_opening_is_not_sent_beside_a_forgotten_payment() -> None:
    assert beside_a_forgotten_one(opened_after_ms=DAY_MS) == set()


@pytest.mark.parametrize(("number", "is_found"), [(1, True), (0, False)])
def test_the_number_of_an_event_is_not_used_again_after_a_restore(number: int, is_found: bool) -> None:
    story = Story()
    story.accept()
    story.charge()
    evidence = story.evidence()
    evidence.result.forgotten = Forgotten(opened_ms=1, numbers={story.transaction_id: number})
    said = {what for what in found(evidence) if "a number that was delivered before" in what}
    assert bool(said) is is_found


def failed_then_paid(**watched: Any) -> Story:
    """The first payment of an order fails, and the second one is charged."""
    second = failed_of_order(**watched).beside("b")
    second.accept(order=of_order())
    second.charge()
    return second


def failed_of_order(**watched: Any) -> Story:
    """A payment of an order that failed."""
    story = Story()
    story.accept(order=of_order(), providers=("mock", "cashfree_mock"))
    story.claim(2)
    story.send(2, "POST", "/v1/charges", f"pfx-{story.name}-1")
    story.book("charge", f"pfx-{story.name}-1", 100, status="declined")
    attempt = {"decline_kind": "hard", "code": "stolen_card", **watched}
    due_at_ms = story.now_ms + 60_000 if watched else None
    story.outcome(
        2, "DECLINED", "FAILED", told="payment.failed", attempt=attempt, readyAt=story.now_ms, dueAt=due_at_ms
    )
    return story


def paid_twice() -> Story:
    """The second payment of an order is accepted although the first one was charged."""
    story = Story()
    story.accept(order=of_order())
    story.charge()
    second = story.beside("b")
    second.accept(order=of_order())
    second.charge()
    return second


def beside_an_open_one(*, once: bool) -> Story:
    """A payment that says once is accepted beside one that is open."""
    story = Story()
    story.accept(order=of_order(once=once))
    second = story.beside("b")
    second.accept(order=of_order())
    second.charge()
    story.now_ms = second.now_ms
    story.charge()
    return second


def opened_again_beside_a_charge() -> Story:
    """Its attempt was not sent before the other payment of the order was charged, and is opened again after that."""
    story = Story()
    story.accept(order=of_order())
    story.claim(2)
    story.outcome(2, "NOT_SENT", "PENDING", readyAt=story.now_ms)
    second = story.beside("b")
    second.accept(order=of_order())
    second.charge()
    story.now_ms = second.now_ms + 1_000
    story.change(3, attempts=story.settled("STARTED"))
    return second


def reconciled(*, is_found: bool, is_counted: bool = True, action: str = "none") -> Story:
    """A report lists the charge with another amount. `is_counted`: its reader lived to store the next position."""
    story = paid()
    run = {"from_ms": EPOCH_MS, "until_ms": story.now_ms, "pages": 0, "updated_at_ms": story.now_ms + 1_010}
    story.now_ms += 1_000
    line = {"id": f"ch_{story.name}", "amount": 101}
    sent = Sent(story.now_ms, "mock", "GET", "/v1/charges", None, None, process=9, merchant=story.merchant)
    story.history.sent.append(sent)
    story.history.report_changes.append(ReportChange(story.now_ms, "mock", story.merchant, "other amount", line))
    if is_counted:
        before, after = stored(run), stored({**run, "pages": 1})
        story.history.writes.append(Write(story.now_ms + 10, TRANSACTIONS, ("Q#rec_a", "RUN"), before, after, 9))
    if is_found:
        says = {"reference": line["id"], "remedy": action}
        finding = stored({"pk": "Q#rec_a", "sk": f"FINDING#charge#{line['id']}#", **says})
        story.items[TRANSACTIONS, ("Q#rec_a", finding["sk"]["S"])] = finding
    return story


def refused(story: Story, verb: str, code: str, body: str = "{}") -> Story:
    """A capture, refund or cancellation of the story's payment is refused now."""
    status = 422 if code == "amount_exceeded" else 409
    path, answer = f"/payments/{story.transaction_id}/{verb}", {"code": code}
    story.history.calls.append(
        Call(story.now_ms, story.merchant, "POST", path, "k", body, status, answer, story.now_ms + 10)
    )
    return story


def open_payment() -> Story:
    story = Story()
    story.accept()
    return story


def refused_while_it_is_in_work() -> Story:
    story = refused(open_payment(), "refunds", "outcome_unknown")
    story.charge()
    return story


def long_after(story: Story) -> Story:
    """No version of before may have been seen."""
    story.now_ms += 60_000
    story.change(9, updatedAt=story.now_ms)
    story.now_ms += 60_000
    return story


def refused_for_a_key_that_it_has_not() -> Story:
    story = paid()
    path, answer = f"/payments/{story.transaction_id}/cancel", {"code": "idempotency_key_reused"}
    story.history.calls.append(
        Call(story.now_ms, story.merchant, "POST", path, None, "{}", 422, answer, story.now_ms + 10)
    )
    return story


def refused_for_its_order(story: Story) -> Story:
    """A further payment for the order is refused now."""
    answer = {"code": "order_not_free"}
    body = json.dumps({"amount": 100, "currency": "EUR", **of_order()})
    story.history.calls.append(
        Call(story.now_ms, story.merchant, "POST", "/payments", "order-c", body, 409, answer, story.now_ms + 10)
    )
    return story


def refused_while_the_order_is_paid() -> Story:
    return refused_for_its_order(failed_then_paid())


def refused_while_an_event_is_inquired_about() -> Story:
    story = failed_of_order()
    story.record("payment.event_received", 9, actor="webhook", told=None, eventInquiries={"waiting": [1]})
    return refused_for_its_order(story)


def refused_although_the_order_is_free() -> Story:
    """The only payment of the order is proven uncharged."""
    return refused_for_its_order(failed_of_order())


def refunds_turned_on(story: Story) -> Story:
    """From now on the merchant has late charges of orders given back."""
    item = stored({"automaticRefund": True})
    story.history.writes.append(Write(story.now_ms, CONFIGURATION, (f"M#{story.merchant}", "HEAD"), None, item, 0))
    return story


def paid_after_refunds_were_turned_on() -> Story:
    """The first payment failed and might reopen: the order is free from the moment of the switch."""
    story = refunds_turned_on(failed_of_order(reopens_until_ms=EPOCH_MS + DAY_MS))
    second = story.beside("b")
    second.accept(order=of_order())
    second.charge()
    return second


def refused_after_refunds_were_turned_on() -> Story:
    story = refunds_turned_on(failed_of_order(reopens_until_ms=EPOCH_MS + DAY_MS))
    story.now_ms += 600_000
    return refused_for_its_order(story)


def contends_for_ever() -> Story:
    """The holder was charged hours ago, and the late charge still waits for its decision."""
    second = paid_twice()
    error = {"code": "order_contended", "message": "m"}
    second.record("payment.in_review", 9, status="IN_REVIEW", lastError=error, orderStanding="contending")
    second.now_ms += 4 * 3_600_000
    second.change(9, readyAt=second.now_ms)
    return second


def not_given_back() -> Story:
    """The merchant has late charges given back, and this one was decided without a refund."""
    story = refunds_turned_on(Story())
    story.now_ms += 600_000
    story.accept(order=of_order())
    story.charge()
    second = story.beside("b")
    second.accept(order=of_order())
    second.charge()
    second.record("payment.in_review", 9, status="IN_REVIEW", orderStanding="charged_twice")
    return second


def given_back_by_itself() -> Story:
    """A refund that nobody asked for, of the only charge of an order."""
    story = Story()
    story.accept(order=of_order())
    story.charge()
    story.request("refund", 100, fingerprint="late")
    return story


def read_by_two_releases() -> Story:
    """The bytes of a read are free."""
    story = paid()
    story.send(2, "POST", "/merchant/postservice", f"pfx-{story.name}-1")
    story.history.sent[-1] = dataclasses.replace(story.history.sent[-1], release=None)
    return story


GOOD: list[Told] = [
    lambda: booked_beside_ours(reference="re_1"),
    lambda: own_capture_left(12 * HOUR_MS),
    failed_then_paid,
    delivered,
    refunded_in_the_dashboard,
    captured_and_refunded,
    paid,
    declined,
    erased,
    mismatched,
    lambda: unknown_then_reviewed(2 * DAY_MS),
    proven_by_event,
    switched_off,
    refused_while_the_order_is_paid,
    lambda: refused(paid(), "refunds", "amount_exceeded", '{"amount": 101}'),
    lambda: refused(paid(), "cancel", "invalid_state"),
    lambda: refused(paid(), "capture", "invalid_state"),
    refused_while_it_is_in_work,
    lambda: reconciled(is_found=True),
    lambda: reconciled(is_found=False, is_counted=False),
    paid_after_refunds_were_turned_on,
    read_by_two_releases,
]


@pytest.mark.parametrize("tell", [*GOOD, *GOOD_CHECKOUTS, *GOOD_DISPUTES])
def test_an_honest_history_breaks_nothing(tell: Told) -> None:
    assert found(tell().evidence()) == set()


@pytest.mark.parametrize("tell", [*GOOD_JUDGED, *GOOD_DECIDED])
def test_an_honest_history_that_is_not_at_its_end_breaks_no_rule_of_its_way(tell: Told) -> None:
    said = {each for each in found(tell().evidence()) if not each.startswith(("I2 ", "I16 "))}
    assert said == set()


def test_a_hash_of_sixteen_digits_is_no_card_number() -> None:
    assert found(logged("proof used by 4673085137534783")().evidence()) == set()


def test_one_person_closes_a_review_up_to_the_merchant_s_limit() -> None:
    assert list(two_people(closed_alone(100)().evidence())) == []


def test_an_honest_run_breaks_nothing() -> None:
    assert violations(evidence_of(Plan(SEED))) == []


# --- histories that break a rule, by the words of the violation


def twice_charged() -> Story:
    story = paid()
    story.book("charge", f"pfx-{story.name}-2", 100, provider="cashfree_mock")
    return story


def twice_refunded() -> Story:
    story = paid()
    sort = story.refund(30)
    story.book("refund", f"pfx-{sort[7:]}-2", 30)
    return story


def refunded_too_much() -> Story:
    story = captured_and_refunded()
    story.book("refund", f"pfx-{'r' * 16}-1", 60, status="pending")
    return story


def other_amount_charged() -> Story:
    story = paid()
    story.ledger[0]["amount"] += 1
    return story


def not_charged() -> Story:
    story = paid()
    story.ledger.clear()
    return story


def failed_and_charged() -> Story:
    story = declined()
    story.ledger[0]["status"] = "charged"
    return story


def refund_not_made() -> Story:
    story = captured_and_refunded()
    story.ledger[-1]["status"] = "failed"
    return story


def refund_came_back() -> Story:
    story = captured_and_refunded()
    story.ledger[-1] |= {"status": "failed", "reversed": True}
    story.change(4, f"OP#ref_{'r' * 16}", dueAt=None)
    return story


def refund_that_came_back_is_read_later() -> Story:
    story = refund_came_back()
    ready_ms = story.now_ms + 30 * DAY_MS
    story.change(4, f"OP#ref_{'r' * 16}", dueAt=ready_ms, readyAt=ready_ms)
    return story


def test_a_refund_that_came_back_may_wait_for_its_time() -> None:
    assert not [said for said in found(refund_that_came_back_is_read_later().evidence()) if said.startswith("I3")]


def amount_is_elsewhere(held: str) -> Told:
    return operation_changed(held=held)


def reviewed_refund_given_back() -> Story:
    story = paid()
    sort = story.request("refund", 30)
    story.claim(4, sort=sort)
    story.moved(4, sort, "UNKNOWN", "IN_REVIEW", told="refund.in_review", error="outcome_unknown", refundable=100)
    story.change(4, sort, held="given_back")
    return story


def unknown_word_ignored() -> Story:
    story = paid()
    partition = "M#acme#P#pay_0000000000000000"
    for changes in ({}, {"status": "FAILED"}):
        story.put("PAYMENT", {**story.item(), "dueAt": story.now_ms, **changes}, 9, partition=partition)
    return story


def attribute_of_a_newer_release_lost(*, in_attempt: bool = False) -> Story:
    story = paid()
    attempts = story.item()["attempts"]
    if in_attempt:
        story.change(9, attempts=[{**attempts[0], "addedLater": "x"}])
        story.change(9, attempts=attempts)
    else:
        story.change(9, addedLater="x")
        story.change(9, addedLater=None)
    return story


def failed_refund_was_made() -> Story:
    story = paid()
    sort = story.request("refund", 30)
    story.claim(4, sort=sort)
    story.send(4, "POST", "/v1/refunds", f"pfx-{sort[7:]}-1")
    story.book("refund", f"pfx-{sort[7:]}-1", 30)
    story.moved(4, sort, "DECLINED", "FAILED", told="refund.failed", error="refused", refundable=100)
    return story


def refunded_more_than_the_books() -> Story:
    story = captured_and_refunded()
    story.record("note", 9, refunded=40, refundable=40)
    return story


def not_reserved() -> Story:
    story = paid()
    story.request("refund", 30)
    story.change(9, refundable=100)
    return story


def booked_twice() -> Story:
    story = captured_and_refunded()
    story.change(9, refunded=60)
    return story


def negative() -> Story:
    story = paid()
    story.change(9, refundable=-10, refunded=110)
    return story


def captured_more() -> Story:
    story = paid()
    story.change(9, captured=110, refundable=110)
    return story


def excess_nobody_reviews() -> Story:
    story = paid()
    story.change(9, excess=10, refundable=110)
    return story


def wrong_reserve() -> Story:
    story = paid()
    version = story.item()["version"] + 1
    story.change(9, reserved=10, balanceVersion=version)
    return story


def given_back_while_open() -> Story:
    story = paid()
    sort = story.request("refund", 30)
    story.claim(4, sort=sort)
    story.moved(4, sort, "UNKNOWN", "FAILED", told="refund.failed", error="retries_exhausted", refundable=100)
    return story


def two_captures() -> Story:
    story = Story()
    story.accept(capture="manual")
    story.authorize()
    story.request("capture", 40)
    story.request("capture", 30, name="d" * 16)
    return story


def capture_not_reserved() -> Story:
    story = Story()
    story.accept(capture="manual")
    story.authorize()
    story.request("capture", 40)
    story.change(9, capturable=100)
    return story


def changed(**changes: Any) -> Told:
    def tell() -> Story:
        story = paid()
        story.change(9, **changes)
        return story

    tell.__name__ = f"changed {', '.join(changes)}"
    return tell


def operation_changed(**changes: Any) -> Told:
    def tell() -> Story:
        story = captured_and_refunded()
        story.change(9, f"OP#ref_{'r' * 16}", **changes)
        return story

    tell.__name__ = f"an operation changed {', '.join(changes)}"
    return tell


def reopened_attempt() -> Story:
    story = paid()
    story.change(9, attempts=story.settled("DECLINED"))
    return story


def opened_without_a_claim() -> Story:
    """NOT_SENT goes back to STARTED only in the write that takes the lease."""
    story = Story()
    story.accept()
    story.claim(2)
    story.outcome(2, "NOT_SENT", "PENDING", readyAt=story.now_ms)
    story.change(3, attempts=story.settled("STARTED"))
    return story


def opened_by_a_claim() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.outcome(2, "NOT_SENT", "PENDING", readyAt=story.now_ms)
    story.now_ms += 5_000
    lease = {"owner": "w3", "epoch": 2, "expiresAt": story.now_ms + 45_000}
    due_at_ms = story.now_ms + 60_000
    story.change(3, attempts=story.settled("STARTED", epoch=2), lease=lease, dueAt=due_at_ms)
    story.send(3, "POST", "/v1/charges", f"pfx-{story.name}-1")
    story.book("charge", f"pfx-{story.name}-1", 100)
    story.outcome(
        3, "SUCCEEDED", "SUCCESS", told="payment.succeeded", chargedAttempt=1, captured=100, refundable=100, dueAt=None
    )
    return story


def opened_again_with_its_first_time() -> Story:
    """Its key would count as older than it is, and its send as no first one."""
    story = Story()
    story.accept()
    story.claim(2)
    story.now_ms += 20_000
    story.outcome(2, "NOT_SENT", "PENDING", attempt={"settled_at_ms": story.now_ms}, readyAt=story.now_ms)
    story.change(3, attempts=story.settled("STARTED"))
    return story


def test_a_claim_may_open_the_attempt_that_was_not_sent() -> None:
    assert found(opened_by_a_claim().evidence()) == set()


def two_open_attempts() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.outcome(2, "UNKNOWN", "PENDING")
    story.claim(3)
    return story


def attempt_after_a_hard_decline(kind: str = "hard", **facts: Any) -> Story:
    story = Story()
    story.accept(providers=("mock", "cashfree_mock"))
    story.claim(2)
    story.outcome(2, "DECLINED", "PENDING", attempt={"decline_kind": kind, **facts})
    story.claim(3, provider="cashfree_mock")
    return story


def refund_after_a_refusal() -> Story:
    story = paid()
    sort = story.request("refund", 30)
    story.claim(4, sort=sort)
    story.moved(4, sort, "DECLINED", "PENDING")
    story.claim(5, sort=sort)
    return story


def attempt_when_final() -> Story:
    story = declined()
    story.claim(7)
    return story


def attempt_after_a_cancellation(*, again: bool = False) -> Story:
    """The first attempt is declined after the merchant has cancelled; `again`: it had not been sent."""
    story = Story()
    story.accept(providers=("mock", "cashfree_mock"))
    story.claim(2)
    story.record("payment.cancel_requested", 3, actor="api", cancelRequested=True)
    if again:
        story.outcome(2, "NOT_SENT", "PENDING", attempt={"code": "connection_refused"})
        story.claim(2, append=False)
        story.change(2, attempts=story.settled("STARTED"))
    else:
        story.outcome(2, "DECLINED", "PENDING", attempt={"decline_kind": "soft", "code": "busy"})
        story.claim(2, provider="cashfree_mock")
    return story


def older_epoch_writes() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.claim(3, append=False)
    story.change(2, attempts=story.settled("UNKNOWN"))
    return story


def lease_kept() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.record("attempt.unknown", 2, attempts=story.settled("UNKNOWN"))
    return story


def epoch_falls() -> Story:
    story = paid()
    story.change(9, lease={"owner": "", "epoch": 0, "expiresAt": 0})
    return story


def operation_lease_kept() -> Story:
    story = paid()
    sort = story.request("refund", 30)
    story.claim(4, sort=sort)
    story.change(4, sort, attempts=story.settled("UNKNOWN", sort))
    return story


def lost_payment() -> Story:
    story = paid()
    story.items.clear()
    return story


def lost_refund() -> Story:
    story = captured_and_refunded()
    del story.items["Transactions", (story.partition, f"OP#ref_{'r' * 16}")]
    return story


def still_pending() -> Story:
    story = Story()
    story.accept()
    return story


def refund_still_pending() -> Story:
    story = paid()
    story.request("refund", 30)
    return story


def event_missing() -> Story:
    story = paid()
    del story.items["Transactions", (story.partition, "EVENT#000001")]
    return story


def event_altered() -> Story:
    story = paid()
    item = story.items["Transactions", (story.partition, "EVENT#000002")]
    story.items["Transactions", (story.partition, "EVENT#000002")] = {**item, "facts": {"M": {"x": {"S": "y"}}}}
    return story


def operation_changed_in_silence() -> Story:
    story = captured_and_refunded()
    sort = f"OP#ref_{'r' * 16}"
    story.change(9, sort, status="IN_REVIEW", lastError={"code": "reversed", "message": "m"})
    return story


def told_nobody() -> Story:
    story = paid()
    key = "Transactions", (story.partition, "EVENT#000002")
    story.items[key] = {name: value for name, value in story.items[key].items() if name != "topic"}
    return story


def told_another(topic: str = "refund.failed") -> Story:
    story = captured_and_refunded()
    last = max(key[1] for _, key in story.items if key[1].startswith("EVENT#"))
    story.items["Transactions", (story.partition, last)]["topic"] = {"S": topic}
    return story


def woken(*, after_ms: int, **due: Any) -> Story:
    story = Story()
    story.accept()
    story.change(2, **due)
    story.now_ms += after_ms
    story.change(3, drives=1, dueAt=story.now_ms + 60_000)
    return story


def test_what_is_due_may_be_woken() -> None:
    assert not [what for what in found(woken(after_ms=100_000).evidence()) if what.startswith("DUE")]


def told_out_of_turn() -> Story:
    story = paid()
    story.items["Transactions", (story.partition, "EVENT#000002")]["number"] = {"N": "2"}
    return story


def not_delivered() -> Story:
    story = paid()
    story.items["Transactions", (story.partition, "EVENT#000002")]["dueAt"] = {"N": "1"}
    return story


def repeated(**changes: Any) -> Told:
    """The first request once more, with something else."""

    def tell() -> Story:
        story = paid()
        story.history.calls.append(dataclasses.replace(story.history.calls[0], **changes))
        return story

    return tell


def refund_repeated(**changes: Any) -> Told:
    def tell() -> Story:
        story = captured_and_refunded()
        call = next(c for c in story.history.calls if c.path.endswith("/refunds"))
        answer = {**call.answer, **changes.pop("answer", {})}
        story.history.calls.append(dataclasses.replace(call, answer=answer, **changes))
        return story

    return tell


def key_not_stored() -> Story:
    story = paid()
    story.history.sent[0] = dataclasses.replace(story.history.sent[0], stored=False)
    return story


def sent_by_another() -> Story:
    story = paid()
    story.history.sent[0] = dataclasses.replace(story.history.sent[0], process=77)
    return story


def sent_without_opening() -> Story:
    """A worker takes the lease and sends the attempt that is stored as not sent."""
    story = Story()
    story.accept()
    story.claim(2)
    story.outcome(2, "NOT_SENT", "PENDING", readyAt=story.now_ms)
    story.now_ms += 5_000
    story.claim(3, append=False)
    story.send(3, "POST", "/v1/charges", f"pfx-{story.name}-1")
    return story


def sent_by_two_releases(*, refund: bool) -> Told:
    """A request leaves again, from a function that builds other bytes than the one before it."""

    def tell() -> Story:
        story = paid()
        process, path, key = 2, "/v1/charges", f"pfx-{story.name}-1"
        if refund:
            sort = story.refund(30)
            process, path, key = 4, f"/v1/charges/ch_{story.name}/refunds", f"pfx-{sort[7:]}-1"
        story.send(process, "POST", path, key)
        story.history.sent[-1] = dataclasses.replace(story.history.sent[-1], release="newer")
        return story

    return tell


def captured_by_two_releases(*, is_keyed: bool) -> Story:
    """A capture at a provider where it names the charge alone leaves twice, with other bytes."""
    story = Story()
    story.accept(capture="manual")
    story.authorize()
    story.capture(80)
    key = f"pfx-{'c' * 16}-1" if is_keyed else f"pfx-{story.name}-1"
    for release in ("", "newer"):
        story.send(3, "POST", f"/v1/payments/ch_{story.name}/capture", key)
        story.history.sent[-1] = dataclasses.replace(story.history.sent[-1], release=release)
    return story


def reference_taken(operation_id: str | None = None) -> Story:
    story = captured_and_refunded()
    story.own("re_1", attempt=1, operation_id=f"ref_{'r' * 16}")
    story.own("re_1", attempt=1, operation_id=operation_id)
    return story


def booked_beside_ours(**reference: str) -> Story:
    """A refund of ours has left, and perhaps has an id; then one without a key is booked."""
    story = paid()
    sort = story.request("refund", 20)
    story.claim(4, sort=sort, **reference)
    story.book("refund", f"pfx-{'r' * 16}-1", 20)
    refunded_in_the_dashboard(story=story, refundable=50)
    story.moved(4, sort, "SUCCEEDED", "SUCCEEDED", told="refund.succeeded", refunded=50)
    return story


def own_capture_left(after_ms: int) -> Story:
    """Our own capture may have left; after a while the attempt is called cancelled."""
    story = Story()
    story.accept(providers=("razorpay",))
    held = {"capture_sent_at": str(story.now_ms), "capture_within_minutes": "720"}
    story.claim(2, provider="razorpay", progress=held)
    story.now_ms += after_ms
    error = {"code": "cancelled", "message": "m"}
    story.outcome(2, "FENCED", "CANCELLED", told="payment.cancelled", lastError=error, dueAt=None)
    return story


def hurried(times: int) -> Story:
    """A step is brought forward so often, and each time a session with the provider follows."""
    story = unknown_then_reviewed(60_000)
    for process in range(10, 10 + times):
        story.claim(process, append=False)
        story.send(process, "GET", "/v1/charges", f"pfx-{story.name}-1")
        story.change(process, lease=story.free(), readyAt=story.now_ms + 3_600_000)
        story.change(process, readyAt=story.now_ms)
    return story


def refund_hurried(times: int) -> Story:
    """The list of the charge's refunds is read so often for a refund whose refusal is not proven."""
    story = paid()
    sort = story.request("refund", 30)
    story.claim(4, sort=sort)
    story.change(4, sort, attempts=story.settled("UNKNOWN", sort), lease=story.free(sort), readyAt=story.now_ms)
    for process in range(10, 10 + times):
        story.claim(process, sort=sort, append=False)
        story.send(process, "GET", "/v1/refunds", f"pfx-{story.name}-1")
        story.change(process, sort, lease=story.free(sort), readyAt=story.now_ms + 3_600_000)
        story.change(process, sort, readyAt=story.now_ms)
    return story


@pytest.mark.parametrize(("times", "is_found"), [(20, False), (60, True)])
def test_sessions_that_read_a_charge_s_refunds_are_those_of_the_refund(times: int, is_found: bool) -> None:
    said = found(refund_hurried(times).evidence())
    assert any("times in an hour" in what for what in said) == is_found


def one_refund_booked_as_two() -> Story:
    story = captured_and_refunded()
    first = story.item(f"OP#ref_{'r' * 16}")
    attempts = [{**first["attempts"][0], "reference": "re_1"}]
    story.change(4, f"OP#ref_{'r' * 16}", attempts=attempts)
    other = {**first, "attempts": attempts, "operationId": f"ref_{'s' * 16}", "origin": "provider"}
    story.put(f"OP#ref_{'s' * 16}", other, 4)
    return story


def shown_to_another() -> Story:
    story = paid()
    story.history.calls.append(dataclasses.replace(story.history.calls[0], merchant="globex", key="other"))
    return story


def counted(name: str, status: str, times: int) -> Told:
    """Whoever stored it counted it so often."""

    def tell() -> Story:
        story = paid()
        story.history.counted[name, status] = times
        return story

    return tell


def logged(line: str) -> Told:
    def tell() -> Story:
        story = paid()
        story.history.lines.append(line)
        return story

    return tell


def stored_secret() -> Story:
    story = paid()
    story.change(9, note=SECRET)
    return story


def payer_in_an_event() -> Story:
    story = paid()
    story.record("note", 9, facts={"who": PAYER["name"]})
    return story


def erased_and_back() -> Story:
    story = erased()
    story.change(9, erased=None)
    return story


def too_many_sessions() -> Story:
    story = Story()
    story.accept()
    story.now_ms = EPOCH_MS + 3_600_000
    for number in range(MAX_SESSIONS_PER_HOUR + 2):
        story.claim(10 + number, append=not number)
        story.send(10 + number, "GET", "/v1/charges", f"pfx-{story.name}-1")
        story.now_ms += 10_000
        story.change(10 + number, lease=story.free())
    return story


def too_many_requests() -> Story:
    story = paid()
    story.history.sent += [story.history.sent[0]] * MAX_REQUESTS_PER_SESSION
    return story


def inquired_early() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.outcome(2, "UNKNOWN", "PENDING", readyAt=story.now_ms + 60_000)
    story.claim(3, append=False)
    return story


def no_back_off() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.outcome(2, "UNKNOWN", "PENDING", readyAt=story.now_ms)
    story.claim(3, append=False)
    story.change(3, attempts=story.settled("UNKNOWN", inquiries=3), lease=story.free(), readyAt=story.now_ms + 5_000)
    return story


def answered(**changes: Any) -> Told:
    def tell() -> Story:
        story = captured_and_refunded()
        call = story.history.calls[-1] if "kind" in changes else story.history.calls[1]
        call.answer |= changes
        return story

    return tell


def answered_before_it_was_true() -> Story:
    story = paid()
    story.call("GET", f"/payments/{story.transaction_id}", 200)
    call = story.history.calls[-1]
    story.history.calls[-1] = dataclasses.replace(call, at_ms=story.now_ms - 2_500, answered_ms=story.now_ms - 1_500)
    return story


def foreign_credentials(**changes: Any) -> Told:
    def tell() -> Story:
        story = paid()
        story.history.sent[0] = dataclasses.replace(story.history.sent[0], **changes)
        return story

    return tell


def refund_reviewed(reason: str, *, drives: int = 0, after_ms: int = 0) -> Told:
    def tell() -> Story:
        story = paid()
        sort = story.request("refund", 30)
        story.claim(4, sort=sort)
        story.now_ms += after_ms
        story.change(4, sort, drives=drives)
        story.moved(4, sort, "UNKNOWN", "IN_REVIEW", told="refund.in_review", error=reason)
        return story

    return tell


def refund_given_up() -> Story:
    story = paid()
    sort = story.request("refund", 30)
    story.claim(4, sort=sort)
    error = "retries_exhausted"
    story.moved(4, sort, "NOT_SENT", "FAILED", told="refund.failed", error=error, refundable=100)
    return story


def repeated_refund_refused(*, after_ms: int, reads: int = 1) -> Story:
    """The refusal of its second request is believed so long after it."""
    story = paid()
    sort = story.request("refund", 30)
    story.claim(4, sort=sort, provider="stripe")
    refused = {"refused_send": f"{story.now_ms} 0 0 {reads}"}
    story.change(4, sort, attempts=story.settled("UNKNOWN", sort, progress=refused), lease=story.free(sort))
    story.now_ms += after_ms
    story.claim(5, sort=sort, append=False)
    story.moved(5, sort, "DECLINED", "FAILED", told="refund.failed", error="refused", refundable=100)
    return story


def test_the_refusal_of_a_repeated_refund_may_be_believed_once_the_lag_is_over() -> None:
    said = found(repeated_refund_refused(after_ms=HOUR_MS).evidence())
    assert not [what for what in said if what.startswith("REASONS")]


def cancelled_for_its_payer(**why: Any) -> Story:
    """A payment that waits for its payer is cancelled a day before the payer's time is over."""
    story = Story()
    story.accept()
    story.claim(2)
    waits = {"deadline_ms": story.now_ms + DAY_MS, **why.pop("attempt", {})}
    story.outcome(
        2, "REQUIRES_ACTION", "REQUIRES_ACTION", told="payment.requires_action", attempt=waits, readyAt=story.now_ms
    )
    story.change(3, **why)
    story.claim(3, append=False)
    story.outcome(3, "FENCED", "CANCELLED", told="payment.cancelled")
    return story


@pytest.mark.parametrize("why", [{"cancelRequested": True}, {"attempt": {"progress": {"failed_tries": "10"}}}])
def test_a_payer_s_time_may_end_early_for_a_reason(why: dict[str, Any]) -> None:
    assert not [what for what in found(cancelled_for_its_payer(**why).evidence()) if what.startswith("REASONS")]


def reviewed(reason: str) -> Told:
    def tell() -> Story:
        story = Story()
        story.accept()
        story.claim(2)
        error = {"code": reason, "message": "m"}
        story.outcome(2, "UNKNOWN", "IN_REVIEW", told="payment.in_review", lastError=error)
        return story

    return tell


def action_expired_early() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    deadline_ms = story.now_ms + DAY_MS
    story.outcome(
        2,
        "REQUIRES_ACTION",
        "REQUIRES_ACTION",
        told="payment.requires_action",
        attempt={"deadline_ms": deadline_ms},
        readyAt=story.now_ms,
    )
    story.claim(3, append=False)
    error = {"code": "action_expired", "message": "m"}
    story.outcome(3, "FENCED", "FAILED", told="payment.failed", lastError=error)
    return story


def applied_twice() -> Story:
    story = proven_by_event()
    story.record("note", 3, actor="webhook", facts={"webhook": "evt_1", "provider": "mock"})
    return story


def never_posted() -> Story:
    story = proven_by_event()
    story.history.webhooks.clear()
    return story


def delivery(*, wrong: Callable[[Story], None] = lambda _story: None, **how: Any) -> Told:
    def tell() -> Story:
        story = Story()
        story.endpoint()
        story.accept()
        story.charge()
        story.deliver(2, **how)
        wrong(story)
        return story

    return tell


_DATA = {"change": {"from": "PENDING", "to": "SUCCESS"}, "payment": paid().shown("PAYMENT"), "operation": None}
_REFUND = {"operationId": "ref_x"}


def as_if_signed_by_another(story: Story) -> None:
    story.history.deliveries[0].headers["webhook-signature"] = "v1,AAAA"


def to_another_merchant(story: Story) -> None:
    story.history.deliveries[0] = dataclasses.replace(story.history.deliveries[0], merchant="globex")


def meant_for_nobody() -> Story:
    story = Story()
    story.endpoint()
    story.accept()
    story.charge()
    return story


def meant_for_another_subscriber() -> Story:
    story = Story()
    story.endpoint("refund.succeeded")
    story.accept()
    story.charge()
    story.deliver(2)
    return story


NEW_SECRET = "whsec_" + "B" * 44


def rotated(*secrets: str, hours: int = 1) -> Told:
    """The endpoint's secret was rotated so long before the delivery, which is signed with these."""

    def tell() -> Story:
        story = delivery()()
        at_ms = story.now_ms - hours * 3_600_000
        answer = {"id": "we_1", "url": URL, "secret": NEW_SECRET}
        path = "/webhook-endpoints/we_1/rotate-secret"
        story.history.calls.append(Call(at_ms, story.merchant, "POST", path, "r", None, 200, answer, at_ms))
        delivered = story.history.deliveries[0]
        at_seconds = int(delivered.headers["webhook-timestamp"])
        signatures = [signed(delivered.body, at_seconds, secret)["webhook-signature"] for secret in secrets]
        delivered.headers["webhook-signature"] = " ".join(signatures)
        return story

    return tell


def on_no_list() -> Story:
    story = mismatched()
    story.listed = set()
    return story


def test_what_came_into_review_after_the_list_was_read_is_not_on_it() -> None:
    story = on_no_list()
    assert any("is in review and on no list" in said for said in found(story.evidence()))
    story.now_ms -= 30_000  # the run ends a minute later, and read the list at its beginning
    assert not any("is in review and on no list" in said for said in found(story.evidence()))


def on_the_list_for_nothing() -> Story:
    story = paid()
    story.listed = {(story.merchant, story.transaction_id, None)}
    return story


def expedited_for_nothing() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.outcome(2, "REJECTED", "PENDING", readyAt=story.now_ms + 600_000)
    story.change(3, readyAt=story.now_ms)
    return story


def expired_lease_stays() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.now_ms += 600_000
    story.record("payment.cancel_requested", 3, actor="api", cancelRequested=True)
    return story


def test_a_process_that_was_frozen_has_decided_before_the_lease_expired() -> None:
    story = expired_lease_stays()
    (write,) = [w for w in story.history.writes if w.process == 3 and w.key[1] == "PAYMENT"]
    story.history.strikes.append(Strike(write.at_ms - 590_000, "freeze", 3))
    assert not any(each.startswith("I15") for each in found(story.evidence()))


def rests_in_review() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    error = {"code": "outcome_unknown", "message": "m"}
    ready_ms = story.now_ms + 5 * DAY_MS
    story.outcome(
        2, "UNKNOWN", "IN_REVIEW", told="payment.in_review", lastError=error, readyAt=ready_ms, dueAt=ready_ms
    )
    return story


def nobody_decided() -> Story:
    story = mismatched(100)
    story.record("note", 9, actor="operator")
    return story


def attempt_outside_of_the_route() -> Story:
    story = Story()
    story.accept()
    story.claim(2, provider="payu")
    return story


def attempt_after_the_deadline() -> Story:
    story = Story()
    story.accept()
    story.now_ms += 2 * DAY_MS
    story.claim(2)
    return story


def charge_sent_after_the_deadline() -> Story:
    story = paid()
    story.now_ms = story.item()["chargeDeadline"] + DAY_MS
    story.send(2, "POST", "/v1/charges", f"pfx-{story.name}-1")
    return story


def refund_sent_after_its_deadline() -> Story:
    story = captured_and_refunded()
    story.now_ms += 3 * DAY_MS
    story.send(4, "POST", f"/v1/charges/ch_{story.name}/refunds", f"pfx-{'r' * 16}-1")
    return story


def fifth_answered_attempt() -> Story:
    story = Story()
    story.accept()
    for process in range(2, 7):
        story.claim(process)
        story.outcome(process, "REJECTED", "PENDING", readyAt=story.now_ms)
    return story


def sent_to_a_provider_that_is_off() -> Story:
    story = Story()
    story.accept(providers=("mock", "cashfree_mock"))
    switch(story, "cashfree_mock")
    story.claim(2)
    story.outcome(2, "REJECTED", "PENDING", readyAt=story.now_ms)
    story.now_ms += 600_000
    story.claim(3, provider="cashfree_mock")
    return story


def began_at_a_provider_that_is_off() -> Story:
    story = Story()
    switch(story, "mock")
    story.now_ms += 600_000
    story.accept(providers=("mock", "cashfree_mock"))
    story.claim(2)
    return story


def reviewed_without_a_difference() -> Story:
    story = paid()
    error = {"code": "reconciliation", "message": "m"}
    story.record(
        "payment.in_review", 9, actor="reconciler", told="payment.in_review", status="IN_REVIEW", lastError=error
    )
    story.record("review.charged", 9, actor="operator", told="payment.succeeded", facts=PERSON, status="SUCCESS")
    return story


def waits_too_long(**changes: Any) -> Told:
    def tell() -> Story:
        story = Story()
        story.accept()
        story.claim(2)
        ready_ms = story.now_ms + 120 * 3_600_000
        attempt = {"deadline_ms": ready_ms}
        story.outcome(2, changes.pop("state"), "PENDING", attempt=attempt, readyAt=ready_ms, dueAt=ready_ms, **changes)
        return story

    return tell


def left_undecided(state: str, status: str, **attempt: Any) -> Told:
    """What may still move money is due for nothing."""

    def tell() -> Story:
        story = Story()
        story.accept()
        story.claim(2)
        story.outcome(2, state, status, attempt=attempt, dueAt=None)
        return story

    return tell


def declined_and_told(code: str) -> Told:
    """A payer's funds were not sufficient."""

    def tell() -> Story:
        story = Story()
        story.accept()
        story.claim(2)
        error = {"code": code, "message": "m", "attempt": 1}
        attempt = {"decline_kind": "funds", "code": "funds"}
        story.outcome(2, "DECLINED", "FAILED", told="payment.failed", attempt=attempt, dueAt=None, lastError=error)
        return story

    return tell


def released_and_told(code: str) -> Told:
    """The provider gave back an amount that it held."""

    def tell() -> Story:
        story = Story()
        story.accept(capture="manual")
        story.claim(2)
        story.outcome(2, "AUTHORIZED", "AUTHORIZED", told="payment.authorized", capturable=100)
        story.claim(3, append=False)
        gone = {"lastError": {"code": code, "message": "m", "attempt": 1}, "capturable": 0, "dueAt": None}
        story.outcome(3, "FENCED", "CANCELLED", told="payment.cancelled", **gone)
        return story

    return tell


def watched_and_held(state: str, **hours: int) -> Told:
    """A provider may still charge what it declined, or holds the amount, for so many hours."""

    def tell() -> Story:
        story = Story()
        story.accept()
        story.claim(2, provider="payu")
        times = {name: story.now_ms + each * 3_600_000 for name, each in hours.items()}
        facts = {"settled_at_ms": story.now_ms, **times}
        ready_ms = max(times.values())
        story.outcome(2, state, "FAILED", attempt=facts, readyAt=ready_ms, dueAt=ready_ms)
        return story

    return tell


def paid_object(**changes: Any) -> Story:
    """Its payer can pay in it for another day."""
    story = paid()
    facts = {"progress": {"hosted_expires_at": str(story.now_ms + DAY_MS)}}
    story.change(9, attempts=story.settled("SUCCEEDED", **facts), **changes)
    return story


def found_paid_by_a_person(*, is_read_again: bool) -> Story:
    """A day after its object had expired."""
    story = Story()
    story.accept()
    facts = {"hosted_method": "card", "hosted_expires_at": str(EPOCH_MS)}
    story.claim(2, progress=facts)
    error = {"code": "outcome_unknown", "message": "m"}
    in_a_day_ms = story.now_ms + DAY_MS
    story.outcome(2, "UNKNOWN", "IN_REVIEW", lastError=error, readyAt=in_a_day_ms, dueAt=in_a_day_ms)
    story.now_ms += DAY_MS
    read = {"eventInquiries": {"waiting": [1], "ready_at_ms": story.now_ms}, "dueAt": story.now_ms + 90_000}
    story.record(
        "review.charged",
        9,
        actor="operator",
        status="SUCCESS",
        captured=100,
        refundable=100,
        chargedAttempt=1,
        attempts=story.settled("SUCCEEDED"),
        **(read if is_read_again else {"dueAt": None}),
    )
    return story


@pytest.mark.parametrize("is_read_again", [True, False])
def test_an_object_that_a_person_found_paid_is_read_again(is_read_again: bool) -> None:
    said = found(found_paid_by_a_person(is_read_again=is_read_again).evidence())
    assert any("found paid by a person, and its object is not read again" in each for each in said) != is_read_again


def not_woken() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.outcome(2, "UNKNOWN", "PENDING", readyAt=story.now_ms + 5_000, dueAt=story.now_ms + 95_000)
    story.stopped_ms = story.now_ms
    story.now_ms += 10 * 3_600_000
    return story


def erased_but_payable() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    session = {"payment_session_id": "session_abcdef"}
    story.outcome(2, "DECLINED", "FAILED", told="payment.failed", attempt={"progress": session, "decline_kind": "hard"})
    story.record(
        "payment.erased", 9, actor="operator", facts=PERSON, customer=None, paymentMethod={"type": "card"}, erased=True
    )
    return story


BAD: list[tuple[str, Told]] = [
    ("I10 .*bears our key pfx-[a-r]*-1 and was made elsewhere", lambda: refunded_in_the_dashboard(key=OUR_KEY)),
    ("I10 .*was booked while it might be ref_rrrrrrrrrrrrrrrr", booked_beside_ours),
    ("I5 .*became FENCED after our own capture of it had left", lambda: own_capture_left(HOUR_MS)),
    ("I13 .*caused 6. sessions with its provider in an hour", lambda: hurried(60)),
    ("I10 .*is ref_rrrrrrrrrrrrrrrr and ref_ssssssssssssssss", one_refund_booked_as_two),
    ("I9 .*after the charge deadline", charge_sent_after_the_deadline),
    ("I9 .*was sent to mock after its deadline", refund_sent_after_its_deadline),
    ("I3 .*came back, and is not read any more", refund_came_back),
    ("I5 .*holds an unknown word", unknown_word_ignored),
    ("I5 .*lost an attribute of a newer release", attribute_of_a_newer_release_lost),
    ("I5 .*lost an attribute of a newer release", lambda: attribute_of_a_newer_release_lost(in_attempt=True)),
    ("I18 .*SUCCEEDED and its amount is reserved", amount_is_elsewhere("reserved")),
    ("I18 .*was given back while its attempts are .'UNKNOWN'", reviewed_refund_given_back),
    ("I13 .*next attempt brought forward", expedited_for_nothing),
    ("I15 .*was changed by another, and the lease of epoch 1 stayed", expired_lease_stays),
    ("I16 .*nobody was told", delivery(state="PENDING")),
    ("DELIVERY .*is SKIPPED at .* after 10 tries", delivery(state="SKIPPED", tries=10)),
    ("DELIVERY .*is an event of acme", delivery(wrong=to_another_merchant)),
    ("DELIVERY .*says .*'refund.failed'", delivery(type="refund.failed")),
    ("DELIVERY .*says .* 7", delivery(sequence=7)),
    ("DELIVERY .*is not signed", delivery(wrong=as_if_signed_by_another)),
    (
        "DELIVERY .*shows .*status",
        delivery(data={**_DATA, "payment": {**paid().shown("PAYMENT"), "status": "FAILED"}}),
    ),
    ("DELIVERY .*tells of .*FAILED", delivery(data={**_DATA, "change": {"from": "FAILED", "to": "SUCCESS"}})),
    ("DELIVERY .*shows the operation ref_x, and is about None", delivery(data={**_DATA, "operation": _REFUND})),
    ("DELIVERY .*counts as delivered", delivery(status=500)),
    ("DELIVERY .*was given up .* after 3 tries", delivery(state="FAILED", tries=3)),
    ("DELIVERY .*was not meant for", meant_for_nobody),
    ("DELIVERY .*subscribed to other types", meant_for_another_subscriber),
    ("DELIVERY .*not signed with the secret of after", rotated(ENDPOINT_SECRET)),
    ("DELIVERY .*not signed with the secret of before", rotated(NEW_SECRET)),
    ("DELIVERY .*rotated more than a day before", rotated(NEW_SECRET, ENDPOINT_SECRET, hours=25)),
    ("I2 .*is in review and on no list", on_no_list),
    ("I2 .*is on the list of reviews and in none", on_the_list_for_nothing),
    ("I4 .*does not say which operator", nobody_decided),
    ("I9 .*outside of its route", attempt_outside_of_the_route),
    ("I9 .*after its charge deadline", attempt_after_the_deadline),
    ("I9 .*after 4 that were answered", fifth_answered_attempt),
    ("I16 .*new statuses are", lambda: refunded_in_the_dashboard(told=None)),
    ("REASONS .*cashfree_mock, which was off", sent_to_a_provider_that_is_off),
    ("REASONS .*attempt 1 went to mock, which was off", began_at_a_provider_that_is_off),
    ("REASONS .*report and books show no difference", reviewed_without_a_difference),
    ("REST .*min for its cancellation", waits_too_long(state="AUTHORIZED", cancelRequested=True)),
    ("REST .*min for its UNKNOWN", waits_too_long(state="UNKNOWN")),
    ("REST .*min for its review", rests_in_review),
    ("REST .*was not worked on for", not_woken),
    ("REST .*may still move money and is due for nothing", left_undecided("UNKNOWN", "IN_REVIEW")),
    ("REST .*may still move money and is due for nothing", left_undecided("DECLINED", "FAILED", reopens_until_ms=1)),
    ("REASONS .*tells of soft_decline, and attempt 1 is a funds one", declined_and_told("soft_decline")),
    ("REASONS .*tells of fenced, and its amount was held", released_and_told("fenced")),
    ("REST .*watches attempt 1 for 119 h only", watched_and_held("DECLINED", reopens_until_ms=119)),
    ("REST .*believes that attempt 1 is held until", watched_and_held("AUTHORIZED", deadline_ms=32 * 24)),
    ("REST .*may be paid once more in its object, which is not read again", paid_object),
    (
        "REST .*may be paid once more in its object, which is not read again",
        lambda: paid_object(eventInquiries={"waiting": [1], "ready_at_ms": EPOCH_MS}),
    ),
    ("ERASURE .*session_abcdef", erased_but_payable),
    ("I1 .*charged 2 times", twice_charged),
    ("I1 .*moved money 2 times", twice_refunded),
    ("I1 .*90 of 80 were refunded", refunded_too_much),
    ("I2 .*was accepted and is not stored", lost_payment),
    ("I2 .*a refund was accepted and is not stored", lost_refund),
    ("I2 .*is still PENDING", still_pending),
    ("I2 .*ref_.* is still PENDING", refund_still_pending),
    ("I3 .*is SUCCESS, but the books say .*101", other_amount_charged),
    (r"I3 .*is SUCCESS, but the books say \[\]", not_charged),
    ("I3 .*is FAILED and was charged", failed_and_charged),
    ("I3 .*is SUCCEEDED, but the books say", refund_not_made),
    ("I3 .*is FAILED and moved money", failed_refund_was_made),
    ("I3 .*40 were refunded, the books say 30, and 0 by others", refunded_more_than_the_books),
    ("I4 .*event 1 is missing", event_missing),
    ("I4 .*the chain breaks at event 2", event_altered),
    ("I4 .*the last event is", changed(eventSeq=9)),
    ("I4 .*by the events its operations are", operation_changed_in_silence),
    ("I5 .*went from SUCCESS to PENDING", changed(status="PENDING")),
    ("I5 .*was followed by 99", changed(version=99)),
    ("I5 .*without a new version", changed(version=3, note="x")),
    ("I5 .*dueShard.*without a new version", changed(version=3, dueShard="due#31")),
    ("I5 .*amount changed", changed(amount=1)),
    ("I5 .*attempt 1 went from SUCCEEDED to DECLINED", reopened_attempt),
    ("I5 .*attempt 1 went from NOT_SENT to STARTED", opened_without_a_claim),
    ("I5 .*attempt 1 has the time of its first try, and is open again", opened_again_with_its_first_time),
    ("I5 .*lost an attempt", changed(attempts=[])),
    ("I5 .*was the charge and is not any more", changed(chargedAttempt=None)),
    ("I5 .*ref_.* went from SUCCEEDED to FAILED", operation_changed(status="FAILED")),
    ("I5 .*ref_.* amount changed", operation_changed(amount=1)),
    ("I5 .*ref_.*without a new version", operation_changed(version=3, note="x")),
    ("I5 .*ref_.* went from SUCCEEDED to IN_REVIEW without an event", operation_changed(status="IN_REVIEW")),
    ("I6 .*two different bodies", repeated(body="{}")),
    ("I6 .*was refused though", repeated(status=422, answer={"code": "idempotency_key_reused"})),
    ("I6 refund .*two different bodies", refund_repeated(body="{}")),
    ("I7 .*has several ids", repeated(answer={"transactionId": "pay_" + "b" * 16})),
    ("I7 refund .*has several ids", refund_repeated(answer={"operationId": "ref_" + "b" * 16})),
    ("I8 .*which was not stored", key_not_stored),
    ("I8 .*process 77, which did not open it", sent_by_another),
    ("I8 .*process 3, which did not open it", sent_without_opening),
    ("I8 .*got /v1/charges with .* again, with other bytes", sent_by_two_releases(refund=False)),
    ("I8 .*/refunds with .* again, with other bytes", sent_by_two_releases(refund=True)),
    ("I8 .*/capture with pfx-cccc.* again, with other bytes", lambda: captured_by_two_releases(is_keyed=True)),
    ("I8 .*/capture with pfx-cccc.* again, with other bytes", lambda: captured_by_two_releases(is_keyed=False)),
    ("I9 .*several open attempts", two_open_attempts),
    ("I9 .*after a decline of kind hard", attempt_after_a_hard_decline),
    ("I9 .*after a decline of kind funds", lambda: attempt_after_a_hard_decline("funds")),
    ("I9 .*while one may reopen", lambda: attempt_after_a_hard_decline("soft", reopens_until_ms=1)),
    ("I9 .*ref_.* began an attempt after", refund_after_a_refusal),
    ("I9 .*began an attempt while it was FAILED", attempt_when_final),
    ("I9 .*began attempt 2 after its merchant had cancelled it", attempt_after_a_cancellation),
    ("I9 .*began attempt 1 after its merchant had cancelled it", lambda: attempt_after_a_cancellation(again=True)),
    ("I10 .*went from", reference_taken),
    ("I10 .*went from", lambda: reference_taken(f"ref_{'q' * 16}")),
    ("I11 .*was shown to globex", shown_to_another),
    ("I11 .*lies with acme and says globex", changed(merchantId="globex")),
    ("I12 .*a log line holds", logged("charged with tok_success")),
    ("I12 .*a log line holds", logged(f"payer {PAYER['phone']}")),
    ("I12 .*a log line holds", logged("card 4111111111111111")),
    ("I12 .*an item holds what it must not", payer_in_an_event),
    ("I12 .*an item holds a secret", stored_secret),
    ("ERASURE .*holds .*asha", lambda: erased(customer={"email": PAYER["email"]})),
    ("ERASURE .*holds .*tok_", lambda: erased(paymentMethod={"type": "card", "token": "tok_success_a"})),
    ("I5 .*what was erased is there again", erased_and_back),
    ("I5 .*left a review that only a person ends, and is FAILED", left_a_review_by_itself("mismatch")),
    ("I5 .*left a review that only a person ends, and is FAILED", left_a_review_by_itself("reconciliation")),
    ("I13 .*sessions with its provider in an hour", too_many_sessions),
    ("I13 .*requests about", too_many_requests),
    ("I13 .*before its time", inquired_early),
    ("I13 .*inquires again after", no_back_off),
    ("I15 .*the holder of epoch 1 wrote under epoch 2", older_epoch_writes),
    ("I15 .*an outcome left the lease", lease_kept),
    ("I15 .*epoch 1 was followed by 0", epoch_falls),
    ("I15 .*ref_.*an outcome left the lease", operation_lease_kept),
    ("I16 .*new statuses are", told_nobody),
    ("I16 .*new statuses are", told_another),
    ("I16 .*are numbered", told_out_of_turn),
    ("I16 .*nobody was told", not_delivered),
    ("DUE .*was woken 80000 ms before it was due", lambda: woken(after_ms=10_000)),
    ("DUE .*was woken although it is due for nothing", lambda: woken(after_ms=100_000, dueAt=None)),
    ("I18 .*is off balance", not_reserved),
    ("I18 .*is off balance", booked_twice),
    ("I18 .*below zero", negative),
    ("I18 .*captured 110 of 100", captured_more),
    ("I18 .*nobody reviews it", excess_nobody_reviews),
    ("I18 .*says that 10 are reserved", wrong_reserve),
    ("I18 .*was given back while its attempts are", given_back_while_open),
    ("I18 .*several captures or voids are open", two_captures),
    ("I18 .*can be captured and 40 are reserved", capture_not_reserved),
    ("I19 .*which nobody sent to it", lambda: proven_by_event(signed_by="globex")),
    ("I19 .*which nobody sent to it", lambda: proven_by_event(address="globex")),
    ("I19 .*which nobody sent to it", lambda: proven_by_event(merchant="globex")),
    ("I19 .*which nobody sent to it", never_posted),
    ("I19 .*was applied twice", applied_twice),
    ("ANSWERS .*status='FAILED'", answered(status="FAILED")),
    (
        "ANSWERS .*refunds was refused as amount_exceeded",
        lambda: refused(long_after(paid()), "refunds", "amount_exceeded"),
    ),
    (
        "ANSWERS .*refunds was refused as outcome_unknown",
        lambda: refused(long_after(paid()), "refunds", "outcome_unknown"),
    ),
    ("ANSWERS .*refunds was refused as invalid_state", lambda: refused(long_after(paid()), "refunds", "invalid_state")),
    ("ANSWERS .*cancel was refused as not_found", lambda: refused(long_after(paid()), "cancel", "not_found")),
    ("ANSWERS .*cancel was refused as invalid_state", lambda: refused(open_payment(), "cancel", "invalid_state")),
    ("ANSWERS .*capturable=7", answered(capturable=7)),
    ("ANSWERS .*attempts=", answered(attempts=[])),
    ("ANSWERS .*amount=7", answered(kind="refund", amount=7)),
    ("ANSWERS .*status='SUCCESS'", answered_before_it_was_true),
    ("ACCOUNTS .*globex's keys", foreign_credentials(credentials="globex")),
    ("ACCOUNTS .*at globex", foreign_credentials(merchant="globex")),
    ("ACCOUNTS .*None's keys", foreign_credentials(credentials=None)),
    ("I6 .*has no key, and was refused", refused_for_a_key_that_it_has_not),
    ("REPORTS .*was listed with another amount, and no recon", lambda: reconciled(is_found=False)),
    ("REPORTS .*another amount, and no review began", lambda: reconciled(is_found=True, action="review")),
    ("I17 .*is charged by", paid_twice),
    ("I17 .*was accepted while .* was charged", paid_twice),
    ("I17 .*began an attempt after .* was charged", paid_twice),
    ("I17 .*pay_a{16} began an attempt after pay_b{16} was charged", opened_again_beside_a_charge),
    ("I17 .*was accepted while .* might reopen", lambda: failed_then_paid(reopens_until_ms=EPOCH_MS + DAY_MS)),
    ("I17 .*was accepted while .* was PENDING", lambda: beside_an_open_one(once=True)),
    ("I17 .*was accepted while .* was PENDING", lambda: beside_an_open_one(once=False)),
    ("I17 .*order-c was refused, and no payment kept the order", refused_although_the_order_is_free),
    ("I17 .*order-c was refused, and no payment kept the order", refused_after_refunds_were_turned_on),
    ("I17 .*contends although all others of its order are decided", contends_for_ever),
    ("I17 .*beside the holder's was not given back", not_given_back),
    ("I17 .*no other charge stays", given_back_by_itself),
    ("REASONS .*went to review 61 s after mock", lambda: unknown_then_reviewed(58_000)),
    ("REASONS .*the books have", lambda: mismatched(100)),
    ("REASONS .*nothing was charged", reviewed("late_success")),
    ("REASONS .*given up after 0 wake-ups", reviewed("drives_exhausted")),
    ("REASONS .*no reason that the design knows", reviewed("tired")),
    ("REASONS .*while .'cashfree_mock'. could still be tried", refused_once),
    ("REASONS .*before the payer's time was over", action_expired_early),
    ("REASONS .*ref_.*went to review", refund_reviewed("outcome_unknown")),
    ("REASONS .*ref_.*nothing moved", refund_reviewed("late_success")),
    ("REASONS .*ref_.*no reversal", refund_reviewed("reversed")),
    ("REASONS .*ref_.*given up after 3 wake-ups", refund_reviewed("drives_exhausted", drives=3)),
    ("REASONS .*ref_.*given up too early", refund_given_up),
    ("REASONS .*was cancelled .* before its payer's time was over", cancelled_for_its_payer),
    ("REASONS .*before the refusal of its repetition was proven", lambda: repeated_refund_refused(after_ms=0)),
    (
        "REASONS .*before the refusal of its repetition was proven",
        lambda: repeated_refund_refused(after_ms=HOUR_MS, reads=0),
    ),
    ("REST .*may come back from its payer's bank and is due for nothing", refund_came_back),
    ("METRICS .*PaymentsFinal SUCCESS was counted 2 times, and stored 1 times", counted("PaymentsFinal", "SUCCESS", 2)),
    ("METRICS .*PaymentsFinal SUCCESS was counted 0 times, and stored 1 times", counted("PaymentsFinal", "SUCCESS", 0)),
    ("METRICS .*PaymentsInReview was counted 1 times, and stored 0 times", counted("PaymentsInReview", "", 1)),
    ("METRICS .*OperationsFinal FAILED was counted 1 times", counted("OperationsFinal", "FAILED", 1)),
]


ALL_BAD = [*BAD, *BAD_CHECKOUTS, *BAD_JUDGED, *BAD_DECIDED, *BAD_DISPUTES]


@pytest.mark.parametrize(("words", "tell"), ALL_BAD, ids=[f"{n:02}-{w.split()[0]}" for n, (w, _) in enumerate(ALL_BAD)])
def test_a_history_that_breaks_a_rule_is_found(words: str, tell: Told) -> None:
    said = found(tell().evidence())
    assert any(re.search(words, each) for each in said), said


def test_what_erasure_left_is_found_on_an_item_of_the_compact_layout() -> None:
    """Its key alone names payment and merchant."""
    evidence = erased(customer={"email": PAYER["email"]}).evidence()
    items = evidence.result.items
    for place, item in list(items.items()):
        items[place] = {name: value for name, value in item.items() if name not in {"transactionId", "merchantId"}}
    assert any(re.search("ERASURE .*PAYMENT holds .*asha", each) for each in found(evidence))


def test_who_died_after_a_change_may_have_counted_nothing() -> None:
    story = counted("PaymentsFinal", "SUCCESS", 0)()
    story.strikes["crash"] = 1
    assert found(story.evidence()) == set()
    story.history.counted["PaymentsAccepted", ""] = 2
    assert found(story.evidence()) == {"METRICS -: PaymentsAccepted was counted 2 times, and stored 1 times"}


def test_who_met_another_transaction_may_count_a_change_that_is_the_same() -> None:
    story = counted("PaymentsFinal", "SUCCESS", 2)()
    evidence = story.evidence()
    last = evidence.payments[next(iter(evidence.payments))].versions[-1][2]
    assert last is not None
    story.history.conflicted[str(last["eventHash"]), object()] = None
    assert found(story.evidence()) == set()
    story.history.counted["PaymentsFinal", "SUCCESS"] = 3
    assert found(story.evidence()) == {"METRICS -: PaymentsFinal SUCCESS was counted 3 times, and stored 1 times"}


def test_a_charge_that_a_person_found_under_a_forgotten_key_is_the_only_one_that_is_known() -> None:
    """The object belongs to an attempt that a restore forgot, so nothing reads what else its payer paid there."""
    evidence = checkout_stories.paid(charges=2, recorded=1).evidence()
    (payment,) = evidence.payments.values()
    assert payment.item is not None
    assert any("I3" in each for each in found(evidence))
    charge = payment.item["attempts"][0]
    charge["progress"] = {**charge["progress"], "sent_before_restore": "1"}
    assert any("I3" in each for each in found(evidence))
    for line in payment.books:
        line["reference"] = f"pfx-{payment.transaction_id[4:]}-2"
    assert not {each for each in found(evidence) if "I3" in each or "more than once" in each}


@pytest.mark.parametrize(("restored", "key"), [(True, "pfx-other-1"), (False, "pfx-other-1"), (True, "")])
def test_a_refund_that_a_restore_forgot_is_a_difference(key: str, *, restored: bool) -> None:
    """The provider lists it under a key of ours, and the ledger has no such refund."""
    story = reviewed_without_a_difference()
    if key:
        story.book("refund", key, 10)
    evidence = story.evidence()
    evidence.result.forgotten = Forgotten() if restored else None
    is_refused = any("report and books show no difference" in each for each in found(evidence))
    assert is_refused is not (restored and bool(key))


@pytest.mark.parametrize(
    ("change", "is_hidden", "is_excused"),
    [("omitted", False, False), ("omitted", True, True), ("other amount", False, True)],
)
def test_a_line_left_out_is_a_difference_only_where_reads_lack_the_charge_too(
    change: str, *, is_hidden: bool, is_excused: bool
) -> None:
    story = reviewed_without_a_difference()
    story.history.report_changes.append(ReportChange(story.now_ms, "mock", story.merchant, change, {"id": "ch_1"}))
    if is_hidden:
        story.history.strikes.append(Strike(story.now_ms, "gateway_forgets", 9))
    is_refused = any("report and books show no difference" in each for each in found(story.evidence()))
    assert is_refused is not is_excused


@pytest.mark.parametrize(("charges", "is_found"), [(1, True), (2, False)])
def test_of_two_amounts_that_are_held_one_captured_amount_is_no_further_charge(charges: int, *, is_found: bool) -> None:
    """The provider chose which one it captured, so the payment may name the other one."""
    evidence = checkout_stories.paid(charges=2).evidence()
    (payment,) = evidence.payments.values()
    assert payment.item is not None
    payment.item["capture"] = "manual"
    for line in payment.books[charges:]:
        line["status"] = "authorized"
    assert len(payment.charged) == charges
    assert any("paid 1 times; 1 more are recorded" in each for each in found(evidence)) is is_found


@pytest.fixture
def elsewhere() -> Evidence:
    """Refunds here and in dashboards, and reports with other amounts of both."""
    return evidence_of(Plan(0, scenario="refunds_elsewhere"))


def said_of_refunds(evidence: Evidence) -> set[str]:
    """The words of what the rules about refunds in reports find, without names."""
    broken = [*false_refunds_are_reviewed(evidence), *refunds_made_there_are_known(evidence)]
    return {violation.what.rpartition(" and ")[2].partition("rec_")[0] for violation in broken}


def test_differences_about_refunds_are_found_and_decided(elsewhere: Evidence) -> None:
    assert said_of_refunds(elsewhere) == set()


@pytest.mark.parametrize("seed", [61000, 61007])
def test_a_line_counts_for_what_it_is_about_when_the_run_began(seed: int) -> None:
    """A run that booked a refund is told another amount of it; a refund's line names a charge that nothing followed."""
    evidence = evidence_of(Plan(seed, scenario="refunds_elsewhere"))
    assert said_of_refunds(evidence) == set()
    assert list(false_amounts_are_found(evidence)) == []


def test_a_line_of_a_refund_outside_of_a_run_s_range_is_none_of_its_differences() -> None:
    """A list has more than was asked for: what is another run's is no finding of this one."""
    assert said_of_refunds(evidence_of(Plan(63015))) == set()


def without_findings(evidence: Evidence) -> Evidence:
    items = evidence.result.items
    for place in [place for place in items if place[1][1].startswith("FINDING#")]:
        del items[place]
    return evidence


def test_a_difference_about_a_refund_that_no_run_keeps_is_found(elsewhere: Evidence) -> None:
    assert said_of_refunds(without_findings(elsewhere)) == {"no reconciliation found it"}


def test_another_amount_of_a_refund_that_nobody_reviews_is_found(elsewhere: Evidence) -> None:
    for payment in elsewhere.payments.values():
        for owner in (payment, *payment.operations.values()):
            for _, _, after in owner.versions:
                if after is not None and after["status"] == "IN_REVIEW":
                    after["status"] = "SUCCEEDED"
    assert "nobody reviews it" in said_of_refunds(elsewhere)


def test_a_refund_of_a_dashboard_that_is_nowhere_is_found(elsewhere: Evidence) -> None:
    for payment in elsewhere.payments.values():
        made_there = [o for o in payment.operations.values() if o.item and o.item.get("origin") == "provider"]
        for operation in made_there:
            payment.books += operation.books
            del payment.operations[operation.operation_id]
    assert "nobody knows it" in said_of_refunds(elsewhere)
    assert said_of_refunds(without_findings(elsewhere)) == {"no reconciliation found it", "Q#"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"captured": 1}, "but the books say"),
        ({"capturable": 1}, "1 can still be captured"),
    ],
)
def test_after_a_closing_with_a_part_the_amounts_are_those_of_the_books(
    changes: dict[str, int], words: str | None
) -> None:
    evidence = evidence_of(Plan(0, scenario="kept_in_part"))
    closed = next(c.command for c in evidence.result.history.commands if c.ok and "amount" in c.command)
    payment = evidence.payments[f"{closed['transactionId']}@{closed['merchantId']}"]
    assert payment.item is not None
    payment.item |= changes
    said = [violation.what for violation in i3_status_is_truth(evidence)]
    assert [words in what for what in said] == [True] if words else said == []


@pytest.mark.parametrize(("is_before", "is_found"), [(True, True), (False, False)])
def test_a_refund_that_the_bank_returned_before_a_part_was_named_reduces_nothing(
    *, is_before: bool, is_found: bool
) -> None:
    evidence = evidence_of(Plan(0, scenario="kept_in_part"))
    named_ms = {
        (payment.merchant, attempt["reference"]): int(attempt["progress"]["amount_named_at"])
        for payment in evidence.payments.values()
        for attempt in (payment.item or {"attempts": []})["attempts"]
        if "amount_named_at" in attempt.get("progress", {})
    }
    before = [
        (line, at_ms)
        for line in evidence.result.ledger
        for at_ms in [named_ms.get((line["merchant"], line["chargeId"]), 0)]
        if line["kind"] == "refund" and line["at"] * 1_000 < at_ms
    ]
    for line, at_ms in before:
        line.update(status="failed", reversed=True, reversedAt=at_ms / 1_000 + (-60 if is_before else 60))
    assert before
    said = [violation.what for violation in i3_status_is_truth(evidence)]
    assert any("but the books say" in what for what in said) is is_found


def test_a_hold_that_was_voided_in_a_dashboard_ends_a_checkout_before_its_time() -> None:
    """The mock's void of a dashboard names no key of ours."""
    assert violations(evidence_of(Plan(61119))) == []


def test_a_run_that_never_rests_is_found() -> None:
    evidence = paid().evidence()
    evidence.result.settled = False
    assert "I2 -: the system did not come to rest" in found(evidence)


def test_an_exception_is_found() -> None:
    story = paid()
    story.history.defects.append("KeyError('x')")
    assert "DEFECT -: KeyError('x')" in found(story.evidence())
    assert first_violation(story.evidence()) == Violation("DEFECT", "-", "KeyError('x')")


@pytest.mark.parametrize(("topic", "is_found"), [("payment.succeeded", False), ("payment.charged_twice", True)])
def test_a_further_charge_that_gives_the_payment_a_new_status_is_published_as_that_status(
    topic: str, *, is_found: bool
) -> None:
    story = paid()
    event = story.items["Transactions", (story.partition, "EVENT#000002")]
    assert event["from"] != event["to"]
    event |= {"type": {"S": "payment.charged_twice"}, "topic": {"S": topic}}
    said = [str(violation) for violation in i16_merchant_events(story.evidence())]
    assert any("new statuses are" in what for what in said) is is_found


@pytest.mark.parametrize(("status", "is_found"), [("REQUIRES_ACTION", False), ("PENDING", True)])
def test_only_a_checkout_that_is_over_and_still_open_is_due_at_once(status: str, is_found: bool) -> None:
    story = Story()
    story.accept()
    story.claim(2)
    story.outcome(2, "UNKNOWN", "PENDING", readyAt=story.now_ms)
    story.claim(3, append=False)
    over = {"status": status, "checkout": {"expires_at_ms": story.now_ms - 60_000}}
    waited = story.settled("UNKNOWN", inquiries=3)
    story.change(3, attempts=waited, lease=story.free(), readyAt=story.now_ms, updatedAt=story.now_ms, **over)
    said = [str(violation) for violation in i13_bounded_work(story.evidence())]
    assert any("inquires again after 0 ms" in what for what in said) is is_found


def ask(story: Story, requests: int) -> None:
    for _ in range(requests):
        story.send(2, "GET", "/v1/charges", f"pfx-{story.name}-1")


@pytest.mark.parametrize(("claims_again", "is_found"), [(True, False), (False, True)])
def test_requests_are_counted_by_lease(claims_again: bool, is_found: bool) -> None:
    """A process that stood still may hold a second message about the payment: what it does then is another session."""
    story = Story()
    story.accept()
    story.claim(2)
    ask(story, MAX_REQUESTS_PER_SESSION - 1)
    story.now_ms += 45_000
    if claims_again:
        story.claim(2, append=False)
    ask(story, MAX_REQUESTS_PER_SESSION - 1)
    story.change(2, lease=story.free())
    said = [str(violation) for violation in i13_bounded_work(story.evidence())]
    assert any("requests about" in what for what in said) is is_found


@pytest.mark.parametrize("sessions", [1, 2])
def test_what_a_process_asks_before_it_takes_the_lease_counts(sessions: int) -> None:
    story = Story()
    story.accept()
    story.claim(3)
    story.change(3, lease=story.free())
    for session in range(sessions):
        ask(story, MAX_REQUESTS_PER_SESSION if session == sessions - 1 else 1)
        story.claim(2, append=False)
        ask(story, 1)
        story.change(2, lease=story.free())
    said = [str(violation) for violation in i13_bounded_work(story.evidence())]
    assert any("requests about" in what for what in said)


def test_every_invariant_has_a_bad_history() -> None:
    proven = {words.split()[0] for words, _ in ALL_BAD} | {"DEFECT"}
    named = {
        "I1",
        "I2",
        "I3",
        "I4",
        "I5",
        "I6",
        "I7",
        "I8",
        "I9",
        "I10",
        "I11",
        "I12",
        "I13",
        "I15",
        "I16",
        "I17",
        "I18",
        "I19",
        "I20",
        "METRICS",
    }
    assert proven == named | {
        "ANSWERS",
        "ASKED",
        "BREAKER",
        "ACCOUNTS",
        "DELIVERY",
        "DISPUTES",
        "DUE",
        "ERASURE",
        "KEYS",
        "REASONS",
        "REPORTS",
        "REST",
        "TWO",
        "DEFECT",
    }
    for invariant in INVARIANTS:
        assert invariant.__doc__


@pytest.mark.parametrize(
    ("captured_at_seconds", "found"), [(2_000, ["more was captured than was authorized"]), (900, [])]
)
def test_a_capture_before_the_payment_was_accepted_is_that_of_a_forgotten_one(
    captured_at_seconds: int, found: list[str]
) -> None:
    """A restore forgot the payment, and its key came again with a smaller amount."""
    capture = {"kind": "capture", "status": "done", "source": "request", "chargeId": "ch_1", "amount": 50_001}
    charge = {"kind": "charge", "status": "charged", "chargeId": "ch_1", "amount": 50_001, "at": captured_at_seconds}
    payment = PaymentEvidence(
        "m",
        "t",
        item={"amount": 50_000, "createdAt": 1_000_000, "status": "IN_REVIEW"},
        books=[charge, {**capture, "at": captured_at_seconds}],
    )
    assert [violation.what for violation in _more_than_there_was("t@m", payment)] == found


def test_a_violation_names_the_payment() -> None:
    assert str(Violation("I1", "pay", "twice")) == "I1 pay: twice"
    assert isinstance(PaymentEvidence("m", "t").name, str)
