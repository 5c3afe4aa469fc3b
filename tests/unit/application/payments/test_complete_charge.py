"""Charges that we capture ourselves: the fact is stored before the capture leaves, and then only a read decides.

The provider is Razorpay's simulator: its orders ask for manual capture, and it returns what is not captured in time.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from payflowx.application.payments.charge_session import ChargeSession
from payflowx.application.payments.complete_charge import CompleteCharge
from payflowx.domain.payments.attempt import CAPTURE_SENT_AT
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NextAction,
    NotFound,
    NotSent,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Customer, Lease, Payment, PaymentMethod
from payflowx.domain.payments.recovery_plan import RecoveryStep, recovery_step_for
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.state_machine import send_to_review
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.shared.errors import StorageUnavailableError, TransitionError
from payflowx.domain.shared.limits import DAY_MS, LEASE_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.statuses import NO_CHARGE_STATES, AttemptState, CaptureMode, PaymentStatus
from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult, NoConnection
from sandbox.http_types import Request, json_reply
from tests.support.faulty_transport import FaultyTransport, HostileWorld, Trouble
from tests.support.memory import FixedRules
from tests.support.scripted import ScriptedProvider, authorized
from tests.support.world import RESENDABLE, fallback

PAYER = Customer(id="cust_A1b2C3d4E5f6G7", name="Payer Example", email="payer@example.com", phone="+919876543210")
CAPTURING = {"order_id": "order_1", CAPTURE_SENT_AT: "1790000000000"}
NOT_CAPTURED = HttpResponse(
    status=400,
    headers={},
    body=b'{"error":{"code":"GATEWAY_ERROR","description":"The capture failed.","reason":"capture_failed"}}',
)


class CapturingLine(FaultyTransport):
    """A line on which captures alone may go wrong. `captures` holds what happens to each capture, in order."""

    captures: list[Trouble | HttpResult]
    before_capture: Callable[[], object]
    sent_captures: int = 0

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        if not request.path.endswith("/capture"):
            return super().send(request, endpoint)
        self.before_capture()
        self.sent_captures += 1
        fault = self.captures.pop(0) if self.captures else None
        if fault is None or isinstance(fault, Trouble):
            self.troubles = {self.count + 1: fault} if fault else {}
            return super().send(request, endpoint)
        return fault


@pytest.fixture
def world() -> HostileWorld:
    """Routes to Razorpay, then to Cashfree."""
    world = HostileWorld()
    world.line = CapturingLine(world.clock, simulators=world.http.simulators)
    world.line.simulators = world.http.simulators
    world.line.captures, world.line.before_capture = [], lambda: None
    world.http = world.line
    world.use(FixedRules(fallback("razorpay", "cashfree")))
    return world


def pay(world: HostileWorld, token: str = "tok_success", kind: str = "card", **changes: object) -> Payment:
    method = PaymentMethod(type=kind, token=f"{token}@razorpay")
    return world.accept(
        "order-1", amount=49_900, currency="INR", payment_method=method, customer=PAYER, return_url=None, **changes
    )


def work_for(world: HostileWorld, payment: Payment, milliseconds: int) -> Payment:
    """Process messages and sweeps for this long."""
    until_ms = world.clock.now_ms() + milliseconds
    while world.clock.now_ms() < until_ms:
        while world.jobs.sent and world.clock.now_ms() + world.jobs.sent[0][1] * SECOND_MS <= until_ms:
            world.work()
        world.clock.advance(30)
        world.sweep(world.deadline)
    return world.now(payment)


def paths(world: HostileWorld) -> list[str]:
    return [f"{request.method} {request.path.split('/')[-1]}" for _, request in world.http.requests]


def captures(world: HostileWorld) -> int:
    assert isinstance(world.line, CapturingLine)
    return world.line.sent_captures


def payments_at_razorpay(world: HostileWorld) -> list[str]:
    now = world.clock.now_ms() / 1000
    return [record["state"] for record in world.http.simulators["razorpay"].everything(now)]  # type: ignore[attr-defined]


def approve(world: HostileWorld, *, decline: bool = False) -> None:
    """The payer acts on the UPI link."""
    now = world.clock.now_ms() / 1000
    simulator = world.http.simulators["razorpay"]
    (record,) = simulator.everything(now)  # type: ignore[attr-defined]
    path = f"/actions/{record['id']}" + ("/decline" if decline else "")
    assert simulator.handle(Request(method="GET", path=path), now).status == 200


def states(payment: Payment) -> list[tuple[str, str]]:
    return [(attempt.provider, attempt.state.value) for attempt in payment.attempts]


class TestThePathThatGoesWell:
    def test_the_read_authorization_is_captured_in_the_same_session(self, world: HostileWorld) -> None:
        payment = pay(world)
        world.work(turns=2)
        assert paths(world) == ["POST orders", "POST recurring", "GET payments", "POST capture"]
        now = world.now(payment)
        assert (now.status, states(now)) == (PaymentStatus.SUCCESS, [("razorpay", "SUCCEEDED")])
        assert len(world.http.charged()) == 1

    def test_the_fact_is_stored_before_the_capture_leaves(self, world: HostileWorld) -> None:
        stored: list[Payment] = []
        payment = pay(world)
        world.line.before_capture = lambda: stored.append(world.now(payment))
        world.work(turns=2)
        (seen,) = stored
        assert seen.attempts[0].capture_sent_at_ms == world.clock.now_ms()
        assert seen.lease.owner

    def test_nobody_is_told_of_an_authorization(self, world: HostileWorld) -> None:
        payment = pay(world)
        world.work_until_idle()
        assert PaymentStatus.AUTHORIZED not in {event.status_to for event in world.events_of(payment)}

    def test_a_payer_who_approves_a_link(self, world: HostileWorld) -> None:
        payment = pay(world, kind="upi")
        world.work()
        assert world.now(payment).status is PaymentStatus.REQUIRES_ACTION
        approve(world)
        now = work_for(world, payment, MINUTE_MS)
        assert (now.status, captures(world)) == (PaymentStatus.SUCCESS, 1)

    def test_the_event_of_the_authorization_brings_the_capture_forward(self, world: HostileWorld) -> None:
        payment = pay(world, kind="upi")
        world.work()
        work_for(world, payment, 5 * MINUTE_MS)
        approve(world)
        began_ms = world.clock.now_ms()
        simulator = world.http.simulators["razorpay"]
        for webhook in simulator.webhooks_due(began_ms / 1000):  # type: ignore[attr-defined]
            world.receive("razorpay", webhook.body, webhook.headers)
        world.deliver_provider_events()
        world.jobs.sent[:] = [job for job in world.jobs.sent if job[1] == 0]
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert world.clock.now_ms() - began_ms < 30 * SECOND_MS

    def test_a_merchants_own_manual_capture_is_left_to_the_merchant(self, world: HostileWorld) -> None:
        payment = pay(world, capture=CaptureMode.MANUAL)
        now = work_for(world, payment, DAY_MS)
        assert (now.status, captures(world)) == (PaymentStatus.AUTHORIZED, 0)
        assert now.attempts[0].capture_sent_at_ms is None


class TestOnceTheCaptureHasLeft:
    @pytest.mark.parametrize("fault", [Trouble.ANSWER_LOST, Trouble.ERROR_AFTER, Trouble.HTML_AFTER, Trouble.CUT_OFF])
    @pytest.mark.parametrize("kind", ["card", "upi"])
    def test_a_lost_answer_is_unknown_and_a_read_decides(self, world: HostileWorld, kind: str, fault: Trouble) -> None:
        world.line.captures = [fault]
        payment = pay(world, kind=kind)
        world.work()
        if kind == "upi":
            approve(world)
        world.work()
        now = world.now(payment)
        assert (now.status, states(now)) == (PaymentStatus.PENDING, [("razorpay", "UNKNOWN")])
        assert now.attempts[0].next_action is None
        world.work()
        assert (world.now(payment).status, captures(world)) == (PaymentStatus.SUCCESS, 1)

    @pytest.mark.parametrize("fault", [Trouble.REQUEST_LOST, NOT_CAPTURED, NoConnection(code="connection_refused")])
    def test_what_is_still_authorized_is_captured_again(self, world: HostileWorld, fault: Trouble | HttpResult) -> None:
        world.line.captures = [fault, fault]
        payment = pay(world)
        world.work(turns=3)
        now = world.now(payment)
        assert (now.status, states(now)) == (PaymentStatus.PENDING, [("razorpay", "UNKNOWN")])
        assert now.attempts[0].capture_sent_at_ms is not None
        now = work_for(world, payment, 5 * MINUTE_MS)
        assert (now.status, captures(world), len(world.http.charged())) == (PaymentStatus.SUCCESS, 3, 1)

    @pytest.mark.parametrize("approved_after_minutes", [0, 3, 7, 10, 13])
    def test_a_capture_without_effect_is_repeated_until_the_money_returns(
        self, world: HostileWorld, approved_after_minutes: int
    ) -> None:
        """Captures fail until two minutes before Razorpay returns the money: the next one must come in time."""
        payment = pay(world, kind="upi")
        world.work()
        began_ms = world.clock.now_ms()
        fails_until_ms = began_ms + 18 * MINUTE_MS
        honest = world.line.send

        def send(request: HttpRequest, endpoint: str) -> HttpResult:
            fails = request.path.endswith("/capture") and world.clock.now_ms() < fails_until_ms
            world.line.captures = [NOT_CAPTURED] if fails else []
            return honest(request, endpoint)

        world.line.send = send  # type: ignore[method-assign]
        work_for(world, payment, approved_after_minutes * MINUTE_MS)
        approve(world)
        now = work_for(world, payment, began_ms + 20 * MINUTE_MS - world.clock.now_ms())
        assert (now.status, payments_at_razorpay(world)) == (PaymentStatus.SUCCESS, ["charged"])
        assert captures(world) <= 16

    def test_a_capture_without_effect_is_repeated_a_bounded_number_of_times(self, world: HostileWorld) -> None:
        world.line.captures = [NOT_CAPTURED] * 1_000
        payment = pay(world)
        work_for(world, payment, 5 * DAY_MS)
        assert captures(world) < 150

    def test_a_capture_that_never_arrives_ends_when_the_money_was_returned(self, world: HostileWorld) -> None:
        """Uncaptured and refunded by the provider: only then may the next one be tried."""
        world.line.captures = [Trouble.REQUEST_LOST] * 100
        payment = pay(world, kind="upi")
        world.work()
        approve(world)
        now = work_for(world, payment, 15 * MINUTE_MS)
        assert states(now) == [("razorpay", "UNKNOWN")]
        now = work_for(world, payment, 60 * MINUTE_MS)
        assert payments_at_razorpay(world) == ["released"]
        assert now.attempts[0].state is AttemptState.FENCED
        assert [entry for entry in world.http.charged() if entry["gateway"] == "razorpay"] == []

    def test_a_decline_read_afterwards_changes_nothing(self, world: HostileWorld) -> None:
        """A read that is older than the authorization, or a provider that contradicts itself."""
        world.line.captures = [Trouble.ANSWER_LOST]
        payment = pay(world)
        world.work(turns=2)
        failed = _failed_payment(world)
        honest = world.line.send
        world.line.send = lambda request, endpoint: failed if request.method == "GET" else honest(request, endpoint)  # type: ignore[method-assign]
        now = work_for(world, payment, DAY_MS)
        assert (now.status, states(now)) == (PaymentStatus.PENDING, [("razorpay", "UNKNOWN")])
        world.line.send = honest  # type: ignore[method-assign]
        now = work_for(world, payment, 2 * 60 * MINUTE_MS)
        assert (now.status, len(world.http.charged())) == (PaymentStatus.SUCCESS, 1)

    def test_a_payers_time_that_is_over_cancels_nothing(self, world: HostileWorld) -> None:
        """The action lapses in the very session whose capture is on its way."""
        world.line.captures = [Trouble.LATE]
        payment = pay(world, kind="upi")
        world.work()
        world.clock.advance(14 * 60)
        approve(world)
        world.clock.advance(70)
        world.work()
        assert world.clock.now_ms() > (world.now(payment).attempts[0].started_at_ms + 15 * MINUTE_MS)
        assert states(world.now(payment)) == [("razorpay", "UNKNOWN")]
        world.line.deliver_late()
        now = work_for(world, payment, 10 * MINUTE_MS)
        assert (now.status, len(world.http.charged())) == (PaymentStatus.SUCCESS, 1)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500])
    def test_no_answer_but_a_capture_closes_the_attempt(self, world: HostileWorld, status: int) -> None:
        world.line.captures = [replace(NOT_CAPTURED, status=status)]
        payment = pay(world)
        world.work(turns=2)
        assert states(world.now(payment)) == [("razorpay", "UNKNOWN")]

    def test_a_worker_that_dies_with_the_capture_on_its_way(self, world: HostileWorld) -> None:
        payment = pay(world)
        world.work()

        def die() -> None:
            world.line.before_capture = lambda: None
            raise StorageUnavailableError("the function was stopped")

        world.line.before_capture = die
        with pytest.raises(StorageUnavailableError):
            world.work()
        assert world.now(payment).attempts[0].capture_sent_at_ms is not None
        now = work_for(world, payment, 10 * MINUTE_MS)
        assert (now.status, captures(world)) == (PaymentStatus.SUCCESS, 1)

    def test_a_cancellation_that_comes_afterwards_does_not_win(self, world: HostileWorld) -> None:
        world.line.captures = [Trouble.LATE]
        payment = pay(world)
        world.work(turns=2)
        world.cancel(payment.merchant_id, payment.transaction_id)
        world.work()
        assert world.now(payment).status is PaymentStatus.PENDING
        world.line.deliver_late()
        assert work_for(world, payment, 10 * MINUTE_MS).status is PaymentStatus.SUCCESS


class TestWhatIsNotCaptured:
    def test_another_amount_than_ours(self, world: HostileWorld) -> None:
        payment = pay(world, "tok_wrong_amount")
        world.work_until_idle()
        now = world.now(payment)
        assert (now.status, states(now), captures(world)) == (
            PaymentStatus.IN_REVIEW,
            [("razorpay", "MISMATCH")],
            0,
        )

    def test_a_payment_in_review(self, world: HostileWorld) -> None:
        """An operator decides about it, so the money is left to be returned."""
        payment = pay(world, kind="upi")
        world.work()
        context = Context(now_ms=world.clock.now_ms(), actor="worker", policy=world.policy)
        change = send_to_review(world.now(payment), ReviewReason.DRIVES_EXHAUSTED, context)
        assert world.outcome_writer.commit(change) is not None
        approve(world)
        world.store(replace(world.now(payment), ready_at_ms=0))  # the day's inquiry, while the money is held
        world.wake(payment)
        assert payments_at_razorpay(world) == ["authorized"]
        assert captures(world) == 0
        now = work_for(world, payment, 3 * DAY_MS)
        assert (now.status, captures(world)) == (PaymentStatus.FAILED, 0)

    def test_an_authorization_that_is_read_without_time_for_a_capture(self, world: HostileWorld) -> None:
        payment = pay(world)
        world.work()
        world.deadline.left_ms = 12_000
        world.work()
        now = world.now(payment)
        assert (states(now), captures(world)) == ([("razorpay", "ACCEPTED")], 0)
        assert now.attempts[0].capture_sent_at_ms is None
        world.deadline.left_ms = 30_000
        assert work_for(world, payment, 10 * MINUTE_MS).status is PaymentStatus.SUCCESS


class TestEachGuard:
    """The guards overlap on purpose; here each stands alone."""

    @pytest.fixture
    def session(self, world: HostileWorld) -> ChargeSession:
        """An open attempt at a provider where we capture; no request has left."""
        payment = pay(world)
        world.work()
        provider = ScriptedProvider("razorpay", RESENDABLE, captures_by_us=True)
        account = next(account for account in world.accounts if account.provider == "razorpay")
        stored = world.now(payment)
        lease = Lease(owner="worker", epoch=stored.lease.epoch + 1, expires_at_ms=world.clock.now_ms() + LEASE_MS)
        claimed = replace(stored, lease=lease)
        world.store(claimed)
        return ChargeSession(
            item=WorkItem(payment=claimed),
            number=1,
            provider=provider,
            account=account,
            deadline=world.deadline,
            clock=world.clock,
        )

    @staticmethod
    def having(session: ChargeSession, **changes: object) -> ChargeSession:
        changed = replace(session.attempt, **changes)  # type: ignore[arg-type]
        return session.with_payment(replace(session.payment, attempts=(changed,)))

    @staticmethod
    def sent(session: ChargeSession) -> list[str]:
        assert isinstance(session.provider, ScriptedProvider)
        return [what for what, _ in session.provider.sent]

    def test_an_open_attempt_is_captured(self, world: HostileWorld, session: ChargeSession) -> None:
        after, outcome = CompleteCharge(payments=world.payments)(session, authorized(session.charge))
        assert isinstance(outcome, Succeeded)
        assert after.attempt.capture_sent_at_ms == world.clock.now_ms()
        assert self.sent(session) == ["complete"]

    def test_another_authorization_is_not_once_the_first_may_be_captured(
        self, world: HostileWorld, session: ChargeSession
    ) -> None:
        assert isinstance(session.provider, ScriptedProvider)
        session.provider.completions = [Unknown(code="read_timeout")]
        complete = CompleteCharge(payments=world.payments)
        sent, _ = complete(session, authorized(session.charge, "pay_1"))
        _, outcome = complete(sent, authorized(session.charge, "pay_2"))
        assert outcome == Unknown(code="another_authorization")
        assert self.sent(session) == ["complete"]
        complete(sent, authorized(session.charge, "pay_1"))
        assert self.sent(session) == ["complete", "complete"]

    @pytest.mark.parametrize("state", sorted(NO_CHARGE_STATES))
    def test_a_closed_attempt_is_not(self, world: HostileWorld, session: ChargeSession, state: AttemptState) -> None:
        closed, late = self.having(session, state=state), authorized(session.charge)
        assert CompleteCharge(payments=world.payments)(closed, late) == (closed, late)
        assert self.sent(session) == []

    @pytest.mark.parametrize(
        "outcome", [Unknown(code="x"), NotFound(), Declined(code="x"), Accepted(reference="r"), Rejected(code="x")]
    )
    def test_nothing_but_an_authorization_is_captured(
        self, world: HostileWorld, session: ChargeSession, outcome: Outcome
    ) -> None:
        assert CompleteCharge(payments=world.payments)(session, outcome) == (session, outcome)
        assert self.sent(session) == []

    def test_no_capture_leaves_without_the_stored_fact(self, session: ChargeSession) -> None:
        with pytest.raises(TransitionError):
            session.complete("pay_1")
        with pytest.raises(TransitionError):
            self.having(session, state=AttemptState.DECLINED, progress=CAPTURING).complete("pay_1")
        assert self.sent(session) == []

    def test_no_cancellation_leaves_after_it(self, session: ChargeSession) -> None:
        assert isinstance(session.cancel_and_confirm(), ConfirmedCancelled)
        assert self.having(session, progress=CAPTURING).cancel_and_confirm() == Unknown(code="capture_sent")
        assert self.sent(session) == ["fence"]

    @pytest.mark.parametrize("state", [AttemptState.UNKNOWN, AttemptState.ACCEPTED, AttemptState.REQUIRES_ACTION])
    @pytest.mark.parametrize("cancel_requested", [True, False])
    def test_no_other_step_is_planned_after_it(
        self, session: ChargeSession, state: AttemptState, cancel_requested: bool
    ) -> None:
        late_ms = session.clock.now_ms() + MINUTE_MS
        payment = replace(session.payment, cancel_requested=cancel_requested)
        known = {"may_have_charged": True, "same_request": True, "can_cancel": True, "now_ms": late_ms}
        attempt = replace(session.attempt, state=state, deadline_ms=late_ms - 1)
        before = recovery_step_for(payment, attempt, RESENDABLE, **known)
        assert before.cancel_and_confirm
        after = recovery_step_for(payment, replace(attempt, progress=CAPTURING), RESENDABLE, **known)
        assert after == RecoveryStep()

    @pytest.mark.parametrize(
        "outcome",
        [
            Declined(code="x"),
            Rejected(code="x"),
            NotSent(code="x"),
            Accepted(reference="r"),
            ActionRequired(reference="r", action=NextAction(kind="redirect", url="https://x.test")),
            Authorized(reference="r", amount=49_900, currency="INR", merchant_reference="k"),
        ],
    )
    @pytest.mark.parametrize("first_send", [True, False])
    def test_no_answer_but_three_decides_after_it(
        self, session: ChargeSession, outcome: Outcome, first_send: bool
    ) -> None:
        attempt = replace(session.attempt, progress=CAPTURING)
        assert isinstance(verify_outcome(outcome, session.payment, attempt, first_send=first_send), Unknown)
        for decisive in (ConfirmedCancelled(), Mismatch(code="x")):
            assert verify_outcome(decisive, session.payment, attempt, first_send=first_send) == decisive

    def test_the_same_request_is_not_sent_after_it(self, world: HostileWorld, session: ChargeSession) -> None:
        """A provider with idempotency keys, whose capture was lost: the charge itself is never sent again."""
        assert isinstance(session.provider, ScriptedProvider)
        session.provider.inquiries = [authorized(session.charge)]
        session.provider.completions = [Unknown(code="read_timeout")]
        unknown = self.having(session, state=AttemptState.UNKNOWN)
        unknown = self.having(unknown, request_hash=session.provider.request_hash(unknown.charge))
        world.store(unknown.payment)
        merchant = world.merchants.get(unknown.payment.merchant_id)
        _, observation = world.process.resolve_attempt(unknown, merchant)
        assert observation.outcome == Unknown(code="read_timeout")
        assert self.sent(session) == ["inquire", "complete"]


class TestAnOlderWorker:
    def test_it_cannot_store_the_fact_and_captures_nothing(self, world: HostileWorld) -> None:
        """Another worker took over between its read and its write."""
        payment = pay(world)
        world.work()

        def take_over() -> None:
            world.store(replace(world.now(payment), version=world.now(payment).version + 1))

        world.before_next("update_item", take_over, "capture_sent_at")
        world.work()
        assert captures(world) == 0
        assert world.now(payment).attempts[0].capture_sent_at_ms is None


class TestALeftAttempt:
    def test_a_decline_goes_to_the_next_provider_at_once(self, world: HostileWorld) -> None:
        payment = pay(world, "tok_soft_decline")
        world.work(turns=2)
        now = world.now(payment)
        assert [attempt.provider for attempt in now.attempts] == ["razorpay", "cashfree"]
        now = work_for(world, payment, 5 * MINUTE_MS)
        assert now.status is PaymentStatus.SUCCESS
        assert [entry["gateway"] for entry in world.http.charged()] == ["cashfree"]

    def test_its_late_authorization_is_never_captured(self, world: HostileWorld) -> None:
        payment = pay(world, "tok_reopened_decline")
        now = work_for(world, payment, 5 * MINUTE_MS)
        assert payments_at_razorpay(world) == ["authorized"]
        simulator = world.http.simulators["razorpay"]
        for webhook in simulator.webhooks_due(world.clock.now_ms() / 1000):  # type: ignore[attr-defined]
            world.receive("razorpay", webhook.body, webhook.headers)
        world.deliver_provider_events()
        now = work_for(world, payment, 6 * DAY_MS)
        assert (now.status, captures(world)) == (PaymentStatus.SUCCESS, 0)
        assert payments_at_razorpay(world) == ["released"]
        assert [entry["gateway"] for entry in world.http.charged()] == ["cashfree"]

    def test_a_cancelled_payment_is_not_captured_when_its_payer_approves(self, world: HostileWorld) -> None:
        payment = pay(world, kind="upi")
        world.work()
        world.cancel(payment.merchant_id, payment.transaction_id)
        approve(world)
        now = work_for(world, payment, 10 * MINUTE_MS)
        assert (now.status, captures(world)) == (PaymentStatus.CANCELLED, 0)
        work_for(world, payment, DAY_MS)
        assert world.http.charged() == []

    def test_a_lost_answer_and_no_payment_at_the_provider_is_left(self, world: HostileWorld) -> None:
        """Nothing can be captured without us, so nobody waits six days for an authorization that may come late."""
        world.line.troubles = {2: Trouble.REQUEST_LOST}
        payment = pay(world)
        now = work_for(world, payment, 10 * MINUTE_MS)
        assert now.status is PaymentStatus.SUCCESS
        assert states(now)[0] == ("razorpay", "FENCED")
        assert [entry["gateway"] for entry in world.http.charged()] == ["cashfree"]

    def test_a_request_that_arrives_after_it_was_left_takes_nothing(self, world: HostileWorld) -> None:
        world.line.troubles = {2: Trouble.LATE}
        payment = pay(world)
        work_for(world, payment, 10 * MINUTE_MS)
        world.line.deliver_late()
        now = work_for(world, payment, 6 * DAY_MS)
        assert (now.status, captures(world)) == (PaymentStatus.SUCCESS, 0)
        assert [entry["gateway"] for entry in world.http.charged()] == ["cashfree"]


class TestAttemptsOfTheLastRelease:
    @pytest.fixture
    def old(self, world: HostileWorld) -> Payment:
        """Release 0.2.0 asked the provider to capture, and stored the order's id alone."""
        payment = pay(world)
        world.work()
        stored = world.now(payment)
        (attempt,) = stored.attempts
        progress = {"order_id": attempt.progress["order_id"]}
        world.store(replace(stored, attempts=(replace(attempt, progress=progress),)))
        return payment

    def test_they_are_never_captured_by_us(self, world: HostileWorld, old: Payment) -> None:
        now = work_for(world, old, DAY_MS)
        assert (now.status, captures(world)) == (PaymentStatus.PENDING, 0)

    def test_their_declines_are_watched_as_before(self, world: HostileWorld, old: Payment) -> None:
        failed = _failed_payment(world)
        honest = world.line.send
        world.line.send = lambda request, endpoint: failed if request.method == "GET" else honest(request, endpoint)  # type: ignore[method-assign]
        world.work()
        now = world.now(old)
        assert (now.status, len(now.attempts)) == (PaymentStatus.FAILED, 1)
        assert now.attempts[0].reopens_until_ms == now.updated_at_ms + 6 * DAY_MS


def _failed_payment(world: HostileWorld) -> HttpResponse:
    """The order's payments, as they would be read had they failed."""
    now = world.clock.now_ms() / 1000
    simulator = world.http.simulators["razorpay"]
    (record,) = simulator.everything(now)  # type: ignore[attr-defined]
    shown = simulator._present({**record, "state": "declined", "effect": "soft decline", "captured": False}, now)  # type: ignore[attr-defined]
    reply = json_reply(200, {"entity": "collection", "count": 1, "items": [shown]})
    return HttpResponse(status=200, headers={}, body=reply.body)
