"""Resolution of an open attempt by the steps that its provider supports, never by a guess."""

from dataclasses import dataclass

from payflowx.application.payments.charge_session import ChargeSession
from payflowx.application.payments.complete_charge import CompleteCharge
from payflowx.application.payments.confirm_authorization import ConfirmAuthorization
from payflowx.application.payments.outcome_writer import Observation
from payflowx.application.payments.send_charge import SendCharge
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.outcome import (
    Authorized,
    ConfirmedCancelled,
    Declined,
    NotFound,
    Outcome,
    Progress,
    Unknown,
)
from payflowx.domain.payments.recovery_plan import RecoveryStep, recovery_step_for
from payflowx.domain.payments.verification import changes_state, state_of, verify_outcome
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.shared.statuses import OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveAttempt:
    """Requires the lease. One inquiry, and at most one re-send, capture or cancellation, per session."""

    send_charge: SendCharge
    complete_charge: CompleteCharge
    confirm_authorization: ConfirmAuthorization

    def __call__(self, session: ChargeSession, merchant: Merchant) -> tuple[WorkItem, Observation]:
        """Return the item as stored now, and the observed outcome."""
        may_have_charged = session.may_have_charged()
        step = recovery_step_for(
            session.payment,
            session.attempt,
            session.provider.capabilities,
            may_have_charged=may_have_charged,
            same_request=session.same_request(),
            can_cancel=session.provider.can_cancel(session.charge),
            now_ms=session.clock.now_ms(),
        )
        if session.attempt.is_open and not may_have_charged:
            return self._continue_charge(session, step)
        session, outcome = self._inquire_or_act(session, step, merchant)
        exhausted = step.exhausted or (step.absent_is_exhausted and isinstance(outcome, NotFound))
        return session.item, Observation(outcome=outcome, first_send=False, exhausted=exhausted)

    def _continue_charge(self, session: ChargeSession, step: RecoveryStep) -> tuple[WorkItem, Observation]:
        """Send the charge's next step.

        No request that charges was sent, nor can an older worker send one: it could not store the required step first.
        """
        if not step.continue_charge or session.clock.now_ms() >= session.payment.charge_deadline_ms:
            return session.item, Observation(outcome=ConfirmedCancelled(), first_send=True)
        item, outcome = self.send_charge(session)
        return item, Observation(outcome=outcome, first_send=True)

    def _inquire_or_act(
        self, session: ChargeSession, step: RecoveryStep, merchant: Merchant
    ) -> tuple[ChargeSession, Outcome]:
        confirmed = self.confirm_authorization(session, session.inquire(), merchant)
        session, outcome = self.complete_charge(session, confirmed)
        if session.attempt.capture_sent_at_ms is not None:
            return session, outcome  # the capture may take effect: nothing else may be sent
        return session, self._act(session, step, outcome)

    @staticmethod
    def _act(session: ChargeSession, step: RecoveryStep, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Declined):
            return session.confirm_decline(outcome)
        if _is_decisive(outcome, session, step) or not session.has_time_to_send():
            return outcome
        if step.resend:
            answer = session.send()
            return Unknown(code="unexpected_progress") if isinstance(answer, Progress) else answer
        if step.cancel_and_confirm:
            confirmed_cancelled = session.cancel_and_confirm()
            return outcome if isinstance(confirmed_cancelled, Unknown) else confirmed_cancelled
        return outcome


def _is_decisive(outcome: Outcome, session: ChargeSession, step: RecoveryStep) -> bool:
    """Return whether the outcome is final, is held for longer, or changes a state without a pending cancellation."""
    verified = verify_outcome(outcome, session.payment, session.attempt, first_send=False)
    state = state_of(verified)
    if state is None or isinstance(verified, Unknown):
        return False
    if state not in OPEN_STATES or _is_held_for_longer(verified, session):
        return True
    return changes_state(verified, session.payment, session.attempt) and not (
        step.cancel_and_confirm and session.payment.cancel_requested
    )


def _is_held_for_longer(outcome: Outcome, session: ChargeSession) -> bool:
    """Return whether the provider holds the money beyond the time after which it would be released here."""
    if not isinstance(outcome, Authorized) or session.payment.cancel_requested:
        return False
    return outcome.lapses_at_ms is not None and outcome.lapses_at_ms > session.clock.now_ms()
