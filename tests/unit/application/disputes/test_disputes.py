"""A dispute from the provider's webhook to the payment, the merchant's event, the list and the warning."""

from dataclasses import replace

import pytest

from payflowx.adapters.dynamodb.payments.open_disputes import DynamoDBOpenDisputes
from payflowx.application.disputes.warn_of_deadlines import WarnOfDeadlines
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.payments.dispute import (
    MAX_DISPUTES,
    MAX_UNSIGNED_DISPUTES,
    DisputeReport,
    DisputeState,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.reconciliation.ports import AccountOwner
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MAX_EVENTS_BEFORE_UNSIGNED_REPORT
from tests.support.world import World
from tests.unit.application.payments.test_operations import charged, money

LEFT_OUT = "dispute not recorded"


@pytest.fixture
def world() -> World:
    return World()


def report(world: World, **changes: object) -> DisputeReport:
    now_ms = world.clock.now_ms()
    values: dict[str, object] = {
        "reference": "dp_1",
        "state": DisputeState.OPEN,
        "amount": 100,
        "currency": "USD",
        "reason": "fraudulent",
        "reported_at_ms": now_ms,
        "evidence_due_at_ms": now_ms + 7 * DAY_MS,
    }
    return DisputeReport(**{**values, **changes})  # type: ignore[arg-type]


def tell(world: World, payment: Payment, dispute: DisputeReport, event_id: str | None = None) -> None:
    """The queue delivers the webhook's event."""
    event = ProviderEvent(
        event_id=event_id or f"evt-{dispute.reference}-{dispute.reported_at_ms}-{dispute.state}",
        type="charge.dispute",
        charge_reference=payment.attempts[0].reference,
        dispute=dispute,
    )
    attempt = payment.attempts[0]
    inbound = ReceivedEvent(
        merchant_id=payment.merchant_id,
        provider=attempt.provider,
        account_id=attempt.account_id,
        received_at_ms=world.clock.now_ms(),
        provider_event=event,
    )
    world.process_provider_event(inbound)


def open_disputes(world: World) -> DynamoDBOpenDisputes:
    return DynamoDBOpenDisputes(client=world.dynamodb, table=world.payments.transactions_table)


class Directory:
    def __init__(self, *merchants: str) -> None:
        self.merchants = merchants

    def accounts(self) -> list[AccountOwner]:
        return [AccountOwner(merchant_id=name, provider="alpha", account_id="main") for name in self.merchants]


def warn(world: World, payment: Payment) -> int:
    warning = WarnOfDeadlines(
        directory=Directory(payment.merchant_id),  # type: ignore[arg-type]
        open_disputes=open_disputes(world),
        clock=world.clock,
        telemetry=world.telemetry,
    )
    return warning(world.deadline)


def test_it_is_recorded_announced_and_counted_and_no_amount_changes(world: World) -> None:
    payment = charged(world)
    tell(world, payment, report(world))
    now = world.now(payment)
    (dispute,) = now.disputes
    assert (dispute.provider, dispute.reference, dispute.state) == ("alpha", "dp_1", DisputeState.OPEN)
    assert (now.status, money(now)) == (payment.status, money(payment))
    event = world.events_of(now)[-1]
    assert (event.type, event.actor) == ("payment.dispute.opened", "webhook")
    assert event.facts["evidenceDueAtMs"] == dispute.evidence_due_at_ms
    assert "fraudulent" not in str(event.facts)
    assert world.merchant_events_of(now)[-1].event_type == "payment.dispute.opened"
    (logged,) = [facts for text, facts in world.telemetry.lines if text == "dispute recorded"]
    assert (logged["disputeReference"], logged["event"]) == ("dp_1", "payment.dispute.opened")
    assert world.telemetry.total("DisputesReported") == 1


def test_the_same_webhook_twice_is_one_event(world: World) -> None:
    payment = charged(world)
    tell(world, payment, report(world))
    before = world.now(payment)
    tell(world, payment, report(world))
    assert world.now(payment) == before


def test_its_end_is_announced_by_its_name(world: World) -> None:
    payment = charged(world)
    tell(world, payment, report(world))
    world.clock.advance(60)
    tell(world, payment, report(world, state=DisputeState.WON, evidence_due_at_ms=None))
    assert world.merchant_events_of(payment)[-1].event_type == "payment.dispute.won"
    assert world.telemetry.total("DisputesReported") == 1


def test_one_that_goes_on_after_its_end_is_announced_and_counted_like_a_new_one(world: World) -> None:
    payment = charged(world)
    tell(world, payment, report(world, state=DisputeState.CLOSED, evidence_due_at_ms=None))
    assert world.telemetry.total("DisputesReported") == 0
    world.clock.advance(60)
    tell(world, payment, report(world))
    assert world.merchant_events_of(payment)[-1].event_type == "payment.dispute.opened"
    assert world.telemetry.total("DisputesReported") == 1


@pytest.mark.parametrize(("is_signed", "most"), [(True, MAX_DISPUTES), (False, MAX_UNSIGNED_DISPUTES)])
def test_one_that_is_not_recorded_is_warned_of(world: World, is_signed: bool, most: int) -> None:
    payment = charged(world)
    for number in range(most):
        tell(world, payment, report(world, reference=f"dp_{number}", is_signed=is_signed))
    before = world.now(payment)
    tell(world, payment, report(world, reference="dp_next", is_signed=is_signed))
    assert world.now(payment) == before
    assert world.telemetry.total("DisputesReported") == most + 1
    assert left_out(world) == [("dp_next", "too_many")]
    assert len([text for text, _ in world.telemetry.lines if text == "dispute recorded"]) == most


def left_out(world: World) -> list[tuple[object, object]]:
    return [(facts["disputeReference"], facts["reason"]) for text, facts in world.telemetry.lines if text == LEFT_OUT]


def test_the_list_holds_what_awaits_evidence_the_earliest_first(world: World) -> None:
    one, other, ended = (charged_as(world, key) for key in ("a", "b", "c"))
    tell(world, one, report(world, reference="dp_1"))
    tell(world, other, report(world, reference="dp_2", evidence_due_at_ms=world.clock.now_ms() + DAY_MS))
    tell(world, ended, report(world, reference="dp_3"))
    world.clock.advance(1)
    tell(world, ended, report(world, reference="dp_3", state=DisputeState.LOST))
    page = open_disputes(world).page(one.merchant_id, limit=10, position=None, from_ms=0)
    assert [found.reference for found in page.items] == ["dp_2", "dp_1"]


def test_the_list_goes_on_page_by_page(world: World) -> None:
    payments = [charged_as(world, str(number)) for number in range(5)]
    for number, payment in enumerate(payments):
        tell(world, payment, report(world, reference=f"dp#{number}"))
    seen, position = [], None
    for _ in range(9):
        page = open_disputes(world).page(payments[0].merchant_id, limit=2, position=position, from_ms=0)
        seen += [found.reference for found in page.items]
        position = page.next_position
        if position is None:
            break
    assert sorted(seen) == [f"dp#{number}" for number in range(5)]


@pytest.mark.parametrize(("days", "near"), [(7, 0), (4, 0), (2, 1), (0.5, 1)])
def test_a_deadline_within_three_days_is_warned_of(world: World, days: float, near: int) -> None:
    payment = charged(world)
    tell(world, payment, report(world, evidence_due_at_ms=world.clock.now_ms() + int(days * DAY_MS)))
    assert warn(world, payment) == near
    assert world.telemetry.total("DisputesNearDeadline") == near


def test_a_deadline_that_is_over_warns_no_more(world: World) -> None:
    payment = charged(world)
    tell(world, payment, report(world, evidence_due_at_ms=world.clock.now_ms() + HOUR_MS))
    world.clock.advance(2 * 3_600)
    queries = world.requests_of("query", "reviews")
    assert warn(world, payment) == 0
    assert len(queries) == 1
    now_ms = world.clock.now_ms()
    assert open_disputes(world).page(payment.merchant_id, limit=10, position=None, from_ms=now_ms).items == []


def test_an_erased_payment_keeps_the_dispute_without_the_provider_s_words(world: World) -> None:
    payment = charged(world)
    world.store(replace(world.now(payment), erased=True))
    tell(world, payment, report(world, reason="Payer Example says that ..."))
    assert world.now(payment).disputes[0].reason == ""


def test_a_report_of_a_time_to_come_hides_no_later_one(world: World) -> None:
    payment = charged(world)
    far = world.clock.now_ms() + 1_000 * DAY_MS
    tell(world, payment, report(world, state=DisputeState.WON, reported_at_ms=far, is_signed=False))
    world.clock.advance(1)
    tell(world, payment, report(world, is_signed=False))
    assert world.now(payment).disputes[0].state is DisputeState.OPEN


def test_a_clock_that_is_behind_the_provider_s_turns_no_order_round(world: World) -> None:
    payment, said_ms = charged(world), world.clock.now_ms() + 3_000
    tell(world, payment, report(world, state=DisputeState.LOST, reported_at_ms=said_ms))
    world.clock.advance(60)
    tell(world, payment, report(world, reported_at_ms=said_ms - 1_000))
    (dispute,) = world.now(payment).disputes
    assert (dispute.state, dispute.reported_at_ms) == (DisputeState.LOST, said_ms)


def test_unsigned_reports_never_fill_the_audit_log(world: World) -> None:
    payment = charged(world)
    world.store(replace(payment, event_seq=MAX_EVENTS_BEFORE_UNSIGNED_REPORT))
    tell(world, payment, report(world, is_signed=False))
    stored = world.payments.get(payment.merchant_id, payment.transaction_id)
    assert stored is not None
    assert (stored.disputes, stored.event_seq) == ((), MAX_EVENTS_BEFORE_UNSIGNED_REPORT)
    assert left_out(world) == [("dp_1", "long_log")]
    tell(world, payment, report(world))
    stored = world.payments.get(payment.merchant_id, payment.transaction_id)
    assert stored is not None
    assert [dispute.reference for dispute in stored.disputes] == ["dp_1"]


def test_another_merchant_s_webhook_records_nothing(world: World) -> None:
    payment = charged(world)
    attempt = payment.attempts[0]
    event = ProviderEvent(event_id="evt-x", type="dispute", charge_reference=attempt.reference, dispute=report(world))
    inbound = ReceivedEvent(
        merchant_id="globex",
        provider=attempt.provider,
        account_id=attempt.account_id,
        received_at_ms=world.clock.now_ms(),
        provider_event=event,
    )
    world.process_provider_event(inbound)
    assert world.now(payment).disputes == ()


@pytest.mark.parametrize(("reference", "owner"), [("pay_further", "b"), (None, "a")])
def test_the_charge_s_id_names_the_payment_and_our_key_only_where_it_has_no_owner(
    world: World, reference: str | None, owner: str
) -> None:
    """A payer may write our key of another payment into a payment's notes."""
    one, other = charged_as(world, "a"), charged_as(world, "b")
    attempt = one.attempts[0]
    event = ProviderEvent(
        event_id="evt-x",
        type="dispute",
        charge_reference=reference or attempt.reference,
        charge_key=other.attempts[0].provider_key,
        dispute=report(world),
    )
    inbound = ReceivedEvent(
        merchant_id=one.merchant_id,
        provider=attempt.provider,
        account_id=attempt.account_id,
        received_at_ms=world.clock.now_ms(),
        provider_event=event,
    )
    world.process_provider_event(inbound)
    disputed = {"a": bool(world.now(one).disputes), "b": bool(world.now(other).disputes)}
    assert disputed == {"a": owner == "a", "b": owner == "b"}


def charged_as(world: World, key: str) -> Payment:
    payment = world.accept(key, amount=100)
    world.work_until_idle()
    return world.now(payment)


def test_the_list_goes_on_after_a_deadline_that_passed_meanwhile(world: World) -> None:
    """AWS refuses a query that begins outside of its own condition."""
    soon_ms, first, second = world.clock.now_ms() + HOUR_MS, charged_as(world, "a"), charged_as(world, "b")
    tell(world, first, report(world, reference="dp_1", evidence_due_at_ms=soon_ms))
    tell(world, second, report(world, reference="dp_2", evidence_due_at_ms=soon_ms + 1))
    tell(world, charged_as(world, "c"), report(world, reference="dp_3"))
    page = open_disputes(world).page(first.merchant_id, limit=1, position=None, from_ms=world.clock.now_ms())
    queries = world.requests_of("query", "reviews")
    rest = open_disputes(world).page(first.merchant_id, limit=9, position=page.next_position, from_ms=soon_ms + 2)
    assert [found.reference for found in rest.items] == ["dp_3"]
    earliest = min(value["S"] for value in queries[0]["ExpressionAttributeValues"].values() if value["S"][0].isdigit())
    assert earliest <= queries[0]["ExclusiveStartKey"]["reviewSort"]["S"]
