"""Operators' use cases: none of them can do what the rules forbid."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from payflowx.adapters.dynamodb.core.keys import payment_key
from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.adapters.sqs.messages import DELIVERIES as DELIVERY_MESSAGES
from payflowx.adapters.sqs.messages import JOBS as JOB_MESSAGES
from payflowx.adapters.sqs.messages import PROVIDER_EVENTS as EVENT_MESSAGES
from payflowx.application.outbound_webhooks.manage_endpoints import NewEndpoint
from payflowx.application.recovery.inspect_dead_letters import InspectDeadLetters
from payflowx.application.recovery.plan_replay import PlanReplay, ReplayStep
from payflowx.application.recovery.replay_dead_letters import Replayed
from payflowx.application.reviews.close_review import CloseReview, ReviewEntry
from payflowx.application.reviews.resolve_payment import ResolvePayment
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.outbound_webhooks.ports import DeliveryJob
from payflowx.domain.payments.checkout import Checkout, Choice
from payflowx.domain.payments.outcome import Declined, Mismatch, Unknown
from payflowx.domain.payments.payment import Lease, Payment
from payflowx.domain.payments.ports import Job
from payflowx.domain.payments.review import ReviewVerdict
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.reconciliation.run import Phase, Run, Source
from payflowx.domain.recovery.ports import DeadLetter, QueueDepth, WorkQueueName
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import DAY_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, DeclineKind, PaymentStatus
from payflowx.wiring.api import ApiWiring
from payflowx.wiring.operators import OperatorsWiring
from tests.support.memory import NOW_MS
from tests.support.tables import TRANSACTIONS
from tests.support.world import MERCHANT, World

DECISION = OperatorAction(who="ada", why="T-1")
JOBS, PROVIDER_EVENTS = WorkQueueName.JOBS, WorkQueueName.PROVIDER_EVENTS
DELIVERIES, RUNS = WorkQueueName.DELIVERIES, WorkQueueName.RUNS


@dataclass
class MemoryDeadLetters:
    """A dead-letter queue that hides what was taken."""

    lying: dict[WorkQueueName, list[DeadLetter]] = field(default_factory=lambda: {q: [] for q in WorkQueueName})
    hidden: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def put(self, body: str, queue: WorkQueueName = JOBS) -> None:
        number = sum(len(letters) for letters in self.lying.values()) + 1
        letter = DeadLetter(message_id=f"m-{number}", receipt=f"r-{number}", body=body, sent_at_ms=NOW_MS, receives=6)
        self.lying[queue].append(letter)

    def depths(self) -> Sequence[QueueDepth]:
        return [QueueDepth(queue=q, waiting=0, dead=len(lying), dead_hidden=0) for q, lying in self.lying.items()]

    def take(self, queue: WorkQueueName, *, limit: int, hide_seconds: int) -> Sequence[DeadLetter]:
        found = [letter for letter in self.lying[queue] if letter.message_id not in self.hidden][:limit]
        self.hidden += [letter.message_id for letter in found]
        return found

    def put_back(self, queue: WorkQueueName, letters: Sequence[DeadLetter]) -> None:
        back = {letter.message_id for letter in letters}
        self.hidden = [message_id for message_id in self.hidden if message_id not in back]

    def delete(self, queue: WorkQueueName, letter: DeadLetter) -> None:
        self.events.append(f"deleted {letter.message_id}")
        self.lying[queue].remove(letter)

    def purge(self, queue: WorkQueueName) -> None:
        self.lying[queue].clear()


@dataclass
class Log:
    lines: Sequence[str] | None = ("StorageUnavailableError: the database did not answer",)

    def failures(self, queue: WorkQueueName, message_id: str, since_ms: int) -> Sequence[str]:
        if self.lines is None:
            raise StorageUnavailableError("the log did not answer")
        return self.lines


class Desk:
    """The use cases that an operator has at hand, and dead letters that a test puts."""

    def __init__(self) -> None:
        self.world = World()
        self.dead = MemoryDeadLetters()
        self.log = Log()

    @property
    def wired(self) -> OperatorsWiring:
        return self.world.wired(OperatorsWiring)

    @property
    def plan(self) -> PlanReplay:
        return self.wired.plan_replay

    @property
    def resolve(self) -> ResolvePayment:
        return self.wired.resolve_payment

    @property
    def close(self) -> CloseReview:
        return self.wired.close_review

    @property
    def inspect(self) -> InspectDeadLetters:
        return InspectDeadLetters(dead_letters=self.dead, plan=self.plan, failure_log=self.log, clock=self.world.clock)

    def replay(self, queue: WorkQueueName = JOBS, limit: int = 10) -> Sequence[Replayed]:
        replay = replace(self.wired.replay_dead_letters, dead_letters=self.dead)
        return replay(queue, limit=limit, operator_action=DECISION)

    def work(self) -> None:
        """The worker takes what was sent."""
        sent, self.world.jobs.sent = list(self.world.jobs.sent), []
        for job, _ in sent:
            self.world.process(job, self.world.deadline)

    def stored(self, payment: Payment) -> Payment:
        found = self.world.payments.get(payment.merchant_id, payment.transaction_id)
        assert found is not None
        return found

    def unknown(self, key: str = "order-1") -> Payment:
        """A payment whose charge got no answer."""
        payment = self.world.accept(key)
        self.world.providers.get("alpha").charges = [Unknown(code="read_timeout")]
        self.work()
        return self.stored(payment)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def wake_up(payment: Payment, operation_id: str | None = None) -> str:
    job = Job(merchant_id=payment.merchant_id, transaction_id=payment.transaction_id, operation_id=operation_id)
    return JOB_MESSAGES.encode(job, None)


# -- resolve and review


def test_a_look_is_recorded_and_wakes_a_worker(desk: Desk) -> None:
    payment = desk.unknown()
    desk.world.jobs.sent.clear()
    looked = desk.resolve(MERCHANT, payment.transaction_id, DECISION)
    assert [job.transaction_id for job, delay in desk.world.jobs.sent if delay == 0] == [payment.transaction_id]
    event = desk.world.events_of(payment)[-1]
    assert (event.type, event.actor) == ("payment.look_requested", "operator")
    assert event.facts["operator"] == "ada"
    assert event.facts["reason"] == "T-1"
    assert looked.ready_at_ms == desk.world.clock.now_ms()


def test_a_look_at_nothing_is_refused_and_writes_nothing(desk: Desk) -> None:
    payment = desk.world.accept()
    desk.work()
    final = desk.stored(payment)
    assert final.status is PaymentStatus.SUCCESS
    with pytest.raises(Refusal):
        desk.resolve(MERCHANT, payment.transaction_id, DECISION)
    assert desk.stored(payment) == final


def test_another_merchants_payment_does_not_exist(desk: Desk) -> None:
    payment = desk.unknown()
    with pytest.raises(Refusal) as refusal:
        desk.resolve("other", payment.transaction_id, DECISION)
    assert refusal.value.code == "not_found"


def in_review(desk: Desk) -> Payment:
    payment = desk.unknown()
    reviewed = replace(desk.stored(payment), status=PaymentStatus.IN_REVIEW)
    desk.world.store(reviewed)
    return desk.stored(payment)


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(ReviewVerdict.CHARGED, PaymentStatus.SUCCESS), (ReviewVerdict.NOT_CHARGED, PaymentStatus.FAILED)],
)
def test_a_review_is_closed_by_evidence(desk: Desk, verdict: ReviewVerdict, status: PaymentStatus) -> None:
    payment = in_review(desk)
    closed = desk.close(MERCHANT, payment.transaction_id, ReviewEntry(verdict=verdict, evidence="line 7"), DECISION)
    assert closed.status is status
    event = desk.world.events_of(payment)[-1]
    assert event.facts["evidence"] == "line 7"
    assert desk.world.telemetry.total("PaymentsFinal") == 1


@pytest.mark.parametrize("verdict", list(ReviewVerdict))
def test_the_end_of_a_mismatch_is_no_late_success(desk: Desk, verdict: ReviewVerdict) -> None:
    """The alarm about a charge after a "no" would ring for a decision of the operator."""
    desk.world.providers.get("alpha").charges = [Mismatch(code="amount_differs", reference="a-1", amount=60)]
    payment = desk.world.accept()
    desk.work()
    assert desk.stored(payment).attempts[0].state is AttemptState.MISMATCH
    amount = 60 if verdict is ReviewVerdict.CHARGED else None
    entry = ReviewEntry(verdict=verdict, evidence="line 7", amount=amount)
    closed = desk.close(MERCHANT, payment.transaction_id, entry, DECISION)
    assert closed.status is (PaymentStatus.SUCCESS if amount else PaymentStatus.FAILED)
    assert desk.world.telemetry.total("LateSuccesses") == 0


def test_a_reference_that_another_attempt_owns_proves_nothing(desk: Desk) -> None:
    payment = in_review(desk)
    other = desk.world.accept("order-2")
    desk.work()
    taken = desk.stored(other).attempts[0].reference
    finding = ReviewEntry(verdict=ReviewVerdict.CHARGED, evidence="line 7", reference=taken)
    with pytest.raises(Refusal) as refusal:
        desk.close(MERCHANT, payment.transaction_id, finding, DECISION)
    assert refusal.value.code == "reference_taken"
    assert desk.stored(payment) == payment


def test_a_closed_review_charges_nobody_whatever_wakes_it(desk: Desk) -> None:
    payment = in_review(desk)
    charges = desk.world.providers.get("alpha").asked("charge")
    finding = ReviewEntry(verdict=ReviewVerdict.NOT_CHARGED, evidence="line 7")
    desk.close(MERCHANT, payment.transaction_id, finding, DECISION)
    desk.dead.put(wake_up(payment))
    assert [r.plan.step for r in desk.replay()] == [ReplayStep.SKIP]
    desk.world.process(Job(merchant_id=MERCHANT, transaction_id=payment.transaction_id), desk.world.deadline)
    assert desk.world.providers.get("alpha").asked("charge") == charges


# -- what this release cannot read


def written_by_a_newer_release(desk: Desk) -> Payment:
    payment = desk.unknown("order-newer")
    key = payment_key(payment.merchant_id, payment.transaction_id)
    desk.world.dynamodb.update_item(
        TableName=TRANSACTIONS,
        Key=to_attributes(key),
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues=to_attributes({":s": "DISPUTED"}),
    )
    return payment


def about_it(payment: Payment) -> list[tuple[WorkQueueName, str]]:
    told = ProviderEvent(event_id="e-1", type="charged", charge_key=payment.attempts[0].provider_key)
    event = ReceivedEvent(
        merchant_id=MERCHANT, provider="alpha", account_id="main", received_at_ms=0, provider_event=told
    )
    return [(JOBS, wake_up(payment)), (PROVIDER_EVENTS, EVENT_MESSAGES.encode(event, None))]


@pytest.mark.parametrize("place", [0, 1])
def test_a_message_about_it_is_kept_and_stops_no_other(desk: Desk, place: int) -> None:
    other = desk.unknown("order-2")
    queue, body = about_it(written_by_a_newer_release(desk))[place]
    desk.dead.put(body, queue)
    desk.dead.put("from elsewhere", queue)
    explained = desk.inspect(queue, limit=10, with_log=False)
    assert [each.plan.step for each in explained] == [ReplayStep.KEEP, ReplayStep.KEEP]
    assert "newer release" in explained[0].plan.why
    desk.dead.put(wake_up(other))
    desk.world.clock.advance(600)
    replayed = {each.plan.step for each in desk.replay(queue)} | {each.plan.step for each in desk.replay()}
    assert ReplayStep.RESOLVE in replayed
    assert [letter.body for letter in desk.dead.lying[queue]] == [body, "from elsewhere"]


# -- plans


def plan_of(desk: Desk, body: str, queue: WorkQueueName = JOBS) -> tuple[ReplayStep, str]:
    letter = DeadLetter(message_id="m", receipt="r", body=body, sent_at_ms=NOW_MS, receives=6)
    plan = desk.plan(queue, letter)
    return plan.step, plan.why


def test_an_event_of_a_refund_made_at_the_provider_is_applied(desk: Desk) -> None:
    """Nobody knows the refund, and the worker reads all refunds of the charge that the event names."""
    payment = desk.world.accept()
    desk.work()
    charge = desk.stored(payment).attempts[0].reference

    def about(charge_reference: str | None) -> tuple[ReplayStep, str]:
        refund = ProviderEvent(
            event_id="e-1", type="refunded", charge_reference=charge_reference, operation_reference="r-elsewhere"
        )
        event = ReceivedEvent(
            merchant_id=MERCHANT, provider="alpha", account_id="main", received_at_ms=0, provider_event=refund
        )
        return plan_of(desk, EVENT_MESSAGES.encode(event, None), PROVIDER_EVENTS)

    step, why = about(charge)
    assert (step, why.split(":")[0]) == (ReplayStep.APPLY, "no refund here has its id")
    assert about("another charge")[0] is ReplayStep.SKIP


def test_an_unknown_is_planned_to_be_resolved(desk: Desk) -> None:
    payment = desk.unknown()
    desk.world.clock.advance(600)
    assert plan_of(desk, wake_up(payment)) == (ReplayStep.RESOLVE, "attempt 1 at alpha is UNKNOWN")


def test_a_payment_without_an_attempt_is_planned_to_be_charged(desk: Desk) -> None:
    step, why = plan_of(desk, wake_up(desk.world.accept()))
    assert (step, why) == (ReplayStep.CHARGE, "attempt 1 at alpha: no money moved so far")


def test_what_may_not_be_tried_any_more_is_planned_to_end(desk: Desk) -> None:
    payment = desk.world.accept()
    desk.world.clock.advance(2 * DAY_MS / 1000)
    assert plan_of(desk, wake_up(payment))[0] is ReplayStep.END


@pytest.mark.parametrize(
    ("ways", "words"), [(("alpha", "beta"), "beta follows"), (("alpha",), "the payer chooses again")]
)
def test_a_choice_at_a_provider_that_is_switched_off_is_planned_to_be_passed_over(
    desk: Desk, ways: tuple[str, ...], words: str
) -> None:
    choice = Choice(number=1, method="card", ways=ways, return_url="https://pay.example/back")
    checkout = Checkout(expires_at_ms=NOW_MS + DAY_MS, address=None, choice=choice)
    payment = replace(desk.world.accept(), status=PaymentStatus.REQUIRES_ACTION, checkout=checkout)
    desk.world.store(payment)
    desk.world.set_merchant(disabled=frozenset({"alpha"}))
    assert plan_of(desk, wake_up(payment)) == (
        ReplayStep.NEXT_WAY,
        f"the way that the payer chose is switched off; {words}",
    )


def test_under_a_worker_and_when_final_there_is_nothing_to_do(desk: Desk) -> None:
    payment = desk.world.accept()
    leased = replace(payment, lease=Lease(owner="w", epoch=1, expires_at_ms=NOW_MS + 1))
    desk.world.store(leased)
    assert plan_of(desk, wake_up(payment)) == (ReplayStep.SKIP, "another worker holds the lease")
    desk.world.store(replace(payment, due_at_ms=None, status=PaymentStatus.CANCELLED))
    assert plan_of(desk, wake_up(payment))[0] is ReplayStep.SKIP


@pytest.mark.parametrize("body", ["", "no json", "[]", '{"format": 9}', '{"format": 1, "merchant_id": 7}'])
@pytest.mark.parametrize("queue", list(WorkQueueName))
def test_what_cannot_be_read_is_kept_for_a_person(desk: Desk, body: str, queue: WorkQueueName) -> None:
    assert plan_of(desk, body, queue)[0] is ReplayStep.KEEP


def test_a_payment_that_is_not_here_is_kept_for_a_person(desk: Desk) -> None:
    payment = replace(desk.world.accept(), transaction_id="pay_bbbbbbbbbbbbbbbb")
    step, why = plan_of(desk, wake_up(payment))
    assert step is ReplayStep.KEEP
    assert "no such payment" in why


def test_operations_have_plans_of_their_own(desk: Desk) -> None:
    payment = desk.world.accept()
    desk.work()
    operation = desk.world.request(OperationKind.REFUND, desk.stored(payment), 5).operation
    assert plan_of(desk, wake_up(payment, operation.operation_id))[0] is ReplayStep.CHARGE
    assert plan_of(desk, wake_up(payment, "ref_aaaaaaaaaaaaaaaa"))[0] is ReplayStep.KEEP


def inbound(payment: Payment, **changes: str) -> ReceivedEvent:
    provider_event = ProviderEvent(event_id="e1", type="payment.captured", charge_key=changes.pop("charge_key", None))
    fields = {"merchant_id": payment.merchant_id, "provider": "alpha", "account_id": "main"}
    return ReceivedEvent(**(fields | changes), received_at_ms=NOW_MS, provider_event=provider_event)


def test_webhooks_are_planned_by_what_they_are_about(desk: Desk) -> None:
    payment = desk.unknown()
    ours = EVENT_MESSAGES.encode(inbound(payment, charge_key=payment.attempts[0].provider_key), None)
    assert plan_of(desk, ours, PROVIDER_EVENTS)[0] is ReplayStep.APPLY
    lost = EVENT_MESSAGES.encode(inbound(payment, charge_key="pfx-bbbbbbbbbbbbbbbb-1"), None)
    assert plan_of(desk, lost, PROVIDER_EVENTS)[0] is ReplayStep.KEEP
    strange = EVENT_MESSAGES.encode(inbound(payment), None)
    assert plan_of(desk, strange, PROVIDER_EVENTS)[0] is ReplayStep.SKIP


def test_looking_writes_nothing_sends_nothing_and_hides_nothing(desk: Desk) -> None:
    payment = desk.unknown()
    desk.world.jobs.sent.clear()
    for _ in range(25):
        desk.dead.put(wake_up(payment))
    before = desk.world.items_of(payment)
    explained = desk.inspect(JOBS, limit=23, with_log=True)
    assert len(explained) == 23
    assert explained[0].failures == ("StorageUnavailableError: the database did not answer",)
    assert desk.world.items_of(payment) == before
    assert desk.world.jobs.sent == []
    assert desk.dead.hidden == []
    assert len(desk.dead.lying[JOBS]) == 25


def test_a_log_that_does_not_answer_spoils_no_explanation(desk: Desk) -> None:
    desk.log.lines = None
    desk.dead.put("garbage")
    assert desk.inspect(JOBS, limit=10, with_log=True)[0].failures is None


@pytest.mark.parametrize(("seconds", "answers"), [(4, 3), (0, 1)], ids=["slow", "silent"])
def test_a_slow_log_does_not_outlast_the_function(desk: Desk, seconds: float, answers: int) -> None:
    asked = []

    class SlowLog(Log):
        def failures(self, queue: WorkQueueName, message_id: str, since_ms: int) -> Sequence[str]:
            asked.append(message_id)
            desk.world.clock.advance(seconds)
            return super().failures(queue, message_id, since_ms)

    desk.log = SlowLog(lines=("read_timeout",) if seconds else None)
    for _ in range(10):
        desk.dead.put("garbage")
    explained = desk.inspect(JOBS, limit=10, with_log=True)
    assert len(explained) == 10
    assert len(asked) == answers
    assert sum(each.failures is None for each in explained) == 10 - (answers if seconds else 0)


# -- replay


def test_a_replay_cannot_charge_an_unknown(desk: Desk) -> None:
    payment = desk.unknown()
    charged_before = desk.world.providers.get("alpha").asked("charge")
    desk.world.providers.get("alpha").inquiries = [Unknown(code="still_unknown")] * 9
    desk.world.clock.advance(25 * 3600)  # outside the window in which a re-send is the same charge
    for _ in range(7):
        desk.dead.put(wake_up(payment))
    desk.world.jobs.sent.clear()
    while desk.replay(limit=3):
        desk.work()
    stored = desk.stored(payment)
    assert len(stored.attempts) == 1
    assert desk.world.providers.get("alpha").asked("charge") == charged_before
    assert desk.world.providers.get("alpha").asked("inquire") >= 1
    assert [desk.world.providers.get(n).asked("charge") for n in ("beta", "gamma")] == [0, 0]


def test_the_hints_of_the_first_send_are_not_sent_again(desk: Desk) -> None:
    payment = desk.world.accept()
    ((first, _),) = desk.world.jobs.sent
    assert first.request_hash is not None
    desk.world.jobs.sent.clear()
    desk.dead.put(JOB_MESSAGES.encode(first, None))
    desk.replay()
    ((again, _),) = desk.world.jobs.sent
    assert again == Job(merchant_id=MERCHANT, transaction_id=payment.transaction_id)


def test_what_is_unknown_goes_before_what_is_charged(desk: Desk) -> None:
    fresh = desk.world.accept("order-9")
    desk.world.jobs.sent.clear()
    unknown = desk.unknown("order-1")
    desk.world.clock.advance(600)
    desk.world.jobs.sent.clear()
    desk.dead.put(wake_up(fresh))
    desk.dead.put(wake_up(unknown))
    assert [r.plan.step for r in desk.replay()] == [ReplayStep.RESOLVE, ReplayStep.CHARGE]
    assert [job.transaction_id for job, _ in desk.world.jobs.sent] == [unknown.transaction_id, fresh.transaction_id]


def test_a_replay_goes_on_where_it_died(desk: Desk) -> None:
    payments = [desk.world.accept(f"order-{n}") for n in range(3)]
    for payment in payments:
        desk.dead.put(wake_up(payment))
    desk.replay(limit=1)
    desk.world.jobs.sent.clear()
    assert len(desk.dead.lying[JOBS]) == 2
    assert len(desk.replay()) == 2
    assert desk.replay() == []
    assert [job.transaction_id for job, _ in desk.world.jobs.sent] == [p.transaction_id for p in payments[1:]]


def test_a_message_is_sent_before_it_is_removed(desk: Desk) -> None:
    refund = desk.world.accept()
    desk.work()
    operation = desk.world.request(OperationKind.REFUND, desk.stored(refund), 5).operation
    desk.dead.put(wake_up(refund, operation.operation_id))
    desk.world.jobs.broken = True
    with pytest.raises(StorageUnavailableError):
        desk.replay()
    assert len(desk.dead.lying[JOBS]) == 1
    desk.dead.hidden.clear()
    desk.world.jobs.broken = False
    desk.world.jobs.sent.clear()
    assert desk.replay()[0].sent
    assert [job.operation_id for job, _ in desk.world.jobs.sent] == [operation.operation_id]
    assert desk.dead.lying[JOBS] == []


def test_what_nobody_understands_stays_and_what_means_nothing_goes(desk: Desk) -> None:
    payment = desk.world.accept()
    desk.work()
    desk.dead.put("garbage")
    desk.dead.put(wake_up(payment))
    assert {r.plan.step: r.sent for r in desk.replay()} == {ReplayStep.SKIP: False, ReplayStep.KEEP: False}
    assert [letter.body for letter in desk.dead.lying[JOBS]] == ["garbage"]


def test_a_wake_up_of_a_payment_that_is_not_here_stays(desk: Desk) -> None:
    lost = replace(desk.world.accept(), transaction_id="pay_bbbbbbbbbbbbbbbb")
    desk.world.jobs.sent.clear()
    desk.dead.put(wake_up(lost))
    assert [(r.plan.step, r.sent) for r in desk.replay()] == [(ReplayStep.KEEP, False)]
    assert len(desk.dead.lying[JOBS]) == 1
    assert desk.world.jobs.sent == []


def test_webhooks_go_back_to_their_queue(desk: Desk) -> None:
    payment = desk.unknown()
    provider_event = inbound(payment, charge_key=payment.attempts[0].provider_key)
    desk.dead.put(EVENT_MESSAGES.encode(provider_event, None), PROVIDER_EVENTS)
    assert desk.replay(PROVIDER_EVENTS)[0].sent
    assert desk.world.provider_events.sent == [(provider_event, 0)]


def test_an_event_that_is_owed_is_told_again_and_one_that_is_not_goes(desk: Desk) -> None:
    desk.world.wired(ApiWiring).manage_endpoints.create(
        NewEndpoint(merchant_id=MERCHANT, url="https://shop.example/hook")
    )
    payment = desk.world.accept()
    desk.work()
    (event,) = desk.world.merchant_events_of(payment)
    job = DeliveryJob(merchant_id=MERCHANT, transaction_id=payment.transaction_id, seq=event.seq)
    desk.dead.put(DELIVERY_MESSAGES.encode(job, None), DELIVERIES)
    desk.world.deliveries.sent.clear()
    (replayed,) = desk.replay(DELIVERIES)
    assert (replayed.plan.step, replayed.sent) == (ReplayStep.TELL, True)
    assert [sent for sent, _ in desk.world.deliveries.sent] == [job]
    assert desk.wired.merchant_events.save(event, replace(event, due_at_ms=None))
    desk.dead.hidden.clear()
    for seq in (event.seq, 99):
        desk.dead.put(DELIVERY_MESSAGES.encode(replace(job, seq=seq), None), DELIVERIES)
    assert [(r.plan.step, r.sent) for r in desk.replay(DELIVERIES)] == [(ReplayStep.SKIP, False)] * 2
    assert desk.dead.lying[DELIVERIES] == []


def test_a_reconciliation_goes_on_unless_it_is_over(desk: Desk) -> None:
    run = Run(
        run_id="rec_1",
        merchant_id=MERCHANT,
        provider="alpha",
        account_id="main",
        source=Source.LIST,
        file=None,
        from_ms=0,
        until_ms=1,
        listed_from_ms=0,
        listed_until_ms=1,
        lag_ms=0,
        created_at_ms=0,
        updated_at_ms=0,
        slice_from_ms=0,
        slice_ms=1,
        max_slice_ms=1,
    )
    desk.wired.runs.start(run)
    for name in ("rec_1", "rec_of_elsewhere"):
        desk.dead.put(json.dumps({"format": 1, "run_id": name}), RUNS)
    steps = {r.plan.what.split()[-1]: (r.plan.step, r.sent) for r in desk.replay(RUNS)}
    assert steps == {"rec_1": (ReplayStep.GO_ON, True), "rec_of_elsewhere": (ReplayStep.KEEP, False)}
    assert desk.world.run_queue.sent == [("rec_1", 0)]
    assert desk.wired.runs.save(run, replace(run, phase=Phase.DONE, version=run.version + 1))
    desk.dead.lying[RUNS].clear()
    desk.dead.hidden.clear()
    desk.dead.put(json.dumps({"format": 1, "run_id": "rec_1"}), RUNS)
    assert [r.plan.step for r in desk.replay(RUNS)] == [ReplayStep.SKIP]


def test_replays_and_purges_are_recorded_first(desk: Desk) -> None:
    desk.dead.put("garbage")
    desk.replay()
    desk.world.clock.advance(1)
    purge = replace(desk.wired.purge_dead_letters, dead_letters=desk.dead)
    purge(JOBS, DECISION)
    assert [(r.action, r.operator_action) for r in desk.wired.list_audit_entries("2026-09", limit=9)] == [
        ("dead_letters.purged", DECISION),
        ("dead_letters.replayed", DECISION),
    ]
    assert desk.dead.lying[JOBS] == []


def test_a_decline_that_is_proven_may_be_charged_elsewhere_by_a_replay(desk: Desk) -> None:
    payment = desk.world.accept()
    desk.world.providers.get("alpha").charges = [Declined(kind=DeclineKind.SOFT, code="d", message="m")]
    desk.work()
    desk.dead.put(wake_up(payment))
    assert desk.replay()[0].plan.step is ReplayStep.CHARGE
    desk.work()
    assert desk.stored(payment).status is PaymentStatus.SUCCESS


def test_a_read_of_refunds_that_died_is_read_again(desk: Desk) -> None:
    payment = desk.world.accept()
    desk.world.work_until_idle()
    job = Job(merchant_id=payment.merchant_id, transaction_id=payment.transaction_id, read_refunds=True)
    desk.dead.put(JOB_MESSAGES.encode(job, None))
    (replayed,) = desk.replay()
    assert (replayed.plan.step, replayed.sent) == (ReplayStep.RESOLVE, True)
    assert [sent.read_refunds for sent, _ in desk.world.jobs.sent] == [True]
