"""What the use cases rely on of the `Payments` store, over the model and over the local engine."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.payments.due_items import DynamoDBDueItems
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.application.operators.verify_audit_log import VerifyAuditLog
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, Context
from payflowx.domain.payments.checkout import Checkout, Presentation
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.outcome import Declined, Unknown
from payflowx.domain.payments.payment import Layout, Lease, Payment
from payflowx.domain.payments.ports import (
    Created,
    Due,
    DueKind,
    Existing,
    PaymentQuery,
    ReferenceTaken,
    Stored,
    VersionConflict,
)
from payflowx.domain.payments.retry import FailureReason
from payflowx.domain.payments.state_machine import apply_outcome, fail_payment
from payflowx.domain.payments.work_item import OwnerId
from payflowx.domain.shared.identifiers import derive_transaction_id
from payflowx.domain.shared.limits import DAY_MS, DUE_AFTER_LEASE_MS, DUE_SHARDS, LEASE_MS, MAX_ATTEMPTS
from payflowx.domain.shared.statuses import DeclineKind, PaymentStatus
from tests.support.memory import NOW_MS
from tests.support.scripted import charged
from tests.support.world import MERCHANT, World

Store = Any


@pytest.fixture
def store(world: World) -> DynamoDBPayments:
    return world.payments


@pytest.fixture
def due_items(world: World) -> DynamoDBDueItems:
    return world.due_items


def attempt_for(payment: Payment, *, number: int = 1, epoch: int = 1) -> Attempt:
    return Attempt(
        number=number,
        provider="alpha",
        account_id="main",
        provider_key=f"pfx-{payment.transaction_id[4:]}-{number}",
        request_hash="h" * 64,
        epoch=epoch,
        started_at_ms=NOW_MS,
    )


def claim(
    store: Store,
    payment: Payment,
    *,
    owner: str = "me",
    append: bool = True,
    now_ms: int = NOW_MS,
    leaves_due: bool = False,
) -> Any:
    epoch = payment.lease.epoch + 1
    number = len(payment.attempts) + 1
    return store.claim(
        OwnerId(merchant_id=MERCHANT, transaction_id=payment.transaction_id),
        version=payment.version,
        lease=Lease(owner=owner, epoch=epoch, expires_at_ms=now_ms + LEASE_MS),
        now_ms=now_ms,
        layout=payment.layout,
        leaves_due=leaves_due,
        append=attempt_for(payment, number=number, epoch=epoch) if append else None,
    )


def success(world: World, payment: Payment, reference: str = "ch_1") -> Change:
    attempt = payment.attempts[-1]
    charge = world.providers.get("alpha")
    answer = replace(
        charged(_charge(payment), reference), merchant_reference=attempt.provider_key, amount=payment.amount
    )
    context = Context(now_ms=NOW_MS + 1, actor="worker", holds_lease=True, policy=world.policy, able=charge.able)
    change = apply_outcome(payment, attempt, answer, context)
    assert change is not None
    return change


def _charge(payment: Payment) -> Any:
    from payflowx.application.payments.charge_request import charge_request_of

    return charge_request_of(payment, payment.attempts[-1])


def repeated(put: Callable[..., Any]) -> Callable[..., Any]:
    """A write as it is after the SDK has sent it twice, because the first answer was lost."""

    def call(**request: Any) -> Any:
        try:
            return put(**request)
        except ClientError as error:
            error.response["ResponseMetadata"] = {"RetryAttempts": 1}  # type: ignore[typeddict-item]
            raise

    return call


class TestCreate:
    def test_a_payment_comes_back_as_it_was_stored(self, store: Store, world: World) -> None:
        payment = world.accept()
        assert store.get(MERCHANT, payment.transaction_id) == payment

    def test_a_taken_id_gives_the_payment_that_has_it_and_writes_nothing(self, store: Store, world: World) -> None:
        first = world.accept()
        event = first_event(store, first)
        result = store.create(replace(first, fingerprint="other"), event, "order-1")
        assert result == Existing(transaction_id=first.transaction_id, fingerprint=first.fingerprint)
        assert result.payment == first

    def test_a_payment_is_found_by_its_key_without_a_row(self, store: Store, world: World) -> None:
        first = world.accept()
        assert store.find_key(MERCHANT, "order-1").payment == first
        assert store.find_key(MERCHANT, "another-key") is None
        row = {"pk": {"S": keys.idempotency_partition(MERCHANT, "order-1")}}
        assert "Item" not in world.dynamodb.get_item(TableName=store.idempotency_table, Key=row)

    def test_our_own_write_whose_answer_was_lost_is_recognized(
        self, store: Store, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The SDK repeats the write. A claim in between changes neither the event nor the request."""
        first = world.accept()
        claimed = claim(store, first).item
        monkeypatch.setattr(store.client, "put_item", repeated(store.client.put_item), raising=False)
        again = store.create(first, first_event(store, first), "order-1")
        assert isinstance(again, Created)
        assert again.item == claimed

    def test_the_same_request_in_the_same_millisecond_is_a_repeat(self, store: Store, world: World) -> None:
        """The SDK sent this one once: another caller wrote what it finds."""
        first = world.accept()
        assert isinstance(store.create(first, first_event(store, first), "order-1"), Existing)

    def test_another_request_of_the_same_millisecond_is_not_ours(self, store: Store, world: World) -> None:
        """Its event is the same: the event names the amount, and not all of the request."""
        first = world.accept()
        other = replace(first, description="another", fingerprint="other")
        assert isinstance(store.create(other, first_event(store, first), "order-1"), Existing)

    def test_merchants_do_not_share_keys(self, store: Store, world: World) -> None:
        mine = world.accept()
        theirs = replace(mine, merchant_id="other", transaction_id=derive_transaction_id("other", "order-1"))
        moved = replace(first_event(store, mine), merchant_id="other", transaction_id=theirs.transaction_id)
        assert isinstance(store.create(theirs, moved, "order-1"), Created)
        assert store.get("other", mine.transaction_id) is None
        assert store.find_key("other", "order-1").transaction_id == theirs.transaction_id


class TestFullLayout:
    """As release 0.2.0 reads it, with a row for the key and an item for the first event."""

    @pytest.fixture
    def world(self, database: Any) -> World:
        return World(database=database, compact=False)

    def test_a_used_key_gives_the_first_payment_and_writes_nothing(self, store: Store, world: World) -> None:
        first = world.accept()
        other = replace(first, transaction_id="pay_aaaaaaaaaaaaaaaa", fingerprint="other", amount=5)
        event = replace(first_event(store, first), transaction_id=other.transaction_id)
        result = store.create(other, event, "order-1")
        assert result == Existing(transaction_id=first.transaction_id, fingerprint=first.fingerprint)
        assert store.get(MERCHANT, other.transaction_id) is None

    def test_a_lost_key_row_cannot_make_a_second_payment(self, store: Store, world: World) -> None:
        first = world.accept()
        result = store.create(replace(first, fingerprint="other"), first_event(store, first), "another-key")
        assert result == Existing(transaction_id=first.transaction_id, fingerprint=first.fingerprint)
        assert store.find_key(MERCHANT, "another-key") is None

    def test_the_row_of_a_key_whose_payment_was_lost_is_still_read(self, store: Store, world: World) -> None:
        first = world.accept()
        world.forget(keys.payment_key(MERCHANT, first.transaction_id))
        assert store.find_key(MERCHANT, "order-1").transaction_id == first.transaction_id

    def test_a_replay_in_the_other_layout_gives_the_same_payment(self, store: Store, world: World) -> None:
        first = world.accept()
        world.compact = True
        world.deploy()
        again = world.accept()
        assert (again, again.layout) == (first, Layout.FULL)


def first_event(store: Store, payment: Payment) -> Event:
    event: Event = store.events(MERCHANT, payment.transaction_id, after_seq=0, limit=9).items[0]
    return event


class TestFirstEvent:
    def test_it_is_read_from_the_payment_and_then_from_the_second_item(self, store: Store, world: World) -> None:
        payment = world.accept()
        held = store.events(MERCHANT, payment.transaction_id, after_seq=0, limit=9)
        assert ([event.seq for event in held.items], held.next_seq) == ([1], None)
        assert [item["sk"] for item in world.items_of(payment)] == ["PAYMENT"]
        world.work()
        stored = store.events(MERCHANT, payment.transaction_id, after_seq=0, limit=9)
        assert stored.items[0] == held.items[0]
        assert [event.seq for event in stored.items] == [1, 2]
        assert [item["sk"] for item in world.items_of(payment)] == ["EVENT#000002", "PAYMENT"]
        assert not world.now(payment).holds_first_event

    def test_pages_of_one_show_each_event_once(self, store: Store, world: World) -> None:
        payment = world.accept()
        world.work()
        first = store.events(MERCHANT, payment.transaction_id, after_seq=0, limit=1)
        assert ([event.seq for event in first.items], first.next_seq) == ([1], 1)
        second = store.events(MERCHANT, payment.transaction_id, after_seq=1, limit=1)
        assert [event.seq for event in second.items] == [2]

    def test_a_payment_that_was_altered_before_its_second_event_shows_it(self, store: Store, world: World) -> None:
        payment = world.accept()
        world.store(replace(payment, amount=1))
        assert VerifyAuditLog(payments=store)(MERCHANT, payment.transaction_id).faults == ("event 1 was altered",)

    def test_the_second_event_may_be_that_of_an_operation_or_a_cancellation(self, store: Store, world: World) -> None:
        payment = world.accept()
        world.cancel(MERCHANT, payment.transaction_id)
        assert [event.seq for event in world.events_of(payment)] == [1, 2]
        assert world.now(payment).status is PaymentStatus.CANCELLED

    def test_a_write_between_the_two_reads_is_seen(self, store: Store, world: World) -> None:
        payment = world.accept()
        world.before_next("get_item", world.work, "PAYMENT")
        found = store.events(MERCHANT, payment.transaction_id, after_seq=0, limit=9).items
        assert [event.seq for event in found] == [1, 2]


class TestDueTimeOfAClaim:
    @pytest.mark.parametrize("seconds", [0, 15, 30])
    def test_one_that_comes_soon_after_the_lease_stays(self, store: Store, world: World, seconds: int) -> None:
        payment = world.accept()
        world.clock.advance(seconds)
        claimed = claim(store, payment, now_ms=world.clock.now_ms(), leaves_due=True)
        assert claimed.item.due_at_ms == payment.due_at_ms

    @pytest.mark.parametrize("moved_seconds", [-31, 16, 3_600])
    def test_one_that_comes_too_early_or_too_late_is_set(
        self, store: Store, world: World, due_items: DynamoDBDueItems, moved_seconds: int
    ) -> None:
        """The stored time counts: a sweeper may have moved it since the message was made."""
        payment = world.accept()
        due_at_ms = payment.due_at_ms or 0
        due = Due(merchant_id=MERCHANT, transaction_id=payment.transaction_id, due_at_ms=due_at_ms)
        assert due_items.postpone(due, due_at_ms=due_at_ms + moved_seconds * 1_000, drives=1)
        claimed = claim(store, payment, leaves_due=True)
        assert claimed.item.due_at_ms == claimed.item.lease.expires_at_ms + DUE_AFTER_LEASE_MS
        assert len(claimed.item.attempts) == 1

    def test_that_of_a_checkout_is_set(self, store: Store, world: World) -> None:
        payment = world.accept()
        checkout = Checkout(expires_at_ms=NOW_MS + 1, address=None, methods=(), presentation=Presentation.PAGE)
        world.store(replace(payment, checkout=checkout))
        claimed = claim(store, payment, leaves_due=True)
        assert claimed.item.due_at_ms == claimed.item.lease.expires_at_ms + DUE_AFTER_LEASE_MS


class TestClaim:
    def test_it_stores_the_attempt_and_the_lease_in_one_step(self, store: Store, world: World) -> None:
        payment = world.accept()
        result = claim(store, payment)
        assert isinstance(result, Stored)
        assert result.item == store.get(MERCHANT, payment.transaction_id)
        assert (result.item.version, len(result.item.attempts)) == (2, 1)
        assert result.item.lease == Lease(owner="me", epoch=1, expires_at_ms=NOW_MS + LEASE_MS)

    def test_the_second_of_two_is_told_what_is_stored(self, store: Store, world: World) -> None:
        payment = world.accept()
        first = claim(store, payment, owner="me")
        second = claim(store, payment, owner="you")
        assert second == VersionConflict(item=first.item)

    def test_a_live_lease_is_respected_and_a_dead_one_is_not(self, store: Store, world: World) -> None:
        payment = claim(store, world.accept()).item
        end_ms = payment.lease.expires_at_ms
        assert isinstance(claim(store, payment, owner="you", append=False, now_ms=end_ms - 1), VersionConflict)
        taken = claim(store, payment, owner="you", append=False, now_ms=end_ms)
        assert isinstance(taken, Stored)
        assert taken.item.lease.epoch == 2

    def test_a_payment_that_is_not_there(self, store: Store, world: World) -> None:
        payment = replace(world.accept(), transaction_id="pay_cccccccccccccccc")
        assert claim(store, payment) == VersionConflict(item=None)

    def test_a_charged_payment_takes_no_further_attempt(self, store: Store, world: World) -> None:
        payment = claim(store, world.accept()).item
        charged_payment = store.commit(success(world, payment)).item
        assert isinstance(claim(store, charged_payment, now_ms=NOW_MS + DAY_MS), VersionConflict)

    def test_attempts_are_bounded(self, store: Store, world: World) -> None:
        payment = world.accept()
        for number in range(MAX_ATTEMPTS):
            payment = claim(store, payment, now_ms=NOW_MS + number * (LEASE_MS + 1)).item
        assert claim(store, payment, now_ms=NOW_MS + DAY_MS) == VersionConflict(item=payment)


class TestCommit:
    def test_payment_event_and_reference_together(self, store: Store, world: World) -> None:
        payment = claim(store, world.accept()).item
        change = success(world, payment)
        assert store.commit(change) == Stored(item=change.after)
        assert store.get(MERCHANT, payment.transaction_id) == change.after
        audit_log = store.events(MERCHANT, payment.transaction_id, after_seq=0, limit=9).items
        assert [event.seq for event in audit_log] == [1, 2]
        assert audit_log[-1] == change.event

    def test_an_older_epoch_writes_nothing(self, store: Store, world: World) -> None:
        old = claim(store, world.accept()).item
        new = claim(store, old, owner="you", append=False, now_ms=NOW_MS + LEASE_MS).item
        assert store.commit(success(world, old)) == VersionConflict(item=new)
        assert len(store.events(MERCHANT, old.transaction_id, after_seq=0, limit=9).items) == 1

    def test_a_reference_has_one_owner(self, store: Store, world: World) -> None:
        first = claim(store, world.accept("a")).item
        second = claim(store, world.accept("b")).item
        store.commit(success(world, first, "ch_same"))
        assert store.commit(success(world, second, "ch_same")) == ReferenceTaken()
        assert store.get(MERCHANT, second.transaction_id) == second

    def test_a_change_without_a_provider(self, store: Store, world: World) -> None:
        payment = world.accept()
        stop = FailureReason(code="cancelled", message="")
        change = fail_payment(payment, stop, Context(now_ms=NOW_MS, actor="api", policy=world.policy))
        stored = store.commit(change).item
        assert (stored.status, stored.due_at_ms) == (PaymentStatus.CANCELLED, None)
        assert isinstance(store.commit(change), Stored | VersionConflict)

    def test_progress_is_stored_under_the_lease_only(self, store: Store, world: World) -> None:
        old = claim(store, world.accept()).item
        kept = store.save_progress(old, 1, {"order_id": "o-1"})
        assert kept.item.attempts[0].progress == {"order_id": "o-1"}
        assert isinstance(store.save_progress(old, 1, {"order_id": "o-2"}), VersionConflict)

    def test_drives_are_counted_anew_after_news(self, store: Store, due_items: Any, world: World) -> None:
        payment = claim(store, world.accept()).item
        due = Due(merchant_id=MERCHANT, transaction_id=payment.transaction_id, due_at_ms=payment.due_at_ms or 0)
        assert due_items.postpone(due, due_at_ms=due.due_at_ms + 5, drives=7)
        decline = Declined(kind=DeclineKind.SOFT, code="bank")
        context = Context(now_ms=NOW_MS, actor="worker", holds_lease=True, policy=world.policy)
        change = apply_outcome(payment, payment.attempts[0], decline, context)
        assert change is not None
        assert store.commit(change).item.drives == 0
        assert store.get(MERCHANT, payment.transaction_id).drives == 0


class TestDue:
    def test_what_is_due_is_found_once_and_moved_once(self, store: Store, due_items: Any, world: World) -> None:
        payment = world.accept()
        due_at_ms = payment.due_at_ms or 0
        found = [d for s in range(DUE_SHARDS) for page in due_items.pages(s, due_at_ms) for d in page]
        assert found == [Due(merchant_id=MERCHANT, transaction_id=payment.transaction_id, due_at_ms=due_at_ms)]
        assert not [d for s in range(DUE_SHARDS) for page in due_items.pages(s, due_at_ms - 1) for d in page]
        assert due_items.postpone(found[0], due_at_ms=due_at_ms + 60_000, drives=1)
        assert not due_items.postpone(found[0], due_at_ms=due_at_ms + 90_000, drives=1)

    def test_a_final_payment_is_not_due(self, store: Store, due_items: Any, world: World) -> None:
        payment = claim(store, world.accept()).item
        store.commit(success(world, payment))
        later = NOW_MS + 10 * DAY_MS
        due = [d for s in range(DUE_SHARDS) for page in due_items.pages(s, later) for d in page]
        assert [(d.kind, d.item_id) for d in due] == [(DueKind.EVENT, "000002")]


class TestLists:
    @pytest.fixture
    def payments(self, world: World) -> list[Payment]:
        made = []
        for number in range(7):
            made.append(world.accept(f"order-{number}"))
            world.clock.advance(20 * 3600)
        return made

    def query(self, **changes: Any) -> PaymentQuery:
        values = {
            "from_ms": NOW_MS - DAY_MS,
            "until_ms": NOW_MS + 30 * DAY_MS,
            "status": None,
            "limit": 3,
            **changes,
        }
        return PaymentQuery(merchant_id=MERCHANT, **values)

    def walk(self, store: Store, query: PaymentQuery) -> list[Payment]:
        found: list[Payment] = []
        for _ in range(40):
            page = store.page(query)
            assert len(page.items) <= query.limit
            found += page.items
            if page.next_position is None:
                return found
            query = replace(query, position=page.next_position)
        raise AssertionError("the list does not end")

    def test_newest_first_each_once(self, store: Store, payments: list[Payment]) -> None:
        assert self.walk(store, self.query()) == payments[::-1]

    @pytest.mark.parametrize("limit", [1, 2, 7, 100])
    def test_whatever_the_page_size(self, store: Store, payments: list[Payment], limit: int) -> None:
        assert self.walk(store, self.query(limit=limit)) == payments[::-1]

    def test_times_are_from_inclusive_and_until_exclusive(self, store: Store, payments: list[Payment]) -> None:
        query = self.query(from_ms=payments[2].created_at_ms, until_ms=payments[5].created_at_ms)
        assert self.walk(store, query) == payments[2:5][::-1]

    def test_by_status(self, store: Store, world: World, payments: list[Payment]) -> None:
        claimed = claim(store, payments[3], now_ms=payments[3].created_at_ms + 1).item
        done = store.commit(success(world, claimed)).item
        assert self.walk(store, self.query(status=PaymentStatus.SUCCESS)) == [done]
        assert self.walk(store, self.query(status=PaymentStatus.FAILED)) == []

    def test_another_merchant_has_none(self, store: Store, payments: list[Payment]) -> None:
        assert self.walk(store, replace(self.query(), merchant_id="other")) == []

    def test_the_audit_log_in_pages(self, store: Store, world: World) -> None:
        payment = claim(store, world.accept()).item
        unsure = apply_outcome(
            payment,
            payment.attempts[0],
            Unknown(code="x"),
            Context(now_ms=NOW_MS, actor="worker", holds_lease=True, policy=world.policy),
        )
        assert unsure is not None
        store.commit(unsure)
        first = store.events(MERCHANT, payment.transaction_id, after_seq=0, limit=1)
        assert (len(first.items), first.next_seq) == (1, 1)
        rest = store.events(MERCHANT, payment.transaction_id, after_seq=1, limit=5)
        assert ([e.seq for e in rest.items], rest.next_seq) == ([2], None)
