"""Telling merchants: at least once, each endpoint by itself, for three days, and not for ever."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from payflowx.domain.outbound_webhooks.endpoints import DisabledReason, Endpoint, EndpointStatus
from payflowx.domain.outbound_webhooks.merchant_events import Answered, DeliveryState, MerchantEvent, NotAnswered
from payflowx.domain.outbound_webhooks.ports import DeliveryJob, MerchantEventQuery
from payflowx.domain.payments.outcome import Declined
from payflowx.domain.payments.payment import Customer, PaymentMethod
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, SECOND_MS
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.entrypoints.api.messages import compose_message
from testing.dynamodb.database import client_error
from tests.support.deliveries import URL, DeliveryHarness, verified
from tests.support.world import MERCHANT

OTHER = "https://other.example.com/hooks"
DOWN = NotAnswered(code="connection_refused")
DAY = DAY_MS // SECOND_MS


@pytest.fixture
def harness() -> DeliveryHarness:
    return DeliveryHarness()


def state_of(harness: DeliveryHarness, merchant_event: MerchantEvent) -> list[str]:
    found = harness.now(merchant_event.transaction_id, merchant_event.seq)
    return sorted(delivery.state.value for delivery in found.deliveries.values())


class TestAMessage:
    def test_is_signed_as_the_standard_says(self, harness: DeliveryHarness) -> None:
        _, secret = harness.register()
        event = harness.pay()
        harness.run()
        (post,) = harness.webhook_client.posts
        message = verified(post.body, post.headers, secret, post.at_ms)
        assert message["type"] == "payment.succeeded"
        assert post.headers["webhook-id"] == message["id"] == event.event_id
        assert message["data"]["change"] == {"from": "PENDING", "to": "SUCCESS"}
        assert message["data"]["payment"]["status"] == "SUCCESS"

    def test_is_forged_with_another_secret_or_another_body(self, harness: DeliveryHarness) -> None:
        _, secret = harness.register()
        harness.pay()
        harness.run()
        (post,) = harness.webhook_client.posts
        with pytest.raises(Exception, match="No matching signature"):
            verified(post.body.replace(b"SUCCESS", b"FAILED!"), post.headers, secret, post.at_ms)
        with pytest.raises(Exception, match="No matching signature"):
            verified(post.body, post.headers, "whsec_" + "B" * 44, post.at_ms)
        with pytest.raises(Exception, match="No matching signature"):
            verified(post.body, {**post.headers, "webhook-id": "evt_other"}, secret, post.at_ms)

    def test_holds_no_token_and_no_customer(self, harness: DeliveryHarness) -> None:
        harness.register()
        customer = Customer(id="c-77", name="Ada Lovelace", email="ada@example.com", phone="+441234567890")
        harness.world.accept(payment_method=PaymentMethod(type="card", token="tok_very_secret"), customer=customer)
        harness.world.work_until_idle()
        harness.run()
        text = harness.webhook_client.posts[0].body.decode()
        for part in ("tok_very_secret", "Ada", "ada@", "441234567890", "c-77", "whsec_"):
            assert part not in text

    def test_says_what_is_true_when_it_is_sent(self, harness: DeliveryHarness) -> None:
        harness.register()
        event = harness.pay()
        payment = harness.world.payments.get(MERCHANT, event.transaction_id)
        assert payment is not None
        harness.world.request(OperationKind.REFUND, payment, 500)
        harness.world.work_until_idle()
        harness.run()
        first, second = (json.loads(post.body) for post in harness.webhook_client.posts)
        assert (first["type"], second["type"]) == ("payment.succeeded", "refund.succeeded")
        assert first["data"]["change"]["to"] == "SUCCESS"
        assert first["data"]["payment"]["refundable"] == 1499, "the refund has happened since"
        assert second["data"]["operation"]["status"] == "SUCCEEDED"

    def test_numbers_count_what_is_published_of_a_payment_without_a_gap(self, harness: DeliveryHarness) -> None:
        harness.register()
        event = harness.pay()
        payment = harness.world.payments.get(MERCHANT, event.transaction_id)
        for number in range(3):
            harness.world.request(OperationKind.REFUND, harness.world.now(payment), 100, key=f"r-{number}")
            harness.world.work_until_idle()
        harness.run()
        messages = [json.loads(post.body) for post in harness.webhook_client.posts]
        assert [message["sequence"] for message in messages] == [1, 2, 3, 4]
        assert harness.world.now(payment).event_seq > 4, "the trail has events that nobody is told of"

    def test_a_capture_is_published_as_the_payments_success(self, harness: DeliveryHarness) -> None:
        from payflowx.domain.shared.statuses import CaptureMode

        harness.register()
        payment = harness.world.accept(capture=CaptureMode.MANUAL)
        harness.world.work_until_idle()
        harness.world.request(OperationKind.CAPTURE, harness.world.now(payment))
        harness.world.work_until_idle()
        harness.run()
        messages = [json.loads(post.body) for post in harness.webhook_client.posts]
        assert [message["type"] for message in messages] == ["payment.authorized", "payment.succeeded"]
        assert [message["sequence"] for message in messages] == [1, 2]
        assert messages[1]["data"]["operation"]["kind"] == "capture"


class TestSubscriptions:
    def test_an_endpoint_gets_the_types_it_asked_for(self, harness: DeliveryHarness) -> None:
        harness.register(URL, "payment.failed")
        harness.register(OTHER, "payment.succeeded", "refund.succeeded")
        harness.pay("good")
        harness.world.providers.get("alpha").charges = [Declined(kind=DeclineKind.HARD, code="stolen")]
        harness.pay("bad")
        harness.run()
        assert sorted((post.url, json.loads(post.body)["type"]) for post in harness.webhook_client.posts) == [
            (OTHER, "payment.succeeded"),
            (URL, "payment.failed"),
        ]

    def test_without_endpoints_an_event_is_listed_and_nobody_is_woken(self, harness: DeliveryHarness) -> None:
        event = harness.pay()
        assert (event.due_at_ms, list(harness.world.deliveries.sent)) == (None, [])
        assert [found.event_id for found in harness.listed()] == [event.event_id]

    def test_an_endpoint_is_not_told_of_what_was_before_it(self, harness: DeliveryHarness) -> None:
        harness.pay()
        harness.world.clock.advance(1)
        harness.register()
        harness.run()
        assert harness.webhook_client.posts == []

    def test_another_merchants_endpoint_hears_nothing(self, harness: DeliveryHarness) -> None:
        from payflowx.application.outbound_webhooks.manage_endpoints import NewEndpoint

        harness.manage.create(NewEndpoint(merchant_id="bcme", url=URL))
        harness.pay()
        harness.run()
        assert harness.webhook_client.posts == []


class TestTrouble:
    def test_one_endpoint_that_is_down_keeps_no_other_waiting(self, harness: DeliveryHarness) -> None:
        harness.register(URL)
        harness.register(OTHER)
        harness.webhook_client.answers[URL] = [DOWN, Answered(status=503)]
        event = harness.pay()
        harness.run()
        assert [post.url for post in harness.webhook_client.posts].count(OTHER) == 1
        harness.let_pass(HOUR_MS // SECOND_MS)
        assert state_of(harness, event) == ["DELIVERED", "DELIVERED"]
        assert [post.url for post in harness.webhook_client.posts].count(URL) == 3

    def test_another_deliverer_that_knew_fewer_endpoints_and_stored_first_is_no_error(
        self, harness: DeliveryHarness
    ) -> None:
        """The endpoint was deleted between the two deliverers' reads; this one has posted to it already."""
        harness.register(URL)
        gone, _ = harness.register(OTHER)
        event = harness.pay()

        def overtake() -> None:
            harness.manage.delete(MERCHANT, gone.endpoint_id)
            harness.wake(event)

        harness.world.before_next("update_item", overtake, "deliveries")
        harness.run()
        assert state_of(harness, event) == ["DELIVERED"]
        assert [post.url for post in harness.webhook_client.posts].count(OTHER) == 1

    def test_tries_keep_to_the_schedule(self, harness: DeliveryHarness) -> None:
        harness.register()
        harness.webhook_client.always(DOWN)
        event = harness.pay()
        start_ms = harness.world.clock.now_ms()
        harness.run()
        harness.let_pass(5 * DAY, step_seconds=300)
        hours = [round((post.at_ms - start_ms) / HOUR_MS, 1) for post in harness.webhook_client.posts]
        # The middle of the jitter makes each wait a tenth longer.
        assert hours == [0.0, 0.0, 0.1, 0.7, 2.9, 8.4, 19.4, 34.8, 56.8, 83.3]
        assert state_of(harness, event) == ["FAILED"]
        assert harness.now(event.transaction_id, event.seq).due_at_ms is None

    def test_retry_after_is_honoured(self, harness: DeliveryHarness) -> None:
        harness.register()
        harness.webhook_client.answers[URL] = [Answered(status=429, retry_after_seconds=3_600)]
        harness.pay()
        harness.run()
        harness.let_pass(59 * 60)
        assert len(harness.webhook_client.posts) == 1
        harness.let_pass(3 * 60)
        assert len(harness.webhook_client.posts) == 2

    def test_a_repeated_message_sends_nothing_again(self, harness: DeliveryHarness) -> None:
        harness.register()
        event = harness.pay()
        harness.run()
        for _ in range(3):
            harness.wake(event)
        assert len(harness.webhook_client.posts) == 1

    def test_a_message_that_comes_early_waits_for_its_time(self, harness: DeliveryHarness) -> None:
        harness.register()
        harness.webhook_client.answers[URL] = [DOWN, DOWN]
        event = harness.pay()
        job, _ = harness.world.deliveries.sent.pop(0)
        harness.deliver(job, compose_message)
        harness.wake(event)
        assert len(harness.webhook_client.posts) == 1
        assert harness.now(event.transaction_id, event.seq).due_at_ms is not None

    def test_a_crash_after_sending_sends_again_under_the_same_id(self, harness: DeliveryHarness) -> None:
        harness.register()
        event = harness.pay()
        with harness.world.refusing("update_item"), pytest.raises(StorageUnavailableError):
            harness.wake(event)
        harness.world.deliveries.sent.clear()
        harness.let_pass(180)
        assert [post.headers["webhook-id"] for post in harness.webhook_client.posts] == [event.event_id] * 2
        assert state_of(harness, event) == ["DELIVERED"]

    def test_a_lost_message_costs_two_minutes(self, harness: DeliveryHarness) -> None:
        harness.register()
        harness.world.deliveries.broken = True
        event = harness.pay()
        harness.world.deliveries.broken = False
        assert harness.world.deliveries.sent == []
        harness.let_pass(120)
        assert state_of(harness, event) == ["DELIVERED"]

    def test_nothing_is_lost_while_nothing_is_delivered_for_a_day(self, harness: DeliveryHarness) -> None:
        """The function is off and the queue is emptied meanwhile: what is due remembers."""
        harness.register()
        events = [harness.pay(f"order-{number}") for number in range(20)]
        for _ in range(24 * 60):
            harness.world.clock.advance(60)
            harness.sweep(harness.world.deadline)
            harness.world.deliveries.sent.clear()
        assert harness.webhook_client.posts == []
        harness.let_pass(HOUR_MS // SECOND_MS + 60)
        assert all(state_of(harness, event) == ["DELIVERED"] for event in events)
        assert len(harness.webhook_client.posts) == 20, "each once: the sweeper sends no second message before its time"

    def test_the_sweeper_wakes_less_and_less_often(self, harness: DeliveryHarness) -> None:
        harness.register()
        harness.pay()
        woken = 0
        for _ in range(24 * 60):
            harness.world.clock.advance(60)
            woken += harness.sweep(harness.world.deadline).woken
        assert 24 <= woken <= 32

    def test_of_two_that_deliver_at_once_neither_undoes_the_other(self, harness: DeliveryHarness) -> None:
        harness.register()
        event = harness.pay()
        harness.webhook_client.answers[URL] = [DOWN]
        sent = harness.webhook_client.post

        def meanwhile(*arguments: object) -> object:
            harness.webhook_client.post = sent
            harness.wake(event)  # fails
            return sent(*arguments)  # succeeds, and is written second

        harness.webhook_client.post = meanwhile
        harness.wake(event)
        assert state_of(harness, event) == ["DELIVERED"]
        (delivery,) = harness.now(event.transaction_id, event.seq).deliveries.values()
        assert delivery.attempts == 2


class TestGivingUp:
    def test_410_disables_and_tells(self, harness: DeliveryHarness) -> None:
        endpoint, _ = harness.register()
        harness.webhook_client.answers[URL] = [Answered(status=410)]
        event = harness.pay()
        harness.run()
        (now,) = harness.manage.list(MERCHANT)
        assert (now.status, now.disabled_reason) == (EndpointStatus.DISABLED, DisabledReason.GONE)
        assert harness.world.telemetry.total(Metric.ENDPOINTS_DISABLED) == 1
        assert ("endpoint disabled", endpoint.endpoint_id) in [
            (message, facts.get("endpointId")) for message, facts in harness.world.telemetry.lines
        ]
        harness.let_pass(2 * 60)
        assert len(harness.webhook_client.posts) == 1
        assert state_of(harness, event) == ["SKIPPED"]

    def test_three_days_of_failure_disable_and_tell_once(self, harness: DeliveryHarness) -> None:
        harness.register()
        harness.webhook_client.always(Answered(status=500))
        first = harness.pay("first")
        harness.run()
        harness.let_pass(2 * DAY, step_seconds=600)
        assert harness.manage.list(MERCHANT)[0].is_enabled
        second = harness.pay("second")
        harness.run()
        harness.let_pass(2 * DAY, step_seconds=600)
        (now,) = harness.manage.list(MERCHANT)
        assert (now.status, now.disabled_reason) == (EndpointStatus.DISABLED, DisabledReason.FAILING)
        assert now.updated_at_ms - (now.failing_since_ms or 0) >= 3 * DAY_MS
        assert harness.world.telemetry.total(Metric.ENDPOINTS_DISABLED) == 1
        harness.let_pass(2 * DAY, step_seconds=600)
        assert state_of(harness, first) in (["FAILED"], ["SKIPPED"])
        assert state_of(harness, second) == ["SKIPPED"]
        assert harness.pay("third").due_at_ms is not None
        posts = len(harness.webhook_client.posts)
        harness.run()
        assert len(harness.webhook_client.posts) == posts

    def test_a_success_in_between_saves_the_endpoint_but_not_the_message(self, harness: DeliveryHarness) -> None:
        harness.register()
        event = harness.pay("poison")
        payments = (f"order-{number}" for number in range(100))

        def post(url: str, headers: dict[str, str], body: bytes) -> Answered:
            return Answered(status=500 if event.transaction_id in body.decode() else 200)

        harness.webhook_client.post = post
        harness.run()
        for _ in range(10):
            harness.let_pass(DAY // 2, step_seconds=600)
            harness.pay(next(payments))
            harness.run()
        assert harness.manage.list(MERCHANT)[0].is_enabled
        assert state_of(harness, event) == ["FAILED"]
        assert harness.world.telemetry.total(Metric.DELIVERIES_GIVEN_UP) == 1

    def test_a_deleted_endpoint_gets_nothing_more(self, harness: DeliveryHarness) -> None:
        endpoint, _ = harness.register()
        harness.webhook_client.answers[URL] = [DOWN]
        event = harness.pay()
        job, _ = harness.world.deliveries.sent.pop(0)
        harness.deliver(job, compose_message)
        harness.manage.delete(MERCHANT, endpoint.endpoint_id)
        harness.let_pass(10 * 60)
        assert len(harness.webhook_client.posts) == 1
        assert state_of(harness, event) == ["SKIPPED"]


class TestRotation:
    def test_both_secrets_verify_for_a_day_and_then_the_new_one_only(self, harness: DeliveryHarness) -> None:
        endpoint, old = harness.register()
        _, new = harness.manage.rotate(MERCHANT, endpoint.endpoint_id)
        assert new != old
        harness.pay("during")
        harness.run()
        during = harness.webhook_client.posts[-1]
        for secret in (old, new):
            verified(during.body, during.headers, secret, during.at_ms)
        harness.world.clock.advance(DAY)
        harness.pay("after")
        harness.run()
        after = harness.webhook_client.posts[-1]
        verified(after.body, after.headers, new, after.at_ms)
        with pytest.raises(Exception, match="No matching signature"):
            verified(after.body, after.headers, old, after.at_ms)


@dataclass
class LostAnswers:
    """The store, over a line that loses the answer to the first write: the repeated write meets its own version."""

    store: Any
    lost: int = 0

    def get(self, merchant_id: str) -> Any:
        return self.store.get(merchant_id)

    def save(self, before: Any, after: Any, *, catch_up: Any = None) -> bool:
        saved = self.store.save(before, after, catch_up=catch_up)
        self.lost += 1
        return bool(saved) and self.lost > 1


class TestALostAnswerOfTheTable:
    """The SDK repeats a write whose answer was lost, and its own condition has failed by then."""

    def test_a_rotation_keeps_the_secret_that_the_merchant_has(self, harness: DeliveryHarness) -> None:
        endpoint, old = harness.register()
        manage = replace(harness.manage, endpoint_store=LostAnswers(harness.manage.endpoint_store))
        _, new = manage.rotate(MERCHANT, endpoint.endpoint_id)
        harness.pay()
        harness.run()
        post = harness.webhook_client.posts[-1]
        for secret in (old, new):
            verified(post.body, post.headers, secret, post.at_ms)

    def test_a_deletion_has_happened(self, harness: DeliveryHarness) -> None:
        endpoint, _ = harness.register()
        manage = replace(harness.manage, endpoint_store=LostAnswers(harness.manage.endpoint_store))
        manage.delete(MERCHANT, endpoint.endpoint_id)
        assert manage.list(MERCHANT) == ()
        with pytest.raises(Refusal):
            manage.delete(MERCHANT, endpoint.endpoint_id)


@dataclass
class OneUnreadable:
    """The cipher, which cannot open one endpoint's secret: it was made under a key that is gone."""

    cipher: Any
    endpoint: Endpoint

    def open(self, encrypted: str, *, merchant_id: str, endpoint_id: str) -> str:
        if encrypted == self.endpoint.encrypted_secret:
            raise StorageUnavailableError("a secret could not be decrypted")
        return str(self.cipher.open(encrypted, merchant_id=merchant_id, endpoint_id=endpoint_id))


class TestASecretThatCannotBeOpened:
    def test_the_other_endpoint_is_told_once(self, harness: DeliveryHarness) -> None:
        broken, _ = harness.register("https://broken.example.com/hooks")
        harness.register()
        event = harness.pay()
        deliver = replace(harness.deliver, cipher=OneUnreadable(harness.deliver.cipher, broken))
        for _ in range(3):
            job, delay_seconds = harness.world.deliveries.sent.pop(0)
            harness.world.clock.advance(delay_seconds)
            deliver(job, compose_message)
        assert [post.url for post in harness.webhook_client.posts] == [URL]
        assert sorted(state_of(harness, event)) == ["DELIVERED", "PENDING"]
        assert harness.now(event.transaction_id, event.seq).deliveries[broken.endpoint_id].code == "secret_unavailable"

    def test_the_endpoint_is_not_to_blame_and_gets_the_event_afterwards(self, harness: DeliveryHarness) -> None:
        endpoint, _ = harness.register()
        event = harness.pay()
        deliver = replace(harness.deliver, cipher=OneUnreadable(harness.deliver.cipher, endpoint))
        job, _ = harness.world.deliveries.sent.pop(0)
        deliver(job, compose_message)
        assert harness.manage.list(MERCHANT)[0].failing_since_ms is None
        harness.run()
        assert state_of(harness, event) == ["DELIVERED"]

    def test_a_rotation_heals_it_at_once(self, harness: DeliveryHarness) -> None:
        endpoint, _ = harness.register()
        _, new = harness.manage.rotate(MERCHANT, endpoint.endpoint_id)
        event = harness.pay()
        deliver = replace(harness.deliver, cipher=OneUnreadable(harness.deliver.cipher, endpoint))
        job, _ = harness.world.deliveries.sent.pop(0)
        deliver(job, compose_message)
        assert state_of(harness, event) == ["DELIVERED"]
        (post,) = harness.webhook_client.posts
        verified(post.body, post.headers, new, post.at_ms)


class TestAgain:
    def test_an_event_is_told_once_more_when_asked_for(self, harness: DeliveryHarness) -> None:
        harness.register()
        event = harness.pay()
        harness.run()
        harness.world.clock.advance(9 * DAY)
        again = harness.events.redeliver(MERCHANT, event.transaction_id, event.seq)
        assert [d.state for d in again.deliveries.values()] == [DeliveryState.PENDING]
        harness.run()
        assert [post.headers["webhook-id"] for post in harness.webhook_client.posts] == [event.event_id] * 2

    def test_also_to_an_endpoint_that_came_later_and_one_that_had_given_up(self, harness: DeliveryHarness) -> None:
        event = harness.pay()
        harness.run()
        harness.world.clock.advance(1)
        harness.register(OTHER)
        harness.events.redeliver(MERCHANT, event.transaction_id, event.seq)
        harness.world.deliveries.sent.clear()
        harness.let_pass(180)
        assert [post.url for post in harness.webhook_client.posts] == [OTHER]

    def test_not_where_nobody_wants_to_know(self, harness: DeliveryHarness) -> None:
        event = harness.pay()
        harness.register(URL, "payment.failed")
        with pytest.raises(Refusal) as refused:
            harness.events.redeliver(MERCHANT, event.transaction_id, event.seq)
        assert refused.value.code == "invalid_state"

    @pytest.mark.parametrize(("merchant", "seq"), [("bcme", 2), (MERCHANT, 1), (MERCHANT, 99)])
    def test_not_of_another_merchant_nor_what_was_never_published(
        self, harness: DeliveryHarness, merchant: str, seq: int
    ) -> None:
        harness.register()
        event = harness.pay()
        with pytest.raises(Refusal) as refused:
            harness.events.redeliver(merchant, event.transaction_id, seq)
        assert refused.value.code == "not_found"

    def test_the_list_has_what_was_published_newest_first(self, harness: DeliveryHarness) -> None:
        events = []
        for number in range(3):
            events.append(harness.pay(f"order-{number}"))
            harness.world.clock.advance(1)
        query = MerchantEventQuery(merchant_id=MERCHANT, from_ms=0, until_ms=harness.world.clock.now_ms(), limit=10)
        assert [a.event_id for a in harness.events.page(query).items] == [e.event_id for e in reversed(events)]


def test_a_message_for_what_is_not_there_is_handled(harness: DeliveryHarness) -> None:
    harness.deliver(DeliveryJob(merchant_id=MERCHANT, transaction_id="pay_x", seq=1), compose_message)
    assert harness.webhook_client.posts == []


def test_an_event_that_kept_changing_comes_back(harness: DeliveryHarness) -> None:
    harness.register()
    event = harness.pay()

    def changed(method: str, _request: object) -> None:
        if method == "update_item":
            raise client_error("UpdateItem", "ConditionalCheckFailedException", "The conditional request failed")

    harness.world.dynamodb.before = changed
    with pytest.raises(StorageUnavailableError):
        harness.wake(event)


def test_a_book_that_was_changed_meanwhile_keeps_that_change(harness: DeliveryHarness) -> None:
    harness.register()
    harness.webhook_client.answers[URL] = [Answered(status=410)]
    event = harness.pay()
    harness.world.before_next("update_item", lambda: harness.register(OTHER), text=f"E#{MERCHANT}")
    harness.wake(event)
    found = {e.url: e.status for e in harness.manage.list(MERCHANT)}
    assert found == {URL: EndpointStatus.DISABLED, OTHER: EndpointStatus.ENABLED}
