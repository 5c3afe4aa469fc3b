"""Sending of a charge's requests, each only after the previous step's result is stored."""

from dataclasses import dataclass

from payflowx.application.payments.charge_session import ChargeSession, store_progress
from payflowx.application.payments.complete_charge import CompleteCharge
from payflowx.domain.payments.outcome import Declined, NotSent, Outcome, Progress, Unknown
from payflowx.domain.payments.ports import Payments
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.shared.limits import MAX_STEPS_PER_ATTEMPT
from payflowx.domain.shared.statuses import AttemptState


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCharge:
    """Requires the lease and a stored attempt.

    Raises `LeaseLostError` before sending if another worker took over.
    """

    payments: Payments
    complete_charge: CompleteCharge

    def __call__(self, session: ChargeSession) -> tuple[WorkItem, Outcome]:
        """Return the item as stored now, and the provider's answer."""
        if session.clock.now_ms() >= session.payment.charge_deadline_ms:
            return session.item, NotSent(code="charge_deadline_passed")
        for _ in range(MAX_STEPS_PER_ATTEMPT):
            if not session.has_time_to_send():
                return session.item, NotSent(code="not_enough_time")
            if not session.same_request():
                return session.item, NotSent(code="request_changed")
            match session.send():
                case Progress(facts=facts):
                    session = store_progress(self.payments, session, facts)
                case Declined() as declined:
                    return session.item, session.confirm_decline(declined)
                case Unknown(code=code) if _is_without_charge(session):
                    return session.item, NotSent(code=code)
                case answer:
                    session, outcome = self.complete_charge(session, answer)
                    return session.item, outcome
        return session.item, Unknown(code="too_many_steps")


def _is_without_charge(session: ChargeSession) -> bool:
    """Return whether a lost answer proves that no request that charges has left.

    So it is while a step before it is not stored: an older worker cannot store it any more. The first lost answer
    leaves the attempt unknown, and its step is sent once more; after the second one another provider may be tried.
    """
    tried_before = session.attempt.state is AttemptState.UNKNOWN or session.payment.not_sent_since_ms is not None
    return tried_before and not session.may_have_charged()
