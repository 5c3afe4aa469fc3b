"""A random walk over one payment: merchants, workers, provider events, reconciliation and operators, right or wrong.

After every step the stored amounts are compared with a second ledger that knows nothing of `held`: it adds up what the
provider has told of each attempt, and what operators decided.
"""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

import pytest

from payflowx.application.reviews.close_operation_review import CloseOperationReview
from payflowx.application.reviews.close_review import CloseReview, ReviewEntry
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.operation_state_machine import send_operation_to_review
from payflowx.domain.payments.outcome import (
    Accepted,
    Authorized,
    ConfirmedCancelled,
    Declined,
    NotFound,
    NotSent,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.refund_list import ProviderRefund, RefundList, RefundsRead, RefundState
from payflowx.domain.payments.review import ReviewVerdict
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.reconciliation.matching import MatchResult, review_discrepancy
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.limits import HOUR_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, OperationStatus, PaymentStatus
from tests.support.balance import assert_agrees, assert_balanced, operations_of
from tests.support.scripted import ScriptedProvider
from tests.support.world import RESENDABLE, World, fallback

SEQUENCES: Final = 400
STEPS: Final = 45
AMOUNT: Final = 100
ADA: Final = OperatorAction(who="ada", why="T-1")
REFUND, CAPTURE, VOID = OperationKind.REFUND, OperationKind.CAPTURE, OperationKind.VOID


@dataclass
class Books(ScriptedProvider):
    """A provider with books of its own, and a bad memory for what it answers."""

    random: Random = field(default_factory=Random)
    held: int = 0
    captured: int = 0
    executed: dict[str, int] = field(default_factory=dict)
    """What each key of an operation really moved."""
    known: dict[str, OperationRequest] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    dashboard: dict[str, ProviderRefund] = field(default_factory=dict)

    def charge(self, request: ChargeRequest, account: Account) -> Outcome:
        if request.capture is CaptureMode.MANUAL:
            self.held = request.amount
            return self._charge_state(request)
        self.captured = request.amount
        return self._charge_state(request)

    def inquire(self, request: ChargeRequest, account: Account) -> Outcome:
        return self._charge_state(request)

    def _charge_state(self, request: ChargeRequest) -> Outcome:
        facts = {"reference": "ch_1", "currency": request.currency, "merchant_reference": request.provider_key}
        if self.captured:
            return Succeeded(amount=self.captured, **facts)
        return Authorized(amount=self.held, **facts) if self.held else ConfirmedCancelled(reference="ch_1")

    def refunds_of(self, request: ChargeRequest, account: Account) -> RefundsRead:
        """Refunds of ours with their keys, and those that a person made in the dashboard."""
        ours = [
            ProviderRefund(
                reference=f"ref-{key}", provider_key=key, amount=amount, currency="USD", state=RefundState.SUCCEEDED
            )
            for key, amount in self.executed.items()
            if self.known[key].kind is REFUND
        ]
        return RefundList(refunds=[*ours, *self.dashboard.values()])

    def in_dashboard(self, amount: int) -> None:
        reference = f"re_dash_{len(self.dashboard)}"
        state = self.random.choice([RefundState.SUCCEEDED, RefundState.SUCCEEDED, RefundState.PENDING])
        self.dashboard[reference] = ProviderRefund(
            reference=reference, provider_key=None, amount=amount, currency="USD", state=state
        )

    def execute(self, key: str) -> None:
        request = self.known[key]
        self.pending.discard(key)
        if request.kind is REFUND:
            self.executed[key] = request.amount
        elif self.held:
            self.executed[key] = request.amount
            self.captured = request.amount if request.kind is CAPTURE else 0
            self.held = 0
        else:
            self.refused.add(key)

    def reverse(self, key: str) -> None:
        if self.known[key].kind is REFUND:
            self.executed.pop(key, None)
            self.refused.add(key)

    def move(self, request: OperationRequest, account: Account) -> Outcome:
        key = request.provider_key
        if key in self.known and key in self.executed:
            return self._told(key)
        self.known[key] = request
        match self.random.randrange(8):
            case 0:
                del self.known[key]
                return NotSent(code="connection_refused")
            case 1:
                return Rejected(code="rate_limited")
            case 2:
                self.refused.add(key)
                return Declined(code="too_old")
            case 3:
                self.pending.add(key)
                return Accepted(reference=f"ref-{key}")
            case 4:
                self.execute(key)
                return Unknown(code="read_timeout")
            case 5:
                return Unknown(code="read_timeout")
            case _:
                self.execute(key)
                return self._told(key)

    def inquire_operation(self, request: OperationRequest, account: Account) -> Outcome:
        key = request.provider_key
        return Unknown(code="read_timeout") if self.random.random() < 0.2 else self._told(key)

    def _told(self, key: str) -> Outcome:
        request = self.known.get(key)
        if request is not None and key in self.executed:
            return succeeded(key, self.executed[key], request.currency)
        if key in self.refused:
            return Declined(code="too_old")
        return Accepted(reference=f"ref-{key}") if key in self.pending else NotFound()


def succeeded(key: str, amount: int, currency: str) -> Succeeded:
    return Succeeded(reference=f"ref-{key}", amount=amount, currency=currency, merchant_reference=key)


@dataclass
class Walk:
    random: Random
    world: World = field(default_factory=World)
    payment_id: str = ""
    moved: dict[str, int] = field(default_factory=dict)
    """What each refund has moved, as the provider told or an operator decided last."""
    steps: list[str] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.books = Books("alpha", replace(RESENDABLE, inquiry_horizon_ms=2 * HOUR_MS), random=self.random)
        self.world.providers.providers["alpha"] = self.books
        self.world.rules.document = fallback("alpha")
        mode = self.random.choice(list(CaptureMode))
        self.payment_id = self.world.accept(amount=AMOUNT, capture=mode).transaction_id
        self.world.work_until_idle()

    @property
    def payment(self) -> Payment:
        found = self.world.payments.get("acme", self.payment_id)
        assert found is not None
        return found

    @property
    def operations(self) -> list[Operation]:
        return operations_of(self.world, self.payment)

    def _context(self) -> Context:
        return Context(now_ms=self.world.clock.now_ms(), actor="test", policy=self.world.policy)

    # -- steps

    def step(self) -> None:
        name = self.random.choice(
            (
                *("request", "request", "work", "work", "work", "sweep", "event", "event", "execute_late", "reverse"),
                *("dashboard", "dashboard_changes", "read_refunds", "read_refunds"),
                *("hint", "report", "report_payment", "close", "close", "close_payment", "capture", "capture"),
            )
        )
        if name == "capture" and self.payment.status is not PaymentStatus.AUTHORIZED:
            name = "execute_late"
        self.steps.append(name)
        before = {(o.operation_id, a.number): a.state for o in self.operations for a in o.attempts}
        try:
            getattr(self, name)()
        except Refusal as refusal:
            self.steps[-1] += f" ({refusal.code})"
        self._listen(before)
        self.check()

    def request(self) -> None:
        amount = self.random.choice([None, 1, 30, 60, 100, self.payment.refundable + 1])
        self.world.request(REFUND, self.payment, amount, key=f"r{len(self.steps)}")

    def capture(self) -> None:
        kind = self.random.choice([CAPTURE, CAPTURE, CAPTURE, VOID])
        amount = None if kind is VOID else self.random.choice([None, 60])
        self.world.request(kind, self.payment, amount, key=f"c{len(self.steps)}")

    def work(self) -> None:
        if self.world.jobs.sent:
            self.world.work()

    def sweep(self) -> None:
        self.world.clock.advance(self.random.choice([60, 3_600, 25 * 3_600]))
        self.world.sweep(self.world.deadline)

    def execute_late(self) -> None:
        """The provider executes what it had refused, what is pending, or what got lost; perhaps a second attempt."""
        keys = [key for key in self.books.known if key not in self.books.executed]
        if keys:
            key = self.random.choice(keys)
            self.books.refused.discard(key)
            self.books.execute(key)

    def reverse(self) -> None:
        if self.books.executed:
            self.books.reverse(self.random.choice(list(self.books.executed)))

    def event(self) -> None:
        """A signed event that proves a success, at any time and as often as the provider likes."""
        if self.books.executed:
            key, amount = self.random.choice(list(self.books.executed.items()))
            self._deliver(key, succeeded(key, amount, "USD"))

    def dashboard(self) -> None:
        if self.books.captured:
            self.books.in_dashboard(self.random.choice([1, 10, 40]))

    def dashboard_changes(self) -> None:
        """A pending refund becomes final, or the bank returns one that had succeeded."""
        if self.books.dashboard:
            name = self.random.choice(list(self.books.dashboard))
            refund = self.books.dashboard[name]
            pending = refund.state is RefundState.PENDING
            states = [RefundState.SUCCEEDED, RefundState.FAILED] if pending else [RefundState.FAILED]
            self.books.dashboard[name] = replace(refund, state=self.random.choice(states))

    def read_refunds(self) -> None:
        """Caused by the daily run, an event or an operator."""
        self.world.record_provider_refunds("acme", self.payment_id)

    def hint(self) -> None:
        if self.books.known:
            self._deliver(self.random.choice(list(self.books.known)), None)

    def _deliver(self, key: str, outcome: Outcome | None) -> None:
        provider_event = ProviderEvent(
            event_id=f"evt_{len(self.steps)}", type="refund", operation_key=key, operation_outcome=outcome
        )
        inbound = ReceivedEvent(
            merchant_id="acme",
            provider="alpha",
            account_id="main",
            received_at_ms=self.world.clock.now_ms(),
            provider_event=provider_event,
            tries=9,
        )
        self.world.process_provider_event(inbound)

    def report(self) -> None:
        """The provider's report disagrees, rightly or wrongly."""
        candidates = [o for o in self.operations if o.status is not OperationStatus.IN_REVIEW]
        if candidates:
            change = send_operation_to_review(
                self.payment, self.random.choice(candidates), ReviewReason.RECONCILIATION, self._context()
            )
            self.world.outcome_writer.commit(change)

    def report_payment(self) -> None:
        if self.random.random() < 0.3 and self.payment.attempts:
            change = review_discrepancy(self.payment, MatchResult.AMOUNT, self._context())
            if change is not None:
                self.world.outcome_writer.commit(change)

    def close(self) -> None:
        candidates = [o for o in self.operations if o.status is OperationStatus.IN_REVIEW]
        if not candidates:
            return
        operation = self.random.choice(candidates)
        there = self._there(operation)
        right = self.random.random() < 0.6
        charged = bool(there) if right else self.random.random() < 0.5
        amount = None if operation.kind is VOID or not charged else self.random.choice([None, there or 7, 59])
        use_case = CloseOperationReview(
            payments=self.world.payments,
            operations=self.world.operations,
            outcome_writer=self.world.outcome_writer,
            merchant_directory=self.world.merchant_directory,
            clock=self.world.clock,
            policy=self.world.policy,
        )
        before = operation.booked
        verdict = ReviewVerdict.CHARGED if charged else ReviewVerdict.NOT_CHARGED
        entry = ReviewEntry(verdict=verdict, evidence="line 7", amount=amount)
        use_case("acme", operation.operation_id, entry, ADA)
        if operation.kind is REFUND:
            self.moved[operation.operation_id] = (amount or before) if charged else 0
            self._forget(operation)

    def close_payment(self) -> None:
        charged = self.random.random() < 0.7
        amount = self.random.choice([None, self.books.captured or None, 60]) if charged else None
        use_case = CloseReview(
            payments=self.world.payments,
            operations=self.world.operations,
            outcome_writer=self.world.outcome_writer,
            merchant_directory=self.world.merchant_directory,
            able=self.world.providers.capabilities(),
            clock=self.world.clock,
            policy=self.world.policy,
        )
        verdict = ReviewVerdict.CHARGED if charged else ReviewVerdict.NOT_CHARGED
        use_case("acme", self.payment_id, ReviewEntry(verdict=verdict, evidence="line 7", amount=amount), ADA)

    # -- the second ledger

    def _forget(self, operation: Operation) -> None:
        """An attempt that an operator's verdict closed as executed counts no second time."""
        now = self.world.operation_now(operation)
        self._decided = {(now.operation_id, a.number) for a in now.attempts if a.state is AttemptState.SUCCEEDED}

    _decided: frozenset[tuple[str, int]] | set[tuple[str, int]] = frozenset()

    def _listen(self, before: dict[tuple[str, int], AttemptState]) -> None:
        for operation in self.operations:
            for attempt in operation.attempts:
                place = (operation.operation_id, attempt.number)
                new = attempt.state is AttemptState.SUCCEEDED and before.get(place) is not AttemptState.SUCCEEDED
                if new and place not in self._decided and operation.kind is REFUND:
                    name = operation.operation_id
                    self.moved[name] = self.moved.get(name, 0) + operation.amount
        self._decided = frozenset()

    def check(self) -> None:
        payment, operations = self.payment, self.operations
        trace = "\n".join(self.steps)
        assert_balanced(payment)
        assert_agrees(payment, operations)
        refunds = [o for o in operations if o.kind is REFUND]
        moved = {o.operation_id: self.moved.get(o.operation_id, 0) for o in refunds}
        open_ = [o for o in refunds if o.status is OperationStatus.PENDING]
        open_ += [o for o in refunds if o.status is OperationStatus.IN_REVIEW and not moved[o.operation_id]]
        left = payment.captured - sum(moved.values()) - sum(o.amount for o in open_)
        assert (payment.refundable, payment.excess) == (max(0, left), max(0, -left)), trace
        assert payment.refunded == sum(moved.values()), trace
        if payment.excess:
            statuses = {payment.status.value, *(o.status.value for o in operations)}
            assert "IN_REVIEW" in statuses, trace
        self._check_the_providers_books(payment, refunds, moved, {o.operation_id for o in open_}, trace)
        self._check_the_api(payment, trace)

    def _check_the_providers_books(
        self, payment: Payment, refunds: list[Operation], moved: dict[str, int], open_: set[str], trace: str
    ) -> None:
        """Where we know all that the provider executed, no more can be refunded than its books leave."""
        there = {o.operation_id: self._there(o) for o in refunds}
        booked = {attempt.reference for o in refunds for attempt in o.attempts}
        unread = [r for r in self.books.dashboard.values() if r.state is not RefundState.FAILED]
        informed = all(
            there[o.operation_id] <= (o.amount if o.operation_id in open_ else moved[o.operation_id]) for o in refunds
        )
        informed = informed and all(refund.reference in booked for refund in unread)
        if informed and payment.captured <= self.books.captured:
            self.seen["informed"] = self.seen.get("informed", 0) + 1
            assert payment.refundable <= max(0, self.books.captured - sum(there.values())), trace

    def _there(self, operation: Operation) -> int:
        """What the provider's books say that this operation moved."""
        if operation.origin is Origin.PROVIDER:
            refund = self.books.dashboard[operation.attempts[0].reference or ""]
            return refund.amount if refund.state is RefundState.SUCCEEDED else 0
        return sum(self.books.executed.get(key, 0) for key in keys_of(operation))

    def _check_the_api(self, payment: Payment, trace: str) -> None:
        with pytest.raises(Refusal):
            self.world.request(REFUND, payment, payment.refundable + 1, key="probe")
        for operation in self.operations:
            self.seen[operation.status.value] = self.seen.get(operation.status.value, 0) + 1
            self.seen[operation.origin.value] = self.seen.get(operation.origin.value, 0) + 1
        self.seen["excess"] = self.seen.get("excess", 0) + bool(payment.excess)


def keys_of(operation: Operation) -> list[str]:
    return [derive_provider_key(operation.operation_id, a.number) for a in operation.attempts]


@pytest.mark.parametrize("part", range(4))
def test_the_amounts_agree_with_a_second_ledger_after_every_step(part: int) -> None:
    seen: dict[str, int] = {}
    for seed in range(part * SEQUENCES // 4, (part + 1) * SEQUENCES // 4):
        walk = Walk(Random(seed))
        walk.check()
        for _ in range(STEPS):
            walk.step()
        assert walk.world.now(walk.payment).status in PaymentStatus
        for name, count in walk.seen.items():
            seen[name] = seen.get(name, 0) + count
    # Each part of the walk has been everywhere.
    for place in ("informed", "excess", *Origin, *OperationStatus):
        assert seen[str(place)] > 50, seen
