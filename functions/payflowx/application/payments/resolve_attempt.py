"""Find out what became of an attempt, by the means that its provider offers, and never by guessing."""

from dataclasses import dataclass

from payflowx.application.payments.attempt_session import Visit
from payflowx.application.payments.outcome_writer import Finding
from payflowx.application.payments.send_charge import SendCharge
from payflowx.domain.payments.outcome import Declined, Fenced, Outcome, Progress, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.recovery_plan import Means, means_for
from payflowx.domain.payments.verification import is_news, state_of, weigh
from payflowx.domain.shared.statuses import OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveAttempt:
    """Needs the lease. One inquiry, and at most one re-send or fence, a turn."""

    send_charge: SendCharge

    def __call__(self, visit: Visit) -> tuple[Payment, Finding]:
        """The payment as stored now, and what was found."""
        may_have_charged = visit.provider.may_have_charged(visit.attempt.progress)
        means = means_for(
            visit.payment,
            visit.attempt,
            visit.provider.capabilities,
            may_have_charged=may_have_charged,
            same_request=visit.same_request(),
            now_ms=visit.clock.now_ms(),
        )
        if visit.attempt.is_open and not may_have_charged:
            return self._go_on(visit, means)
        outcome = self._read_or_act(visit, means)
        return visit.payment, Finding(outcome=outcome, first_send=False, exhausted=means.exhausted)

    def _go_on(self, visit: Visit, means: Means) -> tuple[Payment, Finding]:
        """Nothing that charges has left, nor can it: an older worker could not store what it must store first."""
        if not means.continue_charge or visit.clock.now_ms() >= visit.payment.charge_deadline_ms:
            return visit.payment, Finding(outcome=Fenced(), first_send=True)
        payment, outcome = self.send_charge(visit)
        return payment, Finding(outcome=outcome, first_send=True)

    def _read_or_act(self, visit: Visit, means: Means) -> Outcome:
        outcome = visit.provider.inquire(visit.charge, visit.account)
        if isinstance(outcome, Declined):
            return visit.confirm_decline(outcome)
        if _is_decisive(outcome, visit, means) or not visit.has_time_to_send():
            return outcome
        if means.resend:
            answer = visit.provider.charge(visit.charge, visit.account)
            return Unknown(code="unexpected_progress") if isinstance(answer, Progress) else answer
        if means.fence:
            fenced = visit.fence()
            return outcome if isinstance(fenced, Unknown) else fenced
        return outcome


def _is_decisive(outcome: Outcome, visit: Visit, means: Means) -> bool:
    """Final; or news of an attempt that no cancellation and no deadline asks to cut short."""
    weighed = weigh(outcome, visit.payment, visit.attempt, first_send=False)
    state = state_of(weighed)
    if state is None or isinstance(weighed, Unknown):
        return False
    if state not in OPEN_STATES:
        return True
    return is_news(weighed, visit.attempt) and not (means.fence and visit.payment.cancel_requested)
