"""Telling merchants: at least once, each endpoint by itself, for three days, and not for ever."""

import json

import pytest

from payflowx.domain.outbound_webhooks.endpoints import DisabledReason, EndpointStatus
from payflowx.domain.outbound_webhooks.merchant_events import Announcement, Answered, DeliveryState, NotAnswered
from payflowx.domain.outbound_webhooks.ports import AnnouncementQuery, DeliveryJob
from payflowx.domain.payments.outcome import Declined
from payflowx.domain.payments.payment import Customer, PaymentMethod
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, SECOND_MS
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.operation_request import MovementKind
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.entrypoints.api.messages import compose_message
from tests.support.deliveries import URL, Telling, verified
from tests.support.world import MERCHANT

OTHER = "https://other.example.com/hooks"
DOWN = NotAnswered(code="connection_refused")
DAY = DAY_MS // SECOND_MS


@pytest.fixture
def telling() -> Telling:
    return Telling()


def state_of(telling: Telling, announcement: Announcement) -> list[str]:
    found = telling.now(announcement.transaction_id, announcement.seq)
    return sorted(delivery.state.value for delivery in found.deliveries.values())


class TestAMessage:
    def test_is_signed_as_the_standard_says(self, telling: Telling) -> None:
        _, secret = telling.register()
        event = telling.pay()
        telling.run()
        (post,) = telling.sender.posts
        message = verified(post.body, post.headers, secret, post.at_ms)
        assert message["type"] == "payment.succeeded"
        assert post.headers["webhook-id"] == message["id"] == event.event_id
        assert message["data"]["change"] == {"from": "PENDING", "to": "SUCCESS"}
        assert message["data"]["payment"]["status"] == "SUCCESS"

    def test_is_forged_with_another_secret_or_another_body(self, telling: Telling) -> None:
        _, secret = telling.register()
        telling.pay()
        telling.run()
        (post,) = telling.sender.posts
        with pytest.raises(Exception, match="No matching signature"):
            verified(post.body.replace(b"SUCCESS", b"FAILED!"), post.headers, secret, post.at_ms)
        with pytest.raises(Exception, match="No matching signature"):
            verified(post.body, post.headers, "whsec_" + "B" * 44, post.at_ms)
        with pytest.raises(Exception, match="No matching signature"):
            verified(post.body, {**post.headers, "webhook-id": "evt_other"}, secret, post.at_ms)

    def test_holds_no_token_and_no_customer(self, telling: Telling) -> None:
        telling.register()
        customer = Customer(id="c-77", name="Ada Lovelace", email="ada@example.com", phone="+441234567890")
        telling.world.accept(payment_method=PaymentMethod(type="card", token="tok_very_secret"), customer=customer)
        telling.world.work_until_idle()
        telling.run()
        text = telling.sender.posts[0].body.decode()
        for part in ("tok_very_secret", "Ada", "ada@", "441234567890", "c-77", "whsec_"):
            assert part not in text

    def test_says_what_is_true_when_it_is_sent(self, telling: Telling) -> None:
        telling.register()
        event = telling.pay()
        payment = telling.world.payments.get(MERCHANT, event.transaction_id)
        assert payment is not None
        telling.world.request(MovementKind.REFUND, payment, 500)
        telling.world.work_until_idle()
        telling.run()
        first, second = (json.loads(post.body) for post in telling.sender.posts)
        assert (first["type"], second["type"]) == ("payment.succeeded", "refund.succeeded")
        assert first["data"]["change"]["to"] == "SUCCESS"
        assert first["data"]["payment"]["refundable"] == 1499, "the refund has happened since"
        assert second["data"]["operation"]["status"] == "SUCCEEDED"

    def test_numbers_count_what_is_announced_of_a_payment_without_a_gap(self, telling: Telling) -> None:
        telling.register()
        event = telling.pay()
        payment = telling.world.payments.get(MERCHANT, event.transaction_id)
        for number in range(3):
            telling.world.request(MovementKind.REFUND, telling.world.now(payment), 100, key=f"r-{number}")
            telling.world.work_until_idle()
        telling.run()
        messages = [json.loads(post.body) for post in telling.sender.posts]
        assert [message["sequence"] for message in messages] == [1, 2, 3, 4]
        assert telling.world.now(payment).event_seq > 4, "the trail has events that nobody is told of"

    def test_a_capture_is_announced_as_the_payments_success(self, telling: Telling) -> None:
        from payflowx.domain.shared.statuses import CaptureMode

        telling.register()
        payment = telling.world.accept(capture=CaptureMode.MANUAL)
        telling.world.work_until_idle()
        telling.world.request(MovementKind.CAPTURE, telling.world.now(payment))
        telling.world.work_until_idle()
        telling.run()
        messages = [json.loads(post.body) for post in telling.sender.posts]
        assert [message["type"] for message in messages] == ["payment.authorized", "payment.succeeded"]
        assert [message["sequence"] for message in messages] == [1, 2]
        assert messages[1]["data"]["operation"]["kind"] == "capture"


class TestSubscriptions:
    def test_an_endpoint_gets_the_types_it_asked_for(self, telling: Telling) -> None:
        telling.register(URL, "payment.failed")
        telling.register(OTHER, "payment.succeeded", "refund.succeeded")
        telling.pay("good")
        telling.world.providers.get("alpha").charges = [Declined(kind=DeclineKind.HARD, code="stolen")]
        telling.pay("bad")
        telling.run()
        assert sorted((post.url, json.loads(post.body)["type"]) for post in telling.sender.posts) == [
            (OTHER, "payment.succeeded"),
            (URL, "payment.failed"),
        ]

    def test_without_endpoints_an_event_is_done_with_at_once(self, telling: Telling) -> None:
        event = telling.pay()
        assert event.due_at_ms is not None
        telling.run()
        assert telling.now(event.transaction_id, event.seq).due_at_ms is None
        assert telling.sender.posts == []

    def test_an_endpoint_is_not_told_of_what_was_before_it(self, telling: Telling) -> None:
        telling.pay()
        telling.world.clock.advance(1)
        telling.register()
        telling.run()
        assert telling.sender.posts == []

    def test_another_merchants_endpoint_hears_nothing(self, telling: Telling) -> None:
        from payflowx.application.outbound_webhooks.manage_endpoints import NewEndpoint

        telling.manage.create(NewEndpoint(merchant_id="bcme", url=URL))
        telling.pay()
        telling.run()
        assert telling.sender.posts == []


class TestTrouble:
    def test_one_endpoint_that_is_down_keeps_no_other_waiting(self, telling: Telling) -> None:
        telling.register(URL)
        telling.register(OTHER)
        telling.sender.answers[URL] = [DOWN, Answered(status=503)]
        event = telling.pay()
        telling.run()
        assert [post.url for post in telling.sender.posts].count(OTHER) == 1
        telling.let_pass(HOUR_MS // SECOND_MS)
        assert state_of(telling, event) == ["DELIVERED", "DELIVERED"]
        assert [post.url for post in telling.sender.posts].count(URL) == 3

    def test_tries_keep_to_the_schedule(self, telling: Telling) -> None:
        telling.register()
        telling.sender.always(DOWN)
        event = telling.pay()
        start_ms = telling.world.clock.now_ms()
        telling.run()
        telling.let_pass(5 * DAY, step_seconds=300)
        hours = [round((post.at_ms - start_ms) / HOUR_MS, 1) for post in telling.sender.posts]
        # The middle of the jitter makes each wait a tenth longer.
        assert hours == [0.0, 0.0, 0.1, 0.7, 2.9, 8.4, 19.4, 34.8, 56.8, 83.3]
        assert state_of(telling, event) == ["FAILED"]
        assert telling.now(event.transaction_id, event.seq).due_at_ms is None

    def test_retry_after_is_honoured(self, telling: Telling) -> None:
        telling.register()
        telling.sender.answers[URL] = [Answered(status=429, retry_after_seconds=3_600)]
        telling.pay()
        telling.run()
        telling.let_pass(59 * 60)
        assert len(telling.sender.posts) == 1
        telling.let_pass(3 * 60)
        assert len(telling.sender.posts) == 2

    def test_a_repeated_message_sends_nothing_again(self, telling: Telling) -> None:
        telling.register()
        event = telling.pay()
        telling.run()
        for _ in range(3):
            telling.wake(event)
        assert len(telling.sender.posts) == 1

    def test_a_message_that_comes_early_waits_for_its_time(self, telling: Telling) -> None:
        telling.register()
        telling.sender.answers[URL] = [DOWN, DOWN]
        event = telling.pay()
        job, _ = telling.world.deliveries.sent.pop(0)
        telling.deliver(job, compose_message)
        telling.wake(event)
        assert len(telling.sender.posts) == 1
        assert telling.now(event.transaction_id, event.seq).due_at_ms is not None

    def test_a_crash_after_sending_sends_again_under_the_same_id(self, telling: Telling) -> None:
        telling.register()
        event = telling.pay()
        save, telling.announcements.save = telling.announcements.save, _broken
        with pytest.raises(StorageUnavailableError):
            telling.wake(event)
        telling.announcements.save = save
        telling.world.deliveries.sent.clear()
        telling.let_pass(180)
        assert [post.headers["webhook-id"] for post in telling.sender.posts] == [event.event_id] * 2
        assert state_of(telling, event) == ["DELIVERED"]

    def test_a_lost_message_costs_two_minutes(self, telling: Telling) -> None:
        telling.register()
        telling.world.deliveries.broken = True
        event = telling.pay()
        telling.world.deliveries.broken = False
        assert telling.world.deliveries.sent == []
        telling.let_pass(120)
        assert state_of(telling, event) == ["DELIVERED"]

    def test_nothing_is_lost_while_nothing_is_delivered_for_a_day(self, telling: Telling) -> None:
        """The function is off and the queue is emptied meanwhile: what is due remembers."""
        telling.register()
        events = [telling.pay(f"order-{number}") for number in range(20)]
        for _ in range(24 * 60):
            telling.world.clock.advance(60)
            telling.sweep(telling.world.deadline)
            telling.world.deliveries.sent.clear()
        assert telling.sender.posts == []
        telling.let_pass(HOUR_MS // SECOND_MS + 60)
        assert all(state_of(telling, event) == ["DELIVERED"] for event in events)
        assert len(telling.sender.posts) == 20, "each once: the sweeper sends no second message before its time"

    def test_the_sweeper_wakes_less_and_less_often(self, telling: Telling) -> None:
        telling.register()
        telling.pay()
        woken = 0
        for _ in range(24 * 60):
            telling.world.clock.advance(60)
            woken += telling.sweep(telling.world.deadline).woken
        assert 24 <= woken <= 32

    def test_of_two_that_deliver_at_once_neither_undoes_the_other(self, telling: Telling) -> None:
        telling.register()
        event = telling.pay()
        telling.sender.answers[URL] = [DOWN]
        sent = telling.sender.post

        def meanwhile(*arguments: object) -> object:
            telling.sender.post = sent
            telling.wake(event)  # fails
            return sent(*arguments)  # succeeds, and is written second

        telling.sender.post = meanwhile
        telling.wake(event)
        assert state_of(telling, event) == ["DELIVERED"]
        (delivery,) = telling.now(event.transaction_id, event.seq).deliveries.values()
        assert delivery.attempts == 2


class TestGivingUp:
    def test_410_disables_and_tells(self, telling: Telling) -> None:
        endpoint, _ = telling.register()
        telling.sender.answers[URL] = [Answered(status=410)]
        event = telling.pay()
        telling.run()
        (now,) = telling.manage.list(MERCHANT)
        assert (now.status, now.disabled_reason) == (EndpointStatus.DISABLED, DisabledReason.GONE)
        assert telling.world.telemetry.total(Metric.ENDPOINTS_DISABLED) == 1
        assert ("endpoint disabled", endpoint.endpoint_id) in [
            (message, facts.get("endpointId")) for message, facts in telling.world.telemetry.lines
        ]
        telling.let_pass(2 * 60)
        assert len(telling.sender.posts) == 1
        assert state_of(telling, event) == ["SKIPPED"]

    def test_three_days_of_failure_disable_and_tell_once(self, telling: Telling) -> None:
        telling.register()
        telling.sender.always(Answered(status=500))
        first = telling.pay("first")
        telling.run()
        telling.let_pass(2 * DAY, step_seconds=600)
        assert telling.manage.list(MERCHANT)[0].is_enabled
        second = telling.pay("second")
        telling.run()
        telling.let_pass(2 * DAY, step_seconds=600)
        (now,) = telling.manage.list(MERCHANT)
        assert (now.status, now.disabled_reason) == (EndpointStatus.DISABLED, DisabledReason.FAILING)
        assert now.updated_at_ms - (now.failing_since_ms or 0) >= 3 * DAY_MS
        assert telling.world.telemetry.total(Metric.ENDPOINTS_DISABLED) == 1
        telling.let_pass(2 * DAY, step_seconds=600)
        assert state_of(telling, first) in (["FAILED"], ["SKIPPED"])
        assert state_of(telling, second) == ["SKIPPED"]
        assert telling.pay("third").due_at_ms is not None
        posts = len(telling.sender.posts)
        telling.run()
        assert len(telling.sender.posts) == posts

    def test_a_success_in_between_saves_the_endpoint_but_not_the_message(self, telling: Telling) -> None:
        telling.register()
        event = telling.pay("poison")
        payments = (f"order-{number}" for number in range(100))

        def post(url: str, headers: dict[str, str], body: bytes) -> Answered:
            return Answered(status=500 if event.transaction_id in body.decode() else 200)

        telling.sender.post = post
        telling.run()
        for _ in range(10):
            telling.let_pass(DAY // 2, step_seconds=600)
            telling.pay(next(payments))
            telling.run()
        assert telling.manage.list(MERCHANT)[0].is_enabled
        assert state_of(telling, event) == ["FAILED"]
        assert telling.world.telemetry.total(Metric.DELIVERIES_GIVEN_UP) == 1

    def test_a_deleted_endpoint_gets_nothing_more(self, telling: Telling) -> None:
        endpoint, _ = telling.register()
        telling.sender.answers[URL] = [DOWN]
        event = telling.pay()
        job, _ = telling.world.deliveries.sent.pop(0)
        telling.deliver(job, compose_message)
        telling.manage.delete(MERCHANT, endpoint.endpoint_id)
        telling.let_pass(10 * 60)
        assert len(telling.sender.posts) == 1
        assert state_of(telling, event) == ["SKIPPED"]


class TestRotation:
    def test_both_secrets_verify_for_a_day_and_then_the_new_one_only(self, telling: Telling) -> None:
        endpoint, old = telling.register()
        _, new = telling.manage.rotate(MERCHANT, endpoint.endpoint_id)
        assert new != old
        telling.pay("during")
        telling.run()
        during = telling.sender.posts[-1]
        for secret in (old, new):
            verified(during.body, during.headers, secret, during.at_ms)
        telling.world.clock.advance(DAY)
        telling.pay("after")
        telling.run()
        after = telling.sender.posts[-1]
        verified(after.body, after.headers, new, after.at_ms)
        with pytest.raises(Exception, match="No matching signature"):
            verified(after.body, after.headers, old, after.at_ms)


class TestAgain:
    def test_an_event_is_told_once_more_when_asked_for(self, telling: Telling) -> None:
        telling.register()
        event = telling.pay()
        telling.run()
        telling.world.clock.advance(9 * DAY)
        again = telling.events.redeliver(MERCHANT, event.transaction_id, event.seq)
        assert [d.state for d in again.deliveries.values()] == [DeliveryState.PENDING]
        telling.run()
        assert [post.headers["webhook-id"] for post in telling.sender.posts] == [event.event_id] * 2

    def test_also_to_an_endpoint_that_came_later_and_one_that_had_given_up(self, telling: Telling) -> None:
        event = telling.pay()
        telling.run()
        telling.world.clock.advance(1)
        telling.register(OTHER)
        telling.events.redeliver(MERCHANT, event.transaction_id, event.seq)
        telling.world.deliveries.sent.clear()
        telling.let_pass(180)
        assert [post.url for post in telling.sender.posts] == [OTHER]

    def test_not_where_nobody_wants_to_know(self, telling: Telling) -> None:
        event = telling.pay()
        telling.register(URL, "payment.failed")
        with pytest.raises(Refusal) as refused:
            telling.events.redeliver(MERCHANT, event.transaction_id, event.seq)
        assert refused.value.code == "invalid_state"

    @pytest.mark.parametrize(("merchant", "seq"), [("bcme", 2), (MERCHANT, 1), (MERCHANT, 99)])
    def test_not_of_another_merchant_nor_what_was_never_announced(
        self, telling: Telling, merchant: str, seq: int
    ) -> None:
        telling.register()
        event = telling.pay()
        with pytest.raises(Refusal) as refused:
            telling.events.redeliver(merchant, event.transaction_id, seq)
        assert refused.value.code == "not_found"

    def test_the_list_has_what_was_announced_newest_first(self, telling: Telling) -> None:
        events = []
        for number in range(3):
            events.append(telling.pay(f"order-{number}"))
            telling.world.clock.advance(1)
        query = AnnouncementQuery(merchant_id=MERCHANT, from_ms=0, until_ms=telling.world.clock.now_ms(), limit=10)
        assert [a.event_id for a in telling.events.page(query).items] == [e.event_id for e in reversed(events)]


def test_a_message_for_what_is_not_there_is_handled(telling: Telling) -> None:
    telling.deliver(DeliveryJob(merchant_id=MERCHANT, transaction_id="pay_x", seq=1), compose_message)
    assert telling.sender.posts == []


def test_an_event_that_kept_changing_comes_back(telling: Telling) -> None:
    telling.register()
    event = telling.pay()
    telling.announcements.save = lambda before, after: False
    with pytest.raises(StorageUnavailableError):
        telling.wake(event)


def test_a_book_that_was_changed_meanwhile_keeps_that_change(telling: Telling) -> None:
    telling.register()
    telling.sender.answers[URL] = [Answered(status=410)]
    event = telling.pay()
    save = telling.books.save

    def meanwhile(before: object, after: object) -> bool:
        telling.books.save = save
        telling.register(OTHER)
        return save(before, after)

    telling.books.save = meanwhile
    telling.wake(event)
    found = {e.url: e.status for e in telling.manage.list(MERCHANT)}
    assert found == {URL: EndpointStatus.DISABLED, OTHER: EndpointStatus.ENABLED}


def _broken(before: Announcement, after: Announcement) -> bool:
    raise StorageUnavailableError("the database did not answer")
