"""Events that a newly registered endpoint missed, because their writers remembered that there was none."""

import json
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.values import from_attributes
from payflowx.adapters.dynamodb.webhooks.catch_ups import DynamoDBCatchUps, catch_up_item
from payflowx.adapters.dynamodb.webhooks.merchant_event_items import merchant_event_from_item
from payflowx.application.outbound_webhooks.manage_endpoints import NewEndpoint
from payflowx.application.recovery import catch_up_events
from payflowx.domain.outbound_webhooks.catch_up import CatchUp, catch_up_of
from payflowx.domain.outbound_webhooks.endpoints import Endpoint
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.payments.ports import Due, DueKind
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import DUE_SHARDS
from payflowx.wiring.api import ApiWiring
from payflowx.wiring.payments import WorkerWiring
from payflowx.wiring.recovery import SweeperWiring
from tests.support.deliveries import URL, DeliveryHarness
from tests.support.memory import ManualClock
from tests.support.tables import TRANSACTIONS
from tests.support.world import MERCHANT

OTHER = "https://other.example.com/hooks"


@pytest.fixture
def harness() -> DeliveryHarness:
    return DeliveryHarness()


@pytest.fixture
def missed(harness: DeliveryHarness) -> MerchantEvent:
    """An event of the second after the first registration, written by a worker that knew of none."""
    harness.pay("before")
    harness.world.clock.advance(1)
    harness.register()
    harness.world.clock.advance(1)
    event = harness.pay("missed")
    assert (event.due_at_ms, event.planned) == (None, False)
    return event


def told(harness: DeliveryHarness) -> list[str]:
    return [json.loads(post.body)["id"] for post in harness.webhook_client.posts]


def searches(harness: DeliveryHarness) -> list[Due]:
    far_ms = harness.world.clock.now_ms() * 2
    pages = [page for shard in range(DUE_SHARDS) for page in harness.world.due_items.pages(shard, far_ms)]
    return [due for page in pages for due in page if isinstance(due, Due) and due.kind is DueKind.CATCH_UP]


def test_it_is_delivered_three_minutes_later_and_earlier_events_are_not(
    harness: DeliveryHarness, missed: MerchantEvent
) -> None:
    harness.let_pass(120)
    assert told(harness) == []
    harness.let_pass(180)
    assert told(harness) == [missed.event_id]


def test_an_event_that_the_first_pass_did_not_see_is_found_after_an_hour(
    harness: DeliveryHarness, missed: MerchantEvent
) -> None:
    """Its writer was held up, or the index was late."""
    harness.world.clock.advance(200)
    harness.sweep(harness.world.deadline)
    seen = harness.now(missed.transaction_id, missed.seq)
    assert seen.due_at_ms is not None
    unseen = harness.now(missed.transaction_id, missed.seq)
    harness.api.merchant_events.save(unseen, missed)
    harness.world.deliveries.sent.clear()
    harness.let_pass(1_800)
    assert told(harness) == []
    harness.let_pass(2_400)
    assert told(harness) == [missed.event_id]


def test_it_is_delivered_once_and_the_search_ends(harness: DeliveryHarness, missed: MerchantEvent) -> None:
    assert len(searches(harness)) == 1
    harness.let_pass(7_200)
    assert told(harness) == [missed.event_id]
    assert searches(harness) == []


def test_the_second_pass_leaves_alone_what_was_delivered(harness: DeliveryHarness, missed: MerchantEvent) -> None:
    harness.let_pass(240)
    assert told(harness) == [missed.event_id]
    harness.world.clock.advance(3_600)
    harness.sweep(harness.world.deadline)
    assert searches(harness) == []
    assert harness.now(missed.transaction_id, missed.seq).due_at_ms is None


def test_later_events_are_announced_by_their_writer(harness: DeliveryHarness, missed: MerchantEvent) -> None:
    harness.world.clock.advance(60)
    event = harness.pay("later")
    assert event.due_at_ms is not None
    harness.run()
    assert told(harness) == [event.event_id]


def test_a_registration_that_was_stored_late_is_searched_for_until_its_writers_know_it(
    harness: DeliveryHarness,
) -> None:
    """Its function was held up between the endpoint's time and the write, for longer than a pass waits."""
    harness.pay("before")
    real, begun_ms = harness.world.wired(ApiWiring).manage_endpoints, harness.world.clock.now_ms()
    late = replace(real, clock=ManualClock(begun_ms))
    harness.world.clock.advance(7_200)
    harness.pay("just before")
    late.create(NewEndpoint(merchant_id=MERCHANT, url=URL))
    harness.world.clock.advance(1)
    missed = harness.pay("missed")
    assert missed.due_at_ms is None
    harness.let_pass(600)
    assert missed.event_id in told(harness)
    assert searches(harness) == []


def test_a_pass_that_dies_is_repeated(harness: DeliveryHarness, missed: MerchantEvent) -> None:
    with harness.world.refusing("batch_get_item"):
        harness.let_pass(240)
    assert told(harness) == []
    harness.let_pass(900)
    assert told(harness) == [missed.event_id]


def test_many_events_are_looked_through_in_several_runs(
    harness: DeliveryHarness, missed: MerchantEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up_events, "MAX_PAGE_ITEMS", 1)
    monkeypatch.setattr(catch_up_events, "_MAX_PAGES", 1)
    others = [harness.pay(f"missed-{number}") for number in range(3)]
    harness.let_pass(900)
    assert sorted(told(harness)) == sorted(event.event_id for event in (missed, *others))


def test_a_second_endpoint_is_searched_for_as_well(harness: DeliveryHarness, missed: MerchantEvent) -> None:
    endpoint, _ = harness.register(OTHER)
    assert {search.item_id for search in searches(harness)} >= {endpoint.endpoint_id}


def test_a_registration_and_its_search_are_stored_together_or_not_at_all(harness: DeliveryHarness) -> None:
    with harness.world.refusing("transact_write_items"), pytest.raises(StorageUnavailableError):
        harness.register()
    assert (list(harness.manage.list(MERCHANT)), searches(harness)) == ([], [])
    harness.register()
    with pytest.raises(Refusal, match="registered already"):
        harness.register()
    assert len(searches(harness)) == 1


def registered_again(harness: DeliveryHarness, *types: str) -> Endpoint:
    """The same address, as a merchant does it to change the types: deleted, then registered."""
    (endpoint,) = harness.manage.list(MERCHANT)
    harness.manage.delete(MERCHANT, endpoint.endpoint_id)
    harness.world.clock.advance(5)
    again, _ = harness.register(URL, *types)
    assert again.endpoint_id == endpoint.endpoint_id
    return again


def test_an_address_that_is_registered_again_meanwhile_gets_what_its_first_registration_missed(
    harness: DeliveryHarness, missed: MerchantEvent
) -> None:
    harness.world.clock.advance(10)
    again = registered_again(harness)
    assert again.created_at_ms == harness.world.clock.now_ms(), "it says when this registration was made"
    harness.let_pass(7_200)
    assert told(harness) == [missed.event_id]
    assert searches(harness) == []


def test_an_address_that_is_registered_three_times_gets_what_its_first_registration_missed(
    harness: DeliveryHarness, missed: MerchantEvent
) -> None:
    registered_again(harness)
    again = registered_again(harness)
    assert again.created_at_ms == harness.world.clock.now_ms()
    endpoint, _ = harness.manage.rotate(MERCHANT, again.endpoint_id)
    assert (endpoint.created_at_ms, endpoint.owed_since_ms) == (again.created_at_ms, again.owed_since_ms)
    harness.let_pass(7_200)
    assert told(harness) == [missed.event_id]


def test_the_second_pass_finds_it_as_well(harness: DeliveryHarness, missed: MerchantEvent) -> None:
    """The first one did not see it: its writer was held up, or the index was late."""
    with patch.object(catch_up_events, "announced", return_value=None):
        harness.let_pass(600)
    registered_again(harness)
    with patch.object(catch_up_events, "announced", return_value=None):
        harness.let_pass(240)
    harness.let_pass(7_200)
    assert told(harness) == [missed.event_id]


def test_it_is_not_told_of_what_it_did_not_subscribe_to(harness: DeliveryHarness, missed: MerchantEvent) -> None:
    registered_again(harness, "payment.failed")
    harness.let_pass(7_200)
    assert (missed.event_type, told(harness)) == ("payment.succeeded", [])


def test_a_registration_anew_begins_the_search_anew_when_the_earlier_one_has_ended(harness: DeliveryHarness) -> None:
    harness.register()
    harness.let_pass(7_200)
    again = registered_again(harness)
    found = DynamoDBCatchUps(client=harness.world.dynamodb, table=TRANSACTIONS).get(MERCHANT, again.endpoint_id)  # type: ignore[arg-type]
    now_ms = harness.world.clock.now_ms()
    assert (again.created_at_ms, again.owed_since_ms) == (now_ms, None)
    assert found == catch_up_of(MERCHANT, again, now_ms)


def test_release_020_takes_the_search_for_an_event_that_is_not_announced() -> None:
    """It splits the partition at `#` and reads the event's number; an item without a topic is no merchant event."""
    search = CatchUp(merchant_id="acme", endpoint_id="we_abcdefghijklmnop", since_ms=1, due_at_ms=2)
    item: dict[str, Any] = catch_up_item(search)
    assert (len(item["pk"].split("#")), int(item["sk"].removeprefix("EVENT#"))) == (4, 0)
    assert merchant_event_from_item(item) is None
    due = keys.parse_due_key(item["pk"], item["sk"], 2)
    assert isinstance(due, Due)
    assert (due.kind, due.item_id, keys.due_key(due)) == (
        DueKind.CATCH_UP,
        "we_abcdefghijklmnop",
        {"pk": item["pk"], "sk": item["sk"]},
    )


class TestPresence:
    def test_it_is_asked_for_once_a_minute(self, harness: DeliveryHarness) -> None:
        asked = harness.world.requests_of("query", f"E#{MERCHANT}")
        for key in ("a", "b"):
            harness.pay(key)
        assert len(asked) == 1
        assert asked[0]["ProjectionExpression"] == "#version", "the secrets stay where they are"
        harness.world.clock.advance(61)
        harness.pay("c")
        assert len(asked) == 2

    def test_a_database_that_does_not_answer_means_yes(self, harness: DeliveryHarness) -> None:
        presence = harness.world.wired(WorkerWiring).endpoint_presence
        with harness.world.refusing("query"):
            assert presence.may_have_endpoints(MERCHANT)
        assert not presence.may_have_endpoints(MERCHANT), "the failure is not remembered"

    def test_a_merchant_that_deleted_its_last_endpoint_counts_as_one_that_has(self, harness: DeliveryHarness) -> None:
        endpoint, _ = harness.register()
        harness.manage.delete(MERCHANT, endpoint.endpoint_id)
        assert harness.world.wired(WorkerWiring).endpoint_presence.may_have_endpoints(MERCHANT)

    def test_the_sweeper_reads_no_merchants_and_publishes(self, harness: DeliveryHarness) -> None:
        assert harness.world.wired(SweeperWiring).endpoint_presence.may_have_endpoints(MERCHANT)


def test_the_stored_search_is_read_back(harness: DeliveryHarness) -> None:
    endpoint, _ = harness.register()
    key = {name: {"S": text} for name, text in keys.catch_up_key(MERCHANT, endpoint.endpoint_id).items()}
    stored = from_attributes(harness.world.dynamodb.get_item(TableName=TRANSACTIONS, Key=key)["Item"])
    expected = catch_up_item(catch_up_of(MERCHANT, endpoint, endpoint.created_at_ms))
    assert stored == {name: value for name, value in expected.items() if value is not None}
