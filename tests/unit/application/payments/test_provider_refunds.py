"""Refunds that were made at the provider: booked once, from whatever source a read is caused."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.application.payments.record_refund_by_hand import RecordRefundByHand
from payflowx.application.reviews.close_review import CloseReview, ReviewEntry
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.outcome import Declined, Mismatch, NotFound, NotSent, Rejected, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.refund_list import ProviderRefund, RefundState
from payflowx.domain.payments.review import ReviewVerdict
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.reconciliation.matching import MatchResult, review_discrepancy
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.limits import DAY_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import DeclineKind, OperationStatus, PaymentStatus
from tests.support.balance import operations_of
from tests.support.world import World
from tests.unit.application.payments.test_balances import ask_again, close, of, refund
from tests.unit.application.payments.test_operations import charged, held, provider

REFUND = OperationKind.REFUND
PENDING, SUCCEEDED, FAILED = RefundState


@pytest.fixture
def world() -> World:
    return World()


def listed(
    reference: str = "re_dash", amount: int = 40, state: RefundState = SUCCEEDED, key: str | None = None, **more: Any
) -> ProviderRefund:
    return ProviderRefund(reference=reference, provider_key=key, amount=amount, currency="USD", state=state, **more)


def read(world: World, payment: Payment, *refunds: ProviderRefund) -> Any:
    provider(world).refunds = list(refunds)
    return world.record_provider_refunds(payment.merchant_id, payment.transaction_id)


def external(world: World, payment: Payment) -> list[Operation]:
    return [o for o in operations_of(world, payment) if o.origin is Origin.PROVIDER]


class TestTheAmountThatAPersonNamed:
    """Of a charge that its closed review booked: it is net of the refunds that were made at the provider before."""

    def closed(self, world: World, amount: int | None) -> Payment:
        provider(world).charges = [Mismatch(code="currency_unknown", reference="ch_1")]
        payment = world.accept(amount=100)
        world.work_until_idle()
        close_payment(world, payment, amount)
        return world.now(payment)

    @pytest.mark.parametrize(
        ("amount", "made_after_ms", "refundable"),
        [
            (100, -1_000, 100),
            (100, 1_000, 80),
            (100, None, 80),
            (None, -1_000, 80),
        ],
    )
    def test_has_the_refunds_that_were_made_before(
        self, world: World, amount: int | None, made_after_ms: int | None, refundable: int
    ) -> None:
        payment = self.closed(world, amount)
        made_at_ms = None if made_after_ms is None else world.clock.now_ms() + made_after_ms
        world.clock.advance(3_600)
        recorded = read(world, payment, listed(amount=20, made_at_ms=made_at_ms))
        assert (len(recorded.booked), len(recorded.counted)) == ((0, 1) if refundable == 100 else (1, 0))
        assert world.now(payment).refundable == refundable

    @pytest.mark.parametrize("made_at_ms", [0, -1, 1_000_000_000, DAY_MS])
    def test_has_no_refund_that_is_said_to_be_older_than_the_charge(self, world: World, made_at_ms: int) -> None:
        """Such a time is an error of the provider, and says nothing: as one that it does not give."""
        payment = self.closed(world, 100)
        made_at_ms = payment.attempts[0].started_at_ms - DAY_MS if made_at_ms == DAY_MS else made_at_ms
        assert read(world, payment, listed(amount=20, made_at_ms=made_at_ms)).booked == ["re_dash"]
        assert world.now(payment).refundable == 80

    def test_has_a_refund_whose_time_differs_by_what_clocks_do(self, world: World) -> None:
        payment = self.closed(world, 100)
        made_at_ms = payment.attempts[0].started_at_ms - 60_000
        assert read(world, payment, listed(amount=20, made_at_ms=made_at_ms)).counted == ["re_dash"]

    def test_corrects_a_charge_that_was_booked_before_and_no_refund(self, world: World) -> None:
        payment = charged(world)
        context = Context(now_ms=world.clock.now_ms(), actor="test", policy=world.policy)
        change = review_discrepancy(payment, MatchResult.AMOUNT, context)
        assert change is not None
        world.outcome_writer.commit(change)
        close_payment(world, payment, 90)
        assert read(world, payment, listed(amount=20, made_at_ms=world.clock.now_ms() - 1_000)).booked == ["re_dash"]
        assert of(world, payment) == {"captured": 90, "refundable": 70, "refunded": 20}


def close_payment(world: World, payment: Payment, amount: int | None) -> None:
    use_case = CloseReview(
        payments=world.payments,
        operations=world.operations,
        outcome_writer=world.outcome_writer,
        merchant_directory=world.merchant_directory,
        able=world.providers.capabilities(),
        clock=world.clock,
        policy=world.policy,
    )
    entry = ReviewEntry(verdict=ReviewVerdict.CHARGED, evidence="line 7", amount=amount)
    use_case(payment.merchant_id, payment.transaction_id, entry, OperatorAction(who="ada", why="T-1"))


class TestBooking:
    def test_it_becomes_an_operation_lowers_what_is_refundable_and_is_published(self, world: World) -> None:
        payment = charged(world)
        assert read(world, payment, listed()).booked == ["re_dash"]
        (operation,) = external(world, payment)
        assert (operation.status, operation.amount, operation.kind) == ("SUCCEEDED", 40, REFUND)
        assert of(world, payment) == {"captured": 100, "refundable": 60, "refunded": 40}
        event = world.events_of(payment)[-1]
        assert (event.type, event.actor) == ("refund.made_at_provider", "provider")
        assert event.facts["reference"] == "re_dash"
        published = world.merchant_events_of(payment)[-1]
        assert (published.event_type, published.operation_id) == ("refund.succeeded", operation.operation_id)
        with pytest.raises(Refusal, match="At most 60"):
            world.request(REFUND, payment, 100)

    def test_it_is_booked_once_however_often_it_is_read(self, world: World) -> None:
        payment = charged(world)
        for _ in range(3):
            read(world, payment, listed(), listed("re_2", 10))
        assert len(external(world, payment)) == 2
        assert of(world, payment) == {"captured": 100, "refundable": 50, "refunded": 50}

    def test_two_readers_at_once_book_it_once(self, world: World) -> None:
        payment = charged(world)
        world.before_next("transact_write_items", lambda: read(world, payment, listed()))
        read(world, payment, listed())
        assert len(external(world, payment)) == 1
        assert of(world, payment) == {"captured": 100, "refundable": 60, "refunded": 40}

    def test_one_with_a_key_of_our_making_is_never_external(self, world: World) -> None:
        payment = charged(world)
        ours = refund(world, payment, 30)
        lost = derive_provider_key("ref_aaaaaaaaaaaaaaaa", 1)
        recorded = read(world, payment, listed("re_x", key=ours.attempts[0].provider_key), listed("re_y", key=lost))
        assert (recorded.booked, external(world, payment)) == ([], [])
        assert of(world, payment) == {"captured": 100, "refundable": 70, "refunded": 30}

    def test_one_whose_id_is_that_of_ours_is_ours_without_a_key(self, world: World) -> None:
        payment = charged(world)
        ours = refund(world, payment, 30)
        read(world, payment, listed(ours.attempts[0].reference or "", 30))
        assert external(world, payment) == []

    @pytest.mark.parametrize("wrong", [{"amount": 101}, {"amount": 0}, {"amount": -1}, {"currency": "EUR"}])
    def test_what_cannot_be_a_refund_of_this_charge_is_not_booked(self, world: World, wrong: dict[str, Any]) -> None:
        payment = charged(world)
        assert read(world, payment, replace(listed(), **wrong)).contradicting == ["re_dash"]
        assert of(world, payment) == {"captured": 100, "refundable": 100}

    def test_one_that_failed_before_it_was_known_moved_no_money(self, world: World) -> None:
        payment = charged(world)
        assert read(world, payment, listed(state=FAILED)).booked == []
        assert of(world, payment) == {"captured": 100, "refundable": 100}

    def test_more_than_is_refundable_is_an_excess_in_review(self, world: World) -> None:
        payment = charged(world)
        refund(world, payment, 80)
        read(world, payment, listed())
        (operation,) = external(world, payment)
        assert (operation.status, operation.last_error and operation.last_error.code) == ("IN_REVIEW", "late_success")
        assert of(world, payment) == {"captured": 100, "refunded": 120, "excess": 20}
        assert world.telemetry.total("OperationsInReview") == 1
        assert operation.review_since_ms is not None
        close(world, operation, ReviewVerdict.NOT_CHARGED)
        assert of(world, payment) == {"captured": 100, "refundable": 20, "refunded": 80}

    def test_a_pending_excess_that_succeeds_stays_in_review(self, world: World) -> None:
        payment = charged(world)
        refund(world, payment, 80)
        read(world, payment, listed(state=PENDING))
        assert of(world, payment) == {"captured": 100, "refunded": 80, "reserved": 40, "excess": 20}
        read(world, payment, listed())
        assert external(world, payment)[0].status is OperationStatus.IN_REVIEW
        assert of(world, payment) == {"captured": 100, "refunded": 120, "excess": 20}

    def test_a_payment_in_review_takes_it(self, world: World) -> None:
        from payflowx.domain.reconciliation.matching import MatchResult, review_discrepancy
        from tests.unit.application.payments.test_balances import context

        payment = charged(world)
        change = review_discrepancy(payment, MatchResult.MISSING_HERE, context(world))
        assert change is not None
        world.outcome_writer.commit(change)
        read(world, payment, listed())
        assert of(world, payment) == {"captured": 100, "refundable": 60, "refunded": 40}
        assert world.now(payment).status is PaymentStatus.IN_REVIEW

    def test_without_a_list_or_a_charge_nothing_follows(self, world: World) -> None:
        payment = charged(world)
        provider(world).refunds = None
        use_case = world.record_provider_refunds
        assert use_case(payment.merchant_id, payment.transaction_id).unavailable == "no_refund_list"
        authorized = held(World())
        other = World()
        other.store(authorized)
        assert other.record_provider_refunds("acme", authorized.transaction_id).unavailable == "not_charged"
        world.set_merchant(accounts=())
        assert (
            world.record_provider_refunds(payment.merchant_id, payment.transaction_id).unavailable == "account_removed"
        )

    def test_a_payment_that_keeps_changing_is_tried_again_later(self, world: World) -> None:
        payment = charged(world)

        def overtaken(method: str, _request: object) -> None:
            if method == "transact_write_items":
                now = world.now(payment)
                world.store(replace(now, version=now.version + 1))

        world.dynamodb.before = overtaken
        with pytest.raises(StorageUnavailableError):
            read(world, payment, listed())
        assert external(world, payment) == []


def test_a_list_without_news_reads_the_ledger_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = charged(world)
    dashboard = [listed(f"re_{n}", 1) for n in range(40)]
    read(world, payment, *dashboard)
    reads: list[str] = []
    get = DynamoDBPayments.get

    def counted(self: DynamoDBPayments, merchant_id: str, transaction_id: str) -> Payment | None:
        reads.append(transaction_id)
        return get(self, merchant_id, transaction_id)

    monkeypatch.setattr(DynamoDBPayments, "get", counted)
    assert read(world, payment, *dashboard).booked == []
    assert len(reads) == 1
    assert of(world, payment)["refunded"] == 40


class TestLife:
    def test_a_pending_one_is_reserved_followed_and_booked(self, world: World) -> None:
        payment = charged(world)
        read(world, payment, listed(state=PENDING))
        assert of(world, payment) == {"captured": 100, "refundable": 60, "reserved": 40}
        (operation,) = external(world, payment)
        assert (operation.status, operation.due_at_ms is not None) == (OperationStatus.PENDING, True)
        provider(world).refunds = [listed()]
        world.work_until_idle()
        assert of(world, payment) == {"captured": 100, "refundable": 60, "refunded": 40}
        assert provider(world).moved == []  # nothing is ever sent for it

    def test_a_pending_one_that_fails_gives_its_amount_back(self, world: World) -> None:
        payment = charged(world)
        read(world, payment, listed(state=PENDING))
        read(world, payment, listed(state=FAILED, code="lost_card"))
        (operation,) = external(world, payment)
        assert (operation.status, operation.attempts[0].code) == (OperationStatus.FAILED, "lost_card")
        assert of(world, payment) == {"captured": 100, "refundable": 100}

    def test_one_that_the_bank_returns_is_reviewed_like_ours(self, world: World) -> None:
        payment = charged(world)
        read(world, payment, listed())
        provider(world).refunds = [listed(state=FAILED)]
        (operation,) = external(world, payment)
        now = ask_again(world, operation)
        assert (now.status, now.last_error and now.last_error.code) == ("IN_REVIEW", "reversed")
        close(world, now, ReviewVerdict.NOT_CHARGED)
        assert of(world, payment) == {"captured": 100, "refundable": 100}

    def test_one_that_vanished_from_the_list_is_never_sent_and_goes_to_review(self, world: World) -> None:
        payment = charged(world)
        read(world, payment, listed(state=PENDING))
        provider(world).refunds = []
        (operation,) = external(world, payment)
        world.clock.advance(60 * DAY_MS / 1000)
        world.sweep(world.deadline)
        world.work_until_idle()
        assert world.operation_now(operation).status is OperationStatus.IN_REVIEW
        assert of(world, payment) == {"captured": 100, "refundable": 60, "reserved": 40}
        assert provider(world).moved == []

    def test_another_amount_than_was_booked_is_a_mismatch(self, world: World) -> None:
        payment = charged(world)
        read(world, payment, listed(state=PENDING))
        read(world, payment, listed(amount=39))
        (operation,) = external(world, payment)
        assert (operation.status, operation.attempts[0].code) == ("IN_REVIEW", "amount_differs")
        assert of(world, payment) == {"captured": 100, "refundable": 60, "reserved": 40}


class TestOursFirst:
    def test_a_keyless_one_waits_while_one_of_ours_is_unresolved(self, world: World) -> None:
        payment = charged(world)
        provider(world).moves = [Unknown(code="read_timeout")]
        provider(world).able = replace(provider(world).able, operation_window_ms={})
        ours = world.request(REFUND, payment, 40).operation
        world.work()
        world.jobs.sent.clear()
        assert read(world, payment, listed()).waiting == ["re_dash"]
        assert external(world, payment) == []
        assert [job.operation_id for job, _ in world.jobs.sent] == [ours.operation_id]
        # It is ours: its worker finds it, and nothing is booked twice.
        provider(world).operation_inquiries = ["moved"]
        world.work_until_idle()
        found = world.operation_now(ours).attempts[0].reference or ""
        assert read(world, payment, listed(found)).booked == []
        assert of(world, payment) == {"captured": 100, "refundable": 60, "refunded": 40}

    def test_once_ours_is_resolved_it_is_booked(self, world: World) -> None:
        payment = charged(world)
        provider(world).moves = [Unknown(code="read_timeout")]
        provider(world).operation_inquiries = [NotFound(), "moved"]
        provider(world).able = replace(provider(world).able, operation_window_ms={})
        world.request(REFUND, payment, 30)
        world.work()
        assert read(world, payment, listed()).booked == []
        world.work_until_idle()
        assert read(world, payment, listed()).booked == ["re_dash"]
        assert of(world, payment) == {"captured": 100, "refundable": 30, "refunded": 70}

    @pytest.mark.parametrize("not_sent", [None, NotSent(code="connection_refused"), Rejected(code="rate_limited")])
    def test_one_that_takes_the_amount_of_ours_waits_until_ours_was_sent(
        self, world: World, not_sent: NotSent | Rejected | None
    ) -> None:
        """Booked at once, it would be an excess in review, although the provider is about to refuse ours."""
        payment = charged(world)
        ours = world.request(REFUND, payment, 80).operation
        if not_sent is not None:
            provider(world).moves = [not_sent]
            world.work()
        assert read(world, payment, listed()).waiting == ["re_dash"]
        assert of(world, payment) == {"captured": 100, "refundable": 20, "reserved": 80}
        provider(world).moves = [Declined(kind=DeclineKind.HARD, code="too_much")]
        world.work_until_idle()
        assert world.operation_now(ours).status is OperationStatus.FAILED
        assert read(world, payment, listed()).booked == ["re_dash"]
        assert of(world, payment) == {"captured": 100, "refundable": 60, "refunded": 40}
        assert [o.status for o in external(world, payment)] == ["SUCCEEDED"]

    def test_one_for_which_enough_is_left_is_booked_beside_ours(self, world: World) -> None:
        payment = charged(world)
        world.request(REFUND, payment, 60)
        assert read(world, payment, listed()).booked == ["re_dash"]
        assert of(world, payment) == {"captured": 100, "refunded": 40, "reserved": 60}

    def test_one_that_is_too_much_even_without_ours_waits_for_nothing(self, world: World) -> None:
        payment = charged(world)
        refund(world, payment, 70)
        world.request(REFUND, payment, 20)
        assert read(world, payment, listed()).booked == ["re_dash"]
        assert of(world, payment)["excess"] == 30

    def test_a_mismatch_of_ours_without_an_id_is_unresolved_too(self, world: World) -> None:
        payment = charged(world)
        provider(world).moves = [Mismatch(code="duplicate_refund")]
        world.request(REFUND, payment, 40)
        world.work()
        assert read(world, payment, listed()).waiting == ["re_dash"]
        assert of(world, payment) == {"captured": 100, "refundable": 60, "reserved": 40}

    def test_one_with_the_key_of_another_program_needs_not_wait(self, world: World) -> None:
        payment = charged(world)
        provider(world).moves = [Unknown(code="read_timeout")]
        world.request(REFUND, payment, 30)
        world.work()
        assert read(world, payment, listed(key="shop-17")).booked == ["re_dash"]


class TestProviderEvents:
    def _event(self, payment: Payment, **changes: Any) -> ReceivedEvent:
        values: dict[str, Any] = {
            "event_id": "evt_1",
            "type": "refund.created",
            "charge_reference": payment.attempts[0].reference,
            "operation_reference": "re_dash",
        }
        return ReceivedEvent(
            merchant_id="acme",
            provider="alpha",
            account_id="main",
            received_at_ms=1,
            provider_event=ProviderEvent(**{**values, **changes}),
        )

    def test_an_unknown_refund_of_a_known_charge_causes_a_read(self, world: World) -> None:
        payment = charged(world)
        provider(world).refunds = [listed()]
        world.process_provider_event(self._event(payment))
        world.work_until_idle()
        assert of(world, payment) == {"captured": 100, "refundable": 60, "refunded": 40}
        world.deliver_provider_events()  # it was put back, and now it is about a known refund
        assert len(external(world, payment)) == 1

    def test_the_last_delivery_reads_again_and_ends_the_event(self, world: World) -> None:
        payment = charged(world)
        provider(world).refunds = []
        world.process_provider_event(self._event(payment))
        world.deliver_provider_events()
        assert [job.read_refunds for job, _ in world.jobs.sent] == [True, True]
        assert world.telemetry.total("WebhooksUnmatched") == 0

    @pytest.mark.parametrize(
        "changes",
        [
            {"operation_key": derive_provider_key("ref_aaaaaaaaaaaaaaaa", 1)},
            {"charge_reference": "ch_of_somebody_else"},
            {"charge_reference": None},
        ],
    )
    def test_no_other_event_does(self, world: World, changes: dict[str, Any]) -> None:
        payment = charged(world)
        provider(world).refunds = [listed()]
        world.process_provider_event(self._event(payment, **changes))
        assert world.jobs.sent == []

    def test_without_a_list_the_event_matches_nothing_as_before(self, world: World) -> None:
        payment = charged(world)
        world.process_provider_event(self._event(payment))
        world.deliver_provider_events()
        assert world.jobs.sent == []
        assert world.telemetry.total("WebhooksUnmatched") == 1

    def test_another_merchants_charge_is_not_read(self, world: World) -> None:
        payment = charged(world)
        provider(world).refunds = [listed()]
        other = replace(self._event(payment), merchant_id="other")
        world.process_provider_event(other)
        assert world.jobs.sent == []


class TestByHand:
    """For a provider whose refunds cannot be read."""

    def _record(self, world: World, payment: Payment, reference: str = "re_dash", amount: int = 40) -> Payment:
        use_case = RecordRefundByHand(
            record_provider_refunds=world.record_provider_refunds, merchant_directory=world.merchant_directory
        )
        names = (payment.merchant_id, payment.transaction_id)
        ada = OperatorAction(who="ada", why="T-1")
        return use_case(*names, ada, reference=reference, amount=amount, evidence="line 7")

    def test_it_is_booked_once_with_its_evidence(self, world: World) -> None:
        payment = charged(world)
        for _ in range(2):
            assert self._record(world, payment).refundable == 60
        assert of(world, payment) == {"captured": 100, "refundable": 60, "refunded": 40}
        event = world.events_of(payment)[-1]
        assert (event.facts["operator"], event.facts["evidence"]) == ("ada", "line 7")

    def test_it_is_refused_where_the_refunds_can_be_read(self, world: World) -> None:
        payment = charged(world)
        provider(world).refunds = []
        with pytest.raises(Refusal) as refusal:
            self._record(world, payment)
        assert refusal.value.code == "not_supported"

    def test_one_that_may_be_ours_waits(self, world: World) -> None:
        payment = charged(world)
        provider(world).moves = [Unknown(code="read_timeout")]
        world.request(REFUND, payment, 40)
        world.work()
        with pytest.raises(Refusal) as refusal:
            self._record(world, payment)
        assert refusal.value.code == "outcome_unknown"
        assert external(world, payment) == []

    @pytest.mark.parametrize(
        ("reference", "amount", "code"), [("re_dash", 101, "amount_invalid"), ("a b", 40, "reference_invalid")]
    )
    def test_what_cannot_be_is_refused(self, world: World, reference: str, amount: int, code: str) -> None:
        payment = charged(world)
        with pytest.raises(Refusal) as refusal:
            self._record(world, payment, reference, amount)
        assert refusal.value.code == code
        assert of(world, payment) == {"captured": 100, "refundable": 100}

    def test_only_a_charge_is_refunded(self, world: World) -> None:
        for payment, code in ((held(world), "invalid_state"), (replace(held(world), transaction_id="x"), "not_found")):
            with pytest.raises(Refusal) as refusal:
                self._record(world, payment)
            assert refusal.value.code == code
