"""A worker's session with one attempt of a capture, void or refund."""

from dataclasses import dataclass

from payflowx.application.payments.operation_outcome_writer import OperationObservation
from payflowx.application.payments.operation_request import operation_request_of
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_verification import operation_attempt_state_of, verify_operation_outcome
from payflowx.domain.payments.outcome import NotSent, OperationOutcome, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.recovery_plan import operation_recovery_step_for
from payflowx.domain.payments.transitions import check_may_send
from payflowx.domain.providers.ports import Account, Provider
from payflowx.domain.shared.ambient import Clock, Deadline
from payflowx.domain.shared.limits import MIN_TIME_TO_SEND_MS
from payflowx.domain.shared.operation_request import OperationRequest
from payflowx.domain.shared.statuses import OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSession:
    """Payment and operation as stored, the latter under this worker's lease, and the provider."""

    payment: Payment
    operation: Operation
    number: int
    provider: Provider
    account: Account
    deadline: Deadline
    clock: Clock

    @property
    def attempt(self) -> Attempt:
        return self.operation.attempt(self.number)

    @property
    def operation_request(self) -> OperationRequest:
        return operation_request_of(self.payment, self.operation, self.attempt)

    def send_first(self) -> OperationObservation:
        """Send the first request of a stored attempt.

        On any obstacle before the call, nothing was sent.
        """
        return OperationObservation(outcome=self._send(), first_send=True)

    def resolve(self) -> OperationObservation:
        """Inquire once, then re-send the same request at most once, if that cannot move money twice."""
        step = operation_recovery_step_for(
            self.operation,
            self.attempt,
            self.provider.capabilities,
            same_request=self._same_request(),
            now_ms=self.clock.now_ms(),
        )
        outcome = self.provider.inquire_operation(self.operation_request, self.account)
        if not self._is_decisive(outcome) and step.resend and self._has_time_to_send():
            outcome = self._move()
        return OperationObservation(outcome=outcome, first_send=False, exhausted=step.exhausted)

    def _send(self) -> OperationOutcome:
        if self.clock.now_ms() >= self.operation.send_deadline_ms:
            return NotSent(code="send_deadline_passed")
        if not self._has_time_to_send():
            return NotSent(code="not_enough_time")
        if not self._same_request():
            return NotSent(code="request_changed")
        return self._move()

    def _move(self) -> OperationOutcome:
        """Send the request: the only place from which one leaves.

        Raises `TransitionError` unless the stored attempt says that it may have left.
        """
        check_may_send(self.attempt.state)
        return self.provider.move(self.operation_request, self.account)

    def _same_request(self) -> bool:
        """The request built today equals the one that the attempt was stored with, byte for byte."""
        return self.provider.operation_hash(self.operation_request) == self.attempt.request_hash

    def _has_time_to_send(self) -> bool:
        lease_left_ms = self.operation.lease.expires_at_ms - self.clock.now_ms()
        return min(lease_left_ms, self.deadline.remaining_ms()) >= MIN_TIME_TO_SEND_MS

    def _is_decisive(self, outcome: OperationOutcome) -> bool:
        """Return whether the outcome is final or in progress, so that nothing is sent again."""
        verified = verify_operation_outcome(outcome, self.operation, self.attempt, first_send=False)
        state = operation_attempt_state_of(verified)
        if state is None or isinstance(verified, Unknown):
            return False
        return state not in OPEN_STATES or verified == outcome
