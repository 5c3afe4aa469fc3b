"""Histories of what a sceptical judge looks at: requests and answers, lists, endpoints, breakers, people, reports."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from simulation.history import Call, Commanded, Delivered, Started, Write
from simulation.kernel import EPOCH_MS
from simulation.world import CONFIGURATION, TRANSACTIONS
from tests.unit.simulation.story import URL, Story, signed, stored

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
Told = Callable[[], Story]


def paid(**accepted: Any) -> Story:
    story = Story()
    story.accept(**accepted)
    story.charge()
    return story


def held() -> Story:
    story = Story()
    story.accept(capture="manual")
    story.authorize()
    return story


# --- what was asked for


def asked_otherwise(**members: Any) -> Told:
    """The request had other members than what was stored has."""

    def tell() -> Story:
        story = paid()
        call = story.history.calls[0]
        call.body = json.dumps({**json.loads(call.body or "{}"), **members})
        return story

    return tell


def refunded_otherwise(body: str) -> Told:
    def tell() -> Story:
        story = paid()
        story.refund(30)
        call = next(call for call in story.history.calls if call.path.endswith("/refunds"))
        call.body = body
        return story

    return tell


def chargeable_for_two_days() -> Story:
    story = Story()
    story.accept()
    before, after = story.history.writes[0].before, dict(story.history.writes[0].after or {})
    after["chargeDeadline"] = {"N": str(story.item()["chargeDeadline"] + DAY_MS)}
    story.history.writes[0] = replace(story.history.writes[0], before=before, after=after)
    return story


def captured_after_a_cancellation() -> Story:
    story = held()
    story.record("payment.cancel_requested", 1, actor="api", cancelRequested=True)
    story.request("capture", 100)
    return story


def captured_after_its_time() -> Story:
    story = held()
    story.now_ms += 6 * DAY_MS
    story.request("capture", 100)
    return story


def refunded_in_review() -> Story:
    story = paid()
    story.record(
        "payment.in_review",
        3,
        told="payment.in_review",
        status="IN_REVIEW",
        lastError={"code": "reconciliation", "message": "m"},
    )
    story.request("refund", 10)
    return story


# --- answers and lists


def answered_with(status: int, code: str) -> Told:
    def tell() -> Story:
        story = paid()
        path = f"/payments/{story.transaction_id}/cancel"
        story.history.calls.append(
            Call(story.now_ms, story.merchant, "POST", path, None, "{}", status, {"code": code}, story.now_ms + 10)
        )
        return story

    return tell


def cancelled_with(status: int) -> Told:
    """A cancellation is answered although the payment is not cancelled yet."""

    def tell() -> Story:
        story = held()
        story.call("POST", f"/payments/{story.transaction_id}/cancel", status)
        return story

    return tell


def repeated_as(*, replayed: bool) -> Told:
    def tell() -> Story:
        story = Story()
        story.accept()
        first = story.history.calls[0]
        story.now_ms += 1_000
        again = replace(first, at_ms=story.now_ms, answered_ms=story.now_ms + 10, replayed=replayed)
        story.history.calls.append(again)
        return story

    return tell


def listed(*names: str, path: str = "/payments", **pages: Any) -> Told:
    """Two payments and their list: `names` are those that it shows."""

    def tell() -> Story:
        first = Story()
        first.accept()
        second = first.beside("b")
        second.accept()
        second.now_ms += 60_000
        shown = {"a": first.shown("PAYMENT"), "b": second.shown("PAYMENT")}
        answer = {"items": [shown[name] for name in names], "nextCursor": None, **pages}
        second.history.calls.append(
            Call(second.now_ms, "acme", "GET", path, None, None, 200, answer, second.now_ms + 10)
        )
        return second

    return tell


def listed_page_by_page(first: str, second: str) -> Told:
    def tell() -> Story:
        story = listed(first, nextCursor="c")()
        answer = {"items": listed(second)().history.calls[-1].answer["items"], "nextCursor": None}
        story.history.calls.append(
            Call(story.now_ms, "acme", "GET", "/payments", None, None, 200, answer, story.now_ms + 20, {"cursor": "c"})
        )
        return story

    return tell


def log_of(*numbers: int) -> Told:
    """The audit log of a payment with three entries."""

    def tell() -> Story:
        story = paid()
        path = f"/payments/{story.transaction_id}/events"
        answer = {"items": [{"seq": number} for number in numbers], "nextCursor": None}
        story.now_ms += 1_000
        story.history.calls.append(Call(story.now_ms, "acme", "GET", path, None, None, 200, answer, story.now_ms + 10))
        return story

    return tell


def operations_of(*, shown: bool) -> Told:
    def tell() -> Story:
        story = paid()
        sort = story.refund(30)
        story.now_ms += 1_000
        answer = {"items": [story.shown(sort)] if shown else [], "nextCursor": None}
        path = f"/payments/{story.transaction_id}/operations"
        story.history.calls.append(Call(story.now_ms, "acme", "GET", path, None, None, 200, answer, story.now_ms + 10))
        return story

    return tell


def refused_for(status: str, **told: Any) -> Told:
    """Another payment of an order is refused, and told of the holder."""

    def tell() -> Story:
        order = {"orderId": "order-1", "oncePerOrder": True}
        story = paid(order=order)
        answer = {
            "code": "order_not_free",
            "order": {"transactionId": story.transaction_id, "status": status, "freeAt": None, "beside": 0, **told},
        }
        body = json.dumps({"amount": 100, **order})
        story.now_ms += 1_000
        story.history.calls.append(
            Call(story.now_ms, "acme", "POST", "/payments", "order-c", body, 409, answer, story.now_ms + 10)
        )
        return story

    return tell


# --- who did what


def made_by(function: str) -> Told:
    """A function made the change that says that it is a worker's."""

    def tell() -> Story:
        story = paid()
        story.history.invocations[2] = Started(story.now_ms, function, is_newer=False)
        return story

    return tell


def amount_told_wrong() -> Story:
    story = paid()
    sort = story.request("refund", 30)
    operation = story.item(sort)
    facts = {"operationId": operation["operationId"], "amount": 0, "operationStatus": "FAILED"}
    wanted = {"status": "FAILED", "dueAt": None, "updatedAt": story.now_ms + 1_000}
    story.record("refund.failed", 1, facts=facts, operation=(sort, wanted), refundable=100, told="refund.failed")
    return story


def closed_again() -> Story:
    story = paid()
    facts = {"operator": "o", "reason": "r"}
    story.record("review.charged", 9, actor="operator", facts=facts)
    return story


def rotated(*, is_recorded: bool, reason: str = "r") -> Told:
    def tell() -> Story:
        story = paid()
        story.command("rotate_key")
        if is_recorded:
            entry = {"pk": "AUDIT#2027-01", "sk": "1#a", "action": "key.rotated", "merchantId": "acme"}
            item = stored({**entry, "operator": "o", "reason": reason})
            story.items[CONFIGURATION, ("AUDIT#2027-01", "1#a")] = item
        return story

    return tell


def on_the_list(*, reason: str = "reconciliation", money: str = "1.00 EUR", since_ms: int = 0) -> Told:
    """An operator reads the list of reviews."""

    def tell() -> Story:
        story = paid()
        error = {"code": "reconciliation", "message": "m"}
        story.record("payment.in_review", 3, told="payment.in_review", status="IN_REVIEW", lastError=error)
        opened_ms = story.now_ms
        story.now_ms += HOUR_MS
        story.change(4)
        shown = {
            "merchantId": story.merchant,
            "transactionId": story.transaction_id,
            "operationId": None,
            "reason": reason,
            "money": money,
            "since": _time(opened_ms + since_ms),
        }
        answer = {"ok": True, "items": [shown], "nextPosition": None}
        fields = {"command": "list_reviews", "merchantId": story.merchant}
        story.history.commands.append(Commanded(story.now_ms, "operations", fields, answer, story.now_ms + 10))
        return story

    return tell


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat()


# --- endpoints


def tried(*, next_ms: int, again_ms: int | None = None, state: str = "PENDING", process: int = 8) -> Told:
    """A post fails for the second time; the next try is after `next_ms`, and is made after `again_ms`."""

    def tell() -> Story:
        story = Story()
        story.endpoint()
        story.accept()
        story.charge()
        _store_endpoint(story)
        event = story.item("EVENT#000002")
        _post(story, event, 500 if state == "PENDING" else 200, process)
        delivery = {"state": state, "attempts": 2, "nextAt": story.now_ms + next_ms}
        story.put("EVENT#000002", {**event, "deliveries": {"we_1": delivery}}, process)
        if again_ms is not None:
            story.now_ms += again_ms
            _post(story, event, 200, process + 1)
            story.put(
                "EVENT#000002", {**event, "deliveries": {"we_1": {"state": "DELIVERED", "attempts": 3}}}, process + 1
            )
        return story

    return tell


def late_signature() -> Story:
    """A post bears the time of its event, an hour ago."""
    story = Story()
    story.endpoint()
    story.accept()
    story.charge()
    at_seconds = story.now_ms // 1_000
    story.now_ms += HOUR_MS
    story.deliver(2)
    post = story.history.deliveries[0]
    story.history.deliveries[0] = replace(post, headers=signed(post.body, at_seconds))
    return story


def _post(story: Story, event: dict[str, Any], status: int, process: int) -> None:
    body = {
        "id": f"evt_{story.name}_{event['seq']}",
        "type": event["topic"],
        "sequence": event["number"],
        "data": story.data_of(event),
    }
    story.history.invocations[process] = Started(story.now_ms - 10, "deliverer", is_newer=False)
    story.history.deliveries.append(
        Delivered(story.now_ms, story.merchant, URL, body, signed(body, story.now_ms // 1000), status, process)
    )


def _store_endpoint(story: Story, status: str = "ENABLED", **facts: Any) -> None:
    key = ("E#acme", "ENDPOINTS")
    before = story.items.get((CONFIGURATION, key))
    endpoint = {"id": "we_1", "url": URL, "status": status, **facts}
    after = stored({"pk": key[0], "sk": key[1], "endpoints": [endpoint]})
    story.items[CONFIGURATION, key] = after
    story.history.writes.append(Write(story.now_ms, CONFIGURATION, key, before, after, 8))


def disabled(*, answers: int, is_disabled: bool = True, posts_after: bool = False) -> Told:
    def tell() -> Story:
        story = Story()
        story.endpoint()
        story.accept()
        story.charge()
        _store_endpoint(story)
        event = story.item("EVENT#000002")
        _post(story, event, answers, 8)
        if is_disabled:
            story.now_ms += 10
            _store_endpoint(story, "DISABLED", disabledReason="gone")
        state = {"state": "SKIPPED", "attempts": 1}
        story.put("EVENT#000002", {**event, "deliveries": {"we_1": state}}, 8)
        if posts_after:
            story.now_ms += HOUR_MS
            _post(story, event, 200, 9)
        return story

    return tell


def taken_after_a_failure(times: int) -> Told:
    """An endpoint takes as many events after a failure that stays stored."""

    def tell() -> Story:
        story = Story()
        story.endpoint()
        story.accept()
        story.charge()
        story.deliver(2)
        _store_endpoint(story, failingSince=story.now_ms)
        for process in range(9, 9 + times):
            story.now_ms += HOUR_MS
            _post(story, story.item("EVENT#000002"), 200, process)
        return story

    return tell


# --- what providers have not made yet, and what is written after an erasure


def refunded_while_pending(pending_ms: int) -> Told:
    """The provider takes a refund on, and makes it so long after."""

    def tell() -> Story:
        story = paid()
        story.refund(30)
        taken_on = story.history.entries[-1]
        story.history.entries[-1] = replace(taken_on, pending_until_ms=taken_on.at_ms + pending_ms)
        return story

    return tell


def erased_and_told_again() -> Story:
    """After the erasure an attempt holds a sentence of its provider for a while."""
    story = paid()
    gone = {"customer": None, "paymentMethod": {"type": "card"}, "erased": True}
    person = {"operator": "o", "reason": "r"}
    story.record("payment.erased", 9, actor="operator", facts=person, **gone)
    attempts = story.item("PAYMENT")["attempts"]
    story.change(10, attempts=[{**attempt, "message": "Asha has no money."} for attempt in attempts])
    story.change(10, attempts=attempts)
    return story


# --- the breaker of an account


def opened(*, failed: int, for_ms: int = 600_000, kept: int = 0) -> Told:
    """A breaker opens; `kept` new payments begin at the account all the same."""

    def tell() -> Story:
        story = Story()
        key = ("H#acme", "ACCOUNT#mock#main")
        item = stored(
            {"failed": failed, "failuresInARow": 0, "openSince": story.now_ms, "trialAt": story.now_ms + for_ms}
        )
        story.history.writes.append(Write(story.now_ms, CONFIGURATION, key, None, item, 2))
        story.now_ms += 300_000
        for name in "bcd"[:kept]:
            other = story.beside(name)
            other.accept(providers=("mock", "cashfree_mock"))
        return story

    return tell


def passed_over_at(merchant: str) -> Told:
    """A breaker of acme's opens; this merchant's next payment passes the account over."""

    def tell() -> Story:
        story = opened(failed=5)()
        other = story.beside("b", merchant)
        other.accept(providers=("cashfree_mock",), reasons=("passed over: calls of mock fail or time out",))
        return story

    return tell


# --- waits


def rejected_then_tried(*, waits_ms: int, retry_after_seconds: int = 0) -> Told:
    """The next attempt begins so long after a rejection."""

    def tell() -> Story:
        story = Story()
        story.accept()
        story.claim(2)
        settled = {
            "code": "rate_limited",
            "retry_after_seconds": retry_after_seconds,
            "settled_at_ms": story.now_ms + 1_000,
        }
        story.outcome(
            2, "REJECTED", "PENDING", attempt=settled, readyAt=story.now_ms + 1_000, dueAt=story.now_ms + 90_000
        )
        story.now_ms += waits_ms
        story.claim(3)
        return story

    return tell


def tried_often() -> Story:
    story = paid()
    sort = story.request("refund", 30)
    attempts = [
        {"number": n, "provider": "mock", "provider_key": f"pfx-{sort[7:]}-{n}", "state": "REJECTED", "epoch": n}
        for n in range(1, 8)
    ]
    story.change(3, sort, attempts=[{**a, "account_id": "main"} for a in attempts])
    return story


def passed_over() -> Story:
    """A provider is tried again before the other one of the route."""
    story = Story()
    story.accept(providers=("mock", "cashfree_mock"))
    story.claim(2)
    story.outcome(2, "NOT_SENT", "PENDING", readyAt=story.now_ms + 1_000, dueAt=story.now_ms + 90_000)
    story.now_ms += 10_000
    story.claim(3)
    return story


def tried_on() -> Story:
    """Nothing can be sent for two hours, and the payment is still tried."""
    story = Story()
    story.accept()
    for process in range(2, 6):
        story.claim(process)
        settled = {"settled_at_ms": story.now_ms}
        story.outcome(
            process, "NOT_SENT", "PENDING", attempt=settled, readyAt=story.now_ms, dueAt=story.now_ms + 90_000
        )
        story.now_ms += 40 * 60_000
    return story


def leased_for(lasts_ms: int) -> Told:
    def tell() -> Story:
        story = Story()
        story.accept()
        story.now_ms += 1_000
        lease = {"owner": "w2", "epoch": 1, "expiresAt": story.now_ms + lasts_ms}
        story.change(2, lease=lease, dueAt=story.now_ms + lasts_ms + 15_000)
        return story

    return tell


def counts_on() -> Story:
    story = Story()
    story.accept()
    story.put("PAYMENT", {**story.item(), "drives": 3, "dueAt": story.now_ms + 300_000}, 5)
    story.record("payment.cancel_requested", 1, actor="api", cancelRequested=True)
    return story


def failed_and_open() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.record("payment.failed", 2, told="payment.failed", status="FAILED", lease=story.free(), dueAt=None)
    return story


def unauthentic(status: int) -> Told:
    def tell() -> Story:
        story = paid()
        story.webhook("evt_9", signed_by="globex")
        story.history.webhooks[0] = replace(story.history.webhooks[0], status=status)
        story.history.counted["WebhooksForged", ""] = 1 if status == 401 else 0
        return story

    return tell


def authentic_and_refused() -> Story:
    story = paid()
    story.webhook("evt_9")
    story.history.webhooks[0] = replace(story.history.webhooks[0], status=401)
    return story


def refused_in_a_rotation(*, pair: int, after_ms: int, is_finished: bool = False) -> Told:
    """The mock's credentials are rotated; so long after, an event with the signature of a pair is refused."""

    def tell() -> Story:
        story = paid()
        story.command("rotate_credentials", provider="mock", secret={"keyId": "id-acme-mock-1"})
        entry = {"pk": "AUDIT#2027-01", "sk": "1#a", "action": "credentials.rotated", "merchantId": "acme"}
        item = stored({**entry, "operator": "o", "reason": "r"})
        story.items[CONFIGURATION, ("AUDIT#2027-01", "1#a")] = item
        story.now_ms += after_ms
        if is_finished:
            story.command("finish_credentials_rotation", provider="mock")
            entry = {**entry, "sk": "1#b", "action": "credentials.rotation_finished"}
            item = stored({**entry, "operator": "o", "reason": "r"})
            story.items[CONFIGURATION, ("AUDIT#2027-01", "1#b")] = item
        story.webhook("evt_9")
        story.history.webhooks[0] = replace(story.history.webhooks[0], status=401, pair=pair)
        story.history.counted["WebhooksForged", ""] = 1
        return story

    return tell


def refused_again() -> Story:
    """A request that was accepted is refused for its order when it comes again."""
    story = paid(order={"orderId": "o-1"})
    first = story.history.calls[0]
    answer = {"code": "order_not_free", "transactionId": first.answer["transactionId"], "status": "SUCCESS"}
    again = replace(first, at_ms=first.answered_ms + 1_000, status=409, answer=answer)
    story.history.calls.append(replace(again, answered_ms=again.at_ms + 50))
    return story


# --- reports


def run_of(story: Story, *, is_listed: bool, finding: str | None = None, **facts: Any) -> Story:
    """A reconciliation of the mock's account, which is done."""
    story.now_ms += DAY_MS
    run = {
        "pk": "Q#rec_a",
        "sk": "RUN",
        "phase": "done",
        "source": "list",
        "provider": "mock",
        "account_id": "main",
        "merchant_id": "acme",
        "from_ms": EPOCH_MS,
        "until_ms": story.now_ms,
        "listed_from_ms": EPOCH_MS,
        "listed_until_ms": story.now_ms,
        "lag_ms": 5_000,
        "created_at_ms": story.now_ms,
        **facts,
    }
    story.items[TRANSACTIONS, ("Q#rec_a", "RUN")] = stored(run)
    reference = f"ch_{story.name}"
    if is_listed:
        story.items[TRANSACTIONS, (f"S#list#M#acme#mock#main#{reference}", "LISTED")] = stored({"line": "rec_a"})
    if finding is not None:
        key = ("Q#rec_a", f"FINDING#charge#{reference}#")
        story.items[TRANSACTIONS, key] = stored({"reference": reference, "verdict": finding})
    return story


def settled() -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    story.book("charge", f"pfx-{story.name}-1", 100)
    attempt = {"reference": f"ch_{story.name}", "settled_at_ms": story.now_ms + 1_000}
    money = {"captured": 100, "refundable": 100, "chargedAttempt": 1}
    story.outcome(2, "SUCCEEDED", "SUCCESS", told="payment.succeeded", attempt=attempt, dueAt=None, **money)
    return story


def reconciled_from(from_ms: int) -> Told:
    def tell() -> Story:
        story = run_of(settled(), is_listed=True)
        until_ms = story.now_ms
        story.command("reconcile", provider="mock", fromMs=from_ms, untilMs=until_ms)
        entry = {"pk": "AUDIT#2027-01", "sk": "1#a", "action": "reconciliation.started", "merchantId": "acme"}
        story.items[CONFIGURATION, ("AUDIT#2027-01", "1#a")] = stored({**entry, "operator": "o", "reason": "r"})
        return story

    return tell


GOOD_JUDGED: list[Told] = [
    answered_with(409, "invalid_state"),
    cancelled_with(202),
    repeated_as(replayed=True),
    listed("b", "a"),
    listed_page_by_page("b", "a"),
    log_of(1, 2),
    operations_of(shown=True),
    refused_for("SUCCESS"),
    made_by("worker"),
    rotated(is_recorded=True),
    on_the_list(),
    tried(next_ms=300_000),
    disabled(answers=410),
    opened(failed=5),
    opened(failed=5, kept=1),
    passed_over_at("acme"),
    refunded_while_pending(0),
    rejected_then_tried(waits_ms=20_000),
    rejected_then_tried(waits_ms=100_000, retry_after_seconds=90),
    lambda: run_of(settled(), is_listed=True),
    lambda: run_of(settled(), is_listed=False, listed_from_ms=EPOCH_MS + 10 * DAY_MS),
    reconciled_from(EPOCH_MS),
    leased_for(45_000),
    unauthentic(401),
    refused_in_a_rotation(pair=1, after_ms=60_000),
    refused_in_a_rotation(pair=0, after_ms=HOUR_MS, is_finished=True),
]

BAD_JUDGED: list[tuple[str, Told]] = [
    ("ASKED .*with the amount 101, and stored with 100", asked_otherwise(amount=101)),
    ("ASKED .*with the currency 'USD', and stored with 'EUR'", asked_otherwise(currency="USD")),
    ("ASKED .*with the capture 'manual', and stored with 'automatic'", asked_otherwise(capture="manual")),
    ("ASKED .*with the metadata", asked_otherwise(metadata={"a": "b"})),
    ("ASKED .*with the amount 31, and stored with 30", refunded_otherwise('{"amount": 31}')),
    ("ASKED .*with the amount 100, and stored with 30", refunded_otherwise("{}")),
    ("ASKED .*with the chargeDeadline", chargeable_for_two_days),
    ("ASKED .*cap_.*although the payment was to be cancelled", captured_after_a_cancellation),
    ("ASKED .*cap_.*although the payment had lapsed", captured_after_its_time),
    ("ASKED .*ref_.*although the payment was IN_REVIEW", refunded_in_review),
    ("ANSWERS .*answered with 422 and outcome_unknown", answered_with(422, "outcome_unknown")),
    ("ANSWERS .*answered with 200 and an answer", cancelled_with(200)),
    ("ANSWERS .*as the first request, and was a repetition", repeated_as(replayed=False)),
    ("ANSWERS .*leaves pay_a* out", listed("b")),
    ("ANSWERS .*leaves pay_b* out", listed("a")),
    ("ANSWERS .*is not newest first", listed("a", "b")),
    ("ANSWERS .*repeats a payment", listed_page_by_page("b", "b")),
    ("ANSWERS .*shows the entries .1. of .1, 2.", log_of(1)),
    ("ANSWERS .*leaves .'ref_r*'. out", operations_of(shown=False)),
    ("ANSWERS .*was told that pay_a* is PENDING", refused_for("PENDING")),
    ("ANSWERS .*was refused for an order, and told of None", refused_for("SUCCESS", transactionId=None)),
    ("I4 .*event EVENT#000002 of provider_events says that it is by worker", made_by("provider_events")),
    ("I4 .*tells 0 of 30", amount_told_wrong),
    ("I4 .*closes a review of what is SUCCESS", closed_again),
    ("I4 .*no log tells who did it", rotated(is_recorded=False)),
    ("I4 .*names no operator, or no reason", rotated(is_recorded=True, reason="")),
    ("I4 .*list of reviews with .*1.00 EUR.*, stored is .*reconciliation", on_the_list(reason="")),
    ("I4 .*list of reviews with .*2.00 EUR", on_the_list(money="2.00 EUR")),
    ("I4 .*is on the list of reviews since", on_the_list(since_ms=HOUR_MS)),
    ("DELIVERY .*is tried again at we_1 0 ms after try 2", tried(next_ms=0)),
    ("DELIVERY .*was posted to .* before its time", tried(next_ms=300_000, again_ms=60_000)),
    ("DELIVERY .*again, which had it", tried(next_ms=0, again_ms=60_000, state="DELIVERED")),
    ("DELIVERY .*says that it was sent at", late_signature),
    ("DELIVERY .*was disabled for gone, without a reason", disabled(answers=500)),
    ("DELIVERY .*said that it is gone, and is not disabled", disabled(answers=410, is_disabled=False)),
    ("DELIVERY .*was disabled, and got an event", disabled(answers=410, posts_after=True)),
    ("DELIVERY .*is stored as failing since", taken_after_a_failure(4)),
    ("BREAKER .*was opened after 1 failures", opened(failed=1)),
    ("BREAKER .*for less than ten minutes", opened(failed=5, for_ms=60_000)),
    ("BREAKER .*3 of 3 new payments", opened(failed=5, kept=3)),
    ("I7 .*was accepted, and is refused now for its order", refused_again),
    ("I3 .*is SUCCEEDED, and was pending then", refunded_while_pending(HOUR_MS)),
    ("ERASURE .*holds its provider's words", erased_and_told_again),
    ("BREAKER .*passes mock over, whose calls have not failed at globex", passed_over_at("globex")),
    ("I9 .*and 90000 ms were to be waited", rejected_then_tried(waits_ms=20_000, retry_after_seconds=90)),
    ("I9 .*was tried 7 times", tried_often),
    ("REASONS .*'cashfree_mock'. were not tried yet", passed_over),
    ("REASONS .*is tried on, and nothing could be sent", tried_on),
    ("DUE .*a claim took a lease for 3600000 ms", leased_for(HOUR_MS)),
    ("DUE .*went on, and 3 wake-ups are still counted", counts_on),
    ("I9 .*is FAILED with an open attempt", failed_and_open),
    ("I19 .*evt_9, signed by globex, was taken", unauthentic(200)),
    ("I19 .*evt_9 is authentic, and was refused", authentic_and_refused),
    ("I19 .*signed with secret 0, was refused", refused_in_a_rotation(pair=0, after_ms=60_000)),
    ("I19 .*signed with secret 1, was refused", refused_in_a_rotation(pair=1, after_ms=HOUR_MS)),
    ("METRICS .*WebhooksForged was counted 0 of 1 times", authentic_and_refused),
    ("REPORTS .*was on no list of mock", lambda: run_of(settled(), is_listed=False)),
    ("REPORTS .*is a difference .status", lambda: run_of(settled(), is_listed=True, finding="status")),
    ("REPORTS .*was to be reconciled from", reconciled_from(EPOCH_MS + 1)),
]
