"""The last release's own code beside today's, over the same tables: what a roll-out and a roll-back are."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.handlers import payment_body
from tests.support.releases import Release, Releases, deployed_anew, releases

_WAKE_SECONDS = 200
"""After so long a payment whose message is lost is due."""
_HOUR_SECONDS = 3_600
_DIRECTIONS = pytest.mark.parametrize(("first", "then"), [("newer", "older"), ("older", "newer")])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    """As in production: what the older release cannot read is not written yet."""
    with releases(tmp_path_factory.mktemp("older"), COMPACT_PAYMENTS="false") as running:
        yield running


def side(both: Releases, name: str) -> Release:
    return both.newer if name == "newer" else both.older


def booked(both: Releases, transaction_id: str) -> list[str]:
    """The kinds of the provider's entries about a payment."""
    ledger, mark = both.ledger(), transaction_id.removeprefix("pay_")
    charges = {entry["chargeId"] for entry in ledger if mark in entry["reference"]}
    return [entry["kind"] for entry in ledger if entry["chargeId"] in charges]


def assert_both_say(both: Releases, transaction_id: str, status: str) -> None:
    assert (both.newer.status(transaction_id), both.older.status(transaction_id)) == (status, status)


@_DIRECTIONS
def test_what_one_release_accepts_the_other_one_charges_once(both: Releases, first: str, then: str) -> None:
    key = f"handover-{first}"
    transaction_id = side(both, first).pay(key)
    both.work(side(both, then))
    assert_both_say(both, transaction_id, "SUCCESS")
    assert {release.pay(key) for release in (both.newer, both.older)} == {transaction_id}
    both.work(side(both, first))
    assert booked(both, transaction_id) == ["charge"]
    logs = [release.call("GET", f"/payments/{transaction_id}/events") for release in (both.newer, both.older)]
    assert [status for status, _ in logs] == [200, 200]
    assert len({len(log["items"]) for _, log in logs}) == 1


@_DIRECTIONS
def test_a_lost_message_is_woken_by_the_other_release(both: Releases, first: str, then: str) -> None:
    transaction_id = side(both, first).pay(f"lost-{first}")
    assert both.jobs()
    both.advance(_WAKE_SECONDS)
    side(both, then).run("sweeper", {})
    both.work(side(both, then))
    assert_both_say(both, transaction_id, "SUCCESS")
    assert booked(both, transaction_id) == ["charge"]


@_DIRECTIONS
def test_an_unknown_outcome_is_inquired_by_the_other_release_and_not_sent_again(
    both: Releases, first: str, then: str
) -> None:
    token = {"type": "card", "token": "tok_garbage"}
    transaction_id = side(both, first).pay(f"unknown-{first}", paymentMethod=token)
    both.work(side(both, first))
    for _ in range(5):
        both.advance(_WAKE_SECONDS)
        side(both, then).run("sweeper", {})
        both.work(side(both, then))
    assert_both_say(both, transaction_id, "SUCCESS")
    assert booked(both, transaction_id) == ["charge"]


@_DIRECTIONS
def test_captures_and_refunds_change_hands(both: Releases, first: str, then: str) -> None:
    transaction_id = side(both, first).pay(f"operations-{first}", capture="manual")
    both.work(side(both, then))
    for number, (path, body) in enumerate((("capture", {"amount": 1500}), ("refunds", {"amount": 400}))):
        asked, carried_out = (first, then) if number else (then, first)
        answer = side(both, asked).call(
            "POST", f"/payments/{transaction_id}/{path}", body, key=f"{path}-{transaction_id}"
        )
        assert answer[0] in {200, 202}, answer
        both.work(side(both, carried_out))
    assert [sums(release, transaction_id) for release in (both.newer, both.older)] == [(1500, 400, 1100)] * 2
    assert booked(both, transaction_id) == ["charge", "capture", "refund"]


def sums(release: Release, transaction_id: str) -> tuple[int, int, int]:
    payment = release.call("GET", f"/payments/{transaction_id}")[1]
    return payment["captured"], payment["refunded"], payment["refundable"]


def test_an_order_stays_held_while_the_older_release_charges_its_payment(both: Releases) -> None:
    """The older release knows no orders; it leaves what it does not know as it is."""
    body: dict[str, Any] = {"orderId": "order-1"}
    transaction_id = both.newer.pay("order-first", **body)
    both.work(both.older)
    assert_both_say(both, transaction_id, "SUCCESS")
    status, refused = both.newer.call("POST", "/payments", payment_body(**body), key="order-second")
    assert (status, refused["code"]) == (409, "order_not_free")
    listed = both.newer.call("GET", "/payments", query={"orderId": "order-1"})[1]["items"]
    assert [payment["transactionId"] for payment in listed] == [transaction_id]


def test_what_is_due_in_further_shards_is_found_by_the_older_release_after_the_steps_before_a_roll_back(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Writing to all shards is switched off, and the sweeper runs once (decision 44)."""
    settings = {"COMPACT_PAYMENTS": "false", "LIST_PARTITIONS": "4", "DUE_SHARDS": "64"}
    with (
        releases(tmp_path_factory.mktemp("shards"), **settings, WRITE_NEW_PARTITIONS="true") as spread,
        deployed_anew(spread, **settings, WRITE_NEW_PARTITIONS="false") as both,
    ):
        paid = [spread.newer.pay(f"spread-{number}") for number in range(12)]
        assert both.jobs()
        both.advance(_WAKE_SECONDS)
        both.older.run("sweeper", {})
        both.work(both.older)
        assert "PENDING" in {both.newer.status(transaction_id) for transaction_id in paid}
        both.advance(_HOUR_SECONDS - (int(time.time()) + _WAKE_SECONDS) % _HOUR_SECONDS)
        both.newer.run("sweeper", {})
        assert both.jobs() is not None  # the messages of the newer release are lost, too
        both.advance(2 * _WAKE_SECONDS)
        both.older.run("sweeper", {})
        both.work(both.older)
        assert {both.older.status(transaction_id) for transaction_id in paid} == {"SUCCESS"}
        assert [booked(both, transaction_id) for transaction_id in paid] == [["charge"]] * len(paid)
        listed = both.newer.call("GET", "/payments", query={"limit": "5"})[1]["items"]
        assert len(listed) == 5


def test_payments_that_the_older_release_cannot_read_are_not_touched_by_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Rolled back too far (decision 36): nothing is charged, lost or changed, and the newer release goes on."""
    with releases(tmp_path_factory.mktemp("compact"), COMPACT_PAYMENTS="true") as both:
        transaction_id = both.newer.pay("compact")
        jobs = both.jobs()
        assert both.older.run("worker", {"Records": jobs})["batchItemFailures"] == [
            {"itemIdentifier": job["messageId"]} for job in jobs
        ]
        assert both.older.call("GET", f"/payments/{transaction_id}")[0] == 500
        assert both.older.call("POST", "/payments", payment_body(), key="compact")[0] == 500
        assert both.ledger() == []
        assert both.newer.run("worker", {"Records": jobs})["batchItemFailures"] == []
        assert both.newer.status(transaction_id) == "SUCCESS"
        assert booked(both, transaction_id) == ["charge"]
