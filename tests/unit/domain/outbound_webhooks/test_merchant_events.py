"""What merchants are told of, whom, and when again."""

from dataclasses import replace

import pytest

from payflowx.domain.outbound_webhooks.endpoints import (
    DisabledReason,
    Endpoint,
    EndpointStatus,
    WebhookEndpoints,
    derive_endpoint_id,
    rotated,
)
from payflowx.domain.outbound_webhooks.merchant_events import (
    Answered,
    Delivery,
    DeliveryState,
    MerchantEvent,
    NotAnswered,
    after_deliveries,
    after_try,
    event_id,
    parse_event_id,
    planned,
    ready,
    why_to_disable,
)
from payflowx.domain.payments.event_types import EVENT_TYPES, operation_event_type, payment_event_type
from payflowx.domain.shared.backoff import delivery_delay_ms
from payflowx.domain.shared.limits import DAY_MS, DELIVERY_GRACE_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus

NOW = 1_790_000_000_000


def merchant_event(**changes: object) -> MerchantEvent:
    values: dict[str, object] = {
        "merchant_id": "acme",
        "transaction_id": "pay_aaaaaaaaaaaaaaaa",
        "seq": 2,
        "number": 1,
        "event_type": "payment.succeeded",
        "status_from": PaymentStatus.PENDING,
        "status_to": PaymentStatus.SUCCESS,
        "operation_id": None,
        "at_ms": NOW,
        "due_at_ms": NOW + DELIVERY_GRACE_MS,
        **changes,
    }
    return MerchantEvent(**values)


def endpoint(name: str = "a", **changes: object) -> Endpoint:
    values: dict[str, object] = {
        "endpoint_id": f"we_{name * 16}",
        "url": f"https://{name}.example.com",
        "event_types": (),
        "encrypted_secret": "sealed",
        "created_at_ms": NOW - 1,
        "updated_at_ms": NOW - 1,
        **changes,
    }
    return Endpoint(**values)


class TestTopics:
    def test_every_status_has_a_name_and_every_name_is_known(self) -> None:
        before = PaymentStatus.PENDING
        names = {payment_event_type(before, status) for status in PaymentStatus if status is not before}
        names |= {
            operation_event_type(kind, OperationStatus.PENDING, status)
            for kind in OperationKind
            for status in OperationStatus
            if status is not OperationStatus.PENDING
        }
        assert names < EVENT_TYPES
        assert "payment.succeeded" in names
        assert "refund.in_review" in names

    def test_a_status_that_stays_is_no_news(self) -> None:
        assert payment_event_type(PaymentStatus.SUCCESS, PaymentStatus.SUCCESS) is None
        assert operation_event_type(OperationKind.REFUND, OperationStatus.PENDING, OperationStatus.PENDING) is None

    def test_the_merchant_knows_what_it_has_asked_for(self) -> None:
        assert operation_event_type(OperationKind.REFUND, None, OperationStatus.PENDING) is None


class TestSchedule:
    def test_ten_tries_in_a_little_more_than_three_days(self) -> None:
        delays = [delivery_delay_ms(attempts, 0.0) for attempts in range(1, 10)]
        assert delays[:4] == [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS]
        assert 3 * DAY_MS < sum(d for d in delays if d) < 3.25 * DAY_MS
        assert delivery_delay_ms(10, 0.0) is None

    def test_jitter_only_prolongs_by_a_fifth_at_most(self) -> None:
        for attempts in range(1, 10):
            plain, latest = delivery_delay_ms(attempts, 0.0), delivery_delay_ms(attempts, 0.999)
            assert plain is not None
            assert latest is not None
            assert plain < latest <= plain * 1.2

    def test_retry_after_is_honoured_up_to_a_day(self) -> None:
        assert delivery_delay_ms(1, 0.0, 600) == 600 * SECOND_MS
        assert delivery_delay_ms(1, 0.0, 10**9) == DAY_MS
        assert delivery_delay_ms(5, 0.0, 1) == 5 * HOUR_MS, "it never hastens a try"

    def test_retry_after_buys_no_further_try(self) -> None:
        assert delivery_delay_ms(10, 0.0, 60) is None


class TestPlan:
    def test_all_who_were_there_and_want_to_know(self) -> None:
        endpoints = [
            endpoint("a"),
            endpoint("b", event_types=("payment.succeeded",)),
            endpoint("c", event_types=("payment.failed",)),
            endpoint("d", status=EndpointStatus.DISABLED),
            endpoint("e", created_at_ms=NOW + 1),
        ]
        plan = planned(merchant_event(), endpoints, NOW)
        assert set(plan.deliveries) == {endpoints[0].endpoint_id, endpoints[1].endpoint_id}
        assert set(ready(plan, NOW)) == set(plan.deliveries)

    def test_it_is_made_once(self) -> None:
        plan = planned(merchant_event(), [], NOW)
        assert planned(plan, [endpoint()], NOW) == plan
        assert plan.planned

    def test_nobody_to_tell_is_nothing_to_do(self) -> None:
        plan = planned(merchant_event(), [], NOW)
        assert after_deliveries(plan, plan.deliveries, NOW) == (replace(plan, due_at_ms=None), None)


class TestTries:
    def test_only_2xx_is_taken(self) -> None:
        for status in (100, 199, 300, 301, 302, 304, 307, 400, 404, 429, 500):
            assert after_try(Delivery(), Answered(status=status), NOW, 0.0).state is DeliveryState.PENDING
        for status in (200, 201, 202, 204, 299):
            assert after_try(Delivery(), Answered(status=status), NOW, 0.0).state is DeliveryState.DELIVERED

    def test_the_tenth_failure_is_the_last(self) -> None:
        delivery = Delivery()
        for _ in range(9):
            delivery = after_try(delivery, NotAnswered(code="too_slow"), NOW, 0.0)
            assert delivery.state is DeliveryState.PENDING
        delivery = after_try(delivery, Answered(status=500), NOW, 0.0)
        assert (delivery.state, delivery.attempts, delivery.status) == (DeliveryState.FAILED, 10, 500)

    def test_what_was_delivered_stays_delivered(self) -> None:
        done = after_try(Delivery(), Answered(status=204), NOW, 0.0)
        assert after_try(done, NotAnswered(code="too_slow"), NOW, 0.0) == done

    def test_a_short_wait_is_a_message_and_a_long_one_is_left_to_the_sweeper(self) -> None:
        soon = {"we_a": Delivery(next_at_ms=NOW + 5 * SECOND_MS)}
        later = {"we_a": Delivery(next_at_ms=NOW + HOUR_MS)}
        assert after_deliveries(merchant_event(), soon, NOW)[1] == 5
        assert after_deliveries(merchant_event(), soon, NOW)[0].due_at_ms == NOW + 5 * SECOND_MS + DELIVERY_GRACE_MS
        after, wake_in_seconds = after_deliveries(merchant_event(), later, NOW)
        assert (after.due_at_ms, wake_in_seconds) == (NOW + HOUR_MS, None)

    def test_the_next_try_of_any_endpoint_is_when_the_event_is_due(self) -> None:
        deliveries = {
            "we_a": Delivery(next_at_ms=NOW + 5 * HOUR_MS),
            "we_b": Delivery(next_at_ms=NOW + 2 * HOUR_MS),
            "we_c": Delivery(state=DeliveryState.DELIVERED, next_at_ms=0),
        }
        assert after_deliveries(merchant_event(), deliveries, NOW)[0].due_at_ms == NOW + 2 * HOUR_MS


class TestEndpoints:
    def test_410_disables_at_once(self) -> None:
        assert why_to_disable(endpoint(), Answered(status=410), NOW) is DisabledReason.GONE

    @pytest.mark.parametrize(("since", "reason"), [(3 * DAY_MS - 1, None), (3 * DAY_MS, DisabledReason.FAILING)])
    def test_three_days_of_failure_disable(self, since: int, reason: DisabledReason | None) -> None:
        failing = endpoint(failing_since_ms=NOW - since)
        assert why_to_disable(failing, NotAnswered(code="too_slow"), NOW) is reason

    def test_a_success_never_disables(self) -> None:
        failing = endpoint(failing_since_ms=NOW - 9 * DAY_MS)
        assert why_to_disable(failing, Answered(status=200), NOW) is None

    def test_two_secrets_sign_for_a_day_after_a_rotation(self) -> None:
        renewed = rotated(endpoint(encrypted_secret="old"), "new", NOW)
        assert list(renewed.encrypted_secrets(NOW + DAY_MS - 1)) == ["new", "old"]
        assert list(renewed.encrypted_secrets(NOW + DAY_MS)) == ["new"]
        again = rotated(renewed, "newest", NOW + 1)
        assert list(again.encrypted_secrets(NOW + 1)) == ["newest", "new"]

    def test_an_address_has_one_id_a_merchant(self) -> None:
        assert derive_endpoint_id("acme", "https://a.example.com") == derive_endpoint_id(
            "acme", "https://a.example.com"
        )
        assert derive_endpoint_id("acme", "https://a.example.com") != derive_endpoint_id(
            "bcme", "https://a.example.com"
        )

    def test_a_book_counts_its_changes(self) -> None:
        book = WebhookEndpoints(merchant_id="acme").with_endpoint(endpoint("a")).with_endpoint(endpoint("b"))
        changed = book.with_endpoint(endpoint("a", url="https://new.example.com")).without(endpoint("b").endpoint_id)
        assert changed.version == 4
        assert [e.url for e in changed.endpoints] == ["https://new.example.com"]

    def test_no_secret_shows_in_a_log(self) -> None:
        assert "sealed" not in repr(rotated(endpoint(), "sealed-2", NOW)).replace("sealed_", "")


class TestUndelivered:
    def test_it_waits_until_its_endpoints_are_selected(self) -> None:
        assert merchant_event().is_undelivered

    def test_an_event_that_was_never_due_waits_for_nobody(self) -> None:
        assert not merchant_event(due_at_ms=None).is_undelivered

    @pytest.mark.parametrize("state", DeliveryState)
    def test_one_endpoint_that_has_not_taken_it_is_enough(self, state: DeliveryState) -> None:
        deliveries = {"we_a": Delivery(state=DeliveryState.DELIVERED), "we_b": Delivery(state=state)}
        event = merchant_event(planned=True, due_at_ms=None, deliveries=deliveries)
        assert event.is_undelivered == (state is not DeliveryState.DELIVERED)

    def test_no_endpoint_subscribed(self) -> None:
        assert not merchant_event(planned=True, due_at_ms=None).is_undelivered


class TestIds:
    def test_an_id_names_its_item(self) -> None:
        assert parse_event_id(event_id("pay_abcdefgh234567ab", 12)) == ("pay_abcdefgh234567ab", 12)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "evt_",
            "evt_abcdefgh234567ab_0",
            "evt_abcdefgh234567ab_01",
            "evt_abcdefgh234567ab_1234567",
            "evt_ABCDEFGH234567AB_1",
            "evt_abcdefgh234567ab_1\n",
            "pay_abcdefgh234567ab",
        ],
    )
    def test_anything_else_is_none(self, text: str) -> None:
        assert parse_event_id(text) is None
