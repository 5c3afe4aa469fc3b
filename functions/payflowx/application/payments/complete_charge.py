"""The capture of an authorization that belongs to a charge of ours, where the provider does not capture by itself.

From the moment at which the capture may have left, the attempt is unknown until a read shows what became of the money.
Before that moment, a charge that is left costs the payer nothing: nobody but us captures it, and the provider returns
it.
"""

from dataclasses import dataclass

from payflowx.application.payments.charge_session import ChargeSession, store_progress
from payflowx.domain.payments.attempt import CAPTURE_OF, CAPTURE_SENT_AT
from payflowx.domain.payments.outcome import Accepted, Authorized, Mismatch, Outcome, Progress, Unknown
from payflowx.domain.payments.ports import Payments
from payflowx.domain.payments.verification import verify_charge
from payflowx.domain.shared.statuses import PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteCharge:
    """Requires the lease. Raises `LeaseLostError` before capturing if another worker took over."""

    payments: Payments

    def __call__(self, session: ChargeSession, outcome: Outcome) -> tuple[ChargeSession, Outcome]:
        """Return the session as stored now, and the outcome of the charge.

        Every outcome but the verified authorization of an open attempt that we capture is returned as it is.
        """
        open_to_us = session.attempt.is_open and session.provider.completes(session.charge)
        if not isinstance(outcome, Authorized) or not open_to_us:
            return session, outcome
        verified = verify_charge(outcome, session.payment, session.attempt)
        if isinstance(verified, Mismatch):
            return session, verified
        if not _may_capture(session):
            return session, Accepted(reference=verified.reference)
        if session.attempt.capture_sent_at_ms is None:
            capture = {CAPTURE_SENT_AT: str(session.clock.now_ms()), CAPTURE_OF: verified.reference}
            session = store_progress(self.payments, session, capture)
        if session.attempt.capture_of not in {None, verified.reference}:
            return session, Unknown(code="another_authorization")
        answer = session.complete(verified.reference)
        return session, Unknown(code="unexpected_progress") if isinstance(answer, Progress) else answer


def _may_capture(session: ChargeSession) -> bool:
    """Return whether a capture may leave now. Nothing is sent for a payment in review or with a cancellation."""
    stopped = session.payment.cancel_requested or session.payment.status is PaymentStatus.IN_REVIEW
    return not stopped and session.has_time_to_send()
