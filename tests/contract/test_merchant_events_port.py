"""What webhooks to merchants rely on: stores and cipher, over the models and over the local engine; messages."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.webhooks.endpoints import DynamoDBWebhookEndpoints
from payflowx.adapters.sqs.messages import DELIVERIES
from payflowx.adapters.webhooks.cipher import KmsSecretCipher
from payflowx.application.operators.verify_audit_log import VerifyAuditLog
from payflowx.domain.outbound_webhooks.endpoints import DisabledReason, Endpoint, EndpointStatus, WebhookEndpoints
from payflowx.domain.outbound_webhooks.merchant_events import Delivery, DeliveryState, MerchantEvent, merchant_event_of
from payflowx.domain.outbound_webhooks.ports import DeliveryJob, MerchantEventQuery
from payflowx.domain.payments.ports import Due, DueKind
from payflowx.domain.payments.retry import FailureReason
from payflowx.domain.shared.errors import StorageUnavailableError, UnreadableMessageError
from payflowx.domain.shared.limits import DAY_MS, DUE_SHARDS, MINUTE_MS
from payflowx.wiring.api import ApiWiring
from testing.kms import Kms
from tests.support.memory import NOW_MS, ManualClock, cache_of
from tests.support.tables import CONFIGURATION, TRANSACTIONS
from tests.support.world import MERCHANT, World

STOP = FailureReason(code="retries_exhausted", message="Every allowed attempt was made.")


class Stores:
    """The payments, and the merchant events over them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.payments, self.due_items = world.payments, world.due_items
        self.merchant_events = world.wired(ApiWiring).merchant_events

    def publish(self, key: str = "order-1") -> MerchantEvent:
        """A payment that fails; its event as stored."""
        from payflowx.domain.payments.change import Context
        from payflowx.domain.payments.state_machine import fail_payment

        payment = self.world.accept(key)
        now_ms = self.world.clock.now_ms()
        change = fail_payment(
            payment, STOP, Context(now_ms=now_ms, actor="worker", holds_lease=True, policy=self.world.policy)
        )
        self.payments.commit(change)
        merchant_event = merchant_event_of(change)
        assert merchant_event is not None
        return merchant_event

    def get(self, of: MerchantEvent) -> MerchantEvent:
        found = self.merchant_events.get(of.merchant_id, of.transaction_id, of.seq)
        assert found is not None
        return found

    def due(self, until_ms: int) -> list[Due]:
        return [
            due
            for shard in range(DUE_SHARDS)
            for page in self.due_items.pages(shard, until_ms)
            for due in page
            if isinstance(due, Due) and due.kind is DueKind.EVENT
        ]


@pytest.fixture
def stores(world: World) -> Stores:
    return Stores(world)


class TestMerchantEvents:
    def test_the_transaction_of_the_change_makes_the_event_due(self, stores: Stores) -> None:
        announced = stores.publish()
        assert stores.get(announced) == announced
        assert (announced.event_type, announced.number) == ("payment.failed", 1)
        (due,) = stores.due(announced.due_at_ms or 0)
        assert (due.transaction_id, due.item_id) == (announced.transaction_id, "000002")
        assert stores.due((announced.due_at_ms or 0) - 1) == []

    def test_what_is_not_published_is_not_there(self, stores: Stores) -> None:
        announced = stores.publish()
        assert stores.merchant_events.get(MERCHANT, announced.transaction_id, 1) is None
        assert stores.merchant_events.get(MERCHANT, announced.transaction_id, 3) is None
        assert stores.merchant_events.get("bcme", announced.transaction_id, 2) is None

    def test_deliveries_are_stored_and_read_back(self, stores: Stores) -> None:
        before = stores.publish()
        deliveries = {
            "we_a": Delivery(attempts=2, next_at_ms=NOW_MS + DAY_MS, status=503),
            "we_b": Delivery(state=DeliveryState.DELIVERED, attempts=1, status=204),
            "we_c": Delivery(state=DeliveryState.FAILED, attempts=10, code="too_slow"),
        }
        after = replace(before, planned=True, deliveries=deliveries, due_at_ms=NOW_MS + DAY_MS, drives=0)
        assert stores.merchant_events.save(before, after)
        assert stores.get(before) == replace(after, version=1)
        assert [due.due_at_ms for due in stores.due(NOW_MS + DAY_MS)] == [NOW_MS + DAY_MS]

    def test_done_is_not_due(self, stores: Stores) -> None:
        before = stores.publish()
        assert stores.merchant_events.save(before, replace(before, planned=True, due_at_ms=None))
        assert stores.due(NOW_MS + 10 * DAY_MS) == []
        assert stores.get(before).planned

    def test_only_one_of_two_is_written(self, stores: Stores) -> None:
        before = stores.publish()
        assert stores.merchant_events.save(before, replace(before, planned=True))
        assert not stores.merchant_events.save(before, replace(before, due_at_ms=None))
        assert stores.get(before).due_at_ms is not None

    def test_the_sweepers_later_due_time_is_overwritten_by_an_outcome(self, stores: Stores) -> None:
        before = stores.publish()
        (due,) = stores.due(NOW_MS + DAY_MS)
        assert stores.due_items.postpone(due, due_at_ms=NOW_MS + DAY_MS, drives=3)
        assert stores.get(before).drives == 3
        assert stores.merchant_events.save(before, replace(before, planned=True, due_at_ms=None, drives=0))
        assert (stores.get(before).due_at_ms, stores.get(before).drives) == (None, 0)

    def test_delivering_leaves_the_audit_log_whole(self, stores: Stores) -> None:
        before = stores.publish()
        stores.merchant_events.save(before, replace(before, planned=True, due_at_ms=None))
        assert VerifyAuditLog(payments=stores.payments)(MERCHANT, before.transaction_id).is_intact

    def test_the_list_is_newest_first_in_pages_and_a_merchants_own(self, stores: Stores) -> None:
        events = []
        for number in range(7):
            events.append(stores.publish(f"order-{number}"))
            stores.world.clock.advance(DAY_MS / 4000)
        seen: list[str] = []
        position: str | None = None
        for _ in range(20):
            query = MerchantEventQuery(
                merchant_id=MERCHANT, from_ms=NOW_MS, until_ms=NOW_MS + 3 * DAY_MS, limit=3, position=position
            )
            page = stores.merchant_events.page(query)
            seen += [merchant_event.event_id for merchant_event in page.items]
            position = page.next_position
            if position is None:
                break
        assert seen == [event.event_id for event in reversed(events)]
        other = MerchantEventQuery(merchant_id="bcme", from_ms=NOW_MS, until_ms=NOW_MS + DAY_MS, limit=10)
        assert stores.merchant_events.page(other).items == []

    def test_payments_and_events_are_two_lists(self, stores: Stores) -> None:
        from payflowx.domain.payments.ports import PaymentQuery

        announced = stores.publish()
        page = stores.payments.page(
            PaymentQuery(merchant_id=MERCHANT, from_ms=NOW_MS, until_ms=NOW_MS + DAY_MS, status=None, limit=10)
        )
        assert [payment.transaction_id for payment in page.items] == [announced.transaction_id]


ENDPOINT = Endpoint(
    endpoint_id="we_aaaaaaaaaaaaaaaa",
    url="https://shop.example.com/hooks",
    event_types=("payment.failed",),
    encrypted_secret="c2VhbGVk",
    previous_encrypted_secret="b2xk",
    previous_until_ms=NOW_MS + DAY_MS,
    status=EndpointStatus.DISABLED,
    disabled_reason=DisabledReason.FAILING,
    failing_since_ms=NOW_MS - DAY_MS,
    created_at_ms=NOW_MS - 2 * DAY_MS,
    updated_at_ms=NOW_MS,
)
PLAIN = Endpoint(
    endpoint_id="we_bbbbbbbbbbbbbbbb",
    url="https://b.example.com",
    event_types=(),
    encrypted_secret="eA==",
    created_at_ms=NOW_MS,
    updated_at_ms=NOW_MS,
)


@pytest.fixture
def books(database: Any) -> DynamoDBWebhookEndpoints:
    return DynamoDBWebhookEndpoints(client=database, table=CONFIGURATION, transactions_table=TRANSACTIONS)


class TestEndpoints:
    def test_a_merchant_without_endpoints_has_an_empty_book(self, books: Any) -> None:
        assert books.get(MERCHANT) == WebhookEndpoints(merchant_id=MERCHANT)

    def test_what_is_saved_is_read_back(self, books: Any) -> None:
        empty = books.get(MERCHANT)
        both = empty.with_endpoint(ENDPOINT).with_endpoint(PLAIN)
        assert books.save(empty, both)
        assert books.get(MERCHANT) == both
        assert books.get("bcme").endpoints == ()

    def test_the_first_of_two_that_know_an_empty_book_wins(self, books: Any) -> None:
        empty = books.get(MERCHANT)
        assert books.save(empty, empty.with_endpoint(ENDPOINT))
        assert not books.save(empty, empty.with_endpoint(PLAIN))
        assert books.get(MERCHANT).endpoints == (ENDPOINT,)

    def test_a_book_that_was_changed_since_is_not_overwritten(self, books: Any) -> None:
        empty = books.get(MERCHANT)
        books.save(empty, empty.with_endpoint(ENDPOINT))
        seen = books.get(MERCHANT)
        assert books.save(seen, seen.without(ENDPOINT.endpoint_id))
        assert not books.save(seen, seen.with_endpoint(PLAIN))
        assert books.get(MERCHANT).endpoints == ()


class TestCipher:
    @pytest.fixture(params=["model", "engine"])
    def cipher(self, request: pytest.FixtureRequest) -> KmsSecretCipher:
        kms: Any = Kms()
        key = "key"
        if request.param == "engine":
            kms = request.getfixturevalue("engine").client("kms")
            key = kms.create_key()["KeyMetadata"]["Arn"]
        return KmsSecretCipher(client=kms, key_arn=key, cache=cache_of(ManualClock())(MINUTE_MS))

    def test_a_secret_comes_back_and_is_not_seen_in_between(self, cipher: KmsSecretCipher) -> None:
        encrypted = cipher.encrypt("whsec_abc", merchant_id=MERCHANT, endpoint_id="we_a")
        assert "abc" not in encrypted
        assert cipher.open(encrypted, merchant_id=MERCHANT, endpoint_id="we_a") == "whsec_abc"

    @pytest.mark.parametrize(("merchant", "endpoint"), [("bcme", "we_a"), (MERCHANT, "we_b")])
    def test_it_opens_for_its_owner_only(self, cipher: KmsSecretCipher, merchant: str, endpoint: str) -> None:
        encrypted = cipher.encrypt("whsec_abc", merchant_id=MERCHANT, endpoint_id="we_a")
        with pytest.raises(StorageUnavailableError):
            cipher.open(encrypted, merchant_id=merchant, endpoint_id=endpoint)

    @pytest.mark.parametrize("encrypted", ["", "no base64!", "AAAA"])
    def test_what_was_never_encrypted_does_not_open(self, cipher: KmsSecretCipher, encrypted: str) -> None:
        with pytest.raises(StorageUnavailableError):
            cipher.open(encrypted, merchant_id=MERCHANT, endpoint_id="we_a")


class TestMessages:
    def test_a_job_travels(self) -> None:
        job = DeliveryJob(merchant_id=MERCHANT, transaction_id="pay_a", seq=7, correlation_id="req-1")
        assert DELIVERIES.decode(DELIVERIES.encode(job, None)) == job

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "null",
            "[]",
            "{}",
            '{"format":2,"merchant_id":"a","transaction_id":"p","seq":1}',
            '{"format":1,"merchant_id":"a","transaction_id":"p"}',
            '{"format":1,"merchant_id":"a","transaction_id":"p","seq":"1"}',
            '{"format":1,"merchant_id":"a","transaction_id":"p","seq":true}',
            '{"format":1,"merchant_id":1,"transaction_id":"p","seq":1}',
            "[" * 100_000,
        ],
    )
    def test_anything_else_is_refused(self, body: str) -> None:
        with pytest.raises(UnreadableMessageError):
            DELIVERIES.decode(body)
