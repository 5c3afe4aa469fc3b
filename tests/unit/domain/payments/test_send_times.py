"""Properties of histories in which requests do not leave, are not answered, or are: for payments and for operations."""

from dataclasses import dataclass, field, replace
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.claim import FailPayment, ReopenAttempt, ResolveOpenAttempt, StartAttempt, start_instead
from payflowx.domain.payments.inquiry_times import first_inquiry_at_ms, next_inquiry_at_ms
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.operation_claim import decide_operation_claim
from payflowx.domain.payments.operation_state_machine import (
    apply_operation_outcome,
    fail_operation,
    schedule_operation_inquiry,
)
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    Declined,
    NextAction,
    NotFound,
    NotSent,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.state_machine import request_cancel, schedule_inquiry
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MAX_ATTEMPTS, MINUTE_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import (
    FINAL_OPERATION_STATUSES,
    OPEN_STATES,
    AttemptState,
    DeclineKind,
    OperationStatus,
    PaymentStatus,
)
from tests.unit.domain.payments.test_properties import _ACCEPTED, ABLE, NOW_MS, OUTCOMES, Walk

DETERMINISTIC: Final = settings(derandomize=True, database=None, deadline=None)
POLICY: Final = RetryPolicy(max_retries=3, charge_deadline_ms=DAY_MS, not_sent_patience_ms=HOUR_MS)
NOT_SENT: Final = NotSent(code="connection_refused")
WAITS: Final = st.sampled_from([0, 0, 0, 1_000, MINUTE_MS, 20 * MINUTE_MS, HOUR_MS])
JITTER: Final = st.floats(0, 1, exclude_max=True)
PROVEN: Final = frozenset({AttemptState.DECLINED, AttemptState.REJECTED, AttemptState.FENCED})


@dataclass
class SendLog(Walk):
    """A walk that notes each key with which a request was sent."""

    jitter: float = 0.5
    unsure: set[str] = field(default_factory=set)
    """Keys of requests that may have left, and for which no proof was stored yet."""

    def context(self) -> Context:
        return replace(super().context(), jitter=self.jitter)

    def append(self, number: int, candidate: object) -> None:
        assert not self.unsure, "a request that may have left is followed by a new key"
        super().append(number, candidate)  # type: ignore[arg-type]
        self.unsure.add(self.payment.attempts[-1].provider_key)

    def reopen(self, attempt: Attempt) -> None:
        assert not self.unsure, "a request that may have left is followed by another request"
        super().reopen(attempt)
        self.unsure.add(attempt.provider_key)

    def answer(self, attempt: Attempt, outcome: Outcome, *, first_send: bool) -> None:
        super().answer(attempt, outcome, first_send=first_send)
        state = self.payment.attempt(attempt.number).state
        if state in PROVEN or (state is AttemptState.NOT_SENT and first_send):
            self.unsure.discard(attempt.provider_key)


def payment_log(jitter: float = 0.5) -> SendLog:
    return SendLog(_ACCEPTED, POLICY, jitter=jitter)


class TestPayments:
    @settings(DETERMINISTIC, max_examples=300)
    @given(st.lists(st.tuples(st.sampled_from(["answer", "changed"]), WAITS), min_size=1, max_size=60), JITTER)
    def test_only_not_sent_never_fails_within_its_time(self, steps: list[tuple[str, int]], jitter: float) -> None:
        found = payment_log(jitter)
        for action, wait_ms in steps:
            new_keys = len(found.payment.attempts) >= MAX_ATTEMPTS - 1
            found.take("answer" if new_keys else action, NOT_SENT, wait_ms)
            found.check()
            if found.payment.status is PaymentStatus.FAILED:
                assert found.now_ms >= NOW_MS + POLICY.not_sent_patience_ms
                return
            assert found.payment.status is PaymentStatus.PENDING
            self.check_next_time(found)

    @staticmethod
    def check_next_time(found: SendLog) -> None:
        payment = found.payment
        assert payment.ready_at_ms <= found.now_ms + 5 * MINUTE_MS
        assert payment.ready_at_ms <= payment.charge_deadline_ms
        untried = len({a.provider for a in payment.attempts}) < len(payment.route.candidates)
        since_ms = payment.not_sent_since_ms
        assert since_ms is not None
        assert untried or payment.ready_at_ms <= since_ms + POLICY.not_sent_patience_ms

    @settings(DETERMINISTIC, max_examples=300)
    @given(JITTER)
    def test_only_not_sent_ends_in_time_after_a_bounded_number_of_tries(self, jitter: float) -> None:
        found = payment_log(jitter)
        for _ in range(60):
            found.take("answer", NOT_SENT, 0)
            if found.payment.status is PaymentStatus.FAILED:
                break
        assert found.payment.status is PaymentStatus.FAILED
        assert found.now_ms == NOW_MS + POLICY.not_sent_patience_ms

    @settings(DETERMINISTIC, max_examples=800)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["answer", "answer", "answer", "crash", "changed", "cancel"]),
                st.one_of(st.just(NOT_SENT), st.just(NOT_SENT), OUTCOMES),
                st.sampled_from([0, 0, 1_000, MINUTE_MS, HOUR_MS]),
            ),
            min_size=1,
            max_size=40,
        ),
        JITTER,
    )
    def test_a_request_that_may_have_left_is_never_followed_by_a_new_key(
        self, steps: list[tuple[str, Outcome, int]], jitter: float
    ) -> None:
        found = payment_log(jitter)
        for step in steps:
            found.take(*step)
            found.check()
            assert len(found.payment.attempts) <= MAX_ATTEMPTS

    @settings(DETERMINISTIC, max_examples=200)
    @given(
        st.sampled_from(sorted(OPEN_STATES)),
        st.integers(0, 50),
        st.integers(0, 60 * DAY_MS),
        st.none() | st.integers(-DAY_MS, 90 * DAY_MS),
    )
    def test_a_requested_cancellation_is_tried_again_within_the_inquiry_back_off(
        self, state: AttemptState, inquiries: int, age_ms: int, lapses_in_ms: int | None
    ) -> None:
        found = payment_log()
        found.append(1, found.payment.route.candidates[0])
        found.now_ms += age_ms
        deadline_ms = None if lapses_in_ms is None else found.now_ms + lapses_in_ms
        attempt = replace(
            found.payment.attempt(1),
            state=AttemptState(state),
            inquiries=inquiries,
            deadline_ms=deadline_ms,
            settled_at_ms=NOW_MS,
        )
        status = PaymentStatus.AUTHORIZED if state == AttemptState.AUTHORIZED else PaymentStatus.PENDING
        asked = request_cancel(replace(found.payment, attempts=(attempt,), status=status), found.context()).after
        later, _ = schedule_inquiry(asked, attempt, found.context())
        assert found.now_ms < later.ready_at_ms <= found.now_ms + HOUR_MS

    @settings(DETERMINISTIC, max_examples=200)
    @given(
        st.lists(st.sampled_from(["alive", "unknown", "action", "pending", "authorized"]), min_size=1, max_size=20),
        JITTER,
    )
    def test_a_cancellation_stays_near_through_all_states(self, names: list[str], jitter: float) -> None:
        answers: dict[str, Outcome] = {
            "alive": NotFound(),
            "unknown": Unknown(code="x"),
            "action": ActionRequired(reference="r", action=NextAction(kind="redirect", url="https://b.test")),
            "pending": Accepted(reference="r"),
            "authorized": Authorized(reference="r", amount=1999, currency="USD", merchant_reference=""),
        }
        found = payment_log(jitter)
        found.take("crash", NotFound(), 0)
        found.take("cancel", NotFound(), 0)
        assert found.payment.cancel_requested
        for name in names:
            found.take("answer", answers[name], 0)
            assert found.payment.ready_at_ms <= found.now_ms + HOUR_MS
            assert found.payment.attempts[0].is_open

    def test_a_webhook_is_waited_for_in_the_states_that_the_provider_names_and_not_by_a_cancellation(self) -> None:
        waits_ms = {AttemptState.REQUIRES_ACTION: 60_000}
        found = payment_log()
        found.append(1, found.payment.route.candidates[0])
        context = replace(found.context(), able=replace(ABLE, first_inquiry_after_ms=waits_ms))
        waiting = replace(found.payment.attempt(1), state=AttemptState.REQUIRES_ACTION)
        asked = request_cancel(found.payment, context).after
        for payment, state, seconds in (
            (found.payment, AttemptState.REQUIRES_ACTION, [60, 120, 300]),
            (found.payment, AttemptState.ACCEPTED, [5, 15, 45]),
            (found.payment, AttemptState.UNKNOWN, [5, 15, 45]),
            (asked, AttemptState.REQUIRES_ACTION, [5, 15, 45]),
        ):
            attempt = replace(waiting, state=state)
            times_ms = [next_inquiry_at_ms(payment, replace(attempt, inquiries=n), context) for n in range(3)]
            assert [(at_ms - context.now_ms) // 1000 for at_ms in times_ms] == seconds
            assert first_inquiry_at_ms(payment, attempt, context) == times_ms[0]


# -- operations


@dataclass
class OperationWalk:
    """A refund that is claimed and answered as a worker may do it."""

    payment: Payment
    operation: Operation
    jitter: float
    now_ms: int = NOW_MS
    unsure: set[str] = field(default_factory=set)

    def context(self) -> Context:
        return Context(
            now_ms=self.now_ms, actor="worker", holds_lease=True, policy=POLICY, able=ABLE, jitter=self.jitter
        )

    def take(self, action: str, outcome: Outcome, wait_ms: int) -> None:
        self.now_ms = max(self.operation.ready_at_ms, self.now_ms) + wait_ms
        decision = decide_operation_claim(self.payment, self.operation, self.now_ms)
        if isinstance(decision, ReopenAttempt) and action == "changed":
            decision = start_instead(self.operation.attempts, decision)
        match decision:
            case FailPayment(stop=stop):
                change = fail_operation(self.payment, self.operation, stop.code, self.context())
                assert change.operation_after is not None
                self.payment, self.operation = change.after, change.operation_after
            case StartAttempt(number=number):
                self.send(number, action, outcome)
            case ReopenAttempt(attempt=attempt):
                self.send(attempt.number, action, outcome)
            case ResolveOpenAttempt(attempt=attempt):
                self.answer(attempt, outcome, first_send=False)

    def send(self, number: int, action: str, outcome: Outcome) -> None:
        assert not self.unsure, "a request that may have left is followed by another key or a first send"
        attempt = Attempt(
            number=number,
            provider="alpha",
            account_id="main",
            provider_key=derive_provider_key(self.operation.operation_id, number),
            request_hash="h",
            epoch=self.operation.version,
            started_at_ms=self.now_ms,
        )
        attempts = (*self.operation.attempts[: number - 1], attempt)
        self.operation = replace(self.operation, attempts=attempts, version=self.operation.version + 1)
        self.unsure.add(attempt.provider_key)
        if action != "crash":
            self.answer(attempt, outcome, first_send=True)

    def answer(self, attempt: Attempt, outcome: Outcome, *, first_send: bool) -> None:
        if isinstance(outcome, Succeeded):
            outcome = replace(outcome, merchant_reference=attempt.provider_key)
        verified = verify_outcome(outcome, self.operation, attempt, first_send=first_send)
        change = apply_operation_outcome(self.payment, self.operation, attempt, verified, self.context())
        if change is None:
            self.operation, _ = schedule_operation_inquiry(self.operation, attempt, outcome, self.context())
            return
        assert change.operation_after is not None
        self.payment, self.operation = change.after, change.operation_after
        state = self.operation.attempt(attempt.number).state
        if state in PROVEN or (state is AttemptState.NOT_SENT and first_send):
            self.unsure.discard(attempt.provider_key)


def refund_walk(jitter: float) -> OperationWalk:
    payment = replace(
        _ACCEPTED,
        status=PaymentStatus.SUCCESS,
        charged_attempt=1,
        captured=1999,
        refundable=0,
        reserved=1999,
        attempts=(
            Attempt(
                number=1,
                provider="alpha",
                account_id="main",
                provider_key="pfx-aaaaaaaaaaaaaaaa-1",
                request_hash="h",
                epoch=1,
                started_at_ms=NOW_MS,
                state=AttemptState.SUCCEEDED,
                reference="ch-1",
            ),
        ),
        due_at_ms=None,
    )
    operation = Operation(
        merchant_id="acme",
        transaction_id=payment.transaction_id,
        operation_id="ref_aaaaaaaaaaaaaaaa",
        kind=OperationKind.REFUND,
        fingerprint="f",
        amount=1999,
        currency="USD",
        charge_attempt=1,
        created_at_ms=NOW_MS,
        updated_at_ms=NOW_MS,
        send_deadline_ms=NOW_MS + DAY_MS,
        ready_at_ms=NOW_MS,
        due_at_ms=NOW_MS,
        held=Held.RESERVED,
    )
    return OperationWalk(payment, operation, jitter)


OPERATION_OUTCOMES: Final[st.SearchStrategy[Outcome]] = st.one_of(
    st.just(NOT_SENT),
    st.just(NOT_SENT),
    st.builds(Rejected, code=st.just("busy"), retry_after_seconds=st.sampled_from([0, 7, 3_600])),
    st.just(Accepted(reference="re-1")),
    st.just(Unknown(code="x")),
    st.just(NotFound()),
    st.just(Declined(code="x")),
    st.just(Succeeded(reference="re-1", amount=1999, currency="USD", merchant_reference="")),
)


class TestOperations:
    @settings(DETERMINISTIC, max_examples=300)
    @given(st.lists(st.tuples(st.sampled_from(["answer", "changed"]), WAITS), min_size=1, max_size=60), JITTER)
    def test_only_not_sent_never_fails_within_its_time(self, steps: list[tuple[str, int]], jitter: float) -> None:
        found = refund_walk(jitter)
        for action, wait_ms in steps:
            new_keys = len(found.operation.attempts) >= MAX_ATTEMPTS - 1
            found.take("answer" if new_keys else action, NOT_SENT, wait_ms)
            if found.operation.status is OperationStatus.FAILED:
                assert found.now_ms >= NOW_MS + POLICY.not_sent_patience_ms
                assert found.payment.refundable == 1999
                return
            assert found.operation.status is OperationStatus.PENDING
            since_ms = found.operation.not_sent_since_ms
            assert since_ms is not None
            assert found.operation.ready_at_ms <= min(found.now_ms + 5 * MINUTE_MS, since_ms + HOUR_MS)

    @settings(DETERMINISTIC, max_examples=800)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["answer", "answer", "answer", "crash", "changed"]),
                OPERATION_OUTCOMES,
                st.sampled_from([0, 0, 1_000, MINUTE_MS, HOUR_MS]),
            ),
            min_size=1,
            max_size=40,
        ),
        JITTER,
    )
    def test_a_request_that_may_have_left_is_never_followed_by_a_new_key(
        self, steps: list[tuple[str, Outcome, int]], jitter: float
    ) -> None:
        found = refund_walk(jitter)
        for step in steps:
            found.take(*step)
            operation = found.operation
            assert len(operation.attempts) <= MAX_ATTEMPTS
            if operation.status is OperationStatus.FAILED:
                assert not any(attempt.is_open for attempt in operation.attempts)
            if operation.status not in FINAL_OPERATION_STATUSES | {OperationStatus.IN_REVIEW}:
                assert operation.due_at_ms is not None


def test_a_decline_after_trouble_ends_the_payment_at_once() -> None:
    found = payment_log()
    found.take("answer", NOT_SENT, 0)
    found.take("answer", Declined(kind=DeclineKind.HARD, code="stolen_card"), 0)
    assert found.payment.status is PaymentStatus.FAILED
