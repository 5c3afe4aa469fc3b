"""Merchants are told of a restore once, whatever is repeated, and get the time that was forgotten."""

import json

import pytest

from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.adapters.dynamodb.merchants.configuration import restore_window_to_item
from payflowx.application.recovery.notify_restore import NotifiedMerchants, NotifyRestore
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import MINUTE_MS
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.api.webhook_endpoints.presenting import present_merchant_event
from tests.support.deliveries import URL, DeliveryHarness
from tests.support.tables import CONFIGURATION
from tests.support.world import MERCHANT

ACTION = OperatorAction(who="ops", why="ticket 4711")
OTHER = "https://other.example.com/hooks"


@pytest.fixture
def harness() -> DeliveryHarness:
    found = DeliveryHarness()
    listed = {"pk": "MERCHANTS", "sk": MERCHANT, "name": "Acme", "createdAt": 1}
    found.world.dynamodb.put_item(TableName=CONFIGURATION, Item=to_attributes(listed))
    return found


def record(harness: DeliveryHarness, *, minutes_lost: int = 10) -> RestoreWindow:
    now_ms = harness.world.clock.now_ms()
    window = RestoreWindow(
        restored_to_ms=now_ms - minutes_lost * MINUTE_MS, stopped_at_ms=now_ms - MINUTE_MS, recorded_at_ms=now_ms
    )
    harness.world.dynamodb.put_item(TableName=CONFIGURATION, Item=to_attributes(restore_window_to_item(window)))
    return window


def notify(harness: DeliveryHarness) -> NotifiedMerchants:
    return NotifyRestore(
        merchant_directory=harness.world.merchant_directory,
        endpoint_store=harness.manage.endpoint_store,
        merchant_events=harness.api.merchant_events,
        clock=harness.world.clock,
    )(None, ACTION)


def restored(harness: DeliveryHarness) -> list[MerchantEvent]:
    return [event for event in harness.listed() if event.event_type == "merchant.restored"]


def test_one_event_a_merchant_with_the_window(harness: DeliveryHarness) -> None:
    harness.register()
    harness.register(OTHER)
    harness.pay("order-1")
    harness.pay("order-2")
    harness.run()
    harness.webhook_client.posts.clear()
    window = record(harness)
    told = notify(harness)
    assert (told.notified, told.unreached, told.next_after) == (1, [], None)
    harness.let_pass(300)
    assert sorted(post.url for post in harness.webhook_client.posts) == sorted([URL, OTHER])
    message = json.loads(harness.webhook_client.posts[0].body)
    assert (message["type"], message["sequence"]) == ("merchant.restored", 1)
    assert message["data"] == {
        "change": None,
        "payment": None,
        "operation": None,
        "forgotten": _span(window),
    }


def _span(window: RestoreWindow) -> dict[str, str]:
    return {"from": timestamp(window.restored_to_ms), "until": timestamp(window.stopped_at_ms)}


def test_a_repetition_after_a_kill_or_after_the_delivery_changes_nothing(harness: DeliveryHarness) -> None:
    harness.register()
    record(harness)
    notify(harness)
    harness.world.clock.advance(7)
    notify(harness)
    (event,) = restored(harness)
    harness.let_pass(300)
    notify(harness)
    harness.let_pass(300)
    assert restored(harness) == [harness.now(event.transaction_id, 1)]
    assert len(harness.webhook_client.posts) == 1


def test_a_second_restore_is_another_event(harness: DeliveryHarness) -> None:
    harness.register()
    for minutes in (10, 5):
        record(harness, minutes_lost=minutes)
        notify(harness)
    assert len(restored(harness)) == 2


def test_it_is_listed_without_a_payment_and_is_delivered_again_on_request(harness: DeliveryHarness) -> None:
    harness.register()
    record(harness)
    notify(harness)
    harness.let_pass(300)
    (event,) = restored(harness)
    shown = present_merchant_event(event)
    assert (shown.transaction_id, shown.from_, shown.to) == (None, None, None)
    assert shown.forgotten is not None
    harness.events.redeliver(MERCHANT, event.transaction_id, event.seq)
    harness.run()
    assert [post.headers["webhook-id"] for post in harness.webhook_client.posts] == [event.event_id] * 2


def test_a_merchant_without_an_endpoint_has_no_event_and_is_named(harness: DeliveryHarness) -> None:
    record(harness)
    assert notify(harness).unreached == [MERCHANT]
    assert restored(harness) == []


def test_a_merchant_whose_endpoint_takes_other_types_is_named_and_finds_it_listed(harness: DeliveryHarness) -> None:
    harness.register(URL, "payment.succeeded")
    record(harness)
    told = notify(harness)
    assert (told.notified, told.unreached) == (0, [MERCHANT])
    assert len(restored(harness)) == 1
    harness.let_pass(300)
    assert harness.webhook_client.posts == []


def test_nothing_without_a_recorded_restore(harness: DeliveryHarness) -> None:
    with pytest.raises(Refusal, match="No restore"):
        notify(harness)
