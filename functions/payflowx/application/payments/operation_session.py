"""A worker's session with one attempt of a capture, void or refund."""

from dataclasses import dataclass, replace

from payflowx.application.payments.attempt_session import AttemptSession
from payflowx.application.payments.charge_request import charge_request_of
from payflowx.application.payments.operation_request import operation_request_of
from payflowx.application.payments.outcome_writer import Observation
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.outcome import Declined, NotFound, NotSent, Outcome, Rejected, Unknown
from payflowx.domain.payments.provider_refund import refund_outcome
from payflowx.domain.payments.recovery_plan import operation_recovery_step_for
from payflowx.domain.payments.refund_list import RefundListUnavailable, RefundsRead, RefundState
from payflowx.domain.payments.refused_send import RefusedSend
from payflowx.domain.payments.transitions import check_may_send
from payflowx.domain.payments.verification import state_of, verify_outcome
from payflowx.domain.shared.identifiers import parse_provider_key
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import OPEN_STATES, AttemptState


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSession(AttemptSession):
    """The steps of an operation that need the provider."""

    @property
    def operation(self) -> Operation:
        if self.item.operation is None:
            raise ValueError("the session of a payment has no operation")
        return self.item.operation

    @property
    def operation_request(self) -> OperationRequest:
        return operation_request_of(self.item.payment, self.operation, self.attempt)

    def send_first(self) -> Observation:
        """Send the first request of a stored attempt. A refusal is proven at once, by a complete read.

        On any obstacle before the call, nothing was sent.
        """
        outcome = self._send()
        if isinstance(outcome, Rejected) and not outcome.may_pass_later:
            proven = self._proven(self._refused(outcome, is_first_send=True), outcome.code, outcome.message)
            return replace(proven, misconfigured=outcome.misconfigured)
        return Observation(outcome=outcome, first_send=True)

    def resolve(self) -> Observation:
        """Inquire once, then re-send the same request at most once, if that cannot move money twice."""
        step = operation_recovery_step_for(
            self.operation,
            self.attempt,
            self.provider.capabilities,
            same_request=self._same_request(),
            now_ms=self.clock.now_ms(),
        )
        if self.attempt.refused_send is not None:
            code, message = self.attempt.code or "refused", self.attempt.message or ""
            return replace(self._proven(self.attempt.refused_send, code, message), exhausted=step.exhausted)
        outcome, misconfigured = self.inquire(), False
        if self.operation.origin is Origin.PROVIDER:
            return Observation(outcome=outcome, first_send=False, exhausted=step.exhausted)
        if not self._is_decisive(outcome) and step.resend and self.has_time_to_send():
            outcome = self._move()
            if isinstance(outcome, Rejected) and not outcome.may_pass_later:
                refused, misconfigured = self._refused(outcome, is_first_send=False), outcome.misconfigured
                outcome = Unknown(code=outcome.code, message=outcome.message, refused=refused)
        exhausted = step.exhausted or (step.absent_is_exhausted and isinstance(outcome, NotFound))
        return Observation(
            outcome=outcome,
            first_send=False,
            exhausted=exhausted,
            misconfigured=misconfigured,
            reads_refunds=self._is_last_inquiry_about_a_refused_refund(),
        )

    def _is_last_inquiry_about_a_refused_refund(self) -> bool:
        """Return whether a refund made at the provider may have been why ours was refused, and is to be recorded now.

        The read after the refusal recorded it only if no other refund of ours was unresolved, and if the list was
        complete. This one is the last that ours causes: no read and inquiry cause each other without end.
        """
        refused = self.operation.kind is OperationKind.REFUND and self.attempt.state is AttemptState.DECLINED
        is_last = self.attempt.is_watched and not self.attempt.may_reopen(self.clock.now_ms())
        return refused and is_last and self.provider.lists_refunds

    def inquire(self) -> Outcome:
        """Inquire once. Changes nothing at the provider."""
        if self.operation.origin is Origin.PROVIDER:
            return self._listed()
        return self.provider.inquire_operation(self.operation_request, self.account)

    def _listed(self) -> Outcome:
        """Return the outcome of a refund that was made at the provider, from the list of the charge's refunds."""
        read = self._refund_list()
        if isinstance(read, RefundListUnavailable):
            return Unknown(code=read.code)
        found = (refund for refund in read.refunds if refund.reference == self.attempt.reference)
        refund = next(found, None)
        return refund_outcome(refund, self.attempt) if refund else NotFound()

    # -- refusals

    def _refused(self, rejected: Rejected, *, is_first_send: bool) -> RefusedSend:
        return RefusedSend(
            at_ms=self.clock.now_ms(),
            is_first_send=is_first_send,
            claims_done=rejected.claims_done,
        )

    def _proven(self, refused: RefusedSend, code: str, message: str) -> Observation:
        """Read the charge's operations completely; return the decline once that proves that nothing happened.

        Only then the refunds of others are recorded. Before, one without a key would wait for ours, and have ours
        inquired about at once: the two would cause each other without end.
        """
        found, was_made_elsewhere = self._complete_read(refused) if self.has_time_to_send() else (NotFound(), False)
        if isinstance(found, NotFound) and found.complete:
            refused = replace(refused, complete_reads=refused.complete_reads + 1)
            lag_ms = self.provider.capabilities.visibility_lag_ms
            if refused.is_proven_by(refused.complete_reads, lag_ms, self.clock.now_ms()):
                watched_seconds = lag_ms // SECOND_MS
                found = Declined(code=code, message=message, reopens_for_seconds=watched_seconds)
        if isinstance(found, NotFound | Unknown):
            found = Unknown(code=code, message=message, refused=refused)
        is_decided = isinstance(found, Declined)
        return Observation(outcome=found, first_send=False, reads_refunds=was_made_elsewhere and is_decided)

    def _complete_read(self, refused: RefusedSend) -> tuple[Outcome, bool]:
        """Return the outcome of our operation from a complete read, and whether the list has refunds of others."""
        if self.operation.kind is not OperationKind.REFUND or not self.provider.lists_refunds:
            found = self.inquire()
            return (NotFound() if refused.claims_done and isinstance(found, NotFound) else found), False
        read = self._refund_list()
        if isinstance(read, RefundListUnavailable):
            return Unknown(code=read.code), False
        if any(refund.provider_key == self.attempt.provider_key for refund in read.refunds):
            return self.inquire(), False
        effective = [refund for refund in read.refunds if refund.state is not RefundState.FAILED]
        adds_up = sum(refund.amount for refund in effective) >= self.item.payment.captured
        elsewhere = any(parse_provider_key(refund.provider_key or "") is None for refund in effective)
        return NotFound(complete=adds_up or not refused.claims_done), elsewhere

    def _refund_list(self) -> RefundsRead:
        charge = self.item.payment.attempt(self.operation.charge_attempt)
        return self.provider.refunds_of(charge_request_of(self.item.payment, charge), self.account)

    # -- requests

    def _send(self) -> Outcome:
        if self.clock.now_ms() >= self.operation.send_deadline_ms:
            return NotSent(code="send_deadline_passed")
        if not self.has_time_to_send():
            return NotSent(code="not_enough_time")
        if not self._same_request():
            return NotSent(code="request_changed")
        return self._move()

    def _move(self) -> Outcome:
        """Send the request: the only place from which one leaves.

        Raises `TransitionError` unless the stored attempt says that it may have left.
        """
        check_may_send(self.attempt.state)
        return self.provider.move(self.operation_request, self.account)

    def _same_request(self) -> bool:
        """The request built today equals the one that the attempt was stored with, byte for byte."""
        return self.provider.operation_hash(self.operation_request) == self.attempt.request_hash

    def _is_decisive(self, outcome: Outcome) -> bool:
        """Return whether the outcome is final or in progress, so that nothing is sent again."""
        verified = verify_outcome(outcome, self.operation, self.attempt, first_send=False)
        state = state_of(verified)
        if state is None or isinstance(verified, Unknown):
            return False
        return state not in OPEN_STATES or verified == outcome
