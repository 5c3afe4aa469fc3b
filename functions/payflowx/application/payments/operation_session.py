"""One worker's turn at one attempt of a capture, void or refund."""

from dataclasses import dataclass

from payflowx.application.payments.operation_outcome_writer import MovementFinding
from payflowx.application.payments.operation_request import movement_of
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_verification import movement_state_of, weigh_movement
from payflowx.domain.payments.outcome import MovementOutcome, NotSent, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.recovery_plan import movement_means_for
from payflowx.domain.providers.ports import Account, Provider
from payflowx.domain.shared.ambient import Clock, Deadline
from payflowx.domain.shared.limits import MIN_TIME_TO_SEND_MS
from payflowx.domain.shared.operation_request import Movement
from payflowx.domain.shared.statuses import OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementVisit:
    """Payment and operation as stored, the latter under our lease, and whom to talk to."""

    payment: Payment
    operation: Operation
    number: int
    provider: Provider
    account: Account
    deadline: Deadline
    clock: Clock

    @property
    def attempt(self) -> Attempt:
        """The attempt that this turn is about."""
        return self.operation.attempt(self.number)

    @property
    def movement(self) -> Movement:
        """What the provider is asked to do, or asked about."""
        return movement_of(self.payment, self.operation, self.attempt)

    def send_first(self) -> MovementFinding:
        """The first request of an attempt that was just stored. Whatever stops us here, nothing was sent."""
        return MovementFinding(outcome=self._send(), first_send=True)

    def resolve(self) -> MovementFinding:
        """One inquiry, and at most one re-send of the same request, while that surely moves no money twice."""
        means = movement_means_for(
            self.operation,
            self.attempt,
            self.provider.capabilities,
            same_request=self._same_request(),
            now_ms=self.clock.now_ms(),
        )
        outcome = self.provider.inquire_movement(self.movement, self.account)
        if not self._is_decisive(outcome) and means.resend and self._has_time_to_send():
            outcome = self.provider.move(self.movement, self.account)
        return MovementFinding(outcome=outcome, first_send=False, exhausted=means.exhausted)

    def _send(self) -> MovementOutcome:
        if self.clock.now_ms() >= self.operation.send_deadline_ms:
            return NotSent(code="send_deadline_passed")
        if not self._has_time_to_send():
            return NotSent(code="not_enough_time")
        if not self._same_request():
            return NotSent(code="request_changed")
        return self.provider.move(self.movement, self.account)

    def _same_request(self) -> bool:
        """Whether this code would send today, byte for byte, what the attempt was stored with."""
        return self.provider.movement_hash(self.movement) == self.attempt.request_hash

    def _has_time_to_send(self) -> bool:
        lease_left_ms = self.operation.lease.expires_at_ms - self.clock.now_ms()
        return min(lease_left_ms, self.deadline.remaining_ms()) >= MIN_TIME_TO_SEND_MS

    def _is_decisive(self, outcome: MovementOutcome) -> bool:
        """Final, or known to be on its way: then nothing is sent again."""
        weighed = weigh_movement(outcome, self.operation, self.attempt, first_send=False)
        state = movement_state_of(weighed)
        if state is None or isinstance(weighed, Unknown):
            return False
        return state not in OPEN_STATES or weighed == outcome
