"""Two merchants name their accounts alike, and the providers' ids are equal: neither stands in the other's way."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.payments.references import DynamoDBReferences
from payflowx.adapters.dynamodb.reconciliation.lookups import DynamoDBLookups
from payflowx.domain.inbound_webhooks.ports import ReferenceOwner
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, Context, SeenEvent, change_of
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import AlreadySeen, ReferenceTaken, Stored
from payflowx.domain.reconciliation.run import Source
from payflowx.domain.shared.limits import DAY_MS
from tests.support.memory import NOW_MS
from tests.support.model_tables import model_database
from tests.support.tables import IDEMPOTENCY, TRANSACTIONS
from tests.support.world import World

SHARED = "ch_1"
ACCOUNT = ("alpha", "main")
SEEN = SeenEvent(provider="alpha", account_id="main", event_id="evt_1", expires_at_ms=NOW_MS + DAY_MS)


class Shop:
    """Payments of several merchants, each with one attempt at the account `main` of `alpha`."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.payments = DynamoDBPayments(
            client=client,
            transactions_table=TRANSACTIONS,
            idempotency_table=IDEMPOTENCY,
            pause=lambda _seconds: None,
            jitter=lambda: 0.0,
        )
        self.references = DynamoDBReferences(client=client, table=TRANSACTIONS)
        self.lookups = DynamoDBLookups(client=client, table=TRANSACTIONS)

    def payment(self, merchant_id: str, name: str) -> Payment:
        attempt = Attempt(
            number=1,
            provider="alpha",
            account_id="main",
            provider_key=f"pfx-{name}-1",
            request_hash="h" * 64,
            epoch=1,
            started_at_ms=NOW_MS,
            reference=SHARED,
        )
        made = replace(
            World().accept(), merchant_id=merchant_id, transaction_id=f"pay_{name * 16}", attempts=(attempt,)
        )
        event = replace(change_of(made, made, "payment.accepted", {}, context()).event, seq=1)
        self.payments.create(made, event, name)
        return made

    def own(self, payment: Payment, *, actor: str = "worker", seen: SeenEvent | None = None) -> Any:
        """Record the attempt's reference, as an outcome does."""
        now = self.payments.get(payment.merchant_id, payment.transaction_id)
        assert now is not None
        change: Change = change_of(now, now, "attempt.succeeded", {}, context(actor))
        return self.payments.commit(replace(change, attempt_number=1, reference=SHARED, seen=seen))

    def owner(self, merchant_id: str) -> ReferenceOwner | None:
        return self.references.find(merchant_id, *ACCOUNT, SHARED)

    def put(self, item: dict[str, Any]) -> None:
        self.client.put_item(TableName=TRANSACTIONS, Item=to_attributes(item))


def context(actor: str = "worker") -> Context:
    return Context(now_ms=NOW_MS, actor=actor, policy=World().policy)


def owner_of(payment: Payment) -> ReferenceOwner:
    return ReferenceOwner(merchant_id=payment.merchant_id, transaction_id=payment.transaction_id, attempt=1)


@pytest.fixture(params=["model", "dynamodb"])
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(model_database() if request.param == "model" else request.getfixturevalue("dynamodb"))


class TestReferences:
    def test_each_merchant_owns_its_own(self, shop: Shop) -> None:
        ours, theirs = shop.payment("one", "a"), shop.payment("two", "b")
        assert isinstance(shop.own(ours), Stored)
        assert isinstance(shop.own(theirs), Stored)
        assert (shop.owner("one"), shop.owner("two")) == (owner_of(ours), owner_of(theirs))
        for merchant, payment in (("one", ours), ("two", theirs)):
            assert shop.lookups.owners(merchant, *ACCOUNT, [SHARED, "ch_2"]) == {SHARED: owner_of(payment)}

    @pytest.mark.parametrize("first", ["one", "two"])
    def test_two_attempts_of_a_merchant_never_own_one(self, shop: Shop, first: str) -> None:
        """Whether the merchant has the common key or its own."""
        owner = shop.payment("one", "a")
        other = shop.payment("two", "b")
        for payment in (owner, other) if first == "one" else (other, owner):
            assert isinstance(shop.own(payment), Stored)
        for merchant, name in (("one", "c"), ("two", "d")):
            assert isinstance(shop.own(shop.payment(merchant, name)), ReferenceTaken)
        assert (shop.owner("one"), shop.owner("two")) == (owner_of(owner), owner_of(other))

    def test_the_owner_may_write_it_again(self, shop: Shop) -> None:
        ours, theirs = shop.payment("one", "a"), shop.payment("two", "b")
        for payment in (ours, theirs, ours, theirs):
            assert isinstance(shop.own(payment), Stored)

    def test_an_older_release_meets_the_common_key(self, shop: Shop) -> None:
        """Release 0.2.0 writes that key only: an id that is there has its owner, whichever release wrote it."""
        ours = shop.payment("one", "a")
        shop.put(
            {
                **keys.reference_key(*ACCOUNT, SHARED),
                "merchantId": "one",
                "transactionId": "pay_older",
                "attempt": 1,
                "schemaVersion": 1,
            }
        )
        assert isinstance(shop.own(ours), ReferenceTaken)
        assert isinstance(shop.own(shop.payment("two", "b")), Stored)
        owner = shop.owner("one")
        assert owner is not None
        assert owner.transaction_id == "pay_older"

    def test_an_operators_word_takes_no_id_of_another_merchant(self, shop: Shop) -> None:
        shop.own(shop.payment("one", "a"))
        assert isinstance(shop.own(shop.payment("two", "b"), actor="operator"), ReferenceTaken)

    def test_another_merchants_id_is_told_as_such(self, shop: Shop) -> None:
        ours = shop.payment("one", "a")
        shop.own(ours)
        assert shop.owner("two") == owner_of(ours)

    def test_an_ordinary_outcome_is_one_transaction(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        payment, calls = shop.payment("one", "a"), []
        write = shop.client.transact_write_items

        def counted(*_self: Any, **request: Any) -> Any:
            calls.append(len(request["TransactItems"]))
            return write(**request)

        monkeypatch.setattr(type(shop.client), "transact_write_items", counted)
        shop.own(payment)
        assert calls == [3]


def test_an_event_of_one_merchant_hides_none_of_another(shop: Shop) -> None:
    ours, theirs = shop.payment("one", "a"), shop.payment("two", "b")
    assert isinstance(shop.own(ours, seen=SEEN), Stored)
    assert isinstance(shop.own(theirs, seen=SEEN), Stored)
    assert isinstance(shop.own(theirs, seen=SEEN), AlreadySeen)


@pytest.mark.parametrize("shop", ["dynamodb"], indirect=True)  # the model has no BatchWriteItem
class TestListed:
    def test_one_merchants_report_says_nothing_of_another(self, shop: Shop) -> None:
        shop.lookups.note_listed("one", Source.LIST, *ACCOUNT, {SHARED: "run_1"}, expires_at_ms=NOW_MS)
        assert shop.lookups.listed("one", Source.LIST, *ACCOUNT, [SHARED]) == {SHARED: "run_1"}
        assert shop.lookups.listed("two", Source.LIST, *ACCOUNT, [SHARED]) == {}

    def test_a_note_of_release_020_is_read(self, shop: Shop) -> None:
        shop.put({**keys.listed_key_before("list", *ACCOUNT, SHARED), "line": "run_0", "schemaVersion": 1})
        assert shop.lookups.listed("one", Source.LIST, *ACCOUNT, [SHARED]) == {SHARED: "run_0"}
        shop.lookups.note_listed("one", Source.LIST, *ACCOUNT, {SHARED: "run_1"}, expires_at_ms=NOW_MS)
        assert shop.lookups.listed("one", Source.LIST, *ACCOUNT, [SHARED]) == {SHARED: "run_1"}
